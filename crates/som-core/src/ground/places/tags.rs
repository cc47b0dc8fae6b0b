//! Coordinates between tags, and tags that are coordinates.

use std::ops::Range;

use super::{
    fit::mention,
    numbers::{is_space_or_bracket, numbers_at},
    shape::{Form, Unit, Written},
};
use crate::{
    ground::{
        Mention,
        reader::{Found, Reader},
    },
    scene::{AxisOrder, BoxOrder, Coordinates},
};

/// Most numbers that one tag holds.
const MOST: usize = 4096;

const THOUSANDTHS: &[Unit] = &[Unit::Parts(1000)];
const XYXY: Form = Form::Box(&[BoxOrder::Xyxy], true);
const YXYX: Form = Form::Box(&[BoxOrder::Yxyx], true);
const XY: Form = Form::Point(&[AxisOrder::Xy], true);

/// Tags with numbers between them: what opens and closes, and how many numbers make a place.
const TAGS: [(&str, &str, usize); 8] = [
    ("<|box_start|>", "<|box_end|>", 4),
    ("<box>", "</box>", 4),
    ("<|det|>", "<|/det|>", 4),
    ("<bbox>", "</bbox>", 4),
    ("<|point_start|>", "<|point_end|>", 2),
    ("<point>", "</point>", 2),
    ("<click>", "</click>", 2),
    ("<|coord_start|>", "<|coord_end|>", 2),
];

/// The coordinates of a tag at the reader's place, if it is one that has them.
pub(in crate::ground) fn tag(reader: &Reader<'_>) -> Option<Found> {
    let rest = reader.rest();
    let found = if rest.starts_with("<loc") {
        locations(reader)
    } else if rest.starts_with("<patch_index_") {
        patches(reader)
    } else if rest.starts_with("<points ") || rest.starts_with("<point ") {
        attributes(reader)?
    } else if let Some((open, close, size)) = TAGS.into_iter().find(|(open, ..)| {
        let head = rest.get(..open.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(open))
    }) {
        between(reader, open, close, size)?
    } else {
        cells(reader)?
    };
    // Without images to look at they name nothing.
    Some(match found {
        Found::Mention(mention) if reader.scene.images.is_empty() => Found::Skip(mention.span.end),
        found => found,
    })
}

/// `<box>(x1,y1),(x2,y2)</box>`; two numbers between tags of boxes are a point.
fn between(reader: &Reader<'_>, open: &str, close: &str, size: usize) -> Option<Found> {
    let rest = reader.rest();
    let inside = &rest[open.len()..];
    if inside.starts_with('<') {
        return cells_between(reader, open, close);
    }
    let (numbers, length) = numbers_at(inside, MOST, is_space_or_bracket);
    let tail = inside[length..].trim_start_matches(is_space_or_bracket);
    // An answer that broke off lacks the closing tag.
    let closes = tail
        .get(..close.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(close));
    let end = reader.text.len() - tail.len() + if closes { close.len() } else { 0 };
    let size = if numbers.len() == 2 { 2 } else { size };
    if numbers.len() < size {
        return None;
    }
    let form = if size == 4 { XYXY } else { XY };
    // `<bbox>` is no model's own: what its numbers count is open.
    let units = if open == "<bbox>" {
        None
    } else if numbers.iter().all(|&number| number <= 1.0) {
        Some(&[Unit::Parts(1)][..])
    } else if numbers.iter().any(|&number| number > 1000.0) && counts_pixels(open) {
        Some(&[Unit::Pixel][..])
    } else if open == "<|box_start|>" && sees_pixels(reader) {
        None
    } else {
        Some(THOUSANDTHS)
    };
    Some(places(reader, &numbers, size, form, units, reader.at..end))
}

/// True for tags whose numbers were thousandths, and are pixels in later models: UI-TARS 1.5.
fn counts_pixels(open: &str) -> bool {
    matches!(open, "<point>" | "<|box_start|>" | "<|point_start|>")
}

/// True if the model is known to count pixels.
fn sees_pixels(reader: &Reader<'_>) -> bool {
    let mut images = reader.scene.images.iter();
    images.any(|image| image.places.unit == Some(Coordinates::Pixels))
}

/// A mention of every place that `numbers` hold, `size` numbers each; they are one mention, since
/// the tag names all of their regions.
fn places(
    reader: &Reader<'_>,
    numbers: &[f64],
    size: usize,
    form: Form,
    units: Option<&'static [Unit]>,
    span: Range<usize>,
) -> Found {
    let end = span.end;
    let mentions = numbers.chunks_exact(size).map(|numbers| {
        let written = Written {
            numbers,
            form,
            units,
            image: None,
        };
        mention(&written, span.clone(), reader.scene)
    });
    one_of(mentions.collect(), end)
}

