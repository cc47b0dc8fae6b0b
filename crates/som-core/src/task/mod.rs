//! What one can ask of marked images: how each question is put, and how its answer becomes
//! regions.
//!
//! Every task is a [`Template`] with fields, a JSON Schema for models that answer by one, and a
//! reader of answers, written freely or by the schema: both give the same [`Grounded`] answer.

mod choice;
mod describe;
mod entries;
mod form;
mod grounded;
mod json;
mod keyed;
mod label;
mod mapping;
mod matching;
mod nearby;
mod numbered;
mod one;
mod order;
mod phrases;
mod pieces;
mod refer;
mod renamed;
mod said;
mod sentence;
mod settled;
mod spoken;
mod stated;
mod subject;
mod tie;
mod track;
mod votes;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use self::spoken::Spoken;
pub use self::{
    grounded::{Finding, Grounded, Match},
    votes::{Agreement, Consensus, merge},
};
use crate::{
    Error, ErrorKind, Result, Scene,
    ground::{Names, Read},
    prompt::{Field, Fields, Template, in_brackets},
};

/// What is asked. Texts of the user's stand in it as the LMM reads them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Task {
    /// A question of any kind.
    Ask {
        /// The question.
        question: String,
    },
    /// What is in each region?
    Describe {
        /// Ids of the marks; all if there are none.
        marks: Vec<u32>,
        /// Names to choose from; any if there are none.
        vocabulary: Vec<String>,
    },
    /// Which regions do these expressions mean?
    Refer {
        /// "The laptop behind the beer bottle".
        expressions: Vec<String>,
    },
    /// Which regions do the noun phrases of a sentence mean?
    Phrases {
        /// The sentence.
        sentence: String,
        /// Its phrases, as they stand in it; the LMM chooses if there are none.
        phrases: Vec<String>,
    },
    /// Where are the objects of the first image in the others?
    Track {
        /// Ids of marks of the first image; all if there are none.
        marks: Vec<u32>,
    },
}

impl Task {
    /// The tasks by name.
    pub const NAMES: [&str; 5] = ["ask", "describe", "refer", "phrases", "track"];

    /// The task called `name`, about `text`: a question, expressions or a sentence; several
    /// expressions are separated by semicolons.
    ///
    /// # Errors
    /// Invalid for an unknown name, and where a text is missing or has no place.
    pub fn named(name: &str, text: Option<&str>) -> Result<Self> {
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        let missing = |what: &str| Error::invalid(format!("task {name}: {what} is missing"));
        let needed = |what: &str| text.map(str::to_owned).ok_or_else(|| missing(what));
        let task = match name {
            "ask" => Self::Ask {
                question: needed("the question")?,
            },
            "describe" => Self::Describe {
                marks: Vec::new(),
                vocabulary: Vec::new(),
            },
            "refer" => Self::Refer {
                expressions: expressions_in(text).ok_or_else(|| missing("the expression"))?,
            },
            "phrases" => Self::Phrases {
                sentence: needed("the sentence")?,
                phrases: Vec::new(),
            },
            "track" => Self::Track { marks: Vec::new() },
            _ => {
                return Err(Error::unknown(
                    ErrorKind::Invalid,
                    "task",
                    name,
                    Self::NAMES,
                ));
            }
        };
        match (&task, text) {
            (Self::Describe { .. } | Self::Track { .. }, Some(text)) => Err(Error::invalid(
                format!("task {name} takes no question, but got {text:?}"),
            )),
            _ => Ok(task),
        }
    }

