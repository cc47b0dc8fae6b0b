//! Masks of an image of another size.

use super::{Mask, MaskBuilder};
use crate::Size;

impl Mask {
    /// The same shape in an image of `size`: each pixel takes the value of the one in which its
    /// centre lies. (Pillow's `NEAREST`; PyTorch's `nearest-exact`.)
    ///
    /// Enlarged and brought back, a mask is what it was.
    #[must_use]
    pub fn resized(&self, size: Size) -> Mask {
        if size == self.size {
            return self.clone();
        }
        let columns = Axis::new(self.size.width, size.width);
        let rows = Axis::new(self.size.height, size.height);
        let mut resized = MaskBuilder::new(size);
        for y in rows.first_from(self.bbox.y)..rows.first_from(self.bbox.y + self.bbox.height) {
            for span in self.row(rows.source(y)) {
                let (start, end) = (columns.first_from(span.start), columns.first_from(span.end));
                resized.push(y, start, end);
            }
        }
        resized.finish()
    }
}

/// How the pixels of one direction go together.
struct Axis {
    from: u64,
    to: u64,
}

impl Axis {
    fn new(from: u32, to: u32) -> Self {
        Self {
            from: from.into(),
            to: to.into(),
        }
    }

    /// The pixel in which the centre of pixel `index` of the new image lies.
    fn source(&self, index: u32) -> u32 {
        ((2 * u64::from(index) + 1) * self.from / (2 * self.to)) as u32
    }

    /// The first pixel of the new image whose centre lies in pixel `source`, or in a later one.
    fn first_from(&self, source: u32) -> u32 {
        let beyond = (2 * u64::from(source) * self.to).saturating_sub(self.from);
        beyond.div_ceil(2 * self.from.max(1)) as u32
    }
}