/// `<loc0123>` (PaliGemma) or `<loc_123>` (Florence-2), four to a box.
fn locations(reader: &Reader<'_>) -> Found {
    let florence = reader.rest().starts_with("<loc_");
    let open = if florence { "<loc_" } else { "<loc" };
    if let Some(found) = outline(reader).filter(|_| florence) {
        return found;
    }
    let (numbers, end) = tokens(reader, reader.at, open, 4);
    if numbers.len() < 4 {
        return Found::Skip(end.max(reader.at + 1));
    }
    let (form, units, numbers): (_, &[Unit], Vec<f64>) = if florence {
        // Its bins are named by their number, and stand for their middle.
        let middles = numbers.iter().map(|number| number + 0.5);
        (XYXY, THOUSANDTHS, middles.collect())
    } else {
        (YXYX, &[Unit::Parts(1024)], numbers)
    };
    places(reader, &numbers, 4, form, Some(units), reader.at..end)
}

/// The corners of a polygon, as Florence-2 writes them where it is asked for one: as boxes, some of
/// them would be none.
fn outline(reader: &Reader<'_>) -> Option<Found> {
    const CORNERS: Form = Form::Polygon(&[AxisOrder::Xy], true);
    // Within a run of tokens, its beginning has been looked at.
    if reader.text[..reader.at].ends_with('>') && follows_token(reader) {
        return None;
    }
    let (numbers, end) = tokens(reader, reader.at, "<loc_", MOST);
    let (boxes, rest) = numbers.as_chunks::<4>();
    let flat = boxes.iter().any(|[x1, y1, x2, y2]| x2 <= x1 || y2 <= y1);
    let is_outline = numbers.len() >= 6 && numbers.len() % 2 == 0 && (flat || !rest.is_empty());
    is_outline.then(|| {
        let middles: Vec<f64> = numbers.iter().map(|number| number + 0.5).collect();
        let size = middles.len();
        places(
            reader,
            &middles,
            size,
            CORNERS,
            Some(THOUSANDTHS),
            reader.at..end,
        )
    })
}

/// True right behind another `<loc_123>`.
fn follows_token(reader: &Reader<'_>) -> bool {
    /// No such token is longer, in bytes.
    const LONGEST: usize = 12;
    let before = &reader.text[..reader.at];
    let near = &before[before.ceil_char_boundary(before.len().saturating_sub(LONGEST))..];
    near.rfind('<')
        .is_some_and(|open| near[open..].starts_with("<loc_"))
}

/// `<patch_index_0044><patch_index_0863>` (Kosmos-2): the first and the last cell of a grid of 32
/// by 32, counted row by row.
fn patches(reader: &Reader<'_>) -> Found {
    const GRID: f64 = 32.0;
    let (cells, end) = tokens(reader, reader.at, "<patch_index_", 2);
    let [first, last] = cells[..] else {
        return Found::Skip(end.max(reader.at + 1));
    };
    let (left, top) = (first % GRID, (first / GRID).floor());
    let (right, bottom) = (last % GRID + 1.0, (last / GRID).floor() + 1.0);
    let numbers = [left, top, right, bottom];
    places(
        reader,
        &numbers,
        4,
        XYXY,
        Some(&[Unit::Parts(32)]),
        reader.at..end,
    )
}

/// Up to `most` numbers, each between `open` and `>`, from `at` on.
fn tokens(reader: &Reader<'_>, at: usize, open: &str, most: usize) -> (Vec<f64>, usize) {
    let mut end = at;
    let mut numbers = Vec::new();
    while numbers.len() < most {
        let Some(after) = reader.text[end..].strip_prefix(open) else {
            break;
        };
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let number = after[..digits].parse::<u32>();
        let (Ok(number), true) = (number, after[digits..].starts_with('>')) else {
            break;
        };
        numbers.push(f64::from(number));
        end = reader.text.len() - after.len() + digits + 1;
    }
    (numbers, end)
}

