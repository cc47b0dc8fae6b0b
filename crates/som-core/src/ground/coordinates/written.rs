//! Coordinates in JSON and in running text.

use super::{
    Numbers, Order, Unit, is_space_or_bracket, is_space_or_comma, numbers_at, plausible_units,
};
use crate::ground::{Mention, forms::Found, reader::Reader};

/// Most boxes or points of one JSON value.
const MOST: usize = 4096;

const ANY_BOX: &[Order] = &[Order::Xyxy, Order::Xywh];

/// What the words before brackets announce.
const BOX_WORDS: [&str; 8] = [
    "box",
    "bbox",
    "boxes",
    "bounding",
    "coordinates",
    "coordinate",
    "coords",
    "bbox_2d",
];
const POINT_WORDS: [&str; 6] = [
    "point",
    "points",
    "point_2d",
    "coordinates",
    "coordinate",
    "coords",
];

/// The coordinates under a JSON `key` whose value starts at `value`, if it has some.
pub(in crate::ground) fn json(reader: &Reader<'_>, key: &str, value: usize) -> Option<Found> {
    let thousandths: &[Unit] = &[Unit::Parts(1000)];
    let (size, orders, units): (usize, &[Order], Option<&[Unit]>) = match key
        .to_lowercase()
        .as_str()
    {
        "box_2d" => (4, &[Order::Yxyx], Some(thousandths)),
        "bbox_2d" => (4, &[Order::Xyxy], None),
        "bbox" | "bboxes" | "box" | "boxes" | "bounding_box" | "coordinates" => (4, ANY_BOX, None),
        "point" | "points" => (2, &[Order::Yx], Some(thousandths)),
        "point_2d" | "click" | "center" => (2, &[Order::Xy], None),
        _ => return None,
    };
    let text = reader.text;
    if !reader.scene.images.is_empty()
        && size == 4
        && let Some((numbers, orders, length)) = sides(&text[value..])
    {
        let numbers = Numbers {
            numbers: &numbers,
            orders,
            units: plausible_units(&numbers),
        };
        let end = value + length;
        let mention = numbers.mention(value..end, reader.scene);
        return Some(Found::Mentions(vec![mention], end));
    }
    if reader.scene.images.is_empty() || !text[value..].starts_with('[') {
        return None;
    }
    let nested = text[value + 1..].trim_start().starts_with('[');
    let mut mentions: Vec<Mention> = Vec::new();
    let mut start = if nested {
        text.len() - text[value + 1..].trim_start().len()
    } else {
        value
    };
    while mentions.len() < MOST && text[start..].starts_with('[') {
        let (numbers, length) = numbers_at(&text[start..], size, is_space_or_bracket);
        let tail = text[start + length..].trim_start();
        let Some(after) = tail.strip_prefix(']').filter(|_| numbers.len() == size) else {
            break;
        };
        let end = text.len() - after.len();
        let numbers = Numbers {
            numbers: &numbers,
            orders,
            units: units.unwrap_or_else(|| plausible_units(&numbers)),
        };
        mentions.push(numbers.mention(start..end, reader.scene));
        if !nested {
            break;
        }
        let after = after.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        start = text.len() - after.len();
    }
    let end = mentions.last()?.span.end;
    Some(Found::Mentions(mentions, end))
}

