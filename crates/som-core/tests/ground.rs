//! Grounding under arbitrary text.

use proptest::prelude::*;
use som_core::{
    AxisOrder, BBox, BoxOrder, Coordinates, Mask, Places, Region, Scene, SceneImage, SceneMark,
    Size,
    ground::{Mention, Shape, Status, ground},
};

/// Marks and images of which a [`Scene`] can be made.
#[derive(Clone, Default)]
pub(crate) struct World {
    images: Vec<SceneImage>,
    marks: Vec<(u32, String, usize, Option<Region>)>,
}

impl World {
    /// Marks with these texts and nothing else; ids count from 1.
    pub(crate) fn named(texts: impl IntoIterator<Item = String>) -> Self {
        let marks = (1..).zip(texts).map(|(id, text)| (id, text, 0, None));
        Self {
            images: Vec::new(),
            marks: marks.collect(),
        }
    }

    /// Marks named as their ids, `first` to `last`.
    pub(crate) fn numbered(last: u32) -> Self {
        Self::named((1..=last).map(|id| id.to_string()))
    }

    pub(crate) fn add_image(&mut self, size: Size, seen: Size) {
        self.images.push(SceneImage {
            size,
            seen,
            pages: 1,
            places: Places::default(),
        });
    }

    /// How places on the last image are written.
    fn places(&mut self) -> &mut Places {
        &mut self.images.last_mut().unwrap().places
    }

    /// A mark on the last image.
    pub(crate) fn add_box(&mut self, id: u32, bbox: BBox) {
        let image = self.images.len() - 1;
        let region = Region::new(Mask::rect(self.images[image].size, bbox));
        self.marks.push((id, id.to_string(), image, Some(region)));
    }

    pub(crate) fn scene(&self) -> Scene<'_> {
        let marks = self
            .marks
            .iter()
            .map(|(id, text, image, region)| SceneMark {
                id: *id,
                text,
                image: *image,
                page: 1,
                region: region.as_ref(),
            });
        Scene {
            images: self.images.clone(),
            marks: marks.collect(),
        }
    }
}

fn numbers<const N: usize>(text: &str) -> [u32; N] {
    let numbers: Vec<u32> = text
        .split([',', 'x'])
        .map(|number| number.parse().unwrap())
        .collect();
    numbers.try_into().unwrap()
}

/// Reads a line of the corpus that sets the scene; false for any other.
pub(crate) fn set_scene(line: &str, world: &mut World) -> bool {
    let size = |text: &str| {
        let [width, height] = numbers(text);
        Size::new(width, height)
    };
    match line.split(' ').collect::<Vec<_>>().as_slice() {
        ["marks", spec] if spec.contains('-') => {
            let [_, last] = numbers(&spec.replace('-', ","));
            *world = World::numbered(last);
        }
        ["marks", texts @ ..] => {
            let texts = texts.iter().filter(|text| **text != "none");
            *world = World::named(texts.map(|text| (*text).to_owned()));
        }
        ["scene"] => *world = World::default(),
        ["image", original] => world.add_image(size(original), size(original)),
        ["image", original, "seen", seen] => world.add_image(size(original), size(seen)),
        ["coordinates", unit] => {
            let unit = serde_json::from_value::<Coordinates>((*unit).into()).unwrap();
            *world.places() = Places {
                unit: Some(unit),
                ..Places::default()
            };
        }
        // Of boxes, points and polygons.
        ["orders", boxes, points, polygons] => {
            let axes = |order: &str| serde_json::from_value::<AxisOrder>(order.into()).unwrap();
            let boxes = serde_json::from_value::<BoxOrder>((*boxes).into()).unwrap();
            let places = world.places();
            places.boxes = Some(boxes);
            places.points = Some(axes(points));
            places.polygons = Some(axes(polygons));
        }
        ["region", id, bbox] => {
            let [x, y, width, height] = numbers(bbox);
            world.add_box(id.parse().unwrap(), BBox::new(x, y, width, height));
        }
        _ => return false,
    }
    true
}

