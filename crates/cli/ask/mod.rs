//! `som ask`: images and a question → an answer whose words are tied to regions.

mod highlights;
mod printer;
mod report;

use std::{io, mem::take, path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;
use som_core::{Cancellation, Error, ErrorKind, Result};
use som_engine::{
    Marking, RegionSource, Segmented,
    ask::{AskEvent, AskOutcome, AskRequest, Exchange},
};
use tokio::sync::mpsc;

pub(crate) use self::printer::{ending, finding_lines};
use self::{
    highlights::{highlight, write_pages},
    printer::Printer,
    report::AskReport,
};
use crate::{
    General, exit,
    output::Output,
    question::QuestionOptions,
    session::{InkOptions, Local, Picture, RegionOptions},
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
    words: Vec<String>,

    /// The model, by its name in the settings (see som lmm list) [default: ask.lmm of the settings]
    #[arg(long, value_name = "NAME")]
    lmm: Option<String>,
    /// Go on asking: each line of stdin is a further question about the same marks
    #[arg(long)]
    chat: bool,

    /// Print JSON instead of the answer: marks, mentions, findings, usage
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Write the image with the regions that the answer means lit up; of a second image to FILE.2
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    highlight: Option<PathBuf>,
    /// Write the marked image that the model was shown; further pages and images are numbered
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,

    #[command(flatten)]
    question: QuestionOptions,
    #[command(flatten)]
    regions: RegionOptions,
    /// The layers of ink, from the lowest to the topmost [default: mark.styles of the settings]
    #[arg(
        long,
        value_name = "A,B,C",
        value_delimiter = ',',
        help_heading = "Marks"
    )]
    styles: Option<Vec<String>>,
}

const EXAMPLES: &str = "\
Examples:
  som ask coffee.png \"which region is red?\"
  som ask coffee.png \"what is [3] next to [7]?\" --lmm gpt4o --highlight out.png
  som ask coffee.png \"what is in {box:240,60,200,180}?\" --lmm local
  som ask coffee.png --task describe --vocabulary cup,spoon,table --json
  som ask coffee.png --task refer \"the spoon; the saucer\" --votes 5
  som ask before.jpg after.jpg --task track";

/// What came of one question.
struct Asked {
    outcome: AskOutcome,
    /// By image; none for images whose regions were given.
    segmented: Vec<Option<Arc<Segmented>>>,
    /// By image.
    markings: Vec<Arc<Marking>>,
}

/// The label of a mark of these images, in brackets.
pub(crate) fn label(markings: &[Arc<Marking>], id: u32) -> String {
    let mut marks = markings
        .iter()
        .flat_map(|marking| &marking.marked.allocation.marks);
    let mark = marks.find(|mark| mark.id == id);
    format!("[{}]", mark.map_or("", |mark| &mark.mark.text))
}

/// Asks, and prints the answer.
pub(crate) async fn run(
    mut options: Options,
    general: &General,
    stop: &Cancellation,
) -> Result<ExitCode> {
    if options.chat && !options.question.is_free() {
        let message = "--chat goes with questions, not with other tasks";
        return Err(Error::invalid(message));
    }
    let (inputs, text) = options.question.split(take(&mut options.words))?;
    let mut ladder = general.ladder();
    if let Some(lmm) = options.lmm.take() {
        ladder = ladder.with_flag("--lmm", "ask.lmm", lmm);
    }
    let ink = InkOptions {
        styles: options.styles.take(),
        ..InkOptions::default()
    };
    let session = Local::open(ladder, take(&mut options.regions), ink, None, 1).await?;
    let pictures = session.read_all(&inputs).await?;
    let mut request = options
        .question
        .request(text.as_deref(), &pictures, &session)?;

    let mut segmented = Vec::new();
    loop {
        let aloud = !options.json && options.question.is_free();
        let printer = aloud.then(|| Printer::new(general.quiet));
        match ask(&session, &request, printer, stop).await {
            Ok(mut asked) => {
                // Regions that are given again were found for the first question.
                match segmented.is_empty() {
                    true => segmented.clone_from(&asked.segmented),
                    false => asked.segmented.clone_from(&segmented),
                }
                show(&options, general, &request, &pictures, &asked)?;
                remember(&mut request, &asked);
            }
            // A chat goes on with the next question.
            Err(error) if options.chat && error.kind() != ErrorKind::Cancelled => {
                eprintln!("som: {}", exit::one_line(&error));
            }
            Err(error) => return Err(error),
        }
        if !options.chat {
            return Ok(ExitCode::SUCCESS);
        }
        let Some(question) = next_line().await? else {
            return Ok(ExitCode::SUCCESS);
        };
        request.task = options.question.task(Some(&question))?;
    }
}

