//! What a user may ask of marks: the same options behind every door.

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{Color, Error, Result};

/// Height in pixels below which few LMMs read a digit.
const MIN_GLYPH: f32 = 9.0;

/// Pages beyond which nobody looks.
const MAX_PAGES: u32 = 4;

/// What a user may ask of marks.
///
/// An option that is not set is left to whoever is asked next: that of a row to its question, that
/// of a request to the settings, and theirs to the default of its field. 0 asks for no limit, and as
/// a font size for one that suits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MarkOptions {
    /// Marks on one page: further ones go to further pages. By default as many as fit.
    pub page_size: Option<u32>,
    /// Pages of one image: the smallest regions of those that do not fit go without a mark. By
    /// default 4.
    pub max_pages: Option<u32>,
    /// Marks altogether: those of the largest regions. By default all, up to 65 534.
    pub max_marks: Option<u32>,
    /// Least height of digits and capitals in pixels of the image that the LMM sees, at least 0. By
    /// default 9.
    pub min_glyph: Option<f32>,
    /// Font size of the labels in pixels of the image, 0 or at least 1. By default one that suits
    /// image and LMM. A `font_size` among the labelling style's parameters goes before it.
    pub font_size: Option<f32>,
    /// The number of the first mark; 0 and by default 1. Regions that come with numbers of their own
    /// keep these.
    pub start: Option<u32>,
    /// The colours of marks, of which each gets one that stands out. By default, and if there are
    /// none, twenty that lie far apart.
    #[serde(deserialize_with = "colors")]
    pub colors: Vec<Color>,
}

impl MarkOptions {
    /// These options, and those of `usual` where they are not set.
    #[must_use]
    pub fn or(&self, usual: &Self) -> Self {
        Self {
            page_size: self.page_size.or(usual.page_size),
            max_pages: self.max_pages.or(usual.max_pages),
            max_marks: self.max_marks.or(usual.max_marks),
            min_glyph: self.min_glyph.or(usual.min_glyph),
            font_size: self.font_size.or(usual.font_size),
            start: self.start.or(usual.start),
            colors: match self.colors.is_empty() {
                true => usual.colors.clone(),
                false => self.colors.clone(),
            },
        }
    }

    /// # Errors
    /// Invalid, naming the option that is out of range.
    pub(crate) fn check(&self) -> Result<()> {
        let min_glyph = self.min_glyph();
        if !(min_glyph.is_finite() && min_glyph >= 0.0) {
            return Err(Error::invalid(format!(
                "min_glyph is {min_glyph} (it must be 0 or more)"
            )));
        }
        match self.font_size() {
            Some(size) if !(size.is_finite() && size >= 1.0) => Err(Error::invalid(format!(
                "font_size is {size} (it must be at least 1, or 0 for one that suits)"
            ))),
            _ => Ok(()),
        }
    }

    /// Most marks on one page.
    pub(crate) fn page_size(&self) -> usize {
        limit(self.page_size)
    }

    /// Most pages.
    pub(crate) fn max_pages(&self) -> u32 {
        match self.max_pages.unwrap_or(MAX_PAGES) {
            0 => u32::MAX,
            pages => pages,
        }
    }

    /// Most marks altogether.
    pub(crate) fn max_marks(&self) -> usize {
        limit(self.max_marks)
    }

    /// Least height of digits and capitals in pixels of the image that the LMM sees.
    pub(crate) fn min_glyph(&self) -> f32 {
        self.min_glyph.unwrap_or(MIN_GLYPH)
    }

    /// Index of the first label: 0 for "1" or "A".
    pub(crate) fn first(&self) -> u32 {
        self.start.unwrap_or_default().saturating_sub(1)
    }

    /// The font size; `None` for one that suits.
    pub(crate) fn font_size(&self) -> Option<f32> {
        self.font_size.filter(|&size| size != 0.0)
    }
}

/// A list, or the same as text with commas or pluses: all that a variable of the environment or a
/// flag can hold.
fn colors<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Color>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Colors {
        Items(Vec<String>),
        Text(String),
    }
    let items = match Colors::deserialize(deserializer)? {
        Colors::Items(items) => items,
        Colors::Text(text) => {
            let items = text.split([',', '+']).map(str::trim);
            let items = items.filter(|item| !item.is_empty());
            items.map(str::to_owned).collect()
        }
    };
    let color = |item: String| item.parse().map_err(de::Error::custom);
    items.into_iter().map(color).collect()
}

/// A limit, where 0 is none.
fn limit(limit: Option<u32>) -> usize {
    match limit.unwrap_or_default() {
        0 => usize::MAX,
        limit => limit as usize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_left_to_the_next() {
        let own = MarkOptions {
            page_size: Some(0),
            min_glyph: Some(12.0),
            ..MarkOptions::default()
        };
        let usual = MarkOptions {
            page_size: Some(5),
            max_marks: Some(7),
            ..MarkOptions::default()
        };
        let both = MarkOptions {
            page_size: Some(0),
            max_marks: Some(7),
            min_glyph: Some(12.0),
            ..MarkOptions::default()
        };
        assert_eq!(own.or(&usual), both);
        assert_eq!(own.or(&MarkOptions::default()), own);
    }

    #[test]
    fn colours_are_a_list_or_its_text() {
        let colors = vec![Color::WHITE, Color([1, 2, 3])];
        for written in [
            serde_json::json!({"colors": ["#ffffff", "#010203"]}),
            serde_json::json!({"colors": "#ffffff, #010203"}),
            serde_json::json!({"colors": "#ffffff+#010203"}),
        ] {
            let options: MarkOptions = serde_json::from_value(written).unwrap();
            assert_eq!(options.colors, colors);
            assert_eq!(MarkOptions::default().or(&options).colors, colors);
        }
        let red = serde_json::json!({"colors": "red"});
        assert!(serde_json::from_value::<MarkOptions>(red).is_err());
    }

    #[test]
    fn zero_is_no_limit() {
        let zero = MarkOptions {
            page_size: Some(0),
            max_pages: Some(0),
            max_marks: Some(0),
            min_glyph: Some(0.0),
            font_size: Some(0.0),
            start: Some(0),
            colors: Vec::new(),
        };
        for options in [&zero, &MarkOptions::default()] {
            assert!(options.check().is_ok());
            assert_eq!(options.page_size(), usize::MAX);
            assert_eq!(options.max_marks(), usize::MAX);
            assert_eq!(options.font_size(), None);
            assert_eq!(options.first(), 0);
        }
        assert_eq!(zero.max_pages(), u32::MAX);
        assert_eq!(MarkOptions::default().max_pages(), MAX_PAGES);
        assert_eq!(zero.min_glyph(), 0.0);
        assert_eq!(MarkOptions::default().min_glyph(), MIN_GLYPH);
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let glyph = |min_glyph| MarkOptions {
            min_glyph: Some(min_glyph),
            ..MarkOptions::default()
        };
        let font = |font_size| MarkOptions {
            font_size: Some(font_size),
            ..MarkOptions::default()
        };
        for (options, name) in [
            (glyph(-1.0), "min_glyph is -1"),
            (glyph(f32::NAN), "min_glyph is NaN"),
            (font(0.5), "font_size is 0.5"),
            (font(f32::INFINITY), "font_size is inf"),
        ] {
            let error = options.check().unwrap_err();
            assert!(error.message().starts_with(name), "{error}");
        }
    }
}
