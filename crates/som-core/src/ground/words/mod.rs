//! The words of answers in all languages that are read: one table, and where its words stand.

mod language;
mod table;

use std::{collections::HashMap, ops::Range, sync::LazyLock};

/// What a word does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Role {
    Announces,
    Counts,
    Answers,
    None,
    Denies,
    DeniesBehind,
    Keeps,
    Joins,
    Ranges,
    Contrasts,
    Corrects,
    Includes,
    Excepts,
    ExceptsBehind,
    Compares,
    Beside,
    BesideBehind,
    Is,
    Both,
    Neither,
    Each,
    /// Its place, from 0.
    Ordinal(u8),
    Because,
    Article,
    Hedges,
    All,
    Tentative,
    Retracts,
    Affirms,
    Fills,
    Leaves,
    Now,
    Copula,
    Measures,
    Selects,
    Instead,
    Concedes,
    Dismisses,
    Pronoun,
    Becomes,
    Definite,
    Only,
    Resembles,
    Box,
    Point,
    Polygon,
    About,
    At,
    Spans,
    Itself,
    Bears,
    Mark,
    Nor,
    Inclusive,
    Replies,
    Remains,
    Between,
    Every,
    Toward,
    But,
    Without,
    No,
    Not,
    Of,
    NoOne,
    Unit,
    /// What it counts, from 1.
    Number(u8),
}

impl Role {
    /// True for words that name a thing, besides doing something.
    pub(crate) const fn names_thing(self) -> bool {
        matches!(
            self,
            Self::Box
                | Self::Point
                | Self::Polygon
                | Self::Spans
                | Self::Itself
                | Self::Remains
                | Self::Unit
                | Self::Number(_)
        )
    }
}

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

static INDEX: LazyLock<Index> = LazyLock::new(Index::new);

