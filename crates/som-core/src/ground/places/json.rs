//! Places in JSON: under a key that says so, or an object that is one.

use std::ops::Range;

use super::{
    fit::{mention, mention_of_box},
    shape::{Form, Unit, Written},
};
use crate::{
    Mask, Scene,
    ground::{
        Mention,
        json::{Entry, Key, Node, PlaceKey, Value},
    },
    mask::{Counts, Rle},
    scene::{AxisOrder, BoxOrder},
};

/// Most places of one value.
const MOST: usize = 4096;

const THOUSANDTHS: &[Unit] = &[Unit::Parts(1000)];

/// The place that an object gives: one, even if it gives the box and the mask of it. Its sides may
/// be its own entries.
pub(in crate::ground) fn of_object(entries: &[Entry], scene: &Scene<'_>) -> Option<Vec<Mention>> {
    if scene.images.is_empty() {
        return None;
    }
    let places = entries
        .iter()
        .filter_map(|entry| match Key::of(&entry.key) {
            Key::Place(key) => Some((rank(key), key, entry)),
            _ => None,
        });
    let mut places: Vec<_> = places.collect();
    places.sort_by_key(|(rank, ..)| *rank);
    for (_, key, entry) in places {
        let mentions = under_key(key, &entry.node, scene);
        if !mentions.is_empty() {
            return Some(mentions);
        }
    }
    let span = entries.first()?.span.start..entries.last()?.node.span.end;
    let place = rle(entries, span.clone(), scene).or_else(|| sides(entries, span, scene));
    Some(vec![place?])
}

/// What says most of a place comes first.
const fn rank(key: PlaceKey) -> u8 {
    match key {
        PlaceKey::Box2d | PlaceKey::Bbox2d | PlaceKey::Box => 0,
        PlaceKey::Polygon => 1,
        PlaceKey::Point | PlaceKey::YxPoint => 2,
    }
}

/// The places under a key.
pub(in crate::ground) fn under_key(key: PlaceKey, node: &Node, scene: &Scene<'_>) -> Vec<Mention> {
    if scene.images.is_empty() {
        return Vec::new();
    }
    let one = |mention: Option<Mention>| mention.into_iter().collect();
    match &node.value {
        Value::Object(entries) if key == PlaceKey::Polygon => {
            one(rle(entries, node.span.clone(), scene))
        }
        Value::Object(entries) => one(sides(entries, node.span.clone(), scene)),
        Value::List(items) => of_list(key, items, node.span.clone(), scene),
        Value::Text(text) if key != PlaceKey::Polygon => {
            let (numbers, length) =
                super::numbers::numbers_at(text, 5, super::numbers::is_space_or_bracket);
            let rest = text[length..].trim_matches(|c| matches!(c, ' ' | ')' | ']'));
            let fits = rest.is_empty() && matches!(numbers.len(), 2 | 4);
            one(fits
                .then(|| of_numbers(key, &numbers, node.span.clone(), scene))
                .flatten())
        }
        _ => Vec::new(),
    }
}

/// Numbers, pairs of numbers, or lists of them.
fn of_list(key: PlaceKey, items: &[Node], span: Range<usize>, scene: &Scene<'_>) -> Vec<Mention> {
    let one = |mention: Option<Mention>| mention.into_iter().collect();
    if let Some(numbers) = numbers_of(items) {
        return one(of_numbers(key, &numbers, span, scene));
    }
    let lists: Option<Vec<Vec<f64>>> = items
        .iter()
        .map(|item| match &item.value {
            Value::Object(corner) if key == PlaceKey::Polygon => corner_of(corner),
            _ => numbers_of(item.list()?),
        })
        .collect();
    if let Some(lists) = lists {
        let pairs = lists.iter().all(|list| list.len() == 2);
        let is_point = matches!(key, PlaceKey::Point | PlaceKey::YxPoint);
        let flat: Vec<f64> = lists.concat();
        return match (pairs, lists.len()) {
            (true, 2) if !is_point && key != PlaceKey::Polygon => {
                one(of_numbers(key, &flat, span, scene))
            }
            (true, 3..) if !is_point => one(of_numbers(PlaceKey::Polygon, &flat, span, scene)),
            // COCO: the polygons of one mask.
            (false, _) if key == PlaceKey::Polygon => one(of_numbers(key, &flat, span, scene)),
            _ => {
                let each = items.iter().zip(&lists).take(MOST);
                each.filter_map(|(item, list)| of_numbers(key, list, item.span.clone(), scene))
                    .collect()
            }
        };
    }
    // Lists of lists of pairs: several polygons. Objects are read by themselves.
    let nested = items.iter().take(MOST).filter_map(|item| {
        let lists = item.list()?;
        Some(of_list(key, lists, item.span.clone(), scene))
    });
    nested.flatten().collect()
}

