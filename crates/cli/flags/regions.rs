//! How regions are found.

use clap::Args;

use super::{assignment::Assignment, hint::HintArgument};

/// The segmenter, its parameters, and what is pointed at.
#[derive(Args, Default)]
#[command(next_help_heading = "Regions")]
pub(crate) struct RegionFlags {
    /// The segmenter that cuts the image [default: mark.segmenter of the settings]
    #[arg(long, value_name = "ID")]
    pub(crate) segmenter: Option<String>,
    /// How fine to cut, from 1 (coarsest) to 6 (finest)
    #[arg(long, value_name = "N")]
    level: Option<String>,
    /// Set a parameter or an option of the segmenter, or STYLE.PARAMETER of a mark style
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Assignment>,
    /// Cut only what is pointed at: point:X,Y (point:X,Y,0: not this), box:X,Y,WIDTH,HEIGHT,
    /// stroke:MASK.png (bright pixels of an image of the same size), mask:MASK.png (an earlier mask,
    /// to be refined), or text:WORDS (what words refer to)
    #[arg(long = "hint", value_name = "HINT")]
    pub(crate) hints: Vec<HintArgument>,
}

impl RegionFlags {
    /// What is set, `--level` first.
    pub(crate) fn assignments(&self) -> Vec<Assignment> {
        let level = self.level.as_deref();
        let level = level.map(|level| Assignment::new("level", level));
        level.into_iter().chain(self.settings.clone()).collect()
    }
}
