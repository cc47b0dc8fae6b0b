//! A sentence with texts and marks in it, and which of them belong together.

use std::ops::Range;

use super::{
    grounded::Named,
    said::{is_conjunction, list_length, names_behind_tie, names_right_behind},
    spoken::Spoken,
    tie::{Tie, tie},
};
use crate::ground::{Mention, Role, Status, words};

/// A place of the answer where a text stands.
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: usize,
}

/// Marks that belong to a text.
#[derive(Clone)]
pub(super) struct Said {
    pub(super) named: Named,
    /// True if nothing but a tie such as "is" stands between the two.
    pub(super) tied: bool,
}

impl Said {
    pub(super) const NONE: Self = Self {
        named: Named::NONE,
        tied: true,
    };

    /// True if it names a mark.
    pub(super) fn names(&self) -> bool {
        !self.named.marks.is_empty()
    }
}

/// A sentence, with the texts and mentions in it.
pub(super) struct Sentence<'a> {
    pub(super) spoken: &'a Spoken<'a>,
    pub(super) lower: &'a str,
    pub(super) places: &'a [Place],
    pub(super) mentions: &'a [Mention],
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Sentence<'_> {
    /// What is said of the text at each place.
    pub(super) fn read(&self) -> Vec<(usize, Option<Said>)> {
        if let Some(said) = self.one_each() {
            return said;
        }
        let marks_first = self.begins_with_mark();
        let mut said = Vec::new();
        // Where the mentions end that belong to the places so far.
        let mut taken = 0;
        for (index, place) in self.places.iter().enumerate() {
            let ahead = self.ahead(place, taken);
            let (found, end) = match ahead.filter(|(said, _)| marks_first || index > 0 && said.tied)
            {
                Some((said, end)) => (Some(said), end),
                None => {
                    let (found, end) = self.behind(index);
                    let found = found.or_else(|| self.same_as_before(place));
                    let tied = |said: Said| Said {
                        tied: said.tied && !(said.names() && self.is_helper(place)),
                        ..said
                    };
                    (found.map(tied), end)
                }
            };
            taken = taken.max(end);
            said.push((place.text, found));
        }
        said
    }

    /// "(The dog on the left is [3],) which is also the bigger dog": what was said of the text before is
    /// said of this one, too.
    fn same_as_before(&self, place: &Place) -> Option<Said> {
        let mentions = self.between(self.start, place.start);
        let last = mentions.last()?;
        // "And the child with glasses is the same one"
        let behind = self.text(place.end, self.end).trim_start();
        let verb = words::at(behind, 0, Role::Is).map(|end| behind[end..].trim_start());
        if verb.is_some_and(|said| {
            words::at(said, 0, Role::Same)
                .is_some_and(|end| said[end..].trim_matches([' ', '.', '!', '\n']).is_empty())
        }) {
            return self.list(std::slice::from_ref(last), true);
        }
        let between = self.text(last.span.end, place.start);
        let says =
            |role| words::words(between).any(|word| words::at(between, word.start, role).is_some());
        (tie(between) == Some(Tie::Strong) && says(Role::Is))
            .then(|| self.list(std::slice::from_ref(last), true))
            .flatten()
    }

    /// True for "the woman holding the mug": what is said behind it is said of the woman.
    fn is_helper(&self, place: &Place) -> bool {
        let start = self.floor(place.start.saturating_sub(64).max(self.start), place.start);
        let before = self.text(start, place.start);
        let clause = before
            .rfind([',', ':', ';', '(', '.'])
            .map_or(0, |end| end + 1);
        let clause = start + clause..place.start;
        let lead = self.text(clause.start, place.start).trim_start();
        let joined = words::at(lead, 0, Role::Joins).unwrap_or(0);
        let lead = lead[joined..].trim_start();
        let is_article = |text: &str| words::at(text, 0, Role::Article);
        let subject = is_article(lead).map_or("", |end| lead[end..].trim());
        let last = subject.rsplit(' ').next().unwrap_or("");
        let known = is_article(last) == Some(last.len())
            || is_article(self.text(place.start, place.end)).is_some();
        let behind = self.text(place.end, self.end);
        let verb = words::at(behind.trim_start(), 0, Role::Copula).is_some();
        // "The cup is [3] and the spoon": that clause is over.
        let over = !self.between(clause.start, clause.end).is_empty();
        verb && !over && known && subject.contains(' ')
    }

    /// "The spoon and the saucer are [3] and [5]": the marks that follow a list of texts, if there
    /// is one for each.
    fn one_each(&self) -> Option<Vec<(usize, Option<Said>)>> {
        let last = self.places.last()?;
        let listed = self.places.windows(2).all(|pair| {
            let between = self.text(pair[0].end, pair[1].start);
            is_conjunction(between)
        });
        let first = self.mentions.first()?;
        let tied = tie(self.text(last.end, first.span.start)) == Some(Tie::Strong);
        let fits = self.places.len() > 1
            && self.mentions.len() == self.places.len()
            && list_length(self.lower, self.mentions) == self.places.len();
        // "The spoon and the saucer are 3 and 5"
        if let [list] = self.mentions
            && list.marks.len() == self.places.len()
            && self.places.len() > 1
            && listed
            && tied
        {
            let status = list.status;
            let each = self.places.iter().zip(&list.marks);
            let each = each.map(|(place, &id)| {
                let marks = vec![id];
                let named = Named { marks, status };
                (place.text, Some(Said { named, tied }))
            });
            return Some(each.collect());
        }
        // "[3] and [5] are the spoon and the saucer, respectively"
        let start = last.start.min(first.span.start);
        let respectively = self.places.len() > 1
            && self.mentions.len() == self.places.len()
            && self.spoken.cues.any(start..self.end, Role::Each);
        // "The spoon is left of the saucer: [3] and [5]"
        let behind = self
            .text(last.end, first.span.start)
            .trim_start()
            .starts_with(':');
        (fits && (listed && tied || behind) || respectively).then(|| {
            let each = self.places.iter().zip(self.mentions);
            each.map(|(place, mention)| {
                (place.text, self.list(std::slice::from_ref(mention), true))
            })
            .collect()
        })
    }

    /// True if a mark stands right before the first text, and none is tied right behind it.
    fn begins_with_mark(&self) -> bool {
        let Some(place) = self.places.first() else {
            return false;
        };
        let before = self.between(0, place.start);
        let Some(last) = before.last() else {
            return false;
        };
        tie(self.text(last.span.end, place.start)).is_some()
            && !matches!(self.strictly_behind(0), Some(Tie::Strong))
    }

    /// How the names behind a place are tied to it.
    fn strictly_behind(&self, index: usize) -> Option<Tie> {
        let (place, next) = (&self.places[index], self.next(index));
        let mentions = self.own(index);
        let Some(first) = mentions.first() else {
            return self.names_behind(place.end, next).map(|_| Tie::Strong);
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
    fn behind(&self, index: usize) -> (Option<Said>, usize) {
        let (place, next) = (&self.places[index], self.next(index));
        let from = index.checked_sub(1).map_or(0, |last| self.places[last].end);
        let near = self.floor(from.max(place.start.saturating_sub(24)), place.start);
        let mentions = self.own(index);
        if self.is_denied(near..place.start, mentions.is_empty())
            || index == 0 && self.begins_none()
        {
            return (Some(Said::NONE), 0);
        }
        let first = mentions.first().map_or(next, |mention| mention.span.start);
        let before = self.text(place.end, first);
        if let Some(named) = self.names_behind(place.end, first) {
            return (Some(Said { named, tied: true }), 0);
        }
        let listed = mentions.is_empty() && (self.places.len() > 1 || self.is_line(place));
        if let Some(named) = listed
            .then(|| names_right_behind(&self.spoken.part(place.end..first)))
            .flatten()
        {
            return (Some(Said { named, tied: true }), 0);
        }
        let tied = !mentions.is_empty() && self.tie(place.end, first).is_some();
        // "[2] and [3] are bottles, neither of them is open": none of those that were named.
        let of_marks =
            self.spoken.cues.any(place.end..first, Role::Neither) && self.follows_mark(place);
        let none =
            || !of_marks && self.spoken.says_none(place.end..first) || self.said_none_before(index);
        // "As for the spoon, there is none: [8] is a ladle"
        let ended = before.trim_end().ends_with([':', ';', '—', '–']);
        if !tied && (mentions.is_empty() || ended || !before.contains(',')) && none() {
            return (Some(Said::NONE), 0);
        }
        let end = mentions.last().map_or(0, |mention| mention.span.end);
        (self.list(mentions, tied), end)
    }

    /// "Girl 1": a line of an answer of such lines begins with the place.
    fn is_line(&self, place: &Place) -> bool {
        let lead = self.text(self.start, place.start);
        let article = words::at(lead.trim(), 0, Role::Article).unwrap_or(0);
        let alone = !lead.trim()[article..].contains(char::is_alphanumeric);
        alone && self.spoken.mentions.is_empty() && self.spoken.text[..self.end].ends_with('\n')
            || alone && self.spoken.mentions.is_empty() && self.end == self.spoken.part.end
    }

    /// True if the sentence names a mark before a place, whether it is meant or not.
    fn follows_mark(&self, place: &Place) -> bool {
        let mentions = self.spoken.mentions;
        let next = mentions.partition_point(|mention| mention.span.start < self.start);
        mentions
            .get(next)
            .is_some_and(|mention| mention.span.start < place.start)
    }

    /// "I cannot find the unicorn": none is said before the first text, and no mark behind it.
    fn said_none_before(&self, index: usize) -> bool {
        let place = &self.places[index];
        let alone = self.mentions.is_empty() && index == 0 && !self.follows_mark(place);
        alone && {
            let start = self.floor(place.start.saturating_sub(80), place.start);
            let head = self.text(start, place.start);
            let sentence = head
                .rfind(['\n', '.', ';', '!', '?'])
                .map_or(0, |end| end + 1);
            self.spoken.says_none(start + sentence..place.start)
        }
    }

    fn names_behind(&self, start: usize, end: usize) -> Option<Named> {
        names_behind_tie(&self.spoken.part(self.floor(start, end)..end))
    }

    /// "None of the regions shows a cup: [1] is a plate": the sentence begins with saying none.
    fn begins_none(&self) -> bool {
        let (Some(place), Some(first)) = (self.places.first(), self.mentions.first()) else {
            return false;
        };
        let start = self.start + self.text(self.start, place.start).len()
            - self.text(self.start, place.start).trim_start().len();
        let head = start..place.start;
        let none = self.spoken.cues.all(start..start + 1, Role::None).next();
        let kept = [Role::Keeps, Role::Excepts, Role::Contrasts]
            .iter()
            .any(|role| self.spoken.cues.any(head.clone(), *role));
        none.is_some_and(|none| none.end <= place.start)
            && !kept
            && first.span.start > place.end
            && self
                .text(place.end, first.span.start)
                .contains([':', ',', '–', '—'])
    }

    /// True if the words in `range` say that there is none of what follows; "not" does so only of
    /// what no mark stands behind.
    fn is_denied(&self, range: Range<usize>, alone: bool) -> bool {
        let text = self.text(range.start, range.end);
        let sentence = text
            .rfind(['\n', '.', ';', '!', '?', '|'])
            .map_or(0, |end| end + 1);
        let range = range.start + sentence..range.end;
        let text = &text[sentence..];
        let mut words = text.trim_end().rsplit(|c: char| !c.is_alphanumeric());
        let last = words.find(|word| {
            !matches!(*word, "" | "visible" | "any")
                && words::at(word, 0, Role::Article) != Some(word.len())
        });
        let says = |word: &str, role| words::at(word, 0, role) == Some(word.len());
        let not = last.is_some_and(|last| says(last, Role::Not)) && {
            // "But not the spoon"
            let before = words.find(|word| !word.is_empty()).unwrap_or("");
            alone && words::at(before, 0, Role::Contrasts) == Some(before.len())
        };
        let no = not || last.is_some_and(|last| says(last, Role::No));
        // 没有猫
        let none = self.spoken.cues.all(range.clone(), Role::None).next_back();
        let near = none.is_some_and(|none| {
            let between = self.text(none.end.min(range.end), range.end).trim();
            none.end <= range.end
                && between.chars().count() <= 3
                && !between.contains([',', ';', '，', '、'])
        });
        no || near
    }

    /// How what stands between `start` and `end` ties a mark to a text.
    fn tie(&self, start: usize, end: usize) -> Option<Tie> {
        tie(self.text(start, end))
    }

    fn floor(&self, mut start: usize, end: usize) -> usize {
        while start < end && !self.lower.is_char_boundary(start) {
            start += 1;
        }
        start
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

    /// The list that `mentions` begin with; of those between which the answer wavers the one that it
    /// chooses behind them.
    pub(super) fn list(&self, mentions: &[Mention], tied: bool) -> Option<Said> {
        let (list, rest) = mentions.split_at(list_length(self.lower, mentions));
        let mut named = Named::by(list)?;
        let span = list.first()?.span.start..list.last()?.span.end;
        let wavers = self.spoken.cues.any(span, Role::Hedges);
        if wavers && named.marks.len() > 1 {
            match self.chosen(list, rest) {
                Some(chosen) => named = chosen,
                None => named.status = named.status.max(Status::Ambiguous),
            }
        }
        Some(Said { named, tied })
    }

    /// "(Either [3] or [6]) — I'd go with [3]": what `rest` begins with, if it names one of the list once
    /// more.
    fn chosen(&self, list: &[Mention], rest: &[Mention]) -> Option<Named> {
        let (last, again) = (list.last()?, rest.first()?);
        let between = last.span.end..again.span.start;
        let chooses = [Role::Opinion, Role::Contrasts, Role::Only, Role::Selects]
            .iter()
            .any(|role| self.spoken.cues.any(between.clone(), *role));
        let same = list.iter().any(|mention| mention.marks == again.marks);
        (same && chooses).then(|| Named::by([again])).flatten()
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

    fn text(&self, start: usize, end: usize) -> &str {
        self.lower.get(self.floor(start, end)..end).unwrap_or("")
    }
}
