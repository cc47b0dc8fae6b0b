//! `refer`: which regions do expressions mean?

use super::{
    grounded::{Finding, Named},
    keyed::structured,
    nearby::{marks_of_each, without_article},
    one::one,
    order,
    pieces::piece_by_piece,
    spoken::Spoken,
};
use crate::ground::words;

/// One finding for each expression, in their order.
pub(super) fn read(spoken: &Spoken<'_>, expressions: &[String]) -> Vec<Finding> {
    let given = match expressions {
        [expression] => vec![one(spoken, expression)],
        _ => several(spoken, expressions),
    };
    expressions
        .iter()
        .zip(given)
        .map(|(expression, named)| Finding::new(expression, named.unwrap_or(Named::MISSING)))
        .collect()
}

/// What the answer says of several expressions: by their words, else by their order. What it comes
/// down to goes before what it says on the way.
fn several(spoken: &Spoken<'_>, expressions: &[String]) -> Vec<Option<Named>> {
    if let Some(given) = structured(spoken, expressions) {
        return given;
    }
    let verdict = spoken.verdict().map(|part| spoken.part(part));
    if let Some(given) = verdict
        .as_ref()
        .and_then(|part| in_text(part, expressions))
        .filter(|given| given.iter().all(Option::is_some))
    {
        return given;
    }
    let mut given = in_text(spoken, expressions).unwrap_or_else(|| vec![None; expressions.len()]);
    // What it comes down to may speak of some of them alone.
    let last = verdict.and_then(|part| marks_of_each(&part, expressions));
    for (given, last) in given.iter_mut().zip(last.unwrap_or_default()) {
        *given = last.or(given.take());
    }
    given
}

fn in_text(spoken: &Spoken<'_>, expressions: &[String]) -> Option<Vec<Option<Named>>> {
    let by_words = marks_of_each(spoken, expressions);
    let all = |given: &Vec<Option<Named>>| given.iter().all(Option::is_some);
    if by_words.as_ref().is_some_and(all) {
        return by_words;
    }
    let keys: Vec<String> = expressions
        .iter()
        .map(|expression| without_article(&words::lowered(expression)).to_owned())
        .collect();
    if let Some(said) = piece_by_piece(spoken, &keys) {
        return Some(said);
    }
    let by_order = order::in_order(spoken, expressions.len());
    match (by_words, by_order) {
        // What is said in words stands; order fills what is left.
        (Some(words), Some(order)) => {
            let fits = words.iter().zip(&order).all(|(word, order)| {
                word.is_none()
                    || order.is_none()
                    || word.as_ref().map(|w| &w.marks) == order.as_ref().map(|o| &o.marks)
            });
            let filled = words.iter().zip(order);
            let filled = filled.map(|(word, order)| word.clone().or(order.filter(|_| fits)));
            Some(filled.collect())
        }
        (words, order) => words.or(order),
    }
}
