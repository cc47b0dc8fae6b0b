//! Which mark shows at each pixel.

use som_core::{Canvas, Error, ErrorKind, Mark, Result};

/// 0 for none, else the mark's index plus one.
pub(crate) type Owner = u16;

/// The owner of every pixel. Where regions overlap, the later mark shows: marks come in the order
/// of their numbers, so that is the smaller region. Regions that no more is known of than their boxes
/// own none.
pub(crate) struct Owners {
    width: usize,
    height: usize,
    margin: usize,
    stride: usize,
    map: Vec<Owner>,
}

impl Owners {
    /// [`stride`](Self::stride) is a multiple of this.
    const ALIGNMENT: usize = 16;

    /// Of `marks` on `canvas`. Beyond it are `margin` columns without an owner on its left and at
    /// least as many on its right, and one such row above and below.
    ///
    /// # Errors
    /// Exhausted, if there are too many marks.
    pub(crate) fn new(canvas: &Canvas<'_>, marks: &[&Mark], margin: usize) -> Result<Self> {
        if marks.len() >= usize::from(Owner::MAX) {
            let message = format!("{} marks on one image (at most 65534)", marks.len());
            return Err(Error::new(ErrorKind::Exhausted, message));
        }
        let (width, height) = (canvas.width() as usize, canvas.height() as usize);
        let stride = (width + 2 * margin).next_multiple_of(Self::ALIGNMENT);
        let mut map = vec![0; stride * (height + 2)];
        let canvas_rows = &mut map[stride..stride * (height + 1)];
        let owning = marks.iter().zip(1..);
        for (mark, owner) in owning.filter(|(mark, _)| !mark.region.is_box()) {
            for (y, spans) in mark.region.mask.rows() {
                // A mask of another size than the canvas is cut off.
                let Some(row) = canvas_rows.chunks_exact_mut(stride).nth(y as usize) else {
                    break;
                };
                let row = &mut row[margin..margin + width];
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
            margin,
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

    pub(crate) const fn margin(&self) -> usize {
        self.margin
    }

    /// Length of [`padded_row`](Self::padded_row), a multiple of 16.
    pub(crate) const fn stride(&self) -> usize {
        self.stride
    }

    /// Row `y` of the canvas is number `y + 1`, with what is beyond the canvas on both sides.
    pub(crate) fn padded_row(&self, number: usize) -> &[Owner] {
        &self.map[number * self.stride..][..self.stride]
    }

    /// Row `y` of the canvas.
    pub(crate) fn row(&self, y: usize) -> &[Owner] {
        &self.padded_row(y + 1)[self.margin..][..self.width]
    }
}
