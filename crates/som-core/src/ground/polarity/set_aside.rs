//! Marks that an answer names and sets aside, where another one is meant: what is granted ("while
//! [7] is striped, too, it's a towel"), guessed at first ("I considered [2], but that is a coat"),
//! or said to be something else ("[5] is merely open").

use std::{collections::HashSet, ops::Range};

use super::{
    NEAR,
    sentence::{floor, sentence_end, sentence_start},
};
use crate::ground::{
    Mention, Polarity,
    words::{self, Cue, Cues, Role},
};

/// Sets aside what the words around it do, if something else is meant. What is `joined` goes on
/// with the list of the mention before.
pub(super) fn set_aside(text: &str, cues: &Cues, mentions: &mut [Mention], joined: &[bool]) {
    untick(text, mentions);
    deny_reasons(text, cues, mentions);
    let none = begins_with_none(text, cues, mentions);
    let none_first = none.is_some();
    let alone = alone(text, cues, mentions);
    let refused = refused(text, cues, mentions);
    let mut aside: Vec<Option<Polarity>> = (0..mentions.len())
        .map(|index| {
            let free = mentions[index].is_meant() && mentions[index].location.is_none();
            let place = free.then(|| Place::new(text, cues, mentions, index))?;
            let other = alone
                .as_ref()
                .is_some_and(|(only, _)| *only != mentions[index].marks);
            let begins = alone.as_ref().is_some_and(|(_, begins)| *begins);
            let called = none
                .as_ref()
                .is_some_and(|none| place.is_other_than(none) || place.is_reason_of(none));
            let denied = none_first && place.is_turned_away()
                || called
                || other
                    && (begins && place.is_about() || place.is_candidate(mentions, index, &alone));
            let denied = denied || refused && index == 0;
            denied
                .then_some(Polarity::Denied)
                .or_else(|| place.polarity())
        })
        .collect();
    // "[4] and [5] are plates, not cups"
    for index in (1..mentions.len()).rev() {
        if joined.get(index) == Some(&true) && mentions[index - 1].is_meant() {
            aside[index - 1] = aside[index - 1].or(aside[index]);
        }
    }
    // What is meant whatever is set aside.
    let mut kept = mentions
        .iter()
        .zip(&aside)
        .filter(|(mention, aside)| mention.is_meant() && aside.is_none())
        .map(|(mention, _)| mention.marks.clone());
    let (first, other) = (kept.next(), kept.next_back());
    stay_denied(text, cues, mentions, &mut aside);
    let mut last: Option<(Vec<u32>, Polarity)> = None;
    for (mention, aside) in mentions.iter_mut().zip(aside) {
        let another = [&first, &other]
            .into_iter()
            .flatten()
            .any(|marks| *marks != mention.marks);
        let polarity = aside.filter(|_| another || none_first);
        match (polarity, &last) {
            (Some(polarity), _) => {
                mention.polarity = polarity;
                last = Some((mention.marks.clone(), polarity));
            }
            // "At first [3] … However, [3] is in front": it stays so.
            (None, Some((marks, polarity))) if *marks == mention.marks && mention.is_meant() => {
                mention.polarity = *polarity;
            }
            (None, Some((marks, _))) if *marks == mention.marks => {}
            _ => last = None,
        }
    }
}

/// "- [ ] Mark 3" beside "- [x] Mark 6": what is not ticked is denied.
fn untick(text: &str, mentions: &mut [Mention]) {
    /// What an item begins with is shorter, in bytes.
    const SHORT: usize = 32;
    let ticked = ["[x]", "[X]", "☑", "✅"]
        .iter()
        .any(|tick| text.contains(tick));
    if !ticked {
        return;
    }
    for mention in mentions {
        let near = floor(text, mention.span.start.saturating_sub(SHORT));
        let line = text[near..mention.span.start]
            .rsplit('\n')
            .next()
            .unwrap_or("");
        if line.contains("[ ]") || line.contains('☐') || line.contains('⬜') {
            mention.polarity = Polarity::Denied;
        }
    }
}

