//! How regions are found.

use clap::Args;
use som_core::{Error, Result, granularity, task::Task};

use super::{
    assignment::Assignment,
    hint::{self, HintArgument},
    refine::RefineArgument,
};

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
    /// One slider over all segmenters, from 1 (coarsest) to 3 (finest): it chooses segmenter and
    /// level as granularity.steps of the settings say [default: mark.granularity of the settings]
    #[arg(long, value_name = "G", conflicts_with_all = ["segmenter", "level"], allow_negative_numbers = true, value_parser = parse_granularity)]
    pub(crate) granularity: Option<f64>,
    /// Have each region cut anew by another segmenter, which gets it as a hint: as what it is, or as
    /// a box, point or mask (sam:box)
    #[arg(long, value_name = "ID[:HINT]")]
    pub(crate) refine: Option<RefineArgument>,
    /// Set a parameter or an option of the segmenter, STYLE.PARAMETER of a mark style, or with detect.
    /// or refine. before it what one of two segmenters takes
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Assignment>,
    /// Cut only what is pointed at: point:X,Y (point:X,Y,0: not this), box:X,Y,WIDTH,HEIGHT,
    /// stroke:MASK.png (bright pixels of an image of the same size), mask:MASK.png (an earlier mask,
    /// to be refined), text:WORDS (what words refer to), example:IMAGE,MASK.png (what is shown in another
    /// picture; a comma in a name is written \,), or task (the words of som ask --task refer or phrases)
    #[arg(long = "hint", value_name = "HINT")]
    pub(crate) hints: Vec<HintArgument>,
}

impl RegionFlags {
    /// The same for a question: what its task looks for is a hint, if one says so.
    ///
    /// # Errors
    /// As [`hint::of_task`].
    pub(crate) fn about(self, task: &Task) -> Result<Self> {
        Ok(Self {
            hints: hint::of_task(self.hints, task)?,
            ..self
        })
    }

    /// Checks that nothing is said by two flags. Of two equal keys of `--set` the later one holds, as in
    /// an alias that is called with more.
    ///
    /// # Errors
    /// Invalid, naming both flags.
    pub(crate) fn check(&self) -> Result<()> {
        let flags = [
            ("level", "--level", self.level.is_some()),
            ("hints", "--hint", !self.hints.is_empty()),
        ];
        for Assignment { key, value } in &self.settings {
            if let Some((_, flag, _)) = flags.iter().find(|(own, _, given)| own == key && *given) {
                return Err(Error::invalid(format!(
                    "--set {key}={value}: {flag} says the same (leave out one of them)"
                )));
            }
        }
        Ok(())
    }

    /// What is set, `--level` first.
    pub(crate) fn assignments(&self) -> Vec<Assignment> {
        let level = self.level.as_deref();
        let level = level.map(|level| Assignment::new("level", level));
        level.into_iter().chain(self.settings.clone()).collect()
    }
}

/// A granularity, as written.
///
/// # Errors
/// Invalid for what is none.
pub(super) fn parse_granularity(text: &str) -> Result<f64> {
    let value = text.trim().parse::<f64>().ok();
    value
        .filter(|&value| granularity::check(value).is_ok())
        .ok_or_else(|| {
            let (coarsest, finest) = (granularity::MIN_GRANULARITY, granularity::MAX_GRANULARITY);
            Error::invalid(format!("write a number from {coarsest} to {finest}"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_granularity_is_a_number_of_the_slider() {
        for (text, value) in [("1", 1.0), (" 2.34", 2.34), ("3.0", 3.0)] {
            assert_eq!(parse_granularity(text).unwrap(), value);
        }
        for wrong in ["", "fine", "0.9", "3.1", "-2", "NaN", "inf"] {
            let error = parse_granularity(wrong).unwrap_err();
            assert_eq!(error.message(), "write a number from 1 to 3", "{wrong:?}");
        }
    }
}
