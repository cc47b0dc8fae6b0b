//! What was said of an answer, and what was only thought.

use std::ops::Range;

use super::Thought;

/// An answer in parts.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// What was said, in order.
    pub(super) said: Vec<Range<usize>>,
    pub(super) thoughts: Vec<Thought>,
}

impl Parts {
    pub(super) fn think(&mut self, span: Range<usize>, closed: bool) {
        self.thoughts.push(Thought { span, closed });
    }
}
