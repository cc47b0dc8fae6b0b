//! One answer, read.

use som_core::{
    Answer, Finish, Scene,
    ground::{Status, ground},
    prompt::Renaming,
    task::{Grounded, Task},
};

use super::look::Look;

/// One answer, read.
pub(super) struct Vote {
    pub(super) text: String,
    pub(super) finish: Finish,
    pub(super) grounded: Grounded,
}

impl Vote {
    /// What `answer` says to `task` about `scene`.
    pub(super) fn read(answer: Answer, task: &Task, scene: &Scene<'_>) -> Self {
        let Answer { text, finish, .. } = answer;
        Self {
            grounded: task.read(&text, scene),
            finish: finish.unwrap_or_else(|| Finish::Partial("it did not end".to_owned())),
            text,
        }
    }

    /// True for a complete answer that names no more marks which are not there, and leaves no more
    /// open.
    pub(super) fn mends(&self, other: &Self) -> bool {
        let lacks = |vote: &Self| {
            let mentions = vote.grounded.mentions.iter();
            let missing: usize = mentions.map(|mention| mention.unresolved.len()).sum();
            let findings = vote.grounded.findings.iter();
            missing
                + findings
                    .filter(|finding| finding.status != Status::Resolved)
                    .count()
        };
        let (here, there) = (lacks(self), lacks(other));
        self.finish == Finish::Stop && !self.text.trim().is_empty() && here <= there
    }

    /// The same in the names of `known`, which the user sees, instead of those that were `drawn`;
    /// expressions as `task` has them.
    pub(super) fn retold(mut self, task: &Task, drawn: &Look, known: &Look) -> Self {
        let (drawn, known) = (drawn.scene(), known.scene());
        let renaming = Renaming {
            known: &drawn,
            drawn: &known,
            boxes: &[],
        };
        let text = renaming.renamed(&self.text);
        if text != self.text {
            self.grounded.mentions = ground(&text, &known);
            self.text = text;
        }
        if let Task::Refer { expressions } = task {
            for (finding, expression) in self.grounded.findings.iter_mut().zip(expressions) {
                finding.text.clone_from(expression);
            }
        }
        self
    }
}
