//! `som eval`: data sets looked at, samples asked, runs scored, told and compared.

mod data;
mod score;
mod synonyms;
mod row;
mod given;
mod engine;
mod run;
mod table;
mod report;
mod compare;
mod segment;
mod marks;
mod paper;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use som_core::Result;
use som_eval::data::{Dataset, Place};

use crate::{General, block_on};

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Data(data::Options),
    Run(Box<run::Options>),
    Score(score::Options),
    Report(report::Options),
    Compare(compare::Options),
    Segment(segment::Options),
    Marks(marks::Options),
    Paper(paper::Options),
}

/// Which part of a data set is wanted, and where its images are.
#[derive(Args)]
struct Part {
    /// The part of the data set, such as val or testA [default: its only or usual one]
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// Where the images are [default: where the data set has them]
    #[arg(long, value_name = "FOLDER")]
    images: Option<PathBuf>,
}

/// Does what was asked for.
pub(crate) fn run(options: Options, general: &General) -> Result<ExitCode> {
    match options.command {
        Command::Data(options) => data::run(options),
        Command::Run(options) => block_on(async |stop| run::run(*options, general, stop).await),
        Command::Score(options) => score::run(options),
        Command::Report(options) => report::run(&options),
        Command::Compare(options) => compare::run(&options),
        Command::Segment(options) => {
            block_on(async |stop| segment::run(options, general, stop).await)
        }
        Command::Marks(options) => block_on(async |stop| marks::run(options, general, stop).await),
        Command::Paper(options) => paper::run(&options),
    }
}

impl Part {
    fn open(self, place: &str) -> Result<Dataset> {
        Ok(Dataset::open(&self.place(place)?)?)
    }

    fn place(self, place: &str) -> Result<Place> {
        let mut place: Place = place.parse()?;
        place.split = self.split;
        place.images = self.images;
        Ok(place)
    }
}