#[test]
fn a_box_is_told_in_pixels_of_the_original_image() {
    let mut world = World::default();
    world.add_image(Size::new(640, 480), Size::new(320, 240));
    world.add_box(1, BBox::new(64, 48, 320, 240));
    let mentions = ground(r#"{"bbox_2d": [32, 24, 192, 144]}"#, &world.scene());
    let location = mentions[0].location.unwrap();
    assert_eq!(location.shape, Shape::Box(BBox::new(64, 48, 320, 240)));
    assert_eq!((location.image, location.iou), (0, 1.0));
    let json = serde_json::to_value(location).unwrap();
    let expected = serde_json::json!({"image": 0, "box": [64, 48, 320, 240], "iou": 1.0});
    assert_eq!(json, expected);
}

/// A cup inside a saucer, seen at half its size, and a flag on a second image.
fn still_life() -> World {
    let mut world = World::default();
    world.add_image(Size::new(640, 480), Size::new(320, 240));
    world.add_box(1, BBox::new(64, 48, 320, 240));
    world.add_box(2, BBox::new(96, 72, 64, 48));
    world.add_image(Size::new(300, 200), Size::new(300, 200));
    world.add_box(3, BBox::new(100, 50, 150, 100));
    world
}

/// Long answers, made to be read again and again by a careless parser.
#[test]
fn long_answers_take_no_longer_than_their_length() {
    let units = [
        "[",
        "<",
        "<box>",
        "<loc0001>",
        "<point x=\"1\" ",
        "*",
        "**",
        "`",
        "\"",
        "(",
        "(1",
        "|",
        "|1",
        "| mark |\n",
        "[1]",
        "[1]-",
        "[1-3, ",
        "1, ",
        "mark ",
        "mark 1, ",
        "\"mark\": [",
        "\"bbox\": [[1, 2, 3, 4], ",
        "is ",
        " ",
        "\n",
        "é",
        "99, ",
        "[99,",
        "#",
        "1: ",
        "\\[",
    ];
    let world = still_life();
    for unit in units {
        let answer = unit.repeat((1 << 17) / unit.len());
        for start in ["", "| mark | object |\n|", "mark [", "\"marks\": ["] {
            let answer = format!("{start}{answer}");
            check(&answer, &ground(&answer, &world.scene()), 3);
        }
    }
}

/// What holds for the mentions of any answer.
fn check(answer: &str, mentions: &[Mention], last: u32) {
    let mut end = 0;
    for Mention {
        span,
        status,
        polarity: _,
        marks,
        unresolved,
        location,
    } in mentions
    {
        assert!(span.start >= end && span.start < span.end);
        assert!(answer.get(span.clone()).is_some());
        assert!(marks.iter().all(|id| (1..=last).contains(id)));
        let distinct: std::collections::HashSet<_> = marks.iter().collect();
        assert_eq!(distinct.len(), marks.len());
        match (status, location) {
            (Status::Resolved, _) => assert!(unresolved.is_empty() && !marks.is_empty()),
            (Status::Ambiguous, Some(_)) => assert!(marks.len() > 1),
            (_, Some(_)) => assert!(unresolved.is_empty()),
            (_, None) => {}
        }
        end = span.end;
    }
}

/// A list of marks as models write one.
fn written(ids: &[u32], form: usize) -> String {
    let joined = |separator: &str, each: fn(u32) -> String| {
        let names: Vec<String> = ids.iter().map(|&id| each(id)).collect();
        names.join(separator)
    };
    let plain = |id: u32| id.to_string();
    match form {
        0 => format!("It is [{}] here.", joined(", ", plain)),
        1 => format!("It is {} here.", joined("", |id| format!("[{id}]"))),
        2 => format!("Marks {}.", joined(", ", plain)),
        3 => format!("regions {}", joined(" and ", plain)),
        4 => format!("{{\"marks\": [{}]}}", joined(", ", plain)),
        5 => format!("{{\"marks\": [{}]}}", joined(",", |id| format!("\"{id}\""))),
        6 => joined("\n", |id| format!("{id}: a thing")),
        7 => joined("\n", |id| format!("- **{id}**: a thing of 7 parts")),
        8 => joined(", ", |id| format!("the thing ({id})")),
        9 => joined(" ", |id| format!("<mark>{id}</mark>")),
        10 => format!(
            "| Mark | Parts |\n|---|---|\n{}",
            joined("\n", |id| format!("| {id} | 5 |"))
        ),
        11 => joined(" und ", |id| format!("#{id}")),
        12 => joined(" ", |id| format!("【{id}】")),
        13 => joined(",", |id| format!("{{\"mark\": \"{id}\", \"parts\": 5}}")),
        _ => joined(", ", |id| format!("mark {id}")),
    }
}

proptest! {
    /// Whatever a model writes: spans lie on character boundaries, in order, without overlap, and
    /// name only marks that exist.
    #[test]
    fn any_text_grounds(answer in "[\\[\\]0-9A-Ca-c ,\\-–|#*(){}\":\\\\\nmark é【】]{0,60}") {
        let world = World::numbered(12);
        check(&answer, &ground(&answer, &world.scene()), 12);
    }

    /// The same of boxes and points in every dialect, whole and broken.
    #[test]
    fn any_coordinates_ground(
        pieces in proptest::collection::vec(
            prop_oneof![
                "-?[0-9]{1,4}(\\.[0-9]{0,3})?",
                proptest::sample::select(vec![
                    "<box>", "</box>", "<|box_start|>", "<|box_end|>", "<point>", "<point x=\"",
                    "\" y=\"", "\">", "</point>", "<points x1=\"", "<loc0100>", "<loc_500>", "<loc",
                    "\"bbox_2d\": [", "\"box_2d\": [[", "\"point\": [", "box [", "point (", "é",
                    "(", ")", "[", "]", ",", ", ", " ", "\n",
                ]).prop_map(str::to_owned),
            ],
            0..24,
        )
    ) {
        let answer = pieces.concat();
        let world = still_life();
        check(&answer, &ground(&answer, &world.scene()), 3);
    }

    /// A list of marks in any form reads back as the list that was written.
    #[test]
    fn lists_read_back(ids in proptest::collection::vec(1_u32..=30, 1..8), form in 0..15_usize) {
        let answer = written(&ids, form);
        let mentions = ground(&answer, &World::numbered(30).scene());
        check(&answer, &mentions, 30);
        let mut read: Vec<u32> = Vec::new();
        for id in mentions.into_iter().flat_map(|mention| mention.marks) {
            if !read.contains(&id) {
                read.push(id);
            }
        }
        let mut distinct = Vec::new();
        for id in ids {
            if !distinct.contains(&id) {
                distinct.push(id);
            }
        }
        prop_assert_eq!(read, distinct, "{}", answer);
    }
}