/// "It can't be [5], because [5] is blue": what is denied stays so in the reason for that.
fn deny_reasons(text: &str, cues: &Cues, mentions: &mut [Mention]) {
    for index in 1..mentions.len() {
        let (last, mention) = (&mentions[index - 1], &mentions[index]);
        let gap = last.span.end..mention.span.start;
        let said = text.get(gap.clone()).unwrap_or(".");
        let same = last.polarity == Polarity::Denied && last.marks == mention.marks;
        if same
            && mention.is_meant()
            && gap.len() < NEAR
            && !said.contains(['.', '\n', ';', '!', '?'])
            && cues.any(gap, Role::Because)
        {
            mentions[index].polarity = Polarity::Denied;
        }
    }
}

/// The first sentence, if it says that there is none, and names no mark: "None of these. Mark 3 comes
/// close, but it is a stool".
fn begins_with_none(text: &str, cues: &Cues, mentions: &[Mention]) -> Option<Range<usize>> {
    let first = mentions.first()?;
    let start = text.len() - text.trim_start().len();
    let end = sentence_end(text, start.min(first.span.start)..first.span.start);
    // "It isn't marked: the closest one, [2], is pink"
    let colon = text[start.min(end)..end].find(": ");
    let end = colon.map_or(end, |colon| start + colon);
    let kept = [Role::Keeps, Role::Excepts]
        .iter()
        .any(|role| cues.any(0..end, *role));
    let no = text.get(start..end).is_some_and(|said| {
        words::at(said, 0, Role::Denies).is_some_and(|denied| denied == said.trim_end().len())
    });
    let none = end < first.span.start && end < start + NEAR;
    (none && (no || cues.any(0..end, Role::None)) && !kept).then_some(start..end)
}

/// "[7], not [8]. Mark [8] is the saucer underneath": what is denied stays so when it is described.
fn stay_denied(text: &str, cues: &Cues, mentions: &[Mention], aside: &mut [Option<Polarity>]) {
    let mut denied: HashSet<&[u32]> = HashSet::new();
    let mut meant = false;
    for (index, mention) in mentions.iter().enumerate() {
        match mention.polarity {
            // What is asked or looked for may be denied first: "Not [3]? [3] is the cup".
            Polarity::Denied if meant => {
                denied.insert(&mention.marks);
            }
            Polarity::Asserted if denied.contains(&mention.marks[..]) => {
                let place = Place::new(text, cues, mentions, index);
                if place.is_about() && place.copula_behind().is_some() && !place.is_followed {
                    aside[index] = aside[index].or(Some(Polarity::Denied));
                }
            }
            Polarity::Asserted => meant = true,
            _ => {}
        }
    }
}

/// "No, [3] is a lamp post. It's [6]": the first mark is what was supposed, and is said to be something
/// else; the next one is said of the thing itself.
fn refused(text: &str, cues: &Cues, mentions: &[Mention]) -> bool {
    let [first, second, ..] = mentions else {
        return false;
    };
    let place = Place::new(text, cues, mentions, 0);
    let lead = place
        .get(place.before.clone())
        .trim_end_matches([' ', '*', '[']);
    // "No, mark 4 is a shadow"
    let noun =
        words::words(lead).find(|word| words::at(lead, word.start, Role::Mark) == Some(lead.len()));
    let lead = noun.map_or(lead, |word| lead[..word.start].trim_end());
    let no = lead.strip_suffix([',', '，']).is_some_and(|lead| {
        words::words(lead).last().is_some_and(|word| {
            let says = |role| words::at(lead, word.start, role) == Some(lead.len());
            says(Role::Denies) || says(Role::Corrects)
        })
    });
    let after = place.get(place.after.clone());
    let other = place.names_something(after.trim_start_matches([' ', '*', ']']));
    let next = Place::new(text, cues, mentions, 1);
    let lead = next.get(next.before.clone()).trim_start();
    // "The actual bird is mark 1"
    let genuine = words::at(lead, 0, Role::Article).is_some_and(|end| {
        let rest = lead[end..].trim_start();
        words::at(rest, 0, Role::Genuine).is_some()
    });
    let itself = genuine
        || words::at(lead, 0, Role::Pronoun).is_some_and(|end| {
            let rest = lead[end..].trim_start_matches([' ', '\'', '’']);
            let verb = words::at(rest, 0, Role::Copula).map(|end| &rest[end..]);
            let glued = lead[..end].ends_with("'s").then_some(rest);
            let rest = verb.or(glued).or_else(|| rest.strip_prefix("s "));
            rest.is_some_and(is_function)
        });
    no && other && !place.is_followed && itself && second.is_meant() && first.marks != second.marks
}

