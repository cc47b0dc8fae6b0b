//! `--refine ID[:HINT]`: who cuts each region anew, and what it is told of it.

use std::str::FromStr;

use som_core::{Error, HintKind, Result};

/// A refiner, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefineArgument {
    /// Segmenter id.
    pub(crate) segmenter: String,
    /// What it is told of a region; `None` for what suits.
    pub(crate) hint: Option<HintKind>,
}

impl FromStr for RefineArgument {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (segmenter, hint) = match text.split_once(':') {
            Some((segmenter, hint)) => (segmenter, Some(hint.trim().parse()?)),
            None => (text, None),
        };
        match segmenter.trim() {
            "" => Err(Error::invalid(
                "write it as ID, or as ID:box, ID:point or ID:mask",
            )),
            segmenter => Ok(Self {
                segmenter: segmenter.to_owned(),
                hint,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refiner_is_an_id_and_perhaps_a_hint() {
        let of = |text: &str| text.parse::<RefineArgument>();
        for (text, hint) in [("sam", None), ("sam:mask", Some(HintKind::Mask))] {
            let expected = RefineArgument {
                segmenter: "sam".to_owned(),
                hint,
            };
            assert_eq!(of(text).unwrap(), expected);
        }
        for (wrong, why) in [
            ("", "write it as ID"),
            (":box", "write it as ID"),
            ("sam:boxes", "did you mean \"box\"?"),
        ] {
            let error = of(wrong).unwrap_err();
            assert!(error.message().contains(why), "{error}");
        }
    }
}
