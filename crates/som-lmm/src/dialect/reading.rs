//! An answer as it is read: what a dialect finds in messages becomes events.

use std::collections::VecDeque;

use som_core::{AnswerEvent, Finish, Usage};

/// What a model may give out that is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instead {
    /// Thoughts.
    Thoughts,
    /// A call of a tool, though none was offered.
    ToolCall,
}

/// What has been found so far.
pub(crate) struct Reading {
    /// Found and not yet given out.
    pub(crate) events: VecDeque<AnswerEvent>,
    usage: Usage,
    finish: Option<Finish>,
    refusal: String,
    /// What came in the place of an answer.
    instead: Option<Instead>,
    /// Bytes of text found, and how many there may be.
    text: usize,
    max: usize,
    is_over: bool,
}

impl Reading {
    /// Of an answer that may have `max` bytes of text.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            events: VecDeque::new(),
            usage: Usage::default(),
            finish: None,
            refusal: String::new(),
            instead: None,
            text: 0,
            max,
            is_over: false,
        }
    }

    /// More text. What goes beyond the maximum is left out, and the answer is over.
    pub(crate) fn text(&mut self, text: &str) {
        if text.is_empty() || self.is_over {
            return;
        }
        let room = self.max - self.text;
        let fits = text.floor_char_boundary(room);
        self.text += fits;
        if fits > 0 {
            let text = text[..fits].to_owned();
            self.events.push_back(AnswerEvent::Delta(text));
        }
        if fits < text.len() {
            let why = format!("longer than {} bytes", self.max);
            self.finish = Some(Finish::Partial(why));
            self.is_over = true;
        }
    }

    /// More of the reason why the model declines.
    pub(crate) fn refuse(&mut self, reason: &str) {
        self.refusal.push_str(reason);
    }

    /// Something that is no text. A call is told before thoughts, which often precede it.
    pub(crate) fn instead(&mut self, instead: Instead) {
        if self.instead != Some(Instead::ToolCall) {
            self.instead = Some(instead);
        }
    }

    /// Why there is no text, as far as it is known.
    pub(crate) fn emptiness(&self) -> &'static str {
        match self.instead {
            Some(Instead::ToolCall) => {
                "the answer is empty: it is the call of a tool, though none was offered"
            }
            Some(Instead::Thoughts) => "the answer is empty: the model thought, but said nothing",
            None => "the answer is empty",
        }
    }

    /// The tokens so far, changed by `change`.
    pub(crate) fn count(&mut self, change: impl FnOnce(&mut Usage)) {
        change(&mut self.usage);
        self.events.push_back(AnswerEvent::Usage(self.usage));
    }

    /// The answer has ended so; tokens may still be counted.
    pub(crate) fn finish(&mut self, finish: Finish) {
        if !self.is_over {
            self.finish = Some(finish);
        }
    }

    /// Nothing more will come, and nothing is missing.
    pub(crate) fn complete(&mut self) {
        self.finish.get_or_insert(Finish::Stop);
        self.is_over = true;
    }

    /// Nothing more will come.
    pub(crate) fn end(&mut self) {
        self.is_over = true;
    }

    /// True if nothing more will come.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// True once text was found.
    pub(crate) fn has_text(&self) -> bool {
        self.text > 0
    }

    /// How the answer ended; `None` if it did not.
    pub(crate) fn ending(&mut self) -> Option<Finish> {
        if !self.refusal.is_empty() {
            return Some(Finish::Refusal(std::mem::take(&mut self.refusal)));
        }
        self.finish.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_beyond_the_limit_is_left_out_at_a_character() {
        let mut reading = Reading::new(4);
        reading.text("ab");
        reading.text("äöü");
        reading.text("more");
        reading.finish(Finish::Stop);
        assert!(reading.is_over());
        let texts: Vec<_> = reading.events.drain(..).collect();
        let delta = |text: &str| AnswerEvent::Delta(text.into());
        assert_eq!(texts, [delta("ab"), delta("ä")]);
        let why = "longer than 4 bytes".into();
        assert_eq!(reading.ending(), Some(Finish::Partial(why)));
    }

    #[test]
    fn a_refusal_wins_over_the_end() {
        let mut reading = Reading::new(100);
        reading.refuse("I can");
        reading.refuse("not.");
        reading.finish(Finish::Stop);
        let why = "I cannot.".into();
        assert_eq!(reading.ending(), Some(Finish::Refusal(why)));
    }
}
