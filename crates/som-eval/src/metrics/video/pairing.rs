//! Which proposal stands for which object: the assignment with the best total.

/// For each row of `scores` the column that it is paired with, each column once, so that the total
/// is the best there is. Rows are at most as many as columns, and all equally long.
///
/// Shortest augmenting paths (Kuhn 1955, Munkres 1957, in the form of Jonker and Volgenant 1987).
pub fn best_pairs(scores: &[Vec<f64>]) -> Vec<usize> {
    let columns = scores.first().map_or(0, Vec::len);
    // Place 0 of each is the row that is being placed; so rows and columns count from 1.
    let mut of_row = vec![0.0; scores.len() + 1];
    let mut of_column = vec![0.0; columns + 1];
    let mut row_at = vec![0; columns + 1];
    for row in 1..=scores.len() {
        row_at[0] = row;
        let mut column = 0;
        let mut least = vec![f64::INFINITY; columns + 1];
        let mut before = vec![0; columns + 1];
        let mut is_done = vec![false; columns + 1];
        while row_at[column] != 0 {
            is_done[column] = true;
            let from = row_at[column];
            let (mut step, mut next) = (f64::INFINITY, 0);
            for to in (1..=columns).filter(|to| !is_done[*to]) {
                let cost = -scores[from - 1][to - 1] - of_row[from] - of_column[to];
                if cost < least[to] {
                    least[to] = cost;
                    before[to] = column;
                }
                if least[to] < step {
                    step = least[to];
                    next = to;
                }
            }
            for (to, is_done) in is_done.iter().enumerate() {
                if *is_done {
                    of_row[row_at[to]] += step;
                    of_column[to] -= step;
                } else {
                    least[to] -= step;
                }
            }
            column = next;
        }
        // The columns on the way each take over the row of the one before.
        while column != 0 {
            row_at[column] = row_at[before[column]];
            column = before[column];
        }
    }
    let mut pairs = vec![0; scores.len()];
    for (column, row) in row_at.into_iter().enumerate().skip(1) {
        if let Some(pair) = row.checked_sub(1).and_then(|row| pairs.get_mut(row)) {
            *pair = column - 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The best total by trying all.
    fn best(scores: &[Vec<f64>], taken: &mut Vec<usize>) -> f64 {
        let Some((row, rest)) = scores.split_first() else {
            return 0.0;
        };
        let mut most = f64::NEG_INFINITY;
        for (column, score) in row.iter().enumerate() {
            if !taken.contains(&column) {
                taken.push(column);
                most = most.max(score + best(rest, taken));
                taken.pop();
            }
        }
        most
    }

    proptest! {
        #[test]
        fn no_pairing_is_better(
            scores in (1..5_usize, 0..3_usize).prop_flat_map(|(rows, more)| {
                let row = proptest::collection::vec(0.0..1.0_f64, rows + more);
                proptest::collection::vec(row, rows)
            })
        ) {
            let pairs = best_pairs(&scores);
            let total: f64 = scores.iter().zip(&pairs).map(|(row, column)| row[*column]).sum();
            prop_assert!((total - best(&scores, &mut Vec::new())).abs() < 1e-9);
        }
    }
}
