//! YOLO's labels, a line an object (Ultralytics, "Object Detection Datasets" and "Instance
//! Segmentation Datasets"): the number of the class and a box `x y width height` around its middle,
//! or the corners `x y` of an outline, all as parts of the image's sides; a confidence may follow, as
//! predictions have it (`save_conf=True`).

use super::{
    coordinates::Corners,
    gathering::{Entry, Gathering, Shape},
};
use crate::FormatError;

/// True for a text whose first line is of this kind.
pub(crate) fn is_one(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else {
        return false;
    };
    let (class, numbers) = parts(first);
    class.parse::<u32>().is_ok()
        && first.split_whitespace().count() >= 5
        && numbers.is_ok_and(|numbers| numbers.iter().all(|number| (-1.0..=2.0).contains(number)))
}

pub(super) fn read(
    bytes: &[u8],
    class_names: &[String],
    gathering: &mut Gathering,
) -> Result<(), FormatError> {
    let not_text = || FormatError::Structure("is no text in UTF-8".to_owned());
    let text = std::str::from_utf8(bytes).map_err(|_| not_text())?;
    for (line, number) in text.lines().zip(1..) {
        if !line.trim().is_empty() {
            let entry = entry(line, format!("line {number}"), class_names, gathering)?;
            gathering.add(entry)?;
        }
    }
    Ok(())
}

/// The class of a line, and its numbers; or the first part that is none.
fn parts(line: &str) -> (&str, Result<Vec<f64>, &str>) {
    let mut parts = line.split_whitespace();
    let class = parts.next().unwrap_or_default();
    let numbers = parts.map(|part| part.parse::<f64>().map_err(|_| part));
    (class, numbers.collect())
}

fn entry(
    line: &str,
    place: String,
    class_names: &[String],
    gathering: &Gathering,
) -> Result<Entry, FormatError> {
    let (class, numbers) = parts(line);
    let numbers = match numbers {
        Ok(numbers) => numbers,
        Err(part) => {
            return Err(FormatError::entry(
                place,
                format!("\"{part}\" is no number"),
            ));
        }
    };
    let Ok(class) = class.parse::<u32>() else {
        let message = format!("\"{class}\" is not the number of a class");
        return Err(FormatError::entry(place, message));
    };
    let (size, score) = (gathering.size(), numbers.last().copied());
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let (shape, score) = match *numbers {
        [x, y, w, h] => (boxed([x * width, y * height, w * width, h * height]), None),
        [x, y, w, h, score] => (
            boxed([x * width, y * height, w * width, h * height]),
            Some(score),
        ),
        _ => {
            let (corners, rest) = numbers.as_chunks::<2>();
            if corners.len() < 3 {
                let message = format!(
                    "has {} numbers behind the class, neither a box (4) nor an outline (6 or more)",
                    numbers.len()
                );
                return Err(FormatError::entry(place, message));
            }
            let corners = corners
                .iter()
                .map(|[x, y]| [snapped(x * width), snapped(y * height)]);
            let line: Vec<f64> = corners.flatten().collect();
            let score = if rest.is_empty() { None } else { score };
            (Shape::Polygons(vec![line]), score)
        }
    };
    let mut entry = Entry {
        score,
        label: class_names.get(class as usize).cloned(),
        ..Entry::new(place, shape)
    };
    entry.extra.insert("category_id".to_owned(), class.into());
    Ok(entry)
}

fn boxed(numbers: [f64; 4]) -> Shape {
    let Corners {
        left,
        top,
        right,
        bottom,
    } = Corners::from_center(numbers);
    Shape::Box(Corners::from_xyxy([left, top, right, bottom].map(snapped)))
}

/// A coordinate in pixels without what dividing and rounding to six digits have done to it.
fn snapped(number: f64) -> f64 {
    /// Half of the sixth digit on a side of 4,000 pixels.
    const ERROR: f64 = 0.002;
    let whole = number.round();
    match (number - whole).abs() <= ERROR {
        true => whole,
        false => number,
    }
}

#[cfg(test)]
mod tests {
    use som_core::{BBox, Size};

    use super::*;

    fn read_text(text: &str) -> Result<super::super::Read, FormatError> {
        let mut gathering = Gathering::new(Size::new(300, 200));
        let names = ["cup".to_owned(), "spoon".to_owned()];
        read(text.as_bytes(), &names, &mut gathering)?;
        gathering.finish()
    }

    #[test]
    fn boxes_and_outlines_are_parts_of_the_sides() {
        let text =
            "1 0.5 0.5 0.2 0.1\n\n0 0.1 0.1 0.033333 0.05 0.75\n7 0 0 0.5 0 0.5 0.5 0 0.5 0.9\n";
        let read = read_text(text).unwrap();
        let found: Vec<_> = read
            .given
            .iter()
            .map(|given| {
                (
                    given.region.bbox(),
                    given.region.label.as_deref(),
                    given.region.score,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (BBox::new(120, 90, 60, 20), Some("spoon"), None),
                (BBox::new(25, 15, 10, 10), Some("cup"), Some(0.75)),
                (BBox::new(0, 0, 150, 100), None, Some(0.9)),
            ]
        );
        assert_eq!(read.given[2].region.extra["category_id"], 7);
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line() {
        for (text, why) in [
            (
                "0 0.5 0.5 0.1 0.1\ncup 0 0 1 1",
                "line 2: \"cup\" is not the number of a class",
            ),
            ("0 0.5 x 0.1 0.1", "line 1: \"x\" is no number"),
            (
                "0 0.5 0.5",
                "line 1: has 2 numbers behind the class, neither a box (4) nor an outline (6 or more)",
            ),
            (
                "0 3 3 0.1 0.1",
                "line 1: the box 885,590 to 915,610 lies outside of the 300x200 image",
            ),
        ] {
            assert_eq!(read_text(text).unwrap_err().to_string(), why);
        }
    }
}
