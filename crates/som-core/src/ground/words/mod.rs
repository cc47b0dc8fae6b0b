//! The words of answers in all languages that are read: one table, and where its words stand.

mod index;
mod language;
mod made;
mod role;
mod table;

use std::ops::Range;

use self::index::INDEX;
pub(crate) use self::{
    made::{is_made_of, made_of},
    role::Role,
};

/// Words that do something, where they stand in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cue {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) role: Role,
}

/// Every cue of a text, in order.
#[derive(Debug, Default)]
pub(crate) struct Cues(Vec<Cue>);

impl Cues {
    /// The cues of `text`.
    pub(crate) fn of(text: &str) -> Self {
        let mut cues = Vec::new();
        for word in words(text) {
            let start = word.start;
            INDEX.each(
                text,
                word,
                |_| true,
                |role, end| {
                    cues.push(Cue { start, end, role });
                },
            );
        }
        cues.sort_unstable_by_key(|cue| (cue.start, cue.role, std::cmp::Reverse(cue.end)));
        cues.dedup_by_key(|cue| (cue.start, cue.role));
        Self(cues)
    }

    /// The cues that begin in `span`.
    pub(crate) fn within(&self, span: Range<usize>) -> &[Cue] {
        let first = self.0.partition_point(|cue| cue.start < span.start);
        let last = self.0.partition_point(|cue| cue.start < span.end);
        self.0.get(first..last).unwrap_or(&[])
    }

    /// The cues of `role` that begin in `span`.
    pub(crate) fn all(
        &self,
        span: Range<usize>,
        role: Role,
    ) -> impl DoubleEndedIterator<Item = Cue> {
        let cues = self.within(span).iter().copied();
        cues.filter(move |cue| cue.role == role)
    }

    /// True if a cue of `role` begins in `span`.
    pub(crate) fn any(&self, span: Range<usize>, role: Role) -> bool {
        self.all(span, role).next().is_some()
    }
}

/// The end of the longest words of `role` that begin at `at` in `text`.
pub(crate) fn at(text: &str, at: usize, role: Role) -> Option<usize> {
    let word = word_at(text, at)?;
    let mut longest = None;
    INDEX.each(
        text,
        word,
        |other| other == role,
        |_, end| {
            longest = longest.max(Some(end));
        },
    );
    longest
}

/// The number that a word at `at` says, and where it ends.
pub(crate) fn number_at(text: &str, at: usize) -> Option<(u8, usize)> {
    let word = word_at(text, at)?;
    let mut longest: Option<(u8, usize)> = None;
    INDEX.each(
        text,
        word,
        |role| matches!(role, Role::Number(_)),
        |role, end| {
            if let Role::Number(number) = role
                && longest.is_none_or(|(_, other)| other < end)
            {
                longest = Some((number, end));
            }
        },
    );
    longest
}

/// What names end with where the verb stands behind them, in all languages.
pub(crate) fn endings() -> impl Iterator<Item = &'static str> {
    let lists = table::TABLE.iter().map(|language| language.endings);
    lists.flat_map(|list| list.split(", ").filter(|ending| !ending.is_empty()))
}

/// The languages of the table.
#[cfg(test)]
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    table::TABLE.iter().map(|language| language.code)
}

/// True for what words consist of. Vowel signs and points belong to their letters.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(u32::from(c), 0x0300..=0x036F | 0x0591..=0x05C7 | 0x064B..=0x0652 | 0x0900..=0x0963)
}

/// True for scripts that put no spaces between words, or hang particles on them.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF)
}

/// The words of a text; of scripts without spaces every character.
pub(crate) fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text[from..].find(is_word_or_sign)?;
        let word = word_at(text, start)?;
        from = word.end;
        Some(word)
    })
}

/// Signs that say something, too.
fn is_word_or_sign(c: char) -> bool {
    is_word(c) || matches!(c, '✗' | '✘' | '✖' | '❌' | '🚫' | '⛔')
}

/// The word that begins at `at`.
fn word_at(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    let first = rest
        .chars()
        .next()
        .filter(|&c| is_word_or_sign(c) || c == '\'')?;
    if is_unspaced(first) || !is_word(first) {
        return Some(at..at + first.len_utf8());
    }
    let end = rest.find(|c: char| !is_word(c) || is_unspaced(c));
    Some(at..at + end.unwrap_or(rest.len()))
}

/// `text` in lower case, as far as that leaves every character where it is.
pub(crate) fn lowered(text: &str) -> String {
    let lower = |c: char| {
        let mut lower = c.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(lower), None) if lower.len_utf8() == c.len_utf8() => lower,
            _ => c,
        }
    };
    text.chars().map(lower).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_is_there_and_says_everything() {
        let codes: Vec<&str> = codes().collect();
        assert_eq!(
            codes.join(" "),
            "en de fr es pt it nl pl ru uk tr ar he hi zh ja ko vi"
        );
        for language in &table::TABLE {
            for list in [
                language.announces,
                language.answers,
                language.none,
                language.denies_behind,
                language.joins,
                language.corrects,
                language.is,
            ] {
                assert!(!list.is_empty(), "{}", language.code);
                assert_eq!(list, list.to_lowercase(), "{}", language.code);
                assert!(!list.contains(",,") && !list.ends_with(", "), "{list}");
            }
        }
    }

    #[test]
    fn words_are_found_where_they_stand() {
        let of = |text: &str, role: Role| -> Vec<String> {
            let cues = Cues::of(text);
            let found = cues.all(0..text.len(), role);
            found
                .map(|cue| text[cue.start..cue.end].to_owned())
                .collect()
        };
        assert_eq!(of("It ISN'T there", Role::Denies), ["ISN'T"]);
        assert_eq!(of("notable knot", Role::Denies), [""; 0]);
        assert_eq!(of("Не вона", Role::Denies), ["Не"]);
        assert_eq!(of("标记3不是杯子", Role::DeniesBehind), ["不是"]);
        assert_eq!(of("метками", Role::Announces), ["метками"]);
        assert_eq!(of("the former", Role::Ordinal(0)), ["the former", "former"]);
        assert_eq!(at("3 to 5", 2, Role::Ranges), Some(4));
        assert_eq!(at("not found", 0, Role::None), Some(9));
    }
}
