//! Answers in JSON that say something of each expression, by its words or in order.

use super::{
    grounded::Named,
    json,
    matching::{overlap, plain_words, same},
    spoken::Spoken,
};

/// What the answer says of each expression, if it is JSON that says something of one.
pub(super) fn structured(
    spoken: &Spoken<'_>,
    expressions: &[String],
) -> Option<Vec<Option<Named>>> {
    if spoken.documents.is_empty() {
        return None;
    }
    let pairs = json::pairs(spoken);
    let mut given: Vec<Option<Named>> = expressions
        .iter()
        .map(|expression| {
            let same: Vec<Named> = pairs
                .iter()
                .filter(|pair| same(&pair.text, expression).is_some())
                .map(|pair| pair.named.clone())
                .collect();
            same.into_iter().reduce(Named::and)
        })
        .collect();
    // Those whose words come closest, where the answer has its own.
    let free = |pair: &&json::Pair| {
        expressions
            .iter()
            .all(|other| same(&pair.text, other).is_none())
    };
    for (expression, given) in expressions.iter().zip(&mut given) {
        const CLOSE: f64 = 0.6;
        if given.is_none() {
            let wanted = plain_words(expression);
            let near = pairs.iter().filter(free).filter(|pair| {
                let words = plain_words(&pair.text);
                overlap(&words, &wanted) >= CLOSE || overlap(&wanted, &words) >= 1.0
            });
            let near: Vec<&json::Pair> = near.collect();
            if let [pair] = near[..] {
                *given = Some(pair.named.clone());
            }
        }
    }
    if given.iter().any(Option::is_some) {
        return Some(given);
    }
    let count = expressions.len();
    let ordered = json::in_order(spoken, count)?;
    Some(ordered.into_iter().map(Some).collect())
}
