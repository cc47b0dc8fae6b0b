//! Marks that are named to say where something else is: "left of [3]", "(the one beside the mug, [1])".

use std::ops::Range;

use super::Around;
use crate::ground::words::{self, Cue, Role};

impl Around<'_> {
    /// True for "left of [3]".
    pub(super) fn is_beside(&self) -> bool {
        let beside = self.reaching(Role::Beside, 5, false);
        beside.is_some_and(|cue| {
            !self.is_at(cue) && !self.is_marked(cue) && !self.is_chosen_with(cue)
        }) || self.is_behind(Role::BesideBehind)
            || self.is_apposed()
    }

    /// "[6] (the one beside the mug, mark 1)": the name of what it is beside.
    fn is_apposed(&self) -> bool {
        let before = &self.text[self.before.clone()];
        let Some((open, head, tail)) = before.rfind('(').and_then(|open| {
            let (head, tail) = before[open..].rsplit_once([',', '，'])?;
            Some((self.before.start + open, head, tail))
        }) else {
            return false;
        };
        let after = self.text[self.after.start..].trim_start_matches(['*', ']', '"']);
        let says = |word: &Range<usize>, role| words::at(tail, word.start, role).is_some();
        let noun = words::words(tail)
            .all(|word| says(&word, Role::Announces) || says(&word, Role::Article));
        let place = open..open + head.len();
        (self.is_preceded || self.is_followed)
            && after.starts_with(')')
            && noun
            && self.cues.any(place.clone(), Role::Beside)
            && !self.cues.any(place, Role::Contrasts)
    }

    /// True for "marked with 4".
    fn is_marked(&self, cue: Cue) -> bool {
        let all = |role| self.cues.all(self.before.clone(), role);
        let mut announces = all(Role::Announces).chain(all(Role::Bears));
        let next = self.text.get(cue.end..self.before.end).unwrap_or("x");
        next.trim().is_empty()
            && self.cues.any(cue.start..cue.start + 1, Role::Fills)
            && announces.any(|word| {
                let between = self.text.get(word.end..cue.start);
                between.is_some_and(|between| between.trim().is_empty())
            })
    }

    /// True for "I'd go with 4": the word is the end of what chooses.
    fn is_chosen_with(&self, cue: Cue) -> bool {
        [Role::Selects, Role::Opinion].iter().any(|role| {
            self.cues
                .all(self.before.start..cue.start, *role)
                .any(|verb| verb.end == cue.end)
        })
    }

    /// True for "is at mark 4": that is where the mark itself is.
    fn is_at(&self, cue: Cue) -> bool {
        let word = self.text.get(cue.start..cue.end).unwrap_or("");
        let between = self.text.get(cue.end..self.before.end).unwrap_or("");
        let mut announced = false;
        let direct = words::words(between).all(|word| {
            let announces = words::at(between, word.start, Role::Announces).is_some();
            announced |= announces;
            announces || words::at(between, word.start, Role::Article).is_some()
        });
        let is = self.cues.all(self.before.start..cue.start, Role::Is).last();
        let said = is.is_some_and(|is| {
            let between = self.text.get(is.end..cue.start).unwrap_or("x");
            !between.contains(char::is_alphanumeric)
        });
        words::at(word, 0, Role::At) == Some(word.len()) && announced && direct && said
    }
}