/// "Only [3] is empty": the marks that are said so to be meant alone, and whether a sentence begins so.
fn alone(text: &str, cues: &Cues, mentions: &[Mention]) -> Option<(Vec<u32>, bool)> {
    let only = mentions.iter().enumerate().find(|(index, mention)| {
        let place = Place::new(text, cues, mentions, *index);
        let lead = text.get(place.before.clone()).unwrap_or("");
        let lead = lead.rsplit(',').next().unwrap_or(lead);
        let lead = lead.trim_start_matches([' ', '*']);
        let begins = words::at(lead, 0, Role::Only).is_some_and(|end| is_function(&lead[end..]));
        mention.is_meant() && begins && place.is_told_of()
    });
    only.map(|(index, mention)| {
        let place = Place::new(text, cues, mentions, index);
        let lead = text.get(place.before.clone()).unwrap_or("").trim_start();
        (mention.marks.clone(), !lead.contains(','))
    })
}

/// True if no word but one that announces a mark is in `lead`.
fn is_function(lead: &str) -> bool {
    const ROLES: [Role; 3] = [Role::Announces, Role::Article, Role::Joins];
    words::is_made_of(lead, &ROLES)
}

/// A mention, and what its sentence says before and behind it.
struct Place<'a> {
    text: &'a str,
    cues: &'a Cues,
    before: Range<usize>,
    /// Up to the next mention, or the end of the sentence.
    after: Range<usize>,
    /// True if another mention follows in the sentence.
    is_followed: bool,
    /// True if the next sentence begins with "however" and the like.
    is_turned: bool,
    /// True if the sentence before begins with a mark, too: each is said to be something.
    is_listed: bool,
}

impl<'a> Place<'a> {
    fn new(text: &'a str, cues: &'a Cues, mentions: &[Mention], index: usize) -> Self {
        let span = &mentions[index].span;
        let last = index.checked_sub(1).map(|last| &mentions[last]);
        let start = last.map_or(0, |last| last.span.end);
        let start = floor(text, start.max(span.start.saturating_sub(NEAR)));
        let next = mentions
            .get(index + 1)
            .map_or(text.len(), |next| next.span.start);
        let end = floor(text, next.min(span.end + NEAR)).max(span.end);
        let sentence = sentence_end(text, span.end..end);
        let turn = text[sentence..].trim_start_matches(['.', '!', '?', ' ', '\n', ';', '。']);
        let is_turned = words::at(turn, 0, Role::Contrasts).is_some()
            && sentence < next
            && words::at(turn, 0, Role::Because).is_none();
        let is_listed = last.is_some_and(|last| {
            let begin = floor(text, last.span.start.saturating_sub(NEAR));
            let begin = sentence_start(text, begin..last.span.start);
            let lead = &text[begin..last.span.start];
            is_function(lead)
        });
        Self {
            text,
            cues,
            before: sentence_start(text, start..span.start)..span.start,
            after: span.end..sentence,
            is_followed: sentence == next && next < text.len(),
            is_turned,
            is_listed,
        }
    }

    /// What the mention is, if something else is meant.
    fn polarity(&self) -> Option<Polarity> {
        if self.is_guessed() {
            return Some(Polarity::Replaced);
        }
        let other = self.is_dismissed() || self.is_renamed() || self.turns_out();
        let denied = self.is_granted()
            || self.lacks()
            || self.is_disqualified()
            || self.is_alike() && self.is_subject()
            || self.is_dismissed() && self.is_told_behind() && self.is_subject()
            || other && self.is_subject() && !self.is_listed && !self.is_followed;
        denied.then_some(Polarity::Denied)
    }

    /// "[5] is right — [3] is its reflection": what is said of it goes on from what is meant.
    fn is_told_behind(&self) -> bool {
        let lead = self.get(self.before.clone()).trim_end_matches([' ', '*']);
        lead.ends_with(['—', '–']) && !self.is_followed
    }

