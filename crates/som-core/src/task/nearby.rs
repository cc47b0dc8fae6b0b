//! Which marks stand beside the texts they belong to: `the laptop: 6`, `[6] is the laptop`.

use std::ops::Range;

use super::{
    grounded::Named,
    said::{is_conjunction, list_length, names_behind_tie, says_none},
};
use crate::ground::{Mention, Names};

/// What `answer` says of each of `texts`, if it says something of any. Sentence by sentence, marks
/// stand behind the texts or ahead of them; what is tied to a text goes before what is only near.
pub(super) fn marks_of_each(
    answer: &str,
    mentions: &[Mention],
    texts: &[String],
    names: &Names,
) -> Option<Vec<Option<Named>>> {
    let lower = answer.to_ascii_lowercase();
    let keys: Vec<String> = texts.iter().map(|text| key(text, &lower)).collect();
    let places = places(&lower, &keys);
    let mut said: Vec<Option<Said>> = vec![None; texts.len()];
    let (mut places, mut mentions) = (&places[..], mentions);
    // The text that the line spoke of last, if it has said nothing of it yet.
    let mut pending: Option<usize> = None;
    for range in sentences(&lower) {
        let (own, later) = places.split_at(places.partition_point(|p| p.start < range.end));
        places = later;
        let (inside, later) =
            mentions.split_at(mentions.partition_point(|m| m.span.start < range.end));
        mentions = later;
        let sentence = Sentence {
            lower: &lower,
            places: own,
            mentions: inside,
            end: range.end,
        };
        let found = match (own, pending) {
            ([], Some(text)) => vec![(text, sentence.list(inside, false))],
            _ => sentence.read(names),
        };
        for (text, found) in found {
            let kept = &mut said[text];
            let better = |found: &Said| kept.as_ref().is_none_or(|kept| found.tied && !kept.tied);
            pending = found.is_none().then_some(text);
            if let Some(found) = found.filter(better) {
                *kept = Some(found);
            }
        }
        if lower[range].ends_with('\n') {
            pending = None;
        }
    }
    let said = keys.iter().map(|key| {
        let first = keys.iter().position(|other| other == key)?;
        said[first].clone().map(|said| said.named)
    });
    let said: Vec<Option<Named>> = said.collect();
    said.iter().any(Option::is_some).then_some(said)
}

/// What is looked for: `text` in lower case, without its article where the answer has another.
fn key(text: &str, lower: &str) -> String {
    let text = text.to_ascii_lowercase();
    let bare = without_article(&text);
    if bare.is_empty() || lower.contains(&text) {
        text
    } else {
        bare.to_owned()
    }
}

fn without_article(text: &str) -> &str {
    let bare = ["the ", "a ", "an "]
        .iter()
        .find_map(|a| text.strip_prefix(a));
    bare.unwrap_or(text).trim()
}

/// A place of the answer where a text stands.
struct Place {
    start: usize,
    end: usize,
    text: usize,
}

/// Where the texts stand, in order; where some overlap, the longer one.
fn places(lower: &str, keys: &[String]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for (text, key) in keys.iter().enumerate() {
        if key.is_empty() || keys[..text].contains(key) {
            continue;
        }
        let letter = key.starts_with(char::is_alphanumeric);
        places.extend(lower.match_indices(key.as_str()).filter_map(|(start, _)| {
            let inside_word = letter && lower[..start].ends_with(|c: char| c.is_ascii_alphabetic());
            let end = start + key.len();
            (!inside_word).then_some(Place { start, end, text })
        }));
    }
    places.sort_unstable_by_key(|place| (place.start, std::cmp::Reverse(place.end)));
    places.dedup_by(|next, kept| next.start < kept.end);
    places
}

/// The sentences of `text`; a line ends one, and so does a semicolon.
fn sentences(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let mut marks = rest.match_indices(['.', '!', '?', ';', '\n', '。', '；']);
        let end = marks.find_map(|(at, mark)| {
            let next = &rest[at + mark.len()..];
            let word = rest[..at].rsplit(|c: char| !c.is_alphanumeric()).next();
            let number = mark == "." && word == Some("no");
            let ends = mark == "\n" || !mark.is_ascii() || next.starts_with(' ') && !number;
            ends.then_some(at + mark.len())
        });
        let range = start..start + end.unwrap_or(rest.len());
        start = range.end;
        Some(range)
    })
}

