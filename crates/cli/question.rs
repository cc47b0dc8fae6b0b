//! What is asked about images, and how: shared by `som ask` and `som compare`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use som_core::{
    Error, Result,
    prompt::{Layout, Template},
    task::Task,
};
use som_engine::ask::{AskRequest, Budget};

use crate::{
    input::{ImageOptions, Input, Inputs},
    session::{Local, Picture},
};

#[derive(Args)]
#[command(next_help_heading = "Question")]
pub(crate) struct QuestionOptions {
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
    votes: u32,
    /// Most tokens of all answers together
    #[arg(long, value_name = "N", help_heading = "Budget")]
    max_tokens: Option<u32>,
    /// How often to ask for one answer: 2 lets the model mend one that names marks which are not
    /// there
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = "Budget")]
    max_rounds: u32,
    /// US dollars after which nothing more is asked
    #[arg(long, value_name = "DOLLARS", help_heading = "Budget")]
    max_cost: Option<f64>,
}

impl QuestionOptions {
    /// The images and the text among the `words` of a command line: the text comes last.
    ///
    /// # Errors
    /// Invalid, if it is missing; as [`Inputs::find`].
    pub(crate) fn split(&self, mut words: Vec<String>) -> Result<(Vec<Input>, Option<String>)> {
        let is_wordless = matches!(self.task.as_str(), "describe" | "track");
        let text = match is_wordless {
            true => None,
            false => words.pop(),
        };
        let missing = "the question is missing (give the images, then the question in quotes)";
        if words.is_empty() {
            return Err(Error::invalid(missing));
        }
        if let Some(file) = text.as_deref().filter(|text| Path::new(text).is_file()) {
            return Err(Error::invalid(format!("{file} is a file: {missing}")));
        }
        let images = words.into_iter().map(PathBuf::from).collect();
        Ok((Inputs::find(&ImageOptions { images })?.images, text))
    }

    /// True for a free question.
    pub(crate) fn is_free(&self) -> bool {
        self.task == "ask"
    }

    /// The request about `pictures` for `text`.
    ///
    /// # Errors
    /// Invalid, if options do not go together, or the template is wrong; NotFound, if its file is
    /// not there.
    pub(crate) fn request(
        &self,
        text: Option<&str>,
        pictures: &[Picture],
        session: &Local,
    ) -> Result<AskRequest> {
        let images = pictures.iter().map(|picture| session.ask_image(picture));
        Ok(AskRequest {
            layers: Some(session.layers.clone()),
            options: session.marks.clone(),
            template: self.template()?,
            layout: Layout {
                clean: self.clean,
                table: self.table,
            },
            votes: self.votes,
            budget: Budget {
                max_tokens: self.max_tokens,
                max_rounds: self.max_rounds,
                max_cost: self.max_cost,
            },
            ..AskRequest::new(images.collect(), self.task(text)?)
        })
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

    fn template(&self) -> Result<Option<Template>> {
        if let Some(name) = &self.template {
            return Template::named(name).map(Some);
        }
        let Some(file) = &self.prompt_file else {
            return Ok(None);
        };
        let text = fs::read_to_string(file).map_err(crate::output::unreadable);
        text.and_then(|text| Template::parse(&text))
            .map(Some)
            .map_err(|error| error.at(file.display()))
    }
}
