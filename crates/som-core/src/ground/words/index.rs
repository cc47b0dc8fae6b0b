//! The table of words by the first word of its entries, and what stands in a text.

use std::{borrow::Cow, collections::HashMap, ops::Range, sync::LazyLock};

use super::{Role, is_unspaced, is_word, table, word_at};

pub(super) static INDEX: LazyLock<Index> = LazyLock::new(Index::new);

/// The table, by the first word of its entries.
#[derive(Default)]
pub(super) struct Index {
    words: HashMap<Cow<'static, str>, Vec<Entry>>,
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
                (language.weak, Role::Weak),
                (language.things, Role::Thing),
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
                (language.plurals, Role::Plural),
                (language.up_to, Role::UpTo),
                (language.moves, Role::Moves),
                (language.opinions, Role::Opinion),
                (language.reasons, Role::Reason),
                (language.carries, Role::Carries),
                (language.designates, Role::Designates),
                (language.leads, Role::Leads),
                (language.remarks, Role::Remarks),
                (language.trails, Role::Trails),
                (language.renames, Role::Renames),
                (language.picks, Role::Picks),
                (language.slips, Role::Slips),
                (language.departs, Role::Departs),
                (language.genuine, Role::Genuine),
                (language.sames, Role::Same),
                (language.fors, Role::For),
                (language.singulars, Role::Singular),
                (language.crowds, Role::Crowd),
                (language.blind, Role::Blind),
                (language.determiners, Role::Determiner),
                (language.ties, Role::Ties),
                (language.vague, Role::Vague),
                (language.blanks, Role::Blank),
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
            let mut words = entry.split(GAP);
            let first = words.next().unwrap_or("");
            let rest: Vec<&str> = words.collect();
            if let Some(whole) = contracted(entry, first, &rest) {
                let rest = rest[1..].to_vec();
                self.insert(whole.into(), Entry { rest, role });
            }
            self.insert(first.into(), Entry { rest, role });
        }
    }

    fn insert(&mut self, first: Cow<'static, str>, entry: Entry) {
        self.words.entry(first).or_default().push(entry);
    }

    /// Every entry of a wanted role that begins with `word` of `text`, and where it ends.
    pub(super) fn each(
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
                let third = entry.rest.get(1);
                next.as_deref().is_some_and(|next| {
                    next == *second || third.is_some_and(|third| is_contracted(next, second, third))
                })
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

/// What stands behind the apostrophe of contractions, which terse people leave out.
const CONTRACTED: [&str; 6] = ["t", "d", "m", "s", "re", "ve"];

/// The first word of an entry without its apostrophe, "isnt" of "isn't", unless that is another word.
fn contracted(entry: &str, first: &str, rest: &[&str]) -> Option<String> {
    const OTHERS: [&str; 4] = ["its", "were", "id", "wed"];
    let second = rest.first().filter(|second| CONTRACTED.contains(second))?;
    let whole = format!("{first}{second}");
    let alone = rest.len() == 1 && OTHERS.contains(&whole.as_str());
    (!first.is_empty() && entry[first.len()..].starts_with('\'') && !alone).then_some(whole)
}

/// True for "isnt", of "isn" and "t".
fn is_contracted(said: &str, first: &str, second: &str) -> bool {
    CONTRACTED.contains(&second) && said.strip_prefix(first) == Some(second)
}

/// What may stand between the words of an entry.
const GAP: [char; 4] = [' ', '\'', '-', '/'];

/// Where `words` end, if they follow one another from `at` on.
fn follows(text: &str, at: usize, words: &[&str]) -> Option<usize> {
    let mut end = at;
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let rest = &text[end..];
        let start = end + rest.len() - rest.trim_start_matches(GAP).len();
        if start == end || start > end + 2 {
            return None;
        }
        let next = word_at(text, start)?;
        let said = lower(&text[next.clone()]);
        if said != *word {
            words.next_if(|second| is_contracted(&said, word, second))?;
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