/// Marks that belong to a text.
#[derive(Clone)]
struct Said {
    named: Named,
    /// True if nothing but a tie such as "is" stands between the two.
    tied: bool,
}

impl Said {
    const NONE: Self = Self {
        named: Named::NONE,
        tied: true,
    };
}

/// A sentence, with the texts and mentions in it.
struct Sentence<'a> {
    lower: &'a str,
    places: &'a [Place],
    mentions: &'a [Mention],
    end: usize,
}

impl Sentence<'_> {
    /// What is said of the text at each place.
    fn read(&self, names: &Names) -> Vec<(usize, Option<Said>)> {
        if let Some(said) = self.one_each() {
            return said;
        }
        let marks_first = self.begins_with_mark(names);
        let mut said = Vec::new();
        // Where the mentions end that belong to the places so far.
        let mut taken = 0;
        for (index, place) in self.places.iter().enumerate() {
            let ahead = self.ahead(place, taken);
            let (found, end) = match ahead.filter(|(said, _)| marks_first || index > 0 && said.tied)
            {
                Some((said, end)) => (Some(said), end),
                None => self.behind(index, names),
            };
            taken = taken.max(end);
            said.push((place.text, found));
        }
        said
    }

    /// "The spoon and the saucer are [3] and [5]": the marks that follow a list of texts, if there
    /// is one for each.
    fn one_each(&self) -> Option<Vec<(usize, Option<Said>)>> {
        let last = self.places.last()?;
        let listed = self.places.windows(2).all(|pair| {
            let between = self.text(pair[0].end, pair[1].start);
            is_conjunction(between.trim_end().trim_end_matches(" the"))
        });
        let first = self.mentions.first()?;
        let tied = tie(self.text(last.end, first.span.start)) == Some(Tie::Strong);
        let fits = self.places.len() > 1
            && self.mentions.len() == self.places.len()
            && list_length(self.lower, self.mentions) == self.places.len();
        (listed && tied && fits).then(|| {
            let each = self.places.iter().zip(self.mentions);
            each.map(|(place, mention)| {
                (place.text, self.list(std::slice::from_ref(mention), true))
            })
            .collect()
        })
    }

    /// True if a mark stands right before the first text, and none is tied right behind it.
    fn begins_with_mark(&self, names: &Names) -> bool {
        let Some(place) = self.places.first() else {
            return false;
        };
        let before = self.between(0, place.start);
        let Some(last) = before.last() else {
            return false;
        };
        tie(self.text(last.span.end, place.start)).is_some()
            && !matches!(self.strictly_behind(0, names), Some(Tie::Strong))
    }

    /// How the names behind a place are tied to it.
    fn strictly_behind(&self, index: usize, names: &Names) -> Option<Tie> {
        let (place, next) = (&self.places[index], self.next(index));
        let mentions = self.own(index);
        let Some(first) = mentions.first() else {
            let tail = self.text(place.end, next);
            return names_behind_tie(tail, names).map(|_| Tie::Strong);
        };
        tie(self.text(place.end, first.span.start))
    }

    /// The list of marks right before a place, and where it ends.
    fn ahead(&self, place: &Place, taken: usize) -> Option<(Said, usize)> {
        let mentions = self.between(taken, place.start);
        let last = mentions.last()?;
        let kind = tie(self.text(last.span.end, place.start));
        let lists = mentions.windows(2).rev();
        let list = 1 + lists
            .take_while(|pair| list_length(self.lower, pair) == 2)
            .count();
        let named = Named::by(&mentions[mentions.len() - list..])?;
        let tied = matches!(kind, Some(Tie::Strong));
        Some((Said { named, tied }, last.span.end))
    }

    /// What is said behind a place, up to the next one, and where its marks end.
    fn behind(&self, index: usize, names: &Names) -> (Option<Said>, usize) {
        let (place, next) = (&self.places[index], self.next(index));
        let from = index.checked_sub(1).map_or(0, |last| self.places[last].end);
        if is_denied(self.text(from.max(place.start.saturating_sub(24)), place.start)) {
            return (Some(Said::NONE), 0);
        }
        let mentions = self.own(index);
        let first = mentions.first().map_or(next, |mention| mention.span.start);
        let before = self.text(place.end, first);
        if let Some(named) = names_behind_tie(before, names) {
            return (Some(Said { named, tied: true }), 0);
        }
        let tied = !mentions.is_empty() && tie(before).is_some();
        if !tied && says_none(before) {
            return (Some(Said::NONE), 0);
        }
        let end = mentions.last().map_or(0, |mention| mention.span.end);
        (self.list(mentions, tied), end)
    }

    /// The mentions behind a place that do not belong to the next one.
    fn own(&self, index: usize) -> &[Mention] {
        let mentions = self.between(self.places[index].end, self.next(index));
        match (mentions, self.places.get(index + 1)) {
            ([own @ .., last], Some(next))
                if !own.is_empty()
                    && matches!(tie(self.text(last.span.end, next.start)), Some(Tie::Strong)) =>
            {
                own
            }
            _ => mentions,
        }
    }

    /// The list that `mentions` begin with.
    fn list(&self, mentions: &[Mention], tied: bool) -> Option<Said> {
        let named = Named::by(&mentions[..list_length(self.lower, mentions)])?;
        Some(Said { named, tied })
    }

    /// Where the next place begins, or the sentence ends.
    fn next(&self, index: usize) -> usize {
        let next = self.places.get(index + 1);
        next.map_or(self.end, |next| next.start)
    }

    /// The mentions that begin in a part of the sentence.
    fn between(&self, start: usize, end: usize) -> &[Mention] {
        let first = self.mentions.partition_point(|m| m.span.start < start);
        let last = self.mentions.partition_point(|m| m.span.start < end);
        self.mentions.get(first..last).unwrap_or(&[])
    }

    fn text(&self, mut start: usize, end: usize) -> &str {
        while start < end && !self.lower.is_char_boundary(start) {
            start += 1;
        }
        self.lower.get(start..end).unwrap_or("")
    }
}

