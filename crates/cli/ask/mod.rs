//! `som ask`: images and a question → an answer whose words are tied to regions.

mod dry_run;
mod files;
mod printer;
mod report;

use std::{ffi::OsString, io, iter, path::PathBuf, process::ExitCode};

use clap::Args;
use som_core::{Allocation, Cancellation, Error, ErrorKind, Result};
use som_engine::{
    Segmented,
    ask::{AskOutcome, Exchange},
};
use tokio::sync::mpsc;

use self::{files::File, printer::Printer, report::AskReport};
pub(crate) use self::{
    printer::{ending, finding_lines, missing_marks},
    report::{AnswerReport, LmmReport},
};
use crate::{
    General, destination, exit,
    flags::{Flags, GivenFlags, ImageFlags, MarkFlags, QuestionFlags, RegionFlags, ServerFlags},
    output::{Output, unreadable},
    runtime::blocking,
    session::{self, MarkedImage, Opened, Question, QuestionImage, Stage},
};

/// Ask a multimodal model about the regions of images
///
/// Cuts and marks the images, asks the model, and ties every mark that the answer names to its
/// region. Without a model in the settings, the built-in "attributes" answers: it is no model, but
/// matches words of the question with colour, size, position and class of the regions.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Images (files, or - for stdin), and then the question
    #[arg(required = true, num_args = 1.., value_names = ["IMAGE", "QUESTION"])]
    words: Vec<OsString>,

    /// The model, by its name in the settings (see som lmm list) [default: ask.lmm of the settings]
    #[arg(long, value_name = "NAME")]
    lmm: Option<String>,
    /// Go on asking: each line of stdin is a further question about the same marks
    #[arg(long)]
    chat: bool,

    /// Do everything but the asking, and print what would be sent: words, images, tokens, cost; with
    /// --json the whole request
    #[arg(long, conflicts_with_all = ["chat", "highlight"])]
    dry_run: bool,

    /// Print JSON instead of the answer: marks, mentions, findings, usage
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Leave out of the JSON how long the stages took: the same request gives the same bytes
    #[arg(long, help_heading = "Output", requires = "json")]
    no_timings: bool,
    /// Write the image with the regions that the answer means lit up; of a second image to FILE.2
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    highlight: Option<PathBuf>,
    /// Write the marked image that the model was shown; further pages and images are numbered
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,

    #[command(flatten)]
    question: QuestionFlags,
    #[command(flatten)]
    files: ImageFlags,
    #[command(flatten)]
    regions: RegionFlags,
    #[command(flatten)]
    given: GivenFlags,
    #[command(flatten)]
    marks: MarkFlags,
    #[command(flatten)]
    server: ServerFlags,
}

const EXAMPLES: &str = "\
Examples:
  som ask coffee.png \"which region is red?\"
  som ask coffee.png \"what is [3] next to [7]?\" --lmm gpt4o --highlight out.png
  som ask coffee.png \"what is in {box:240,60,200,180}?\" --lmm local
  som ask coffee.png --task describe --vocabulary cup,spoon,table --json
  som ask coffee.png --task refer \"the spoon; the saucer\" --votes 5
  som ask before.jpg after.jpg --task track
  som ask coffee.png \"which region is red?\" --lmm gpt4o --dry-run
  som ask page.png \"which button closes it?\" --regions elements.csv
  som ask coffee.png \"which region is red?\" --server http://127.0.0.1:50051";

/// How what comes of a question is shown.
struct Show {
    /// As JSON, in one line if others follow.
    json: bool,
    timings: bool,
    chat: bool,
    quiet: bool,
    /// A free question's answer is printed as it comes in, of other tasks their findings.
    is_free: bool,
    /// The first answer counts, whatever it is.
    is_final: bool,
    highlight: Option<File>,
    output: Option<File>,
}

/// What came of one question.
struct Asked {
    outcome: AskOutcome,
    /// By image; none for images whose regions were found for an earlier question.
    cut: Vec<Option<Segmented>>,
    /// By image.
    images: Vec<MarkedImage>,
}

/// The label of a mark of these images, in brackets.
pub(crate) fn label(images: &[MarkedImage], id: u32) -> String {
    let mut marks = images.iter().flat_map(|image| &image.allocation.marks);
    let mark = marks.find(|mark| mark.id == id);
    format!("[{}]", mark.map_or("", |mark| &mark.mark.text))
}

