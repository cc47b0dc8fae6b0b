use image::{Rgb, RgbImage};

use super::*;
use crate::{BBox, Params, Size};

const SIZE: Size = Size::new(160, 100);

/// A thing of one colour at a place.
type Thing = (Rgb<u8>, BBox);

const RED: Rgb<u8> = Rgb([220, 30, 30]);
const BLUE: Rgb<u8> = Rgb([20, 40, 200]);

fn frame(things: &[Thing]) -> RgbImage {
    RgbImage::from_fn(SIZE.width, SIZE.height, |x, y| {
        let here = things.iter().rev();
        let mut here = here.filter(|(_, bbox)| bbox.contains(crate::Point::new(x, y)));
        let ground = (x / 5 * 7 + y / 5 * 13) % 40 + 90;
        here.next()
            .map_or(Rgb([ground as u8; 3]), |(color, _)| *color)
    })
}

fn image_of(frame: &RgbImage) -> Image<'_> {
    Image::from_raw(SIZE.width, SIZE.height, frame.as_raw().as_slice()).unwrap()
}

fn region(bbox: BBox) -> Region {
    Region::new(Mask::rect(SIZE, bbox))
}

struct Film {
    carrier: Carrier,
    index: u64,
}

impl Film {
    fn new() -> Self {
        Self {
            carrier: Carrier::default(),
            index: 0,
        }
    }

    /// The objects and their boxes, where all `things` but the first `uncut` are cut.
    fn see(&mut self, things: &[Thing], uncut: usize) -> Vec<(u64, BBox)> {
        let image = frame(things);
        let image = image_of(&image);
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let expected = self.carrier.expect(&image, self.index, &call).unwrap();
        self.index += 1;
        let regions = things[uncut..].iter().map(|(_, bbox)| region(*bbox));
        told(self.carrier.assign(&image, expected, regions.collect()))
    }
}

/// Object 9, cut as a box.
fn cut_as(bbox: BBox) -> Vec<Tracked> {
    vec![Tracked {
        object: 9,
        region: region(bbox),
    }]
}

fn told(tracked: Vec<Tracked>) -> Vec<(u64, BBox)> {
    let told = tracked
        .into_iter()
        .map(|tracked| (tracked.object, tracked.region.bbox()));
    told.collect()
}

fn at(x: u32, y: u32) -> BBox {
    BBox::new(x, y, 20, 16)
}

#[test]
fn objects_keep_their_number_while_they_move_and_cross() {
    let mut film = Film::new();
    assert_eq!(
        film.see(&[(RED, at(10, 62)), (BLUE, at(120, 42))], 0),
        [(1, at(10, 62)), (2, at(120, 42))]
    );
    for step in 1..10 {
        // In another order than before.
        let things = [
            (BLUE, at(120 - 11 * step, 42)),
            (RED, at(10 + 11 * step, 62)),
        ];
        let seen = film.see(&things, 0);
        assert_eq!(seen, [(1, things[1].1), (2, things[0].1)], "step {step}");
    }
}

#[test]
fn what_is_not_cut_but_seen_stays_and_what_is_gone_goes() {
    let mut film = Film::new();
    film.see(&[(RED, at(30, 40))], 0);
    // Nobody cuts it, but it is there.
    assert_eq!(film.see(&[(RED, at(33, 41))], 1), [(1, at(33, 41))]);
    assert_eq!(film.see(&[], 0), []);
}

#[test]
fn whoever_comes_back_has_the_number_it_had_and_a_new_one_has_a_new_one() {
    let mut film = Film::new();
    film.see(&[(RED, at(30, 40)), (BLUE, at(90, 40))], 0);
    assert_eq!(film.see(&[(BLUE, at(92, 40))], 0), [(2, at(92, 40))]);
    let seen = film.see(&[(BLUE, at(94, 40)), (RED, at(130, 70))], 0);
    assert_eq!(seen, [(1, at(130, 70)), (2, at(94, 40))]);
    let green = Rgb([20, 180, 30]);
    let seen = film.see(
        &[(BLUE, at(94, 40)), (RED, at(130, 70)), (green, at(10, 10))],
        0,
    );
    assert_eq!(seen[2], (3, at(10, 10)));
}

#[test]
fn a_part_of_what_is_known_is_no_new_object() {
    let mut film = Film::new();
    film.see(&[(RED, at(30, 40))], 0);
    let part = BBox::new(32, 42, 6, 6);
    assert_eq!(
        film.see(&[(RED, at(30, 40)), (RED, part)], 1),
        [(1, at(30, 40))]
    );
}

#[test]
fn what_people_pointed_at_is_carried_and_is_what_they_said_where_they_said_it() {
    let (first, second) = (frame(&[(RED, at(30, 40))]), frame(&[(RED, at(37, 44))]));
    let (first, second) = (image_of(&first), image_of(&second));
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let mut carrier = Carrier::default();
    carrier.point_at(&first, 4, 9, region(at(30, 40)));
    let expected = carrier.expect(&first, 4, &call).unwrap();
    let seen = carrier.follow(&first, expected, cut_as(BBox::new(0, 0, 3, 3)));
    assert_eq!(told(seen), [(9, at(30, 40))], "as they said");

    let expected = carrier.expect(&second, 5, &call).unwrap();
    assert_eq!(expected[0].region.bbox(), at(37, 44));
    let seen = carrier.follow(&second, expected, cut_as(BBox::new(36, 43, 22, 18)));
    assert_eq!(
        told(seen),
        [(9, BBox::new(36, 43, 22, 18))],
        "as it was cut"
    );

    // Out of sight, and back where it was.
    let empty = frame(&[]);
    let empty = image_of(&empty);
    let expected = carrier.expect(&empty, 6, &call).unwrap();
    let seen = carrier.follow(&empty, expected, cut_as(BBox::new(36, 43, 22, 18)));
    assert_eq!(told(seen), []);
    let expected = carrier.expect(&second, 7, &call).unwrap();
    let seen = carrier.follow(&second, expected, cut_as(BBox::new(36, 43, 22, 18)));
    assert_eq!(told(seen), [(9, BBox::new(36, 43, 22, 18))]);

    carrier.forget(9);
    assert_eq!(carrier.expect(&second, 8, &call).unwrap(), []);
}
