//! Boxes as CSV (RFC 4180), the names of the columns in the first line: as detectors, spreadsheets and
//! supervision's `CSVSink` write them. Columns are parted by commas, semicolons, tabs or bars. Where a
//! column names images, the rows of this one count.

use std::collections::BTreeSet;

use csv::{ReaderBuilder, StringRecord, Trim};
use serde_json::Value;

use super::{
    Target,
    boxes::{self, Row},
    coordinates::{Sides, plain},
    gathering::Gathering,
};
use crate::{FormatError, MAX_ENTRIES};

/// True for a text whose first line names the sides of a box.
pub(crate) fn is_one(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let delimiter = char::from(delimiter(first.as_bytes()));
    let names: Vec<String> = first.split(delimiter).map(plain).collect();
    Sides::among(|name| names.iter().any(|known| known == name)).is_some()
}

pub(super) fn read(
    bytes: &[u8],
    target: &Target<'_>,
    gathering: &mut Gathering,
) -> Result<(), FormatError> {
    if !std::str::from_utf8(bytes).is_ok_and(is_one) {
        return Err(FormatError::Structure(
            "its first line does not name the sides of a box (x, y, width, height or left, top, \
             right, bottom)"
                .to_owned(),
        ));
    }
    let mut names = BTreeSet::new();
    let mut is_named = true;
    each(bytes, |row| {
        match row.image() {
            Some(name) => {
                names.insert(name.to_owned());
            }
            None => is_named = false,
        }
        Ok(())
    })?;
    let name = match is_named {
        true => boxes::chosen(&names, target, gathering)?,
        false => None,
    };
    let mut rows = Vec::new();
    each(bytes, |row| {
        if name.is_none() || row.image() == name.as_deref() {
            if rows.len() == MAX_ENTRIES {
                return Err(FormatError::TooMany);
            }
            rows.push(row);
        }
        Ok(())
    })?;
    boxes::add(rows, false, gathering)
}

/// Hands on one row after another.
fn each(
    bytes: &[u8],
    mut take: impl FnMut(Row) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    let first = bytes
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(first))
        .trim(Trim::All)
        .from_reader(bytes);
    let header = reader.headers().map_err(|error| broken(&error))?.clone();
    let mut record = StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|error| broken(&error))?
    {
        let line = record.position().map_or(0, csv::Position::line);
        let value = |text: &str| match text {
            "" => Value::Null,
            text => Value::String(text.to_owned()),
        };
        let cells = header.iter().zip(&record);
        let cells = cells.map(|(name, text)| (name.to_owned(), value(text)));
        take(Row::new(format!("line {line}"), cells))?;
    }
    Ok(())
}

/// What parts the columns of a line of names.
fn delimiter(line: &[u8]) -> u8 {
    let count = |wanted: &u8| line.iter().filter(|byte| *byte == wanted).count();
    // Of equal counts the last one is taken.
    [b'|', b'\t', b';', b',']
        .into_iter()
        .max_by_key(count)
        .unwrap_or(b',')
}

fn broken(error: &csv::Error) -> FormatError {
    let line = error.position().map_or(0, csv::Position::line);
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("has {len} columns, but the line of names has {expected_len}"),
        csv::ErrorKind::Utf8 { .. } => "is no text in UTF-8".to_owned(),
        _ => error.to_string(),
    };
    FormatError::entry(format!("line {line}"), message)
}

#[cfg(test)]
mod tests {
    use som_core::{BBox, Size};

    use super::*;

    fn read_text(text: &str, image: &str) -> Result<super::super::Read, FormatError> {
        let size = Size::new(100, 80);
        let mut gathering = Gathering::new(size);
        let target = Target { name: image, size };
        read(text.as_bytes(), &target, &mut gathering)?;
        gathering.finish()
    }

    #[test]
    fn rows_are_boxes_with_what_stands_beside() {
        let text = "id;x;y;Width;height;label;score;selector\n4;10;20;30;40;\"a;b\";0.5;div > a\n7;0;0;5;5;;;\n";
        let read = read_text(text, "a.png").unwrap();
        let [first, second] = &read.given[..] else {
            panic!("{read:?}")
        };
        assert_eq!(first.id, Some(4));
        assert_eq!(first.region.bbox(), BBox::new(10, 20, 30, 40));
        assert_eq!(first.region.label.as_deref(), Some("a;b"));
        assert_eq!(first.region.score, Some(0.5));
        assert_eq!(first.region.extra["selector"], "div > a");
        assert_eq!((second.id, &second.region.label), (Some(7), &None));
    }

    #[test]
    fn a_column_of_images_tells_whose_a_row_is() {
        let text = "filename,width,height,class,xmin,ymin,xmax,ymax\n\
                    a.jpg,100,80,cup,1,2,11,22\nb.jpg,100,80,spoon,1,2,5,5\na.jpg,100,80,cup,3,3,9,9\n";
        let read = read_text(text, "photos/a.jpg").unwrap();
        let boxes: Vec<BBox> = read.given.iter().map(|given| given.region.bbox()).collect();
        assert_eq!(boxes, [BBox::new(1, 2, 10, 20), BBox::new(3, 3, 6, 6)]);
        assert!(read.tells_images_apart);
        let error = read_text(text, "c.jpg").unwrap_err().to_string();
        assert_eq!(error, "has no entry for c.jpg (it has a.jpg, b.jpg)");
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line() {
        for (text, why) in [
            (
                "x,y,width,height\n1,2,3,4\n1,2,3\n",
                "line 3: has 3 columns, but the line of names has 4",
            ),
            (
                "x,y,width,height\n1,2,wide,4\n",
                "line 2: width is no number",
            ),
            (
                "x,y,width,height,score\n1,2,3,4,high\n",
                "line 2: the score \"high\" is no number",
            ),
            (
                "x,y,width,height,score\n1,2,3,4,87\n",
                "line 2: the score 87 is not in [0, 1]",
            ),
        ] {
            assert_eq!(read_text(text, "a.png").unwrap_err().to_string(), why);
        }
        let error = read_text("a,b\n1,2\n", "a.png").unwrap_err();
        assert!(matches!(error, FormatError::Structure(_)));
    }
}
