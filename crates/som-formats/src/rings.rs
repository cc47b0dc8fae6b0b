//! Several rings as one closed line, for formats that have one line a region.

/// Corners x, y of one line around all `rings`: from the first corner of the first ring to each
/// further ring and back on the same way. An even-odd filling of it covers what an even-odd filling
/// of all rings covers, since a way there and back counts twice. (As Ultralytics joins the parts of a
/// mask in `merge_multi_segment`; here holes are joined, too.)
pub(crate) fn joined(rings: &[Vec<[f64; 2]>]) -> Vec<[f64; 2]> {
    let mut rings = rings.iter().filter(|ring| !ring.is_empty());
    let Some(first) = rings.next() else {
        return Vec::new();
    };
    let mut line = first.clone();
    for ring in rings {
        line.push(first[0]);
        line.extend(ring);
        line.push(ring[0]);
    }
    line
}

/// A line as COCO writes it: x, y, x, y, …
pub(crate) fn flat(line: &[[f64; 2]]) -> Vec<f64> {
    line.as_flattened().to_vec()
}

#[cfg(test)]
mod tests {
    use som_core::{BBox, Mask, Size};

    use super::*;

    #[test]
    fn joined_rings_cover_what_the_rings_cover() {
        let size = Size::new(30, 20);
        let rect = |x, y, width, height| Mask::rect(size, BBox::new(x, y, width, height));
        let mask = rect(2, 2, 10, 10)
            .difference(&rect(4, 5, 3, 2))
            .union(&rect(20, 1, 5, 17));
        let rings: Vec<Vec<[f64; 2]>> = mask
            .polygons()
            .iter()
            .flat_map(som_core::Polygon::rings)
            .map(|ring| {
                ring.iter()
                    .map(|p| [f64::from(p.x), f64::from(p.y)])
                    .collect()
            })
            .collect();
        assert_eq!(rings.len(), 3);
        let line = flat(&joined(&rings));
        assert_eq!(Mask::from_coco_polygons(size, &[line]).unwrap(), mask);
        assert!(joined(&[]).is_empty());
    }
}