    /// True if the sentence begins with the mention.
    fn is_about(&self) -> bool {
        is_function(self.get(self.before.clone()))
    }

    /// "Of the two candidates, [2] and [6], only [6] has a handle": named in a list with what alone is meant.
    fn is_candidate(
        &self,
        mentions: &[Mention],
        index: usize,
        only: &Option<(Vec<u32>, bool)>,
    ) -> bool {
        let near = index.saturating_sub(2)..mentions.len().min(index + 3);
        let listed = mentions[near.clone()]
            .iter()
            .filter(|other| only.as_ref().is_some_and(|(only, _)| other.marks == *only))
            .count();
        // "Of [1], [2] and [3], only [2] is red" speaks of all of them.
        let first = mentions[near.start].span.start;
        let lead = &self.text[sentence_start(
            self.text,
            floor(self.text, first.saturating_sub(NEAR))..first,
        )..first];
        let of = words::at(lead.trim(), 0, Role::Of) == Some(lead.trim().len());
        listed > 0 && !of && {
            let joins = |range: Range<usize>| {
                let between = self.get(range);
                let between = between.trim_matches([' ', ',', '*', '[', ']']);
                words::at(between, 0, Role::Joins) == Some(between.len())
            };
            joins(self.after.clone()) || joins(self.before.clone())
        }
    }

    /// True if anything behind the mention says that it comes near, and no more.
    fn is_turned_away(&self) -> bool {
        if self.cues.any(self.before.clone(), Role::Resembles) {
            return true;
        }
        const ROLES: [Role; 5] = [
            Role::Denies,
            Role::DeniesBehind,
            Role::Instead,
            Role::Dismisses,
            Role::Resembles,
        ];
        self.contrast().is_some()
            || ROLES
                .iter()
                .any(|role| self.cues.any(self.after.clone(), *role))
    }

    fn get(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or("")
    }

    /// A word of contrast behind the mention that gives no reason.
    fn contrast(&self) -> Option<Cue> {
        self.contrasts().next()
    }

    fn contrasts(&self) -> impl Iterator<Item = Cue> {
        let contrasts = self.cues.all(self.after.clone(), Role::Contrasts);
        contrasts.filter(|cue| !self.cues.any(cue.start..cue.start + 1, Role::Because))
    }

    /// "I considered [2], but that is a coat", "what I called [3] is [8]".
    fn is_guessed(&self) -> bool {
        /// A first guess is not further off, in words.
        const MOST: usize = 8;
        let guessed = self
            .cues
            .all(self.before.clone(), Role::Tentative)
            .any(|cue| {
                let between = self.get(cue.end..self.before.end);
                words::words(between).take(MOST + 1).count() <= MOST
            });
        let renamed = self.is_followed && self.copula_behind().is_some();
        guessed && (self.is_turned || self.contrast().is_some() || renamed)
    }

    /// The verb right behind the mention.
    fn copula_behind(&self) -> Option<Cue> {
        let copula = self.cues.all(self.after.clone(), Role::Copula).next()?;
        let between = self.get(self.after.start..copula.start);
        (!between.contains(char::is_alphanumeric)).then_some(copula)
    }

    /// True if a verb of any kind stands right behind the mention: "Only [8] fits".
    fn is_told_of(&self) -> bool {
        let rest = self.get(self.after.clone());
        let verb = rest
            .trim_start_matches([']', '*', ')'])
            .trim_start_matches(' ');
        let lists = [Role::Joins, Role::Ranges]
            .iter()
            .any(|role| words::at(verb, 0, *role).is_some());
        verb.starts_with(char::is_alphabetic) && !lists
    }

    /// "While [7] also has stripes, it's a towel": what is granted of it is followed by what it is.
    fn is_granted(&self) -> bool {
        /// The subject of what is granted has no more words.
        const MOST: usize = 4;
        let granted = self
            .cues
            .all(self.before.clone(), Role::Concedes)
            .any(|cue| {
                let begins = !self
                    .get(self.before.start..cue.start)
                    .contains(char::is_alphanumeric);
                let between = self.get(cue.end..self.before.end);
                begins
                    && !between.contains([',', ':'])
                    && words::words(between).take(MOST + 1).count() <= MOST
            });
        let after = self.get(self.after.clone());
        let main = after
            .find([',', '，'])
            .map(|comma| after[comma..].trim_start_matches([',', '，', ' ']));
        let same = main.is_some_and(|main| self.names_something(main) || denies(main));
        granted && (same || self.near(Role::Resembles) || self.near(Role::Dismisses))
    }

