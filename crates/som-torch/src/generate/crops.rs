//! Where automatic generation looks: crops of the image, and grids of points in them.

use som_core::{BBox, Size};

/// One crop to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crop {
    pub bbox: BBox,
    /// 0: the whole image; each further layer has twice as many crops along each side.
    pub layer: u32,
}

/// The whole image, then `layers` layers of crops that overlap by `overlap` of the shorter side in
/// the first layer and by less in the further ones; columns of crops from left to right.
pub(super) fn crops(image: Size, layers: u32, overlap: f64) -> Vec<Crop> {
    let mut crops = vec![Crop {
        bbox: image.bbox(),
        layer: 0,
    }];
    let short = f64::from(image.width.min(image.height));
    for layer in 1..=layers {
        let count = 1_u32 << layer;
        let overlap = (overlap * short * (2.0 / f64::from(count))) as u32;
        let width = side(image.width, count, overlap);
        let height = side(image.height, count, overlap);
        for column in 0..count {
            for row in 0..count {
                let x = column * width.saturating_sub(overlap);
                let y = row * height.saturating_sub(overlap);
                let bbox = BBox::new(x, y, width, height);
                // Crops of a tiny image may lie beyond it.
                if let Some(bbox) = bbox.intersection(image.bbox()) {
                    crops.push(Crop { bbox, layer });
                }
            }
        }
    }
    crops
}

/// The side of `count` crops that together cover `whole`.
fn side(whole: u32, count: u32, overlap: u32) -> u32 {
    (u64::from(overlap) * u64::from(count - 1) + u64::from(whole)).div_ceil(count.into()) as u32
}

/// `side` x `side` points as fractions of a crop's sides, each in the middle of its cell, row by
/// row.
pub(super) fn grid(side: u32) -> Vec<[f64; 2]> {
    let first = 1.0 / (2.0 * f64::from(side));
    let last = 1.0 - first;
    // As numpy's linspace computes it, since every last bit of a point matters to some mask.
    let step = (last - first) / f64::from(side.saturating_sub(1));
    let place = |index: u32| match index {
        0 => first,
        _ if index + 1 == side => last,
        _ => f64::from(index) * step + first,
    };
    (0..side)
        .flat_map(|y| (0..side).map(move |x| [place(x), place(y)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers from the official project.
    #[test]
    fn crops_match_the_official_project() {
        let corners = |crops: Vec<Crop>| -> Vec<[u64; 4]> {
            crops
                .iter()
                .map(|crop| {
                    [
                        crop.bbox.x.into(),
                        crop.bbox.y.into(),
                        crop.bbox.right(),
                        crop.bbox.bottom(),
                    ]
                })
                .collect()
        };
        let one = crops(Size::new(400, 267), 1, 512.0 / 1500.0);
        assert_eq!(
            corners(one),
            [
                [0, 0, 400, 267],
                [0, 0, 246, 179],
                [0, 88, 246, 267],
                [155, 0, 400, 179],
                [155, 88, 400, 267]
            ]
        );
        let two = corners(crops(Size::new(400, 267), 2, 0.25));
        assert_eq!(two.len(), 1 + 4 + 16);
        assert_eq!(two[1], [0, 0, 233, 167]);
        assert_eq!(two[6], [0, 59, 125, 151]);
        assert_eq!(two[13], [184, 0, 309, 92]);
    }

    #[test]
    fn points_lie_in_the_middle_of_their_cells() {
        assert_eq!(grid(1), [[0.5, 0.5]]);
        assert_eq!(
            grid(2),
            [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]
        );
        assert_eq!(grid(0), [] as [[f64; 2]; 0]);
    }
}
