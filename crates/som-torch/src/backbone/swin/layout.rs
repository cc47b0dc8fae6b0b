//! Where the tokens of a map lie in windows.

use tch::{Device, Tensor};

use crate::TorchResult;

/// A map of some size, seen through windows.
///
/// Windows that reach beyond the map at the right or at the bottom have places there for no token.
/// Shifted windows take the tokens from `shift` rows down and `shift` columns right on, and find
/// the first rows and columns again behind the last: in the last window of each column and row are
/// tokens that are no neighbours. So windows are sorted by the [`Group`]s that this makes of them.
#[derive(Debug)]
pub(super) struct Layout {
    /// `[windows · window²]`: the token in each place, any for one beyond the map.
    pub tokens: Tensor,
    /// The places beyond the map, if there are such.
    pub beyond: Option<Tensor>,
    /// `[rows · columns]`: the place of each token.
    pub places: Tensor,
    /// How many windows there are of each group, in this order.
    pub groups: Vec<(Group, i64)>,
}

/// Windows across which the shifted map breaks in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// Nowhere: all tokens are neighbours.
    Whole,
    /// Between two columns.
    Right,
    /// Between two rows.
    Bottom,
    /// Between two rows and two columns.
    Corner,
}

impl Layout {
    /// Windows of side `window`, shifted by `shift`, over a map of `[rows, columns]`.
    pub(super) fn new(
        [rows, columns]: [i64; 2],
        window: i64,
        shift: i64,
        device: Device,
    ) -> TorchResult<Self> {
        let down = (rows + window - 1) / window;
        let across = (columns + window - 1) / window;
        let groups = if shift == 0 {
            vec![(Group::Whole, 0..down, 0..across)]
        } else {
            vec![
                (Group::Whole, 0..down - 1, 0..across - 1),
                (Group::Right, 0..down - 1, across - 1..across),
                (Group::Bottom, down - 1..down, 0..across - 1),
                (Group::Corner, down - 1..down, across - 1..across),
            ]
        };
        let source = |place: i64, count: i64| (place + shift) % (count * window);
        let mut here = 0;
        let mut tokens = Vec::new();
        let mut beyond = Vec::new();
        let mut places = vec![0; (rows * columns) as usize];
        let mut counts = Vec::new();
        for (group, window_rows, window_columns) in groups {
            let count =
                (window_rows.end - window_rows.start) * (window_columns.end - window_columns.start);
            if count > 0 {
                counts.push((group, count));
            }
            for (window_row, window_column) in
                window_rows.flat_map(|row| window_columns.clone().map(move |column| (row, column)))
            {
                for place in 0..window * window {
                    let row = source(window_row * window + place / window, down);
                    let column = source(window_column * window + place % window, across);
                    if row < rows && column < columns {
                        let token = row * columns + column;
                        places[token as usize] = here;
                        tokens.push(token);
                    } else {
                        beyond.push(here);
                        tokens.push(0);
                    }
                    here += 1;
                }
            }
        }
        let tensor = |indices: &[i64]| Tensor::f_from_slice(indices)?.f_to_device(device);
        Ok(Self {
            tokens: tensor(&tokens)?,
            beyond: (!beyond.is_empty()).then(|| tensor(&beyond)).transpose()?,
            places: tensor(&places)?,
            groups: counts,
        })
    }
}