/// What ties a mark to a text that stands right beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tie {
    /// A verb or a colon.
    Strong,
    /// No word that matters.
    Weak,
}

/// The tie that `between` is, if it is nothing else.
fn tie(between: &str) -> Option<Tie> {
    const VERBS: [&str; 14] = [
        "is",
        "are",
        "shows",
        "show",
        "depicts",
        "contains",
        "represents",
        "be",
        "looks",
        "appears",
        "seems",
        "corresponds",
        "matches",
        "refers",
    ];
    const OTHERS: [&str; 22] = [
        "", "the", "a", "an", "to", "like", "as", "by", "with", "mark", "marks", "region",
        "regions", "label", "labeled", "labelled", "marked", "number", "must", "probably",
        "likely", "clearly",
    ];
    const LONGEST: usize = 80;
    if between.len() > LONGEST || between.contains(['\n', ';', '{', '}']) {
        return None;
    }
    let mut kind = Tie::Weak;
    for word in between.split(|c: char| !c.is_alphanumeric()) {
        if VERBS.contains(&word) {
            kind = Tie::Strong;
        } else if !OTHERS.contains(&word) {
            return None;
        }
    }
    if between.contains([':', '：', '=', '→', '|', '–', '—']) || between.contains(" - ") {
        kind = Tie::Strong;
    }
    // "the spoon, [5] the saucer": what a comma parts is not tied.
    (kind == Tie::Strong || !between.contains(',')).then_some(kind)
}

/// True if the words before a text say that there is none of it.
fn is_denied(before: &str) -> bool {
    let mut words = before.trim_end().rsplit(|c: char| !c.is_alphanumeric());
    let last = words.find(|word| !matches!(*word, "" | "a" | "an" | "the" | "any" | "visible"));
    matches!(last, Some("no" | "without"))
}
