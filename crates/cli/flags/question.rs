//! What is asked about images, and how: shared by `som ask` and `som compare`.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use som_core::{
    Error, ErrorKind, Result,
    prompt::{Layout, Template, WORDINGS},
    task::Task,
};
use som_engine::ask::Budget;

use crate::input::{ImageArguments, Inputs};

#[derive(Args)]
#[command(next_help_heading = "Question")]
pub(crate) struct QuestionFlags {
    /// What is asked: ask (a question), describe (what is in each region), refer (an expression,
    /// several separated by semicolons: which regions?), phrases (a sentence: which regions do its
    /// noun phrases mean?), track (objects of the first image: where are they in the others?)
    #[arg(long, value_name = "TASK", default_value = "ask")]
    task: String,
    /// The marks that describe and track are about [default: all]
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    marks: Vec<u32>,
    /// The names that describe chooses from [default: any]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    vocabulary: Vec<String>,
    /// A phrase of the sentence, for phrases; may be given several times [default: the model
    /// chooses]
    #[arg(long = "phrase", value_name = "PHRASE")]
    phrases: Vec<String>,
    /// The words of the prompt by name: ask, reason, describe, refer, phrases, track, or those
    /// of SoM-Bench: som-bench-labelling, som-bench-referring, som-bench-grounding
    #[arg(long, value_name = "NAME", conflicts_with = "prompt_file")]
    template: Option<String>,
    /// The words of the prompt from a file, with fields such as {question}; what stands above a
    /// line of --- goes to the system
    #[arg(long, value_name = "FILE")]
    prompt_file: Option<PathBuf>,
    /// Show the model each image without marks, too
    #[arg(long)]
    clean: bool,
    /// Give the model a table of the regions: label, class, box, area
    #[arg(long)]
    table: bool,
    /// Ask N times, each time with other labels and colours, and report how far the answers agree
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) votes: u32,
    /// Most tokens of all answers together
    #[arg(long, value_name = "N", help_heading = "Budget", value_parser = clap::value_parser!(u32).range(1..))]
    max_tokens: Option<u32>,
    /// How often to ask for one answer: 2 lets the model mend one that names marks which are not
    /// there, or that leaves open what was asked
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = "Budget", value_parser = clap::value_parser!(u32).range(1..))]
    max_rounds: u32,
    /// The most US dollars that all requests may cost together: one that may cost more is not sent
    #[arg(long, value_name = "DOLLARS", help_heading = "Budget", allow_negative_numbers = true, value_parser = dollars)]
    max_cost: Option<f64>,
}

impl QuestionFlags {
    /// The images and the text among the `words` of a command line: the text comes last.
    ///
    /// # Errors
    /// Invalid, if it is missing; as [`Inputs::find`].
    pub(crate) fn split(&self, mut words: Vec<OsString>) -> Result<(Inputs, Option<String>)> {
        let is_wordless = matches!(self.task.as_str(), "describe" | "track");
        let text = match is_wordless {
            true => None,
            false => words.pop(),
        };
        let missing = "the question is missing (give the images, then the question in quotes)";
        if words.is_empty() {
            return Err(Error::invalid(missing));
        }
        if let Some(file) = text.as_ref().map(Path::new).filter(|path| path.is_file()) {
            let message = format!("{} is a file: {missing}", file.display());
            return Err(Error::invalid(message));
        }
        let text = text.map(OsString::into_string).transpose();
        let text = text.map_err(|_| Error::invalid("the question is no UTF-8"))?;
        let images = words.into_iter().map(PathBuf::from).collect();
        let arguments = ImageArguments {
            images,
            keep_endings: false,
        };
        Ok((Inputs::find(&arguments)?, text))
    }

    /// True for a free question.
    pub(crate) fn is_free(&self) -> bool {
        self.task == "ask"
    }

    /// True if no answer comes in place of the first one.
    pub(crate) fn is_asked_once(&self) -> bool {
        self.votes == 1 && self.max_rounds == 1
    }

    /// What goes beside the words of the prompt.
    pub(crate) fn layout(&self) -> Layout {
        Layout {
            clean: self.clean,
            table: self.table,
        }
    }

    /// What it may cost.
    pub(crate) fn budget(&self) -> Budget {
        Budget {
            max_tokens: self.max_tokens,
            max_rounds: self.max_rounds,
            max_cost: self.max_cost,
        }
    }

    /// The task about `text`.
    ///
    /// # Errors
    /// Invalid, if options do not go together.
    pub(crate) fn task(&self, text: Option<&str>) -> Result<Task> {
        let mut task = Task::named(&self.task, text)?;
        let mut unused = vec![
            ("--marks", !self.marks.is_empty()),
            ("--vocabulary", !self.vocabulary.is_empty()),
            ("--phrase", !self.phrases.is_empty()),
        ];
        let mut used = |flag: &str| unused.retain(|(other, _)| *other != flag);
        match &mut task {
            Task::Describe { marks, vocabulary } => {
                marks.clone_from(&self.marks);
                vocabulary.clone_from(&self.vocabulary);
                used("--marks");
                used("--vocabulary");
            }
            Task::Track { marks } => {
                marks.clone_from(&self.marks);
                used("--marks");
            }
            Task::Phrases { phrases, .. } => {
                phrases.clone_from(&self.phrases);
                used("--phrase");
            }
            Task::Ask { .. } | Task::Refer { .. } => {}
        }
        match unused.iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Error::invalid(format!(
                "{flag}: the task {} does not take it",
                self.task
            ))),
            None => Ok(task),
        }
    }

    /// The words of the prompt, in which every field is known; `None` for those of the task.
    ///
    /// # Errors
    /// NotFound for an unknown name, or a file that is not there; Invalid, if the words make no
    /// template.
    pub(crate) fn words(&self) -> Result<Option<String>> {
        if let Some(name) = &self.template {
            let template = WORDINGS.iter().find(|(known, _)| known == name);
            let known = WORDINGS.iter().map(|(known, _)| *known);
            return match template {
                Some((_, words)) => Ok(Some((*words).to_owned())),
                None => Err(Error::unknown(ErrorKind::NotFound, "template", name, known)),
            };
        }
        let Some(file) = &self.prompt_file else {
            return Ok(None);
        };
        let words = fs::read_to_string(file).map_err(crate::output::unreadable);
        let words = words.and_then(|words| Template::parse(&words).map(|_| words));
        words.map(Some).map_err(|error| error.at(file.display()))
    }
}

/// An amount that can be used up.
fn dollars(text: &str) -> Result<f64> {
    match text.parse::<f64>() {
        Ok(amount) if amount.is_finite() && amount > 0.0 => Ok(amount),
        _ => Err(Error::invalid("write a number above 0")),
    }
}
