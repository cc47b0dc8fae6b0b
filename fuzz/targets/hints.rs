//! Hints: as arguments of the command, and as JSON in a request.

#![no_main]

// The binary's own file: it has no library.
#[path = "../../crates/cli/flags/hint.rs"]
#[allow(dead_code, reason = "files are not read here")]
mod hint;

/// Stands for the binary's way to read files.
#[allow(dead_code, reason = "files are not read here")]
mod input {
    use std::path::Path;

    use som_core::{Error, Result};

    pub(crate) struct Input;

    impl Input {
        pub(crate) fn file(_: &Path) -> Self {
            Self
        }

        pub(crate) fn read<L>(&self, _: L) -> Result<Vec<u8>> {
            Err(Error::unavailable("no files here"))
        }
    }
}

use libfuzzer_sys::fuzz_target;
use som_core::{Hints, Mask, Params, Size};

const SIZE: Size = Size::new(60, 40);

fuzz_target!(|text: &str| {
    if let Ok(argument) = text.parse() {
        let mut hints = Hints::default();
        match argument {
            hint::HintArgument::Point(point) => hints.points.push(point),
            hint::HintArgument::Box(bbox) => hints.boxes.push(bbox),
            hint::HintArgument::Stroke(path) | hint::HintArgument::Mask(path) => {
                assert!(text.ends_with(path.to_str().unwrap()));
            }
        }
        let _ = hints.check(SIZE);
    }
    let Ok(json) = serde_json::from_str(text) else {
        return;
    };
    let params = Params::from_iter([("hints".to_owned(), json)]);
    let Ok(Some(hints)) = Hints::from_params(&params) else {
        return;
    };
    if hints.check(SIZE).is_ok() {
        for mask in &hints.masks {
            if let Ok(mask) = Mask::from_rle(mask) {
                assert_eq!(mask.size(), SIZE);
            }
        }
    }
});
