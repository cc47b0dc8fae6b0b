//! Pixel geometry. The origin is the top-left pixel; x grows right, y grows down.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

impl Size {
    /// The longest side of what comes from outside, 2^20 pixels: what is kept for each row or
    /// column stays small, whatever a few bytes claim.
    pub const MAX_SIDE: u32 = 1 << 20;

    /// The most pixels of what comes from outside: COCO's counts have 32 bits.
    pub const MAX_PIXELS: u64 = u32::MAX as u64;

    /// A size of `width` by `height` pixels.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Number of pixels.
    pub const fn pixels(self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// Checks a size that comes from outside.
    ///
    /// # Errors
    /// Exhausted, if a side is longer than [`MAX_SIDE`](Self::MAX_SIDE), or all together are more
    /// than [`MAX_PIXELS`](Self::MAX_PIXELS).
    pub fn check(self) -> Result<()> {
        if self.width.max(self.height) <= Self::MAX_SIDE && self.pixels() <= Self::MAX_PIXELS {
            return Ok(());
        }
        Err(Error::exhausted(format!(
            "{self} is too large: at most {} pixels a side and {} in all",
            Self::MAX_SIDE,
            Self::MAX_PIXELS
        )))
    }

    /// The box that covers everything.
    pub const fn bbox(self) -> BBox {
        BBox::new(0, 0, self.width, self.height)
    }
}

/// A pixel's position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Point {
    /// Column, from 0.
    pub x: u32,
    /// Row, from 0.
    pub y: u32,
}

impl Point {
    /// The pixel in column `x` and row `y`.
    pub const fn new(x: u32, y: u32) -> Self {
        Self { x, y }
    }
}

/// An axis-aligned box in pixels, COCO's XYWH: it covers columns `x..x + width` and rows
/// `y..y + height`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BBox {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Number of columns.
    pub width: u32,
    /// Number of rows.
    pub height: u32,
}

impl BBox {
    /// The box of `width` by `height` pixels whose top-left pixel is (`x`, `y`).
    pub const fn new(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    /// First column to the right of the box. Wide, so that no input overflows.
    pub const fn right(self) -> u64 {
        self.x as u64 + self.width as u64
    }

    /// First row below the box.
    pub const fn bottom(self) -> u64 {
        self.y as u64 + self.height as u64
    }

    /// Number of pixels.
    pub const fn area(self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// True if the box covers no pixel.
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// True if `point` lies in the box.
    pub const fn contains(self, point: Point) -> bool {
        point.x >= self.x
            && point.y >= self.y
            && (point.x as u64) < self.right()
            && (point.y as u64) < self.bottom()
    }

    /// True if `other` lies wholly in this box.
    pub const fn encloses(self, other: BBox) -> bool {
        other.x >= self.x
            && other.y >= self.y
            && other.right() <= self.right()
            && other.bottom() <= self.bottom()
    }

    /// True if the boxes share a pixel.
    pub const fn intersects(self, other: BBox) -> bool {
        self.intersection(other).is_some()
    }

    /// The pixels both boxes cover; `None` if they share none.
    pub const fn intersection(self, other: BBox) -> Option<BBox> {
        let x = if self.x > other.x { self.x } else { other.x };
        let y = if self.y > other.y { self.y } else { other.y };
        let right = if self.right() < other.right() {
            self.right()
        } else {
            other.right()
        };
        let bottom = if self.bottom() < other.bottom() {
            self.bottom()
        } else {
            other.bottom()
        };
        if right <= x as u64 || bottom <= y as u64 {
            return None;
        }
        // Both differences are at most a width or height, so they fit.
        Some(BBox::new(
            x,
            y,
            (right - x as u64) as u32,
            (bottom - y as u64) as u32,
        ))
    }

    /// The smallest box around both; an empty box adds nothing.
    pub fn union(self, other: BBox) -> BBox {
        if self.is_empty() || other.is_empty() {
            return if self.is_empty() { other } else { self };
        }
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let side = |end: u64, start: u32| u32::try_from(end - u64::from(start)).unwrap_or(u32::MAX);
        let right = self.right().max(other.right());
        let bottom = self.bottom().max(other.bottom());
        BBox::new(x, y, side(right, x), side(bottom, y))
    }

    /// The middle pixel (the lower-right one of the middle four where a side is even).
    pub const fn center(self) -> Point {
        Point::new(self.x + self.width / 2, self.y + self.height / 2)
    }

    /// Area shared over area covered by either: 0 for disjoint boxes, 1 for equal ones.
    pub fn iou(self, other: BBox) -> f64 {
        let shared = self.intersection(other).map_or(0, BBox::area);
        let either = self.area() + other.area() - shared;
        if either == 0 {
            0.0
        } else {
            shared as f64 / either as f64
        }
    }
}

/// As in `640x480`.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// As in `x,y,width,height`.
impl fmt::Display for BBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.x, self.y, self.width, self.height)
    }
}

// Boxes and points travel as the arrays COCO uses: [x, y, width, height] and [x, y].

impl Serialize for BBox {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.x, self.y, self.width, self.height].serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for BBox {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let [x, y, width, height] = Deserialize::deserialize(deserializer)?;
        Ok(Self {
            x,
            y,
            width,
            height,
        })
    }
}

impl Serialize for Point {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.x, self.y].serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let [x, y] = Deserialize::deserialize(deserializer)?;
        Ok(Self { x, y })
    }
}
