//! What one call asks for, hints apart.

use serde::Deserialize;
use som_core::{Call, Error, Result, Size};

use crate::levels::LEVELS;

/// The level of a call that names none.
pub(crate) const DEFAULT_LEVEL: u8 = 3;

/// By default, regions below this part of the image are too small to show …
const MIN_PART: u64 = 5000;

/// … of a drawn one, below this part or …
const MIN_PART_DRAWN: u64 = 16_000;

/// … so many pixels.
const MIN_AREA_DRAWN: u64 = 24;

/// The parameters of `schema.json`.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Params {
    pub(crate) level: u8,
    min_area: Option<u64>,
    max_regions: Option<usize>,
    pub(crate) hierarchy: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            level: DEFAULT_LEVEL,
            min_area: None,
            max_regions: None,
            hierarchy: false,
        }
    }
}

impl Params {
    /// The parameters of `call`.
    ///
    /// # Errors
    /// Invalid, if one is out of range.
    pub(crate) fn from_call(call: &Call<'_>) -> Result<Self> {
        let params: Self = call.parse()?;
        if !(1..=LEVELS).contains(&params.level) {
            let level = params.level;
            return Err(Error::invalid(format!(
                "level: {level} is not between 1 (coarsest) and {LEVELS} (finest)"
            )));
        }
        if params.max_regions == Some(0) {
            return Err(Error::invalid(
                "max_regions: 0 is too few (leave it out for no limit)",
            ));
        }
        Ok(params)
    }

    /// The smallest region that is shown, in pixels.
    pub(crate) fn min_area(&self, image: Size) -> u64 {
        self.min_area.unwrap_or(image.pixels() / MIN_PART)
    }

    /// The same of a drawn image.
    pub(crate) fn min_area_drawn(&self, image: Size) -> u64 {
        let usual = (image.pixels() / MIN_PART_DRAWN).max(MIN_AREA_DRAWN);
        self.min_area.unwrap_or(usual).max(1)
    }

    /// The largest number of regions.
    pub(crate) fn max_regions(&self) -> usize {
        self.max_regions.unwrap_or(usize::MAX)
    }
}