    /// The task's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Task::Ask { .. } => "ask",
            Task::Describe { .. } => "describe",
            Task::Refer { .. } => "refer",
            Task::Phrases { .. } => "phrases",
            Task::Track { .. } => "track",
        }
    }

    /// What it looks for, in words, such as a segmenter takes for hints: expressions, the phrases of a
    /// sentence or all of it, the names to choose from. Nothing for a question and for tracking.
    pub fn sought(&self) -> Vec<String> {
        match self {
            Task::Refer { expressions } => expressions.clone(),
            Task::Phrases { sentence, phrases } if phrases.is_empty() => vec![sentence.clone()],
            Task::Phrases { phrases, .. } => phrases.clone(),
            Task::Describe { vocabulary, .. } => vocabulary.clone(),
            Task::Ask { .. } | Task::Track { .. } => Vec::new(),
        }
    }

    /// Its texts that may speak of marks and boxes: a question, or expressions. A sentence stays
    /// as it is, so that its phrases are found in it.
    pub fn texts(&self) -> &[String] {
        match self {
            Task::Ask { question } => std::slice::from_ref(question),
            Task::Refer { expressions } => expressions,
            _ => &[],
        }
    }

    /// The same with other [`texts`](Self::texts).
    #[must_use]
    pub fn with_texts(&self, texts: Vec<String>) -> Self {
        match self {
            Task::Ask { .. } => Task::Ask {
                question: texts.concat(),
            },
            Task::Refer { .. } => Task::Refer { expressions: texts },
            other => other.clone(),
        }
    }

    /// The built-in template of the task.
    ///
    /// # Errors
    /// Internal, if it is missing.
    pub fn template(&self) -> Result<Template> {
        Template::named(self.name())
    }

    /// Checks that the task fits the images of `scene`.
    ///
    /// # Errors
    /// Invalid, if it speaks of marks that are not there, or needs more images.
    pub fn check(&self, scene: &Scene<'_>) -> Result<()> {
        let (Task::Describe { marks, .. } | Task::Track { marks }) = self else {
            return Ok(());
        };
        let there = |id: u32| {
            scene
                .mark(id)
                .is_some_and(|mark| mark.image == 0 || !matches!(self, Task::Track { .. }))
        };
        if let Some(id) = marks.iter().find(|id| !there(**id)) {
            return Err(Error::invalid(format!(
                "task {}: there is no mark {id}",
                self.name()
            )));
        }
        if matches!(self, Task::Track { .. }) && scene.images.len() < 2 {
            return Err(Error::invalid(
                "task track needs at least two images: where objects are marked, and where they are looked for",
            ));
        }
        Ok(())
    }

    /// What the task puts into the fields of its template; `structured` if the answer keeps to
    /// the [`schema`](Self::schema).
    pub fn fields(&self, scene: &Scene<'_>, structured: bool) -> Fields {
        let fields = Fields::default().with(Field::Form, self.form(scene, structured));
        match self {
            Task::Ask { question } => fields.with(Field::Question, question),
            Task::Describe { marks, vocabulary } => fields
                .with(
                    Field::Targets,
                    named(&describe::targets(marks, scene), scene),
                )
                .with(Field::Vocabulary, vocabulary.join(", ")),
            Task::Refer { expressions } => fields
                .with(Field::Expressions, expressions.join("; "))
                .with(Field::Question, expressions.join("; ")),
            Task::Phrases { sentence, phrases } => fields
                .with(Field::Sentence, sentence)
                .with(Field::Question, sentence)
                .with(
                    Field::Phrases,
                    match phrases.as_slice() {
                        [] => "its noun phrases".to_owned(),
                        phrases => phrases.join(", "),
                    },
                ),
            Task::Track { marks } => {
                fields.with(Field::Targets, named(&track::targets(marks, scene), scene))
            }
        }
    }

    /// True if there is one thing that an answer may come down to.
    fn asks_one(&self) -> bool {
        match self {
            Task::Ask { .. } => true,
            Task::Refer { expressions } => expressions.len() < 2,
            _ => false,
        }
    }

    /// Reads an answer, written freely or by the schema.
    pub fn read(&self, answer: &str, scene: &Scene<'_>) -> Grounded {
        let read = Read::of(answer, scene);
        let names = Names::new(scene);
        let mentions = match self.asks_one() {
            true => Cow::Borrowed(&read.mentions[..]),
            false => read.mentions_on_the_way(),
        };
        let spoken = Spoken::new(&read, &mentions, &names, scene);
        let findings = match self {
            Task::Ask { .. } => Vec::new(),
            Task::Describe { marks, vocabulary } => describe::read(&spoken, marks, vocabulary),
            Task::Refer { expressions } => refer::read(&spoken, expressions),
            Task::Phrases { sentence, phrases } => phrases::read(&spoken, sentence, phrases),
            Task::Track { marks } => track::read(&spoken, marks),
        };
        Grounded {
            mentions: read.mentions_in_answer(),
            findings,
            thoughts: read.said.thoughts,
        }
    }
}

/// "[1], [2] and [5]".
fn named(ids: &[u32], scene: &Scene<'_>) -> String {
    in_brackets(ids.iter().filter_map(|&id| Some(scene.mark(id)?.text)))
}

/// What is between the semicolons of `text`, if anything is.
fn expressions_in(text: Option<&str>) -> Option<Vec<String>> {
    let expressions = text?
        .split(';')
        .map(|expression| expression.trim().trim_end_matches('.').to_owned())
        .filter(|expression| !expression.is_empty());
    Some(expressions.collect()).filter(|expressions: &Vec<_>| !expressions.is_empty())
}
