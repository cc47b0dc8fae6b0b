//! Which mark shows at each pixel.

use som_core::{Canvas, Error, ErrorKind, Mark, Result};

/// 0 for none, else the mark's index plus one.
pub(crate) type Owner = u16;

/// The owner of every pixel. Where regions overlap, the later mark shows: marks come in the order
/// of their numbers, so that is the smaller region.
pub(crate) struct Owners {
    width: usize,
    height: usize,
    stride: usize,
    map: Vec<Owner>,
}

impl Owners {
    /// Columns without an owner beyond the canvas on its left; at least as many are on its right.
    /// Above and below there is one such row.
    pub(crate) const MARGIN: usize = 32;

    /// Of `marks` on `canvas`.
    ///
    /// # Errors
    /// Exhausted, if there are too many marks.
    pub(crate) fn new(canvas: &Canvas<'_>, marks: &[&Mark]) -> Result<Self> {
        if marks.len() >= usize::from(Owner::MAX) {
            let message = format!("{} marks on one image (at most 65534)", marks.len());
            return Err(Error::new(ErrorKind::Exhausted, message));
        }
        let (width, height) = (canvas.width() as usize, canvas.height() as usize);
        let stride = (width + 2 * Self::MARGIN).next_multiple_of(Self::MARGIN);
        let mut map = vec![0; stride * (height + 2)];
        let canvas_rows = &mut map[stride..stride * (height + 1)];
        for (mark, owner) in marks.iter().zip(1..) {
            for (y, spans) in mark.region.mask.rows() {
                // A mask of another size than the canvas is cut off.
                let Some(row) = canvas_rows.chunks_exact_mut(stride).nth(y as usize) else {
                    break;
                };
                let row = &mut row[Self::MARGIN..Self::MARGIN + width];
                for span in spans {
                    let end = (span.end as usize).min(width);
                    if let Some(run) = row.get_mut(span.start as usize..end) {
                        run.fill(owner);
                    }
                }
            }
        }
        Ok(Self {
            width,
            height,
            stride,
            map,
        })
    }

    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    pub(crate) const fn height(&self) -> usize {
        self.height
    }

    /// Length of [`padded_row`](Self::padded_row), a multiple of [`MARGIN`](Self::MARGIN).
    pub(crate) const fn stride(&self) -> usize {
        self.stride
    }

    /// Row `y` of the canvas is number `y + 1`, with what is beyond the canvas on both sides.
    pub(crate) fn padded_row(&self, number: usize) -> &[Owner] {
        &self.map[number * self.stride..][..self.stride]
    }

    /// Row `y` of the canvas.
    pub(crate) fn row(&self, y: usize) -> &[Owner] {
        &self.padded_row(y + 1)[Self::MARGIN..][..self.width]
    }
}
