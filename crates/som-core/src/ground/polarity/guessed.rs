//! First guesses: "at first it looks like [2], but it is [3]", "[6], though I took it for [2]", "I previously
//! said [3]".

use std::ops::Range;

use super::{
    Around, NEAR,
    sentence::{floor, sentence_start},
};
use crate::ground::{
    Mention,
    words::{self, Role},
};

impl Around<'_> {
    /// True for what was a first guess, told behind what is meant: "It is [6], though at first I took it
    /// for [2]".
    pub(super) fn is_first_guess(&self) -> bool {
        let turn = self.cues.all(self.before.clone(), Role::Contrasts).next();
        let guess = self.cues.all(self.before.clone(), Role::Tentative).next();
        let (Some(turn), Some(guess)) = (turn, guess) else {
            return false;
        };
        let between = self.text.get(turn.end..guess.start).unwrap_or("x");
        self.is_preceded
            && words::is_made_of(between, &[Role::Tentative, Role::Pronoun])
            && !self.cues.any(guess.end..self.before.end, Role::Contrasts)
            && !self.is_followed
    }

    /// True if this mention is said in place of the last one, which was said to be a first guess:
    /// "At first it looks like [2], but it is [3]".
    pub(super) fn overrides(&self, mentions: &[Mention], index: usize) -> bool {
        let Some(last) = index.checked_sub(1) else {
            return false;
        };
        let (end, start) = (mentions[last].span.end, mentions[index].span.start);
        let gap = floor(self.text, end.max(start.saturating_sub(NEAR)))..start;
        let begin = floor(self.text, mentions[last].span.start.saturating_sub(NEAR));
        let sentence = sentence_start(self.text, begin..mentions[last].span.start);
        let before = self
            .cues
            .any(sentence..mentions[last].span.start, Role::Tentative);
        let guess = self.cues.all(gap.clone(), Role::Tentative).next();
        let mut turns = self.cues.all(gap, Role::Contrasts);
        // "It could be [2], but I'd say [8]"
        let hedged = self
            .cues
            .any(sentence..mentions[last].span.start, Role::Hedges);
        let turned = turns.any(|turn| {
            before
                || guess.is_some_and(|guess| guess.start < turn.start)
                || hedged && self.chooses(turn.end..start)
        });
        turned && mentions[last].marks != mentions[index].marks
    }

    /// True if nothing but words that choose stands in `range`: "I'd say".
    pub(super) fn chooses(&self, range: Range<usize>) -> bool {
        const LEADS: [Role; 5] = [
            Role::Opinion,
            Role::Selects,
            Role::Pronoun,
            Role::Announces,
            Role::Article,
        ];
        let said = self.text.get(range).unwrap_or("x");
        let led = words::made_of(said, &LEADS);
        led.is_some_and(|led| led.contains(&Role::Opinion) || led.contains(&Role::Selects))
    }

    /// True for "I previously said that the cup is [3]".
    pub(super) fn is_retracted(&self) -> bool {
        /// What is taken back is not further, in words.
        const MOST: usize = 12;
        let mut retracts = self.cues.all(self.before.clone(), Role::Retracts);
        retracts.any(|cue| {
            let between = self.text.get(cue.end..self.before.end).unwrap_or(";");
            let near = words::words(between).take(MOST + 1).count() <= MOST;
            near && !between.contains([',', ';', ':', '—', '–'])
                && !self.cues.any(cue.end..self.before.end, Role::Contrasts)
        })
    }
}
