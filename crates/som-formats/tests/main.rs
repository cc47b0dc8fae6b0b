//! Files of regions, written and read back, and as other tools write them.

// A test fails by panicking; clippy knows that of test functions, not of what they call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod damage;
mod round_trip;
mod tools;

use som_core::Size;
use som_formats::{FormatError, Read, Source, Target};

/// What is read of a file about the image `name`, the format told by its content.
fn read(bytes: &[u8], name: &str, size: Size) -> Result<Read, FormatError> {
    let source = Source {
        bytes,
        format: None,
        class_names: &[],
    };
    som_formats::read(&source, &Target { name, size })
}
