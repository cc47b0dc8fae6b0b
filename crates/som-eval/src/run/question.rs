//! What a sample asks, as a task.

use som_core::{Error, Result, task::Task};

use crate::{Question, Sample, Truth};

/// The task that a sample asks; of a click, the thing that has to be clicked on.
///
/// # Errors
/// Unsupported for the objects of a sequence, which are asked about frame by frame.
pub(super) fn task(sample: &Sample) -> Result<Task> {
    Ok(match &sample.question {
        Question::Names { vocabulary } => Task::Describe {
            marks: Vec::new(),
            vocabulary: vocabulary.to_vec(),
        },
        Question::Refer(text) | Question::Click(text) => Task::Refer {
            expressions: vec![text.clone()],
        },
        Question::Phrases { sentence } => {
            let phrases = match &sample.truth {
                Truth::Phrases(phrases) => phrases.iter().map(|phrase| phrase.text.clone()),
                _ => return Err(Error::internal("phrases are asked for, but none are known")),
            };
            Task::Phrases {
                sentence: sentence.clone(),
                phrases: phrases.collect(),
            }
        }
        Question::Track => {
            return Err(Error::unsupported(
                "a sequence is asked about frame by frame",
            ));
        }
    })
}

/// True if an expression may mean several things, or none.
pub(super) fn may_mean_any(sample: &Sample) -> bool {
    use crate::Protocol;
    match &sample.truth {
        Truth::Targets { protocol, .. } => *protocol != Protocol::One,
        _ => false,
    }
}
