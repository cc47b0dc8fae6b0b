//! A mask as a prompt.

use som_core::{Mask, Size};
use tch::Tensor;

use crate::TorchResult;

/// Logits well inside and well outside the mask: what a network's own are like where it is sure.
const SURE: f32 = 10.0;

/// A mask of the image as the logits of a mask prompt `[low.height, low.width]`: by how much of each
/// cell it covers. `padded` is the network's input, whose top-left `inside` shows the image; it is no
/// smaller than `low`.
///
/// # Errors
/// What libtorch reports.
pub fn mask_logits(mask: &Mask, inside: Size, padded: Size, low: Size) -> TorchResult<Tensor> {
    // Cells need not be whole pixels.
    let cell = |pixel: u32, low: u32, padded: u32| {
        (u64::from(pixel) * u64::from(low) / u64::from(padded)) as usize
    };
    let size = mask.size();
    let mut covered = vec![0.0_f32; low.width as usize * low.height as usize];
    for y in 0..inside.height {
        let row = mask.row(nearest(y, inside.height, size.height));
        if row.is_empty() {
            continue;
        }
        let covered = &mut covered[cell(y, low.height, padded.height) * low.width as usize..];
        for x in 0..inside.width {
            let pixel = nearest(x, inside.width, size.width);
            let next = row.partition_point(|span| span.end <= pixel);
            let is_set = row.get(next).is_some_and(|span| span.start <= pixel);
            covered[cell(x, low.width, padded.width)] += f32::from(u8::from(is_set));
        }
    }
    let pixels = |padded: u32, low: u32| padded as f32 / low as f32;
    let whole = pixels(padded.width, low.width) * pixels(padded.height, low.height);
    let logits: Vec<f32> = covered
        .iter()
        .map(|covered| SURE * (2.0 * covered / whole - 1.0))
        .collect();
    Tensor::f_from_slice(&logits)?.f_view([i64::from(low.height), i64::from(low.width)])
}

/// The image's pixel in the middle of an input's pixel.
fn nearest(index: u32, input: u32, image: u32) -> u32 {
    ((2 * u64::from(index) + 1) * u64::from(image) / (2 * u64::from(input))) as u32
}

#[cfg(test)]
mod tests {
    use som_core::BBox;

    use super::*;

    #[test]
    fn a_cell_is_sure_by_how_much_of_it_is_covered() {
        let image = Size::new(8, 8);
        let mask = Mask::rect(image, BBox::new(0, 0, 3, 4));
        let side = Size::new(16, 16);
        let logits = mask_logits(&mask, side, side, Size::new(4, 4)).unwrap();
        let logits = Vec::<Vec<f32>>::try_from(logits).unwrap();
        assert_eq!(logits[0], [10.0, 0.0, -10.0, -10.0]);
        assert_eq!(logits[1], logits[0]);
        assert_eq!(logits[2], [-10.0; 4]);
    }
}