/// Writes and prints what was asked for, but for an answer that was printed as it came in.
fn show(
    options: &Options,
    general: &General,
    request: &AskRequest,
    pictures: &[Picture],
    asked: &Asked,
) -> Result<()> {
    let marked = write_pages(options.output.as_deref(), asked)?;
    let lit = highlight(options.highlight.as_deref(), pictures, asked)?;
    if options.json {
        let report = AskReport::new(request, pictures, asked, &marked, &lit);
        let json = match options.chat {
            true => report::to_line(&report),
            false => report::to_lines(&report),
        };
        Output::Stdout.write(&json?)?;
    } else if !options.question.is_free() {
        let lines = finding_lines(&request.task, &asked.outcome, |id| {
            label(&asked.markings, id)
        });
        let text: String = lines.into_iter().map(|line| line + "\n").collect();
        Output::Stdout.write(text.as_bytes())?;
    }
    if !general.quiet {
        printer::notes(&asked.outcome)
            .iter()
            .for_each(|note| eprintln!("som: {note}"));
    }
    Ok(())
}

/// Asks once; `printer` prints the answer as it comes in.
async fn ask(
    session: &Local,
    request: &AskRequest,
    mut printer: Option<Printer>,
    stop: &Cancellation,
) -> Result<Asked> {
    let (events, mut stages) = mpsc::channel(64);
    let work = async {
        let outcome = session.engine.ask(request.clone(), stop, &events).await;
        drop(events);
        outcome
    };
    let mut cut = vec![None; request.images.len()];
    let mut markings = Vec::new();
    let watch = async {
        while let Some(stage) = stages.recv().await {
            match stage {
                AskEvent::Regions { image, segmented } => cut[image] = Some(segmented),
                AskEvent::Marked { marking, .. } => {
                    if let Some(printer) = &mut printer {
                        printer.learn(&marking.marked.allocation);
                    }
                    markings.push(marking);
                }
                stage => {
                    if let Some(printer) = &mut printer {
                        printer.print(stage)?;
                    }
                }
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
        segmented: cut,
        markings,
    })
}

/// The next question from stdin; `None` at its end.
async fn next_line() -> Result<Option<String>> {
    loop {
        let line = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map(|_| line)
        });
        let line = line
            .await
            .map_err(|error| Error::internal("reading stdin panicked").caused_by(error))?
            .map_err(crate::output::unreadable)?;
        match line.trim() {
            "" if line.is_empty() => return Ok(None),
            "" => {}
            question => return Ok(Some(question.to_owned())),
        }
    }
}

/// Makes `request` one of a conversation that goes on: about the same regions, so that they keep
/// their marks.
fn remember(request: &mut AskRequest, asked: &Asked) {
    if !asked.outcome.text.trim().is_empty() {
        request.history.push(Exchange {
            question: request.task.texts().concat(),
            answer: asked.outcome.text.clone(),
        });
    }
    for (image, segmented) in request.images.iter_mut().zip(&asked.segmented) {
        if let Some(segmented) = segmented {
            image.regions = RegionSource::Given(segmented.regions.clone());
        }
    }
}
