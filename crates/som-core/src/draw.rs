//! marks → marked image: the layers of ink.

use crate::{Call, Canvas, Marks, Params, Result, Size};

/// One layer of ink: a mark style and what it is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    /// Mark style id.
    pub style: String,
    /// Parameters of the style.
    pub params: Params,
}

/// Draws one layer of ink. Stateless; layers are stacked in any order.
pub trait MarkStyle: Send + Sync {
    /// The labelling side of a style that writes text; `None` for styles that do not.
    fn labelling(&self) -> Option<&dyn Labelling> {
        None
    }

    /// True for a style that draws from boxes, anchors and texts alone: the marks it gets may come
    /// with the whole box of each region for its mask.
    fn ignores_masks(&self) -> bool {
        false
    }

    /// Draws the marks of one page on `canvas`.
    ///
    /// # Errors
    /// Bad parameters, cancellation, or a bug of the style.
    fn draw(&self, canvas: &mut Canvas<'_>, marks: &Marks<'_>, call: &Call<'_>) -> Result<()>;
}

/// The part of a [`MarkStyle`] that names marks.
pub trait Labelling {
    /// The text of mark `index` (from 0): "1", "A". No two marks have the same.
    ///
    /// # Errors
    /// A bug of the style.
    fn label(&self, index: u32) -> Result<String>;

    /// The box in pixels that `text` needs, plate included, at the call's `font_size`.
    ///
    /// # Errors
    /// Bad parameters, or a bug of the style.
    fn measure(&self, text: &str, call: &Call<'_>) -> Result<Size>;
}
