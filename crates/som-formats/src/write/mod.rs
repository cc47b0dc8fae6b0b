//! regions → bytes: one file a format.

mod layout;

pub mod coco;
pub mod csv;
pub mod geojson;
pub mod labelme;
pub mod masks;
pub mod npz;
pub mod yolo;

use som_core::{Allocation, Region, Size};

pub use self::layout::{to_line, to_lines};

/// The regions of an image, as they are written.
#[derive(Clone, Debug)]
pub struct Picture<'a> {
    /// The image's path, as files about images tell it.
    pub name: &'a str,
    /// Its size.
    pub size: Size,
    /// In the order in which they are written.
    pub items: Vec<Item<'a>>,
}

/// A region, as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// The number of its mark; `None` for one without a mark.
    pub id: Option<u32>,
    /// The region.
    pub region: &'a Region,
}

impl<'a> Picture<'a> {
    /// Regions without marks.
    pub fn segmented(name: &'a str, size: Size, regions: &'a [Region]) -> Self {
        let items = regions.iter().map(|region| Item { id: None, region });
        Self {
            name,
            size,
            items: items.collect(),
        }
    }

    /// The regions of all marks.
    pub fn marked(name: &'a str, size: Size, allocation: &'a Allocation) -> Self {
        let items = allocation.marks.iter().map(|mark| Item {
            id: Some(mark.id),
            region: &mark.mark.region,
        });
        Self {
            name,
            size,
            items: items.collect(),
        }
    }
}

/// The corners of outlines, as most formats have them: pixels from the left and from above.
fn corners(ring: &[som_core::Point]) -> Vec<[f64; 2]> {
    let corner = |point: &som_core::Point| [f64::from(point.x), f64::from(point.y)];
    ring.iter().map(corner).collect()
}