/// `{"x": 1, "y": 2}`.
fn corner_of(entries: &[Entry]) -> Option<Vec<f64>> {
    let of = |name: &str| {
        let mut entries = entries.iter();
        entries
            .find(|entry| entry.key.eq_ignore_ascii_case(name))?
            .node
            .number()
    };
    Some(vec![of("x")?, of("y")?])
}

fn numbers_of(items: &[Node]) -> Option<Vec<f64>> {
    let numbers: Option<Vec<f64>> = items.iter().map(Node::number).collect();
    numbers.filter(|numbers| !numbers.is_empty())
}

/// What numbers under a key are: two a point, four a box, a fifth its score, six and more the
/// corners of a polygon.
fn of_numbers(
    key: PlaceKey,
    numbers: &[f64],
    span: Range<usize>,
    scene: &Scene<'_>,
) -> Option<Mention> {
    const XYXY: &[BoxOrder] = &[BoxOrder::Xyxy];
    const ANY_BOX: &[BoxOrder] = &[BoxOrder::Xyxy, BoxOrder::Xywh];
    const BOX_2D: &[BoxOrder] = &[BoxOrder::Yxyx, BoxOrder::Xyxy];
    const XY: &[AxisOrder] = &[AxisOrder::Xy];
    const YX: &[AxisOrder] = &[AxisOrder::Yx, AxisOrder::Xy];
    let is_score = |score: f64| (0.0..=1.0).contains(&score);
    let (numbers, form) = match (numbers, key) {
        ([_, _], PlaceKey::YxPoint | PlaceKey::Box2d) => (numbers, Form::Point(YX, false)),
        ([_, _], _) => (numbers, Form::Point(XY, false)),
        ([_, _, _], _) => return None,
        ([bbox @ .., score], _) if bbox.len() == 4 && is_score(*score) => {
            return of_numbers(key, bbox, span, scene);
        }
        ([_, _, _, _], PlaceKey::Box2d) => (numbers, Form::Box(BOX_2D, false)),
        ([_, _, _, _], PlaceKey::Bbox2d) => (numbers, Form::Box(XYXY, false)),
        ([_, _, _, _], _) => (numbers, Form::Box(ANY_BOX, false)),
        _ if numbers.len() >= 6 && numbers.len().is_multiple_of(2) => {
            (numbers, Form::Polygon(XY, false))
        }
        _ => return None,
    };
    // Who writes `box_2d` counts in thousandths, whatever the image's size.
    let largest = numbers.iter().fold(0.0, |most: f64, &next| most.max(next));
    let counted = key == PlaceKey::Box2d && (1.0..=1000.0).contains(&largest);
    let written = Written {
        numbers,
        form,
        units: counted.then_some(THOUSANDTHS),
        image: None,
    };
    Some(mention(&written, span, scene))
}

