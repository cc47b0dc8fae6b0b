//! COCO's lists of polygons: `[[x, y, x, y, …], …]`.

use super::{Mask, rle::runs};
use crate::{Error, Result, Size};

/// Polygons are drawn on a grid this many times finer than the pixels.
const SCALE: f64 = 5.0;
/// The middle column of a pixel on that grid.
const MIDDLE: i64 = 2;

impl Mask {
    /// What any of `polygons` covers, each a list of coordinates x, y, x, y, … The same pixels as
    /// pycocotools covers (`frPyObjects`, then `merge`): lines are drawn on a grid five times finer
    /// and cross a column of pixels at its middle (`rleFrPoly` in `maskApi.c`).
    ///
    /// # Errors
    /// Invalid, if a polygon has fewer than 3 corners, an odd number of coordinates, or one that is
    /// no number or further than 2^21 from 0; exhausted, beyond [`Size::check`].
    pub fn from_coco_polygons(size: Size, polygons: &[Vec<f64>]) -> Result<Self> {
        size.check()?;
        let mut mask = Self::empty(size);
        for (index, polygon) in polygons.iter().enumerate() {
            let part =
                draw(size, polygon).map_err(|error| error.at(format_args!("polygon {index}")))?;
            mask = if mask.is_empty() {
                part
            } else {
                mask.union(&part)
            };
        }
        Ok(mask)
    }

    /// The exteriors of all [`polygons`](Self::polygons). COCO's polygons know no holes: where the
    /// mask has some they are lost, and [`to_rle`](Self::to_rle) keeps them.
    pub fn to_coco_polygons(&self) -> Vec<Vec<u32>> {
        let flat = |ring: Vec<crate::Point>| {
            ring.iter()
                .flat_map(|corner| [corner.x, corner.y])
                .collect()
        };
        self.polygons()
            .into_iter()
            .map(|polygon| flat(polygon.exterior))
            .collect()
    }
}

fn draw(size: Size, polygon: &[f64]) -> Result<Mask> {
    const FURTHEST: f64 = (2 * Size::MAX_SIDE) as f64;
    let (corners, rest) = polygon.as_chunks();
    if corners.len() < 3 || !rest.is_empty() {
        return Err(Error::invalid(format!(
            "3 or more corners x, y are needed, not {} numbers",
            polygon.len()
        )));
    }
    if let Some(number) = polygon
        .iter()
        .find(|number| number.is_nan() || number.abs() > FURTHEST)
    {
        return Err(Error::invalid(format!(
            "{number} is no coordinate: at most {FURTHEST} are allowed"
        )));
    }
    let grid: Vec<[i64; 2]> = corners
        .iter()
        .map(|corner| corner.map(|number| (SCALE * number + 0.5) as i64))
        .collect();
    let mut crossings = Vec::new();
    for (&from, &to) in grid.iter().zip(grid.iter().cycle().skip(1)) {
        cross_columns(size, from, to, &mut crossings);
    }
    crossings.push(size.pixels());
    crossings.sort_unstable();
    let mut before = 0;
    let counts: Vec<u32> = crossings
        .into_iter()
        .map(|position| {
            let count = position - before;
            before = position;
            count as u32
        })
        .collect();
    runs::mask(size, &counts)
}

/// Where the line crosses the middles of columns of pixels, as positions down the columns.
fn cross_columns(size: Size, from: [i64; 2], to: [i64; 2], crossings: &mut Vec<u64>) {
    let (dx, dy) = ((to[0] - from[0]).abs(), (to[1] - from[1]).abs());
    let flat = dx >= dy;
    // A line is the same in both directions.
    let backwards = if flat {
        from[0] > to[0]
    } else {
        from[1] > to[1]
    };
    let ([x, y], [end_x, end_y]) = if backwards { (to, from) } else { (from, to) };
    let slope = if flat {
        (end_y - y) as f64 / dx as f64
    } else {
        (end_x - x) as f64 / dy as f64
    };
    let across = |step: i64, start: i64| (start as f64 + slope * step as f64 + 0.5) as i64;
    let (left, right) = (x.min(end_x), x.max(end_x));
    // Columns whose middle and the grid column after it are both reached.
    let first = ((left - MIDDLE).max(0) + 4) / 5;
    for column in first..i64::from(size.width) {
        let middle = 5 * column + MIDDLE;
        if middle >= right {
            break;
        }
        let line = if flat {
            let step = middle - x;
            across(step, y).min(across(step + 1, y))
        } else {
            // The last step on this side of the middle.
            let is_before = |step: i64| (across(step, x) <= middle) == (x <= middle);
            let (mut low, mut high) = (0, dy);
            while high - low > 1 {
                let step = (low + high) / 2;
                if is_before(step) {
                    low = step;
                } else {
                    high = step;
                }
            }
            y + low
        };
        let row = ((line as f64 + 0.5) / SCALE - 0.5)
            .clamp(0.0, f64::from(size.height))
            .ceil();
        crossings.push(column as u64 * u64::from(size.height) + row as u64);
    }
}
