//! Bare numbers that count or measure: "4 (maybe 5) birds", "2 of them", "8 is the total".

use super::{
    bare::{Bare, LONGEST},
    list::List,
};
use crate::ground::{
    names::{is_quantity, skip},
    words::{self, Role},
};

impl Bare<'_> {
    /// "5 people", "4 (maybe 5) birds".
    pub(super) fn counts_something(&self, end: usize) -> bool {
        let closed = self.text[end..].starts_with(')');
        is_quantity(self.text, end) || closed && is_quantity(self.text, end + 1)
    }

    /// True if the clause around a list counts or measures.
    pub(super) fn measures(&self, list: &List, last: Option<usize>) -> bool {
        let clause = self.clause_of(list, last);
        // "On a scale of 1 to 5, I'd say 4"
        let thought = self.cues.any(clause.clone(), Role::Opinion);
        let near = clause.end.saturating_sub(LONGEST);
        let from = if thought { near } else { clause.start };
        self.cues.any(from..clause.end, Role::Measures)
            || self.ends_measure(list)
            || self.is_part(list)
            || self.counts(list)
            || self.goes_on_counting(list)
    }

    /// "2 of them", "2 von ihnen".
    fn is_part(&self, list: &List) -> bool {
        let start = skip(self.text, list.span.end, |c| c == ' ');
        words::at(self.text, start, Role::Of).is_some()
    }

    /// "3 are missing": a single number, of which a verb says that it is several.
    fn counts(&self, list: &List) -> bool {
        list.reading.names == 1 && self.is_followed(list, |role| role == Role::Plural)
    }

    /// True for "8 is the total".
    fn ends_measure(&self, list: &List) -> bool {
        let near = self.text.floor_char_boundary(list.span.end + LONGEST / 2);
        let rest = &self.text[list.span.end..near];
        let end = rest.find(['.', ',', '\n', ';']).unwrap_or(rest.len());
        let clause = list.span.end..list.span.end + end;
        self.cues.any(clause, Role::Measures)
    }

    /// "4 and 6 years": what the list goes on with is counted.
    fn goes_on_counting(&self, list: &List) -> bool {
        let start = skip(self.text, list.span.end, |c| matches!(c, ' ' | ','));
        let joined = words::at(self.text, start, Role::Joins)
            .or_else(|| words::at(self.text, start, Role::Ranges));
        joined.is_some_and(|end| {
            let number = skip(self.text, end, |c| c == ' ');
            let digits = skip(self.text, number, |c| c.is_ascii_digit());
            digits > number && is_quantity(self.text, digits)
        })
    }
}
