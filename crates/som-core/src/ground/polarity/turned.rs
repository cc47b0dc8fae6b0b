//! Whether what is said of a mention turns it away: it is granted, guessed, or said to be something else.

use std::ops::Range;

use super::{
    NEAR,
    place::{Place, is_function},
    sentence::{floor, sentence_start},
};
use crate::ground::{
    Mention,
    words::{self, Role},
};

impl Place<'_> {
    /// "Of the two candidates, [2] and [6], only [6] has a handle": named in a list with what alone is meant.
    pub(super) fn is_candidate(
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
    pub(super) fn is_turned_away(&self) -> bool {
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

    /// "I considered [2], but that is a coat", "what I called [3] is [8]".
    pub(super) fn is_guessed(&self) -> bool {
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

    /// "While [7] also has stripes, it's a towel": what is granted of it is followed by what it is.
    pub(super) fn is_granted(&self) -> bool {
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

    /// "[6] also wears blue, but": what is granted is turned away.
    pub(super) fn is_alike(&self) -> bool {
        self.contrast().is_some_and(|turn| {
            let granted = self.after.start..turn.start.max(self.after.start);
            self.near(Role::Resembles) && self.cues.any(granted, Role::Resembles)
        })
    }

    /// "[2] is merely open, not broken".
    pub(super) fn is_dismissed(&self) -> bool {
        self.near(Role::Dismisses)
    }

    /// "[7] looks like one, but it's a vase".
    pub(super) fn turns_out(&self) -> bool {
        self.contrast().is_some_and(|cue| {
            let rest = self.get(cue.end..self.after.end).trim_start();
            self.names_something(rest)
        })
    }

    /// "[3] is still green, so it doesn't qualify": a denial of nothing but the mention ends the
    /// sentence.
    pub(super) fn is_disqualified(&self) -> bool {
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
    pub(super) fn is_other_than(&self, none: &Range<usize>) -> bool {
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
    pub(super) fn is_reason_of(&self, none: &Range<usize>) -> bool {
        if self.before.end > none.end + 2 * NEAR {
            return false;
        }
        let reasons = self.get(none.end..self.before.end);
        let itself = [Role::Excepts, Role::Pronoun]
            .iter()
            .any(|role| self.cues.any(none.end..self.before.end, *role));
        reasons.starts_with(": ") && !reasons.contains(['\n', '.']) && !itself
    }

    /// "None. [2] is the only mug, and it is white": the answer is over, if nothing takes it back.
    pub(super) fn is_behind_none(&self, none: &Range<usize>) -> bool {
        if self.before.end > none.end + 2 * NEAR {
            return false;
        }
        let said = self.get(none.clone());
        let alone = words::is_made_of(said, &[Role::None, Role::NoOne, Role::Pronoun]);
        let again = [Role::Corrects, Role::Excepts, Role::Answers]
            .iter()
            .any(|role| self.cues.any(none.end..self.before.end, *role));
        alone && self.is_about() && !again
    }

    /// "[5] is not a chair but a table", "[5] is a table, not a chair", where marks are named for
    /// chairs.
    pub(super) fn is_renamed(&self) -> bool {
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
        let told = || denial.is_some_and(|cue| self.is_told_of_another(cue.end));
        (!known || told())
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

    /// "[4] is the mirror, not the window. The window is [9]": what is denied of it at `from` begins the next
    /// sentence.
    fn is_told_of_another(&self, from: usize) -> bool {
        /// The next sentence begins no further off, in bytes.
        const LONGEST: usize = 48;
        let denied = self.get(from..self.after.end);
        let near = self.text.floor_char_boundary(self.after.end + LONGEST);
        let next = self.get(self.after.end..near.max(self.after.end));
        let next = next.trim_start_matches(['.', '!', ';', ' ', '\n']);
        let subject = words::lowered(next.split([',', '.', '[', '\n']).next().unwrap_or(""));
        words::words(denied).any(|word| {
            let noun = denied[word].to_lowercase();
            noun.chars().count() > 2
                && words::at(&noun, 0, Role::Article).is_none()
                && words::words(&subject).any(|other| subject[other] == noun)
        })
    }

    /// "[4] has no text, whereas [6] reads EXIT": what it lacks, another one has.
    pub(super) fn lacks(&self) -> bool {
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