    /// "It is a towel": what behind a pronoun says that it is something.
    fn names_something(&self, clause: &str) -> bool {
        let pronoun = words::at(clause, 0, Role::Pronoun).unwrap_or(0);
        let (said, rest) = clause.split_at(pronoun);
        let rest = rest.trim_start_matches([' ', '\'', '’']);
        let verb = words::at(rest, 0, Role::Copula);
        let name = verb.map_or(rest, |end| rest[end..].trim_start());
        let glued = said.ends_with("'s") || said.ends_with("’s") || rest.starts_with("s ");
        let name = match name.strip_prefix("s ").filter(|_| glued) {
            Some(name) => name,
            None => name,
        };
        let article = words::at(name, 0, Role::Article);
        let indefinite = article.is_some() && words::at(name, 0, Role::Definite).is_none();
        // "But no ball" says nothing of the mark.
        let lacks = words::at(name, 0, Role::No).is_some() && verb.is_none() && !glued;
        (verb.is_some() || glued) && indefinite
            || words::at(name, 0, Role::Denies).is_some() && !lacks
            || words::at(rest, 0, Role::Dismisses).is_some()
    }

    /// "[6] also wears blue, but": what is granted is turned away.
    fn is_alike(&self) -> bool {
        self.contrast().is_some_and(|turn| {
            let granted = self.after.start..turn.start.max(self.after.start);
            self.near(Role::Resembles) && self.cues.any(granted, Role::Resembles)
        })
    }

    /// True if words of `role` stand right behind the mention.
    fn near(&self, role: Role) -> bool {
        /// No more words stand between.
        const MOST: usize = 1;
        self.cues.all(self.after.clone(), role).any(|cue| {
            let between = self.get(self.after.start..cue.start);
            words::words(between).take(MOST + 1).count() <= MOST
                && !between.contains([',', ';', ':', '('])
        })
    }

    /// "[2] is merely open, not broken".
    fn is_dismissed(&self) -> bool {
        self.near(Role::Dismisses)
    }

    /// "[7] looks like one, but it's a vase".
    fn turns_out(&self) -> bool {
        self.contrast().is_some_and(|cue| {
            let rest = self.get(cue.end..self.after.end).trim_start();
            self.names_something(rest)
        })
    }

    /// "[3] is still green, so it doesn't qualify": a denial of nothing but the mention ends the
    /// sentence.
    fn is_disqualified(&self) -> bool {
        /// Its subject has no more words.
        const MOST: usize = 2;
        let denial = self.cues.all(self.after.clone(), Role::DeniesBehind);
        let end = self.after.end
            - (self.get(self.after.clone()).len() - self.get(self.after.clone()).trim_end().len());
        denial.last().is_some_and(|cue| {
            cue.end == end
                && self.contrasts().any(|contrast| {
                    let subject = self.get(contrast.end..cue.start.max(contrast.end));
                    contrast.end <= cue.start
                        && words::words(subject).take(MOST + 1).count() <= MOST
                        && !subject.contains([',', ':'])
                })
        })
    }

    /// After "none of these is a hammer": "[3] is a wrench".
    fn is_other_than(&self, none: &Range<usize>) -> bool {
        let before = self.get(self.before.clone());
        let clause = before
            .rfind([',', '，', '、'])
            .map_or(before, |comma| &before[comma + 1..]);
        let joined = words::words(clause)
            .filter_map(|word| words::at(clause, word.start, Role::Joins))
            .last();
        let lead = clause.get(joined.unwrap_or(0)..).unwrap_or(clause);
        let Some(verb) = self.copula_behind().filter(|_| is_function(lead)) else {
            return false;
        };
        let name = self.get(verb.end..self.after.end).trim_start();
        let name = name.split([',', '，', '(']).next().unwrap_or(name);
        let said = words::lowered(self.get(none.clone()));
        let says_so = words::words(name).any(|word| {
            let word = name[word].to_lowercase();
            let known = [Role::Article, Role::Joins, Role::Beside, Role::Is]
                .iter()
                .any(|role| words::at(&word, 0, *role).is_some());
            !known && word.chars().count() > 2 && said.contains(&word)
        });
        let none = self.cues.any(none.clone(), Role::None);
        none && words::at(name, 0, Role::Definite).is_none() && !says_so
    }