/// A box in words: `{"x": 1, "y": 2, "width": 3, "height": 4}`, `{"top_left": [1, 2], …}`; a point
/// as `{"x": 1, "y": 2}`.
fn sides(entries: &[Entry], span: Range<usize>, scene: &Scene<'_>) -> Option<Mention> {
    const FORMS: [([&str; 4], BoxOrder); 11] = [
        (["x", "y", "width", "height"], BoxOrder::Xywh),
        (["x", "y", "w", "h"], BoxOrder::Xywh),
        (["left", "top", "width", "height"], BoxOrder::Xywh),
        (["xmin", "ymin", "width", "height"], BoxOrder::Xywh),
        (["cx", "cy", "w", "h"], BoxOrder::Cxcywh),
        (["cx", "cy", "width", "height"], BoxOrder::Cxcywh),
        (["xcenter", "ycenter", "width", "height"], BoxOrder::Cxcywh),
        (["x1", "y1", "x2", "y2"], BoxOrder::Xyxy),
        (["x0", "y0", "x1", "y1"], BoxOrder::Xyxy),
        (["xmin", "ymin", "xmax", "ymax"], BoxOrder::Xyxy),
        (["left", "top", "right", "bottom"], BoxOrder::Xyxy),
    ];
    const MORE: [([&str; 4], BoxOrder); 2] = [
        (["minx", "miny", "maxx", "maxy"], BoxOrder::Xyxy),
        (["startx", "starty", "endx", "endy"], BoxOrder::Xyxy),
    ];
    const CORNERS: [[&str; 2]; 4] = [
        ["topleft", "bottomright"],
        ["min", "max"],
        ["start", "end"],
        ["lefttop", "rightbottom"],
    ];
    let plain = |key: &str| -> String {
        let chars = key.chars().filter(|c| c.is_alphanumeric());
        chars.flat_map(char::to_lowercase).collect()
    };
    let keys: Vec<(String, &Node)> = entries
        .iter()
        .map(|entry| (plain(&entry.key), &entry.node))
        .collect();
    let node = |key: &str| {
        keys.iter()
            .find(|(other, _)| other == key)
            .map(|(_, node)| *node)
    };
    let number = |key: &&str| node(key)?.number();
    let mention_of = |numbers: &[f64], form| {
        let written = Written {
            numbers,
            form,
            units: None,
            image: None,
        };
        mention(&written, span.clone(), scene)
    };
    for (names, order) in FORMS.iter().chain(&MORE) {
        let numbers: Option<Vec<f64>> = names.iter().map(number).collect();
        if let Some(numbers) = numbers {
            let form = Form::Box(std::slice::from_ref(order), true);
            return Some(mention_of(&numbers, form));
        }
    }
    for [first, last] in CORNERS {
        let corner = |key: &str| match &node(key)?.value {
            Value::List(items) => numbers_of(items).filter(|numbers| numbers.len() == 2),
            Value::Object(inner) => {
                let of = |name: &str| {
                    let entry = inner.iter().find(|entry| plain(&entry.key) == name)?;
                    entry.node.number()
                };
                Some(vec![of("x")?, of("y")?])
            }
            _ => None,
        };
        if let (Some(first), Some(last)) = (corner(first), corner(last)) {
            let form = Form::Box(&[BoxOrder::Xyxy], true);
            return Some(mention_of(&[first, last].concat(), form));
        }
    }
    let point = [number(&"x")?, number(&"y")?];
    Some(mention_of(&point, Form::Point(&[AxisOrder::Xy], true)))
}

/// COCO's run lengths: `{"size": [height, width], "counts": "…"}`.
fn rle(entries: &[Entry], span: Range<usize>, scene: &Scene<'_>) -> Option<Mention> {
    let of = |name: &str| entries.iter().find(|entry| entry.key == name);
    let size = numbers_of(of("size")?.node.list()?)?;
    let &[height, width] = size.as_slice() else {
        return None;
    };
    let whole = |number: f64| (0.0..65536.0).contains(&number).then_some(number as u32);
    let counts = match &of("counts")?.node.value {
        Value::Text(text) => Counts::Compressed(text.clone()),
        Value::List(items) => {
            let counts = numbers_of(items)?;
            let counts: Option<Vec<u32>> = counts
                .into_iter()
                .map(|count| (0.0..4e9).contains(&count).then_some(count as u32))
                .collect();
            Counts::Uncompressed(counts?)
        }
        _ => return None,
    };
    let rle = Rle {
        size: [whole(height)?, whole(width)?],
        counts,
    };
    let mask = Mask::from_rle(&rle).ok()?;
    let image = scene
        .images
        .iter()
        .position(|image| image.size == mask.size())?;
    let bbox = mask.bbox();
    (!bbox.is_empty()).then(|| mention_of_box(bbox, image, span, scene))
}
