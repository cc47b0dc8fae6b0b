//! Names that stand together, where they were found.

use std::ops::Range;

use crate::ground::names::Reading;

/// A list of names.
pub(super) struct List {
    pub(super) reading: Reading,
    pub(super) span: Range<usize>,
}