/// Asks, and prints the answer.
pub(crate) async fn run(
    options: Options,
    general: &General,
    stop: &Cancellation,
) -> Result<ExitCode> {
    let asking = options.question;
    let show = Show {
        json: options.json,
        timings: !options.no_timings,
        chat: options.chat,
        quiet: general.quiet,
        is_free: asking.is_free(),
        is_final: asking.is_asked_once(),
        highlight: options.highlight.map(File::at).transpose()?,
        output: options.output.map(File::at).transpose()?,
    };
    if show.chat && !show.is_free {
        let message = "--chat goes with questions, not with other tasks";
        return Err(Error::invalid(message));
    }
    let (inputs, text) = asking.split(options.words)?;
    let task = asking.task(text.as_deref())?;
    inputs.tell_passed_over(general.quiet);
    let inputs = inputs.images;
    let files = [&show.output, &show.highlight].into_iter().flatten();
    let files: Vec<Output> = files.map(File::output).collect();
    destination::check(&inputs, iter::once(files.iter()))?;
    let flags = Flags {
        images: options.files,
        regions: options.regions.about(&task)?,
        given: options.given,
        single: inputs.len() == 1,
        marks: options.marks,
        lmm: options.lmm,
        server: options.server,
        ..Flags::default()
    };
    let opened = session::open(&general.ladder(), &flags, stop).await?;
    let images = opened.read_all(&inputs, general.quiet).await?;
    let pages = show.output.as_ref().map(|file| file.encoding);
    let mut question = Question::new(&asking, text.as_deref(), images, pages)?;
    if options.dry_run {
        dry_run::run(&opened, &question, &show).await?;
        return Ok(ExitCode::SUCCESS);
    }

    // What the first question found is kept for all.
    let mut cut = Vec::new();
    let mut end = ExitCode::SUCCESS;
    loop {
        match ask(&opened, &question, &show).await {
            Ok(mut asked) => {
                if cut.is_empty() {
                    cut = std::mem::take(&mut asked.cut);
                    show.tell_left_out(&question, &asked, &cut);
                }
                show.print(&question, &asked, &cut)?;
                if !missing_marks(&asked.outcome).is_empty() {
                    end = ExitCode::from(exit::UNRESOLVED);
                }
                remember(&mut question, &asked, &cut);
            }
            // A chat goes on with the next question.
            Err(error) if show.chat && error.kind() != ErrorKind::Cancelled => {
                eprintln!("som: {}", exit::one_line(&error));
            }
            Err(error) => return Err(error),
        }
        if !show.chat {
            return Ok(end);
        }
        let Some(text) = blocking(next_line).await? else {
            return Ok(end);
        };
        question.task = asking.task(Some(&text))?;
    }
}

impl Show {
    /// Tells what there are no marks for.
    fn tell_left_out(&self, question: &Question, asked: &Asked, cut: &[Option<Segmented>]) {
        if self.quiet {
            return;
        }
        let images = question.images.iter().zip(&asked.images).zip(cut);
        for ((QuestionImage { image, .. }, marked), cut) in images {
            let segmentation = cut.as_ref().map(|cut| &cut.segmentation);
            let found = cut.iter().flat_map(|cut| &cut.regions);
            let Allocation {
                marks, unmarked, ..
            } = &marked.allocation;
            let lines = crate::report::capped(image, found, segmentation).into_iter();
            let lines = lines.chain(crate::report::without_marks(image, unmarked));
            let none = marks
                .is_empty()
                .then(|| format!("{}: no marks", image.name));
            lines.chain(none).for_each(|line| eprintln!("som: {line}"));
        }
    }

    /// Writes and prints what was asked for, but for an answer that was printed as it came in.
    fn print(&self, question: &Question, asked: &Asked, cut: &[Option<Segmented>]) -> Result<()> {
        let marked = files::write_pages(self.output.as_ref(), &asked.images)?;
        let lit = files::highlight(self.highlight.as_ref(), question, asked)?;
        if self.json {
            let report = AskReport::new(question, asked, cut, &marked, &lit, self.timings);
            let json = match self.chat {
                true => report::to_line(&report),
                false => report::to_lines(&report),
            };
            Output::Stdout.write(&json?)?;
        } else if !self.is_free {
            let name = |id| label(&asked.images, id);
            let lines = finding_lines(&question.task, &asked.outcome, name);
            let text: String = lines.into_iter().map(|line| line + "\n").collect();
            Output::Stdout.write(text.as_bytes())?;
        }
        if !self.quiet {
            let notes = printer::notes(&asked.outcome);
            notes.iter().for_each(|note| eprintln!("som: {note}"));
        }
        Ok(())
    }
}

/// Asks once, and prints the answer as it comes in where that is wanted.
async fn ask(opened: &Opened, question: &Question, show: &Show) -> Result<Asked> {
    let aloud = !show.json && show.is_free;
    let mut printer = aloud.then(|| Printer::new(show.quiet, show.is_final));
    let (stages, received) = mpsc::channel(64);
    let work = opened.session.ask(question, &opened.plan, stages);
    let mut cut = vec![None; question.images.len()];
    let mut images = Vec::new();
    let watch = async {
        // Gone with this block: if the answer cannot be printed, nobody goes on answering.
        let mut received = received;
        while let Some(stage) = received.recv().await {
            if let Some(printer) = &mut printer {
                printer.print(&stage)?;
            }
            match stage {
                Stage::Regions(index, segmented) => cut[index] = Some(segmented),
                Stage::Marked(image) => images.push(image),
                Stage::Round(_) | Stage::Text(_) | Stage::Mention(_) => {}
            }
        }
        Ok::<_, Error>(printer)
    };
    let (outcome, printer) = tokio::join!(work, watch);
    if let Some(mut printer) = printer? {
        printer.finish(outcome.as_ref().ok())?;
    }
    Ok(Asked {
        outcome: outcome?,
        cut,
        images,
    })
}

/// The next question from stdin; `None` at its end. Blocks.
fn next_line() -> Result<Option<String>> {
    loop {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map_err(unreadable)?;
        match line.trim() {
            "" if line.is_empty() => return Ok(None),
            "" => {}
            question => return Ok(Some(question.to_owned())),
        }
    }
}

/// Makes `question` one of a conversation that goes on: about the same regions, so that they keep
/// their marks.
fn remember(question: &mut Question, asked: &Asked, cut: &[Option<Segmented>]) {
    if !asked.outcome.text.trim().is_empty() {
        question.history.push(Exchange {
            question: question.task.texts().concat(),
            answer: asked.outcome.text.clone(),
        });
    }
    for (image, segmented) in question.images.iter_mut().zip(cut) {
        if let (None, Some(segmented)) = (&image.regions, segmented) {
            image.regions = Some(segmented.regions.clone().into());
            image.is_found = true;
        }
    }
}