/// `<|box_start|><12><34><56><78>,<…><|box_end|>` (Rex-Omni): boxes, or points of two.
fn cells_between(reader: &Reader<'_>, open: &str, close: &str) -> Option<Found> {
    let mut at = reader.at + open.len();
    let mut mentions = Vec::new();
    loop {
        let (numbers, end) = tokens(reader, at, "<", MOST);
        let form = match numbers.len() {
            2 => XY,
            4 => XYXY,
            _ => return None,
        };
        let written = Written {
            numbers: &numbers,
            form,
            units: Some(&[Unit::Parts(999)]),
            image: None,
        };
        mentions.push(mention(&written, reader.at..end, reader.scene));
        let tail = reader.text[end..].trim_start_matches([',', ' ', '\n']);
        let next = reader.text.len() - tail.len();
        if tail.starts_with(close) {
            let end = next + close.len();
            return Some(one_of(mentions, end));
        }
        if !tail.starts_with('<') || mentions.len() >= MOST {
            return Some(one_of(mentions, end));
        }
        at = next;
    }
}

/// `{<12><34><56><78>}` (MiniGPT-v2), in hundredths.
fn cells(reader: &Reader<'_>) -> Option<Found> {
    if !reader.text[..reader.at].ends_with('{') {
        return None;
    }
    let (numbers, end) = tokens(reader, reader.at, "<", 4);
    (numbers.len() == 4).then(|| {
        let hundredths: &[Unit] = &[Unit::Parts(100)];
        places(reader, &numbers, 4, XYXY, Some(hundredths), reader.at..end)
    })
}

/// `<point x="12.5" y="40" alt="cup">cup</point>` (Molmo), `<points coords="1 1 220 272">`
/// (Molmo 2).
fn attributes(reader: &Reader<'_>) -> Option<Found> {
    let rest = reader.rest();
    let open = 1 + rest[1..].find(['>', '<'])?;
    if !rest[open..].starts_with('>') {
        return None;
    }
    let head = rest[..open].trim_end_matches('/');
    let close = if rest.starts_with("<points") {
        "</points>"
    } else {
        "</point>"
    };
    // What the tag encloses is its caption.
    let caption = rest[open + 1..].find('<').unwrap_or(0);
    let end = match rest[open + 1 + caption..].strip_prefix(close) {
        Some(after) => reader.text.len() - after.len(),
        None => reader.at + open + 1,
    };
    if let Some((_, coords)) = head.split_once("coords=\"") {
        return Some(pages(reader, coords, reader.at..end));
    }
    let mut numbers = Vec::new();
    for word in head.split_ascii_whitespace().skip(1).take(MOST) {
        let Some((name, value)) = word.split_once('=') else {
            break;
        };
        if name.starts_with(['x', 'y']) {
            numbers.extend(value.trim_matches(['"', '\'']).parse::<f64>().ok());
        }
    }
    numbers.retain(|number| number.is_finite());
    let hundredths = &[Unit::Parts(100)];
    let units: &[Unit] = if numbers.iter().any(|&number| number > 100.0) {
        THOUSANDTHS
    } else {
        hundredths
    };
    (numbers.len() >= 2).then(|| places(reader, &numbers, 2, XY, Some(units), reader.at..end))
}

/// `IMAGE n x y n x y`, images with semicolons between, in thousandths. Where there is one image,
/// its number may be anything.
fn pages(reader: &Reader<'_>, coords: &str, span: Range<usize>) -> Found {
    let coords = coords.split('"').next().unwrap_or("");
    let mut mentions = Vec::new();
    for page in coords.split([';', '\t']).take(MOST) {
        let (numbers, _) = numbers_at(page, MOST, is_space_or_bracket);
        let (image, points) = match numbers.len() % 3 {
            1 => (numbers[0], &numbers[1..]),
            _ => (1.0, &numbers[..]),
        };
        let images = reader.scene.images.len();
        let image = (images > 1).then_some((image as usize).saturating_sub(1));
        for point in points.chunks_exact(3) {
            let written = Written {
                numbers: &point[1..],
                form: XY,
                units: Some(THOUSANDTHS),
                image,
            };
            mentions.push(mention(&written, span.clone(), reader.scene));
        }
    }
    one_of(mentions, span.end)
}

/// Several places of one tag are one mention.
fn one_of(mentions: Vec<Mention>, end: usize) -> Found {
    let joined = mentions.into_iter().reduce(|mut first, next| {
        first.status = first.status.max(next.status);
        for id in next.marks {
            if !first.marks.contains(&id) {
                first.marks.push(id);
            }
        }
        first
    });
    match joined {
        Some(mut mention) => {
            mention.span.end = end;
            Found::Mention(mention)
        }
        None => Found::Skip(end),
    }
}
