//! Coordinates between tags, and tags that are coordinates.

use super::{Numbers, Order, Unit, is_space_or_bracket, numbers_at};
use crate::ground::{Mention, forms::Found, reader::Reader};

/// Most numbers that one tag holds.
const MOST: usize = 4096;

const THOUSANDTHS: &[Unit] = &[Unit::Parts(1000)];
const HUNDREDTHS: &[Unit] = &[Unit::Parts(100)];
const BINS: &[Unit] = &[Unit::Parts(1024)];

/// The coordinates of a tag at the reader's place, if it is one that has them.
pub(in crate::ground) fn tag(reader: &Reader<'_>) -> Option<Found> {
    if reader.scene.images.is_empty() {
        return None;
    }
    let rest = reader.rest();
    if rest.starts_with("<loc") {
        return Some(locations(reader));
    }
    if rest.starts_with("<points ") || rest.starts_with("<point ") {
        return attributes(reader);
    }
    const TAGS: [(&str, &str, usize); 4] = [
        ("<|box_start|>", "<|box_end|>", 4),
        ("<box>", "</box>", 4),
        ("<|point_start|>", "<|point_end|>", 2),
        ("<point>", "</point>", 2),
    ];
    let (open, close, size) = TAGS.into_iter().find(|(open, ..)| rest.starts_with(open))?;
    let (numbers, length) = numbers_at(&rest[open.len()..], MOST, is_space_or_bracket);
    let tail = rest[open.len() + length..].trim_start_matches(is_space_or_bracket);
    // An answer that broke off lacks the closing tag.
    let end = reader.text.len() - tail.strip_prefix(close).unwrap_or(tail).len();
    if numbers.len() < size {
        return None;
    }
    let orders: &[Order] = if size == 4 {
        &[Order::Xyxy]
    } else {
        &[Order::Xy]
    };
    let mentions = numbers.chunks_exact(size).map(|numbers| {
        Numbers {
            numbers,
            orders,
            units: THOUSANDTHS,
        }
        .mention(reader.at..end, reader.scene)
    });
    Some(one_or_several(mentions.collect(), end))
}

/// `<loc0123>` (PaliGemma) or `<loc_123>` (Florence-2), four to a box.
fn locations(reader: &Reader<'_>) -> Found {
    let mut end = reader.at;
    let mut numbers = Vec::new();
    let florence = reader.rest().starts_with("<loc_");
    let open = if florence { "<loc_" } else { "<loc" };
    while numbers.len() < 4 {
        let Some(after) = reader.text[end..].strip_prefix(open) else {
            break;
        };
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let number = after[..digits].parse::<u32>();
        let (Ok(number), true) = (number, after[digits..].starts_with('>')) else {
            break;
        };
        // Florence-2's bins are named by their number, and stand for their middle.
        numbers.push(f64::from(number) + if florence { 0.5 } else { 0.0 });
        end = reader.text.len() - after.len() + digits + 1;
    }
    let (orders, units): (&[Order], _) = if florence {
        (&[Order::Xyxy], THOUSANDTHS)
    } else {
        (&[Order::Yxyx], BINS)
    };
    if numbers.len() < 4 {
        return Found::Skip(end.max(reader.at + 1));
    }
    Found::Mention(
        Numbers {
            numbers: &numbers,
            orders,
            units,
        }
        .mention(reader.at..end, reader.scene),
    )
}

/// `<point x="12.5" y="40" alt="cup">cup</point>` (Molmo).
fn attributes(reader: &Reader<'_>) -> Option<Found> {
    let rest = reader.rest();
    let open = rest.find('>')?;
    let head = &rest[..open];
    let mut numbers = Vec::new();
    for word in head.split_ascii_whitespace().skip(1).take(MOST) {
        let Some((name, value)) = word.split_once('=') else {
            break;
        };
        if !name.starts_with(['x', 'y']) {
            break;
        }
        numbers.extend(value.trim_matches('"').parse::<f64>().ok());
    }
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
    let mentions: Vec<Mention> = numbers
        .chunks_exact(2)
        .filter(|numbers| numbers.iter().all(|number| number.is_finite()))
        .map(|numbers| {
            Numbers {
                numbers,
                orders: &[Order::Xy],
                units: HUNDREDTHS,
            }
            .mention(reader.at..end, reader.scene)
        })
        .collect();
    (!mentions.is_empty()).then(|| one_or_several(mentions, end))
}

/// Several boxes of one tag are one mention: the tag names all of their regions.
fn one_or_several(mentions: Vec<Mention>, end: usize) -> Found {
    let joined = mentions.into_iter().reduce(|mut first, next| {
        first.status = first.status.max(next.status);
        for id in next.marks {
            if !first.marks.contains(&id) {
                first.marks.push(id);
            }
        }
        first
    });
    joined.map_or(Found::Skip(end), Found::Mention)
}