    /// "None of them fits: [1] has a brown jacket": what a colon leads to tells why there is none.
    fn is_reason_of(&self, none: &Range<usize>) -> bool {
        let reasons = self.get(none.end..self.before.end);
        let itself = [Role::Excepts, Role::Pronoun]
            .iter()
            .any(|role| self.cues.any(none.end..self.before.end, *role));
        reasons.starts_with(": ") && !reasons.contains(['\n', '.']) && !itself
    }

    /// "None. [2] is the only mug, and it is white": the answer is over, if nothing takes it back.
    fn is_behind_none(&self, none: &Range<usize>) -> bool {
        let said = self.get(none.clone());
        let alone = words::is_made_of(said, &[Role::None, Role::NoOne, Role::Pronoun]);
        let again = [Role::Corrects, Role::Excepts, Role::Answers]
            .iter()
            .any(|role| self.cues.any(none.end..self.before.end, *role));
        alone && self.is_about() && !again
    }

    /// True if the sentence is about the mention: "the one at [2]".
    fn is_subject(&self) -> bool {
        /// A subject has no more words.
        const MOST: usize = 6;
        let before = self.get(self.before.clone());
        // "[5] is right — [3] is its reflection"
        let before = before.rsplit(['—', '–']).next().unwrap_or(before);
        let start = self.before.end - before.len();
        let before = before.trim_end_matches([' ', ',', '*']);
        let short = words::words(before).take(MOST + 1).count() <= MOST;
        let verb = [Role::Is, Role::Answers, Role::Selects]
            .iter()
            .any(|role| self.cues.any(start..self.before.end, *role));
        short && !verb && !before.contains([':', ','])
    }

    /// "[5] is not a chair but a table", "[5] is a table, not a chair", where marks are named for
    /// chairs.
    fn is_renamed(&self) -> bool {
        /// What it is has no more words.
        const MOST: usize = 8;
        const ROLES: [Role; 3] = [Role::Instead, Role::DeniesBehind, Role::Denies];
        let said = self.get(self.after.clone());
        let said = said.trim_start_matches([']', '*', ',', ' ', '—', '–']);
        let start = self.after.end - said.len();
        let verb = words::at(said, 0, Role::Copula).map_or(0, |end| end + 1);
        let known = said
            .get(verb..)
            .is_some_and(|name| words::at(name, 0, Role::Definite).is_some());
        let found = |role: &Role| self.cues.all(start..self.after.end, *role).next();
        let denial = ROLES.iter().filter_map(found).min_by_key(|cue| cue.start);
        !known
            && denial.is_some_and(|cue| {
                let between = self.get(start..cue.start);
                let instead = self.cues.any(cue.start..cue.start + 1, Role::Instead);
                let behind_comma = between.trim_end().ends_with([',', '，']);
                let plain = between.trim_end_matches([' ', ',', '，']);
                words::words(between).take(MOST + 1).count() <= MOST
                    && !plain.contains([',', ';', '—', '('])
                    && (instead
                        || behind_comma
                        || self
                            .contrast()
                            .is_some_and(|contrast| contrast.start > cue.start))
            })
    }

    /// "[4] has no text, whereas [6] reads EXIT": what it lacks, another one has.
    fn lacks(&self) -> bool {
        let denial = self.cues.all(self.after.clone(), Role::Denies).next();
        let direct = denial.is_some_and(|cue| {
            let between = self.get(self.after.start..cue.start);
            words::words(between).take(2).count() <= 1 && !between.contains([',', ';', '('])
        });
        direct && self.is_followed && self.is_subject() && self.contrast().is_some()
    }
}

/// True if one of the first words of `clause` denies it.
fn denies(clause: &str) -> bool {
    const MOST: usize = 5;
    words::words(clause).take(MOST).any(|word| {
        let role = |role| words::at(clause, word.start, role).is_some();
        role(Role::Denies) || role(Role::DeniesBehind)
    })
}
