//! One command over many images: some at a time, results in order, failures collected.

use std::{fmt::Display, path::PathBuf, time::Duration};

use clap::Args;
use futures_util::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use som_core::{Error, ErrorKind, Result};

use crate::{
    exit,
    input::{Input, PassedOver},
    journal::{ImageJob, Journal},
    plural::counted,
};

#[derive(Args)]
#[command(next_help_heading = "Many images")]
pub(crate) struct BatchFlags {
    /// Work on N images at a time, each with a segmenter instance of its own
    /// [default: as many as there are cores, sharing the instances the settings allow]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
    /// Pass over images whose outputs are all there, unless the image has changed or something else is
    /// asked now; .som-done.jsonl beside the outputs keeps what was done
    #[arg(long)]
    pub(crate) skip_existing: bool,
    /// Exit with status 6, if there is an image of which nothing was marked or cut
    #[arg(long, help_heading = "Output")]
    pub(crate) fail_empty: bool,
}

/// The jobs that are left to do.
pub(crate) struct Left<Job> {
    pub(crate) jobs: Vec<Job>,
    /// How many were passed over.
    pub(crate) skipped: usize,
    /// Where it is kept what was done, if somebody asks for that.
    pub(crate) journal: Option<Journal>,
}

impl BatchFlags {
    /// What is left to do of `jobs`, of each of which this is `asked`; `beside` are the files that are
    /// read for an image beside it. Blocks.
    ///
    /// # Errors
    /// Invalid, if there are no files by which it could be told.
    pub(crate) fn pass_over<Job: ImageJob>(
        &self,
        mut jobs: Vec<Job>,
        asked: &str,
        beside: impl Fn(&Input) -> Vec<PathBuf>,
    ) -> Result<Left<Job>> {
        let total = jobs.len();
        let journal = match self.skip_existing {
            true if jobs.iter().any(|job| job.folder().is_none()) => {
                let message = "--skip-existing looks for files, but everything goes to stdout (say \
                               where it goes: -o or --json)";
                return Err(Error::invalid(message));
            }
            true => {
                let mut journal = Journal::new(asked);
                jobs.retain(|job| !journal.is_done(job, &beside(job.input())));
                Some(journal)
            }
            false => None,
        };
        let skipped = total - jobs.len();
        Ok(Left {
            jobs,
            skipped,
            journal,
        })
    }
}

/// A run over one or many images.
pub(crate) struct Batch {
    /// One image, named as such: its error is the command's.
    pub(crate) single: bool,
    /// How many images at a time.
    pub(crate) jobs: usize,
    /// Print errors only.
    pub(crate) quiet: bool,
    /// Files beside the images that are none of those som reads.
    pub(crate) passed_over: PassedOver,
}

impl Batch {
    /// Tells the person who waits what is odd about an image.
    pub(crate) fn tell(&self, odd: impl IntoIterator<Item = String>) {
        if !self.quiet {
            odd.into_iter().for_each(|line| eprintln!("som: {line}"));
        }
    }

    /// Does `work` for every image and hands what comes of it to `finish`, in the order of
    /// `images`; `skipped` is how many were passed over before. Of several images a failure is
    /// printed and the others go on; what failed decides the exit code.
    ///
    /// # Errors
    /// That of a single image; and there is no use in going on when the run was called off or the
    /// reader of stdout went away.
    pub(crate) async fn run<Image: Display, Done>(
        &self,
        images: Vec<Image>,
        skipped: usize,
        work: impl AsyncFn(Image) -> Result<Done>,
        mut finish: impl FnMut(Done) -> Result<()>,
    ) -> Result<u8> {
        let total = images.len();
        let progress = self.progress(total);
        let work = &work;
        let mut results = stream::iter(images)
            .map(|image| async move {
                let name = image.to_string();
                work(image).await.map_err(|error| error.at(name))
            })
            .buffered(self.jobs);
        let mut failures = Vec::new();
        while let Some(result) = results.next().await {
            // What is printed must not mix with the bar.
            match progress.suspend(|| result.and_then(&mut finish)) {
                Ok(()) => {}
                Err(error) if self.single || ends_all(&error) => {
                    progress.finish_and_clear();
                    return Err(error);
                }
                Err(error) => {
                    progress.suspend(|| eprintln!("som: {}", exit::one_line(&error)));
                    failures.push(error.kind());
                }
            }
            progress.inc(1);
        }
        progress.finish_and_clear();
        if !self.quiet && (!self.single || skipped > 0) {
            let (done, failed) = (total - failures.len(), failures.len());
            let counts = [(done, "done"), (skipped, "skipped"), (failed, "failed")];
            let counts = counts.into_iter().filter(|(count, _)| *count > 0);
            let counts: Vec<String> = counts
                .map(|(count, what)| format!("{count} {what}"))
                .collect();
            let images = counted(total + skipped, "image");
            let passed_over = self.passed_over.to_string();
            let end = match passed_over.as_str() {
                "" => "",
                _ => "; ",
            };
            eprintln!("som: {images}: {}{end}{passed_over}", counts.join(", "));
        }
        Ok(exit::code_of_all(failures))
    }

    /// A bar on stderr, if that is a terminal and there is something to wait for.
    fn progress(&self, total: usize) -> ProgressBar {
        if self.quiet || self.single {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(total as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos}/{len} images, {eta} left") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

fn ends_all(error: &Error) -> bool {
    error.kind() == ErrorKind::Cancelled || exit::is_broken_pipe(error)
}
