//! answer → what was said: without what was only thought, in plain characters.
//!
//! Models think aloud between tags, in channels, or before a closing tag; they wrap what they say
//! in fences, tool calls and tokens of their chat template; they write digits, brackets and spaces
//! of many scripts. Behind this stage there is one text, in plain characters, and a way back from
//! each of its bytes to those of the answer.

mod characters;
mod parts;
mod harmony;
mod plain;
mod thoughts;

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A part of an answer that the model thought, and did not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thought {
    /// Bytes of the answer, without the tags around them.
    pub span: Range<usize>,
    /// False if the answer ends within it: what was to be said is missing.
    pub closed: bool,
}

/// What an answer says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// In plain characters: ASCII digits, brackets and spaces, no invisible ones, no escapes.
    pub(crate) text: String,
    pub(crate) thoughts: Vec<Thought>,
    runs: Vec<Run>,
}

/// Bytes of the text, and those of the answer that they stand for.
#[derive(Clone, Copy, Debug)]
struct Run {
    text: usize,
    answer: usize,
    /// How many bytes of the answer, if the text has others in their place; 0 if it has the same.
    replaced: usize,
}

impl Said {
    /// Takes off the envelope of `answer`.
    pub(crate) fn of(answer: &str) -> Self {
        let mut said = Self::default();
        let parts = thoughts::apart(answer);
        for part in parts.said {
            plain::write(answer, part, &mut said);
        }
        said.thoughts = parts.thoughts;
        said
    }

    /// The bytes of the answer that `span`, bytes of the text, stand for.
    pub(crate) fn in_answer(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.run_at(span.start).map_or(0, |run| match run.replaced {
            0 => run.answer + (span.start - run.text),
            _ => run.answer,
        });
        let last = span.end.saturating_sub(1).max(span.start);
        let end = self.run_at(last).map_or(start, |run| match run.replaced {
            0 => run.answer + (span.end - run.text),
            length => run.answer + length,
        });
        start..end.max(start)
    }

    fn run_at(&self, at: usize) -> Option<&Run> {
        let next = self.runs.partition_point(|run| run.text <= at);
        self.runs.get(next.checked_sub(1)?)
    }

    /// The next bytes of the text are those of the answer at `answer`.
    fn copy(&mut self, text: &str, answer: usize) {
        if text.is_empty() {
            return;
        }
        let goes_on = self.runs.last().is_some_and(|run| {
            run.replaced == 0 && run.answer + (self.text.len() - run.text) == answer
        });
        if !goes_on {
            self.runs.push(Run {
                text: self.text.len(),
                answer,
                replaced: 0,
            });
        }
        self.text.push_str(text);
    }

    /// The next bytes of the text are `text`, in place of these bytes of the answer.
    fn replace(&mut self, text: &str, answer: Range<usize>) {
        if text.is_empty() {
            return;
        }
        self.runs.push(Run {
            text: self.text.len(),
            answer: answer.start,
            replaced: answer.len().max(1),
        });
        self.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_leads_back() {
        let answer = "\u{feff}<think>[2]?</think>Mark\u{a0}\u{200b}３ is 【④】.";
        let said = Said::of(answer);
        assert_eq!(said.text, "Mark 3 is [[4]].");
        let back = |part: &str| {
            let start = said.text.find(part).unwrap();
            &answer[said.in_answer(&(start..start + part.len()))]
        };
        assert_eq!(back("3"), "３");
        assert_eq!(back("Mark 3"), "Mark\u{a0}\u{200b}３");
        assert_eq!(back("[[4]]"), "【④】");
        assert_eq!(back("."), ".");
        assert_eq!(&answer[said.thoughts[0].span.clone()], "[2]?");
    }
}