/// Brackets or parentheses that hold a box or a point, not marks: after a word that says so, or
/// four numbers most of which are no marks. Without images to look at they name nothing.
pub(in crate::ground) fn plain(reader: &Reader<'_>) -> Option<Found> {
    let rest = reader.rest();
    let (open, close) = if rest.starts_with('[') {
        ('[', ']')
    } else {
        ('(', ')')
    };
    let word = word_before(&reader.text[..reader.at]);
    let corners = two_corners(rest).filter(|_| BOX_WORDS.contains(&&*word));
    let (numbers, after) = match corners {
        Some(corners) => corners,
        None => {
            let inside = rest.strip_prefix(open)?;
            let (numbers, length) = numbers_at(inside, 5, is_space_or_comma);
            let after = inside[length..].trim_start().strip_prefix(close)?;
            (numbers, after)
        }
    };
    let end = reader.text.len() - after.len();
    let orders: &[Order] = match numbers.len() {
        4 if BOX_WORDS.contains(&&*word) => ANY_BOX,
        4 if close == ']' && unnamed(&numbers, reader) >= 2 => ANY_BOX,
        2 if POINT_WORDS.contains(&&*word) => &[Order::Xy],
        _ => return None,
    };
    if reader.scene.images.is_empty() {
        return Some(Found::Skip(end));
    }
    let numbers = Numbers {
        numbers: &numbers,
        orders,
        units: plausible_units(&numbers),
    };
    Some(Found::Mention(
        numbers.mention(reader.at..end, reader.scene),
    ))
}

/// The box that `text` begins with as two corners, `[[10, 20], [30, 40]]`, and what follows it.
fn two_corners(text: &str) -> Option<(Vec<f64>, &str)> {
    let mut rest = text.strip_prefix('[')?.trim_start();
    let mut corners = Vec::new();
    for _ in 0..2 {
        let inside = rest.strip_prefix('[')?;
        let (numbers, length) = numbers_at(inside, 3, is_space_or_comma);
        let after = inside[length..].trim_start().strip_prefix(']')?;
        (numbers.len() == 2).then(|| corners.extend(numbers))?;
        rest = after.trim_start_matches(is_space_or_comma);
    }
    Some((corners, rest.strip_prefix(']')?))
}

/// The box that `text` begins with as an object, `{"x": 1, "y": 2, "width": 3, "height": 4}`, and
/// its length.
fn sides(text: &str) -> Option<(Vec<f64>, &'static [Order], usize)> {
    const LONGEST: usize = 256;
    const FORMS: [([&str; 4], &[Order]); 6] = [
        (["x", "y", "width", "height"], &[Order::Xywh]),
        (["x", "y", "w", "h"], &[Order::Xywh]),
        (["left", "top", "width", "height"], &[Order::Xywh]),
        (["x1", "y1", "x2", "y2"], &[Order::Xyxy]),
        (["xmin", "ymin", "xmax", "ymax"], &[Order::Xyxy]),
        (["left", "top", "right", "bottom"], &[Order::Xyxy]),
    ];
    let inside = text.strip_prefix('{')?;
    let near = &inside.as_bytes()[..inside.len().min(LONGEST)];
    let inside = &inside[..near.iter().position(|&byte| byte == b'}')?];
    let mut sides = Vec::new();
    for side in inside.split(',') {
        let (key, number) = side.split_once(':')?;
        let key = key
            .trim()
            .trim_matches('"')
            .to_ascii_lowercase()
            .replace('_', "");
        let number: f64 = number.trim().trim_matches('"').parse().ok()?;
        if !number.is_finite() {
            return None;
        }
        sides.push((key, number));
    }
    let of = |key: &&str| {
        let side = sides.iter().find(|(other, _)| other == key);
        side.map(|&(_, number)| number)
    };
    FORMS.into_iter().find_map(|(keys, orders)| {
        let numbers: Option<Vec<f64>> = keys.iter().map(of).collect();
        Some((numbers?, orders, inside.len() + 2))
    })
}

/// How many of the numbers are no marks.
fn unnamed(numbers: &[f64], reader: &Reader<'_>) -> usize {
    let is_mark = |number: &&f64| !reader.names.get(&number.to_string()).is_empty();
    numbers.len() - numbers.iter().filter(is_mark).count()
}

/// The last word of `text` in its line, in lower case, past "is", "are" and "at".
fn word_before(text: &str) -> String {
    /// A word that announces brackets is not far from them.
    const NEAR: usize = 64;
    let mut start = text.len().saturating_sub(NEAR);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let before = text[start..].trim_end_matches(|c: char| !c.is_alphanumeric() && c != '\n');
    let mut words = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_');
    words
        .find(|word| !matches!(*word, "is" | "are" | "at"))
        .unwrap_or("")
        .to_lowercase()
}