/// The table, by the first word of its entries.
#[derive(Default)]
struct Index {
    words: HashMap<&'static str, Vec<Entry>>,
    /// Beginnings of words that go on as they like, by the first character.
    stems: HashMap<char, Vec<(&'static str, Role)>>,
    /// Of scripts without spaces, by the first character.
    unspaced: HashMap<char, Vec<(&'static str, Role)>>,
}

/// The words behind the first one, and what they do together.
struct Entry {
    rest: Vec<&'static str>,
    role: Role,
}

impl Index {
    fn new() -> Self {
        let mut index = Self::default();
        for language in &table::TABLE {
            for (list, role) in [
                (language.announces, Role::Announces),
                (language.counts, Role::Counts),
                (language.answers, Role::Answers),
                (language.none, Role::None),
                (language.denies, Role::Denies),
                (language.denies_behind, Role::DeniesBehind),
                (language.keeps, Role::Keeps),
                (language.joins, Role::Joins),
                (language.ranges, Role::Ranges),
                (language.contrasts, Role::Contrasts),
                (language.corrects, Role::Corrects),
                (language.includes, Role::Includes),
                (language.excepts, Role::Excepts),
                (language.excepts_behind, Role::ExceptsBehind),
                (language.compares, Role::Compares),
                (language.beside, Role::Beside),
                (language.beside_behind, Role::BesideBehind),
                (language.is, Role::Is),
                (language.both, Role::Both),
                (language.neither, Role::Neither),
                (language.each, Role::Each),
                (language.because, Role::Because),
                (language.articles, Role::Article),
                (language.hedges, Role::Hedges),
                (language.alls, Role::All),
                (language.tentative, Role::Tentative),
                (language.retracts, Role::Retracts),
                (language.affirms, Role::Affirms),
                (language.fills, Role::Fills),
                (language.leaves, Role::Leaves),
                (language.now, Role::Now),
                (language.copulas, Role::Copula),
                (language.measures, Role::Measures),
                (language.selects, Role::Selects),
                (language.instead, Role::Instead),
                (language.concedes, Role::Concedes),
                (language.dismisses, Role::Dismisses),
                (language.pronouns, Role::Pronoun),
                (language.becomes, Role::Becomes),
                (language.definites, Role::Definite),
                (language.only, Role::Only),
                (language.resembles, Role::Resembles),
                (language.boxes, Role::Box),
                (language.points, Role::Point),
                (language.polygons, Role::Polygon),
                (language.about, Role::About),
                (language.at, Role::At),
                (language.spans, Role::Spans),
                (language.itself, Role::Itself),
                (language.bears, Role::Bears),
                (language.nouns, Role::Mark),
                (language.nor, Role::Nor),
                (language.inclusive, Role::Inclusive),
                (language.replies, Role::Replies),
                (language.remains, Role::Remains),
                (language.between, Role::Between),
                (language.every, Role::Every),
                (language.towards, Role::Toward),
                (language.but, Role::But),
                (language.without, Role::Without),
                (language.no, Role::No),
                (language.negates, Role::Not),
                (language.of, Role::Of),
                (language.no_one, Role::NoOne),
                (language.units, Role::Unit),
            ] {
                for entry in list.split(", ").filter(|entry| !entry.is_empty()) {
                    index.add(entry, role);
                }
            }
            index.add_counted(language.ordinals, Role::Ordinal);
            index.add_counted(language.numbers, |place| Role::Number(place + 1));
        }
        index
    }

    /// The words of each place, from 0.
    fn add_counted(&mut self, list: &'static str, role: impl Fn(u8) -> Role) {
        for (place, entries) in (0..).zip(list.split(", ")) {
            for entry in entries.split('|').filter(|entry| !entry.is_empty()) {
                self.add(entry, role(place));
            }
        }
    }

    fn add(&mut self, entry: &'static str, role: Role) {
        let Some(first) = entry.chars().next() else {
            return;
        };
        if is_unspaced(first) || !is_word(first) && first != '\'' {
            self.unspaced.entry(first).or_default().push((entry, role));
        } else if let Some(stem) = entry.strip_suffix('*') {
            self.stems.entry(first).or_default().push((stem, role));
        } else {
            let mut words = entry.split([' ', '\'', '-', '/']);
            let first = words.next().unwrap_or("");
            let rest = words.collect();
            self.words
                .entry(first)
                .or_default()
                .push(Entry { rest, role });
        }
    }

    /// Every entry of a wanted role that begins with `word` of `text`, and where it ends.
    fn each(
        &self,
        text: &str,
        word: Range<usize>,
        wanted: impl Fn(Role) -> bool,
        mut found: impl FnMut(Role, usize),
    ) {
        let rest = &text[word.start..];
        let Some(first) = rest.chars().next() else {
            return;
        };
        if let Some(entries) = self.unspaced.get(&first) {
            let entries = entries.iter().filter(|(_, role)| wanted(*role));
            for &(entry, role) in entries.filter(|(entry, _)| rest.starts_with(entry)) {
                found(role, word.start + entry.len());
            }
        }
        let lower = lower(&text[word.clone()]);
        let entries = self.words.get(&*lower).map_or(&[][..], Vec::as_slice);
        // Few entries go on with the next word: it is looked at once.
        let mut next = None;
        for entry in entries.iter().filter(|entry| wanted(entry.role)) {
            let goes_on = entry.rest.first().is_none_or(|second| {
                let next = next.get_or_insert_with(|| next_word(text, word.end));
                next.as_deref() == Some(*second)
            });
            if goes_on && let Some(end) = follows(text, word.end, &entry.rest) {
                found(entry.role, end);
            }
        }
        let stems = lower
            .chars()
            .next()
            .and_then(|first| self.stems.get(&first));
        for &(stem, role) in stems.into_iter().flatten() {
            if wanted(role) && lower.starts_with(stem) {
                found(role, word.end);
            }
        }
    }
}

/// The word behind one that ended at `at`, in lower case.
fn next_word(text: &str, at: usize) -> Option<std::borrow::Cow<'_, str>> {
    let rest = &text[at..];
    let start = at + rest.len() - rest.trim_start_matches(GAP).len();
    let word = word_at(text, start).filter(|_| start > at && start <= at + 2)?;
    Some(lower(&text[word]))
}

/// What may stand between the words of an entry.
const GAP: [char; 4] = [' ', '\'', '-', '/'];

/// Where `words` end, if they follow one another from `at` on.
fn follows(text: &str, at: usize, words: &[&str]) -> Option<usize> {
    let mut end = at;
    for word in words {
        let rest = &text[end..];
        let start = end + rest.len() - rest.trim_start_matches(GAP).len();
        if start == end || start > end + 2 {
            return None;
        }
        let next = word_at(text, start)?;
        if lower(&text[next.clone()]) != *word {
            return None;
        }
        end = next.end;
    }
    Some(end)
}

/// `word` in lower case.
fn lower(word: &str) -> std::borrow::Cow<'_, str> {
    if word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        word.into()
    } else {
        // The capital of a Turkish "i" keeps its dot as a mark of its own.
        word.to_lowercase().replace("i\u{307}", "i").into()
    }
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
