//! `som eval`: data sets looked at, and runs scored.

mod data;
mod score;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use som_core::Result;
use som_eval::data::{Dataset, Place};

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Data(data::Options),
    Score(score::Options),
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
pub(crate) fn run(options: Options) -> Result<ExitCode> {
    match options.command {
        Command::Data(options) => data::run(options),
        Command::Score(options) => score::run(options),
    }
}

impl Part {
    fn open(self, place: &str) -> Result<Dataset> {
        let mut place: Place = place.parse()?;
        place.split = self.split;
        place.images = self.images;
        Ok(Dataset::open(&place)?)
    }
}
