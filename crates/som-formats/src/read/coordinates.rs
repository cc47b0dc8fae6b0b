//! Boxes under the names that tools give to their sides.

use std::fmt;

/// The sides of a box in pixels, not yet cut to an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Corners {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Corners {
    /// Of left, top, width, height.
    pub(super) fn from_xywh([x, y, width, height]: [f64; 4]) -> Self {
        Self {
            left: x,
            top: y,
            right: x + width,
            bottom: y + height,
        }
    }

    /// Of left, top, right, bottom.
    pub(super) fn from_xyxy([left, top, right, bottom]: [f64; 4]) -> Self {
        Self {
            left,
            top,
            right,
            bottom,
        }
    }

    /// As left, top, right, bottom.
    pub(super) const fn to_xyxy(self) -> [f64; 4] {
        [self.left, self.top, self.right, self.bottom]
    }

    /// Of the middle, and width and height.
    pub(super) fn from_center([x, y, width, height]: [f64; 4]) -> Self {
        Self::from_xywh([x - width / 2.0, y - height / 2.0, width, height])
    }

    /// Around lists of x, y, x, y, …; `None` without any.
    pub(super) fn around(lines: &[Vec<f64>]) -> Option<Self> {
        let points = lines.iter().flat_map(|line| line.as_chunks::<2>().0);
        points
            .map(|&[x, y]| Self::from_xyxy([x, y, x, y]))
            .reduce(|a, b| Self {
                left: a.left.min(b.left),
                top: a.top.min(b.top),
                right: a.right.max(b.right),
                bottom: a.bottom.max(b.bottom),
            })
    }

    /// True if there is nothing between its sides.
    pub(super) fn is_empty(&self) -> bool {
        self.left == self.right || self.top == self.bottom
    }
}

/// As in `10,20 to 30,40`.
impl fmt::Display for Corners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            left,
            top,
            right,
            bottom,
        } = self;
        write!(f, "{left},{top} to {right},{bottom}")
    }
}

/// Which columns or keys of an entry are the sides of its box, by what tools call them.
const LEFT: [&str; 4] = ["x1", "xmin", "left", "minx"];
const TOP: [&str; 4] = ["y1", "ymin", "top", "miny"];
const RIGHT: [&str; 4] = ["x2", "xmax", "right", "maxx"];
const BOTTOM: [&str; 4] = ["y2", "ymax", "bottom", "maxy"];
const WIDTH: [&str; 2] = ["width", "w"];
const HEIGHT: [&str; 2] = ["height", "h"];
const CENTER_X: [&str; 4] = ["cx", "xcenter", "centerx", "xc"];
const CENTER_Y: [&str; 4] = ["cy", "ycenter", "centery", "yc"];

/// Which box four names of an entry make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sides {
    names: [&'static str; 4],
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Corners,
    Size,
    Center,
}

impl Sides {
    /// Those among names of which `has` knows whether they are there. Corners go before a width and
    /// a height, which may be those of the image.
    pub(super) fn among(has: impl Fn(&str) -> bool) -> Option<Self> {
        let first = |names: &[&'static str]| names.iter().copied().find(|name| has(name));
        let sides = |names: [Option<&'static str>; 4], kind| match names {
            [Some(a), Some(b), Some(c), Some(d)] => Some(Self {
                names: [a, b, c, d],
                kind,
            }),
            _ => None,
        };
        // Where there is an x0, x1 is the right side; and a "top" counts from above for certain.
        let from_zero = [
            first(&["x0"]),
            first(&["top", "y0"]),
            first(&["x1"]),
            first(&["bottom", "y1"]),
        ];
        let corners = [first(&LEFT), first(&TOP), first(&RIGHT), first(&BOTTOM)];
        let (width, height) = (first(&WIDTH), first(&HEIGHT));
        let (left, top) = (first(&["x", "left"]), first(&["y", "top"]));
        let center = [first(&CENTER_X), first(&CENTER_Y), width, height];
        sides(from_zero, Kind::Corners)
            .or_else(|| sides(corners, Kind::Corners))
            .or_else(|| sides([left, top, width, height], Kind::Size))
            .or_else(|| sides(center, Kind::Center))
    }

    /// The box of what `number` finds under the names.
    ///
    /// # Errors
    /// The first name under which it finds none.
    pub(super) fn numbers(
        &self,
        number: impl Fn(&str) -> Option<f64>,
    ) -> Result<Corners, &'static str> {
        let mut numbers = [0.0; 4];
        for (place, name) in numbers.iter_mut().zip(self.names) {
            *place = number(name).ok_or(name)?;
        }
        Ok(match self.kind {
            Kind::Corners => Corners::from_xyxy(numbers),
            Kind::Size => Corners::from_xywh(numbers),
            Kind::Center => Corners::from_center(numbers),
        })
    }

    /// The same, with x and y in the middle of the box.
    pub(super) fn centered(mut self) -> Self {
        if self.kind == Kind::Size {
            self.kind = Kind::Center;
        }
        self
    }
}

/// True for a name that means a side of a box, whether it was needed or not.
pub(super) fn is_side(name: &str) -> bool {
    let pairs = [WIDTH, HEIGHT, ["x0", "y0"], ["x", "y"]];
    let fours = [LEFT, TOP, RIGHT, BOTTOM, CENTER_X, CENTER_Y];
    pairs.as_flattened().contains(&name) || fours.as_flattened().contains(&name)
}

/// A name as it is compared: `X_Min` and `x-min` are `xmin`.
pub(super) fn plain(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_found_under_every_common_name() {
        let expected = Corners::from_xyxy([1.0, 2.0, 11.0, 22.0]);
        for pairs in [
            &[("x", 1.0), ("y", 2.0), ("width", 10.0), ("height", 20.0)][..],
            &[("x1", 1.0), ("y1", 2.0), ("x2", 11.0), ("y2", 22.0)],
            &[("x0", 1.0), ("y0", 2.0), ("x1", 11.0), ("y1", 22.0)],
            &[
                ("left", 1.0),
                ("top", 2.0),
                ("right", 11.0),
                ("bottom", 22.0),
            ],
            &[
                ("left", 1.0),
                ("top", 2.0),
                ("width", 10.0),
                ("height", 20.0),
            ],
            // The size of the image stands beside.
            &[
                ("width", 640.0),
                ("height", 480.0),
                ("xmin", 1.0),
                ("ymin", 2.0),
                ("xmax", 11.0),
                ("ymax", 22.0),
            ],
            &[("cx", 6.0), ("cy", 12.0), ("w", 10.0), ("h", 20.0)],
        ] {
            let find = |name: &str| pairs.iter().find(|(known, _)| *known == name);
            let sides = Sides::among(|name| find(name).is_some()).unwrap();
            assert_eq!(sides.numbers(|name| Some(find(name)?.1)).unwrap(), expected);
        }
        assert_eq!(Sides::among(|name| name == "x"), None);
        let sides = Sides::among(|_| true).unwrap();
        assert_eq!(sides.numbers(|_| None).unwrap_err(), "x0");
        assert_eq!(plain("X_Min"), "xmin");
    }
}
