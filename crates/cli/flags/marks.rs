//! How regions are marked.

use clap::Args;
use som_core::{Color, MarkOptions};

/// The layers of ink, and what is asked of the marks; what is not given is as in the settings.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Marks")]
pub(crate) struct MarkFlags {
    /// The layers of ink, from the lowest to the topmost [default: mark.styles of the settings]
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub(crate) styles: Option<Vec<String>>,
    /// Most marks on one page; more go to further pages; 0: as many as fit
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    page_size: Option<u32>,
    /// Most pages of an image; of the regions that do not fit, the smallest go without a mark; 0: as
    /// many as are needed
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    max_pages: Option<u32>,
    /// Most marks on an image, those of the largest regions; 0: all
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    max_marks: Option<u32>,
    /// Least height of digits and capitals, in pixels of the image that the model sees
    #[arg(long, value_name = "PIXELS", allow_negative_numbers = true)]
    min_glyph: Option<f32>,
    /// Font size of the labels, in pixels of the image; 0: one that suits
    #[arg(long, value_name = "PIXELS", allow_negative_numbers = true)]
    font_size: Option<f32>,
    /// The number of the first mark; 0: 1
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    start: Option<u32>,
    /// The colours of marks, such as #ff0000,#00ff00 [default: mark.colors of the settings]
    #[arg(long, value_name = "COLOR,…", value_delimiter = ',')]
    colors: Vec<Color>,
}

impl MarkFlags {
    /// What is asked of the marks.
    pub(crate) fn options(&self) -> MarkOptions {
        MarkOptions {
            page_size: self.page_size,
            max_pages: self.max_pages,
            max_marks: self.max_marks,
            min_glyph: self.min_glyph,
            font_size: self.font_size,
            start: self.start,
            colors: self.colors.clone(),
        }
    }
}
