//! A tracker: boxes follow what was in them in the frame before.

use som_plugin::{
    BBox, Call, Error, Frame, Image, Mask, ObjectHints, Region, Result, Size, Tracked, Tracker,
    guest::{CreateTracker, TrackerDef, TrackerType},
};

/// One video: where each object is, and the frame in which it was there.
struct Follow {
    objects: Vec<(u64, BBox)>,
    last: Option<(Size, Vec<u8>)>,
}

impl CreateTracker for Follow {
    fn create(_options: &Call<'_>) -> Result<Self> {
        Ok(Self {
            objects: Vec::new(),
            last: None,
        })
    }
}

impl Tracker for Follow {
    fn frame(&mut self, frame: &Frame<'_>, call: &Call<'_>) -> Result<Vec<Tracked>> {
        let size = Size::new(frame.image.width(), frame.image.height());
        let reach = call.number("reach").unwrap_or(16.0) as i64;
        // A frame that fails changes nothing.
        let mut objects = self.objects.clone();
        if let Some((before, pixels)) = &self.last {
            if *before != size {
                return Err(Error::invalid(format!(
                    "the frame is {size}, but the video's first was {before}"
                )));
            }
            let last = Image::from_raw(size.width, size.height, &pixels[..])
                .ok_or_else(|| Error::internal("the frame before is gone"))?;
            for (_, bbox) in &mut objects {
                *bbox = follow(&last, &frame.image, *bbox, reach, call)?;
            }
        }
        for ObjectHints {
            object,
            hints,
            remove,
        } in call.object_hints()?
        {
            objects.retain(|(other, _)| *other != object);
            if !remove {
                let hint = hints.boxes.first();
                let hint = hint.ok_or_else(|| Error::invalid("an object needs a box"))?;
                let (x, y) = (hint.x.floor(), hint.y.floor());
                let (right, bottom) = ((hint.x + hint.width).ceil(), (hint.y + hint.height).ceil());
                let bbox = BBox::new(x as u32, y as u32, (right - x) as u32, (bottom - y) as u32);
                objects.push((object, bbox));
            }
        }
        self.last = Some((size, frame.image.as_raw().to_vec()));
        self.objects = objects;
        let tracked = self.objects.iter().map(|&(object, bbox)| Tracked {
            object,
            region: Region::new(Mask::rect(size, bbox)),
        });
        Ok(tracked.collect())
    }
}

/// Where in `now` what `bbox` holds of `then` looks most alike, at most `reach` pixels away.
fn follow(
    then: &Image<'_>,
    now: &Image<'_>,
    bbox: BBox,
    reach: i64,
    call: &Call<'_>,
) -> Result<BBox> {
    let (width, height) = (i64::from(now.width()), i64::from(now.height()));
    let step = (bbox.area().isqrt() / 16).max(1) as usize;
    let mut best = (u64::MAX, 0, bbox);
    for dy in -reach..=reach {
        call.check()?;
        for dx in -reach..=reach {
            let (x, y) = (i64::from(bbox.x) + dx, i64::from(bbox.y) + dy);
            let inside = x >= 0
                && y >= 0
                && x + i64::from(bbox.width) <= width
                && y + i64::from(bbox.height) <= height;
            if !inside {
                continue;
            }
            let moved = BBox::new(x as u32, y as u32, bbox.width, bbox.height);
            let mut difference = 0;
            for row in (0..bbox.height).step_by(step) {
                for column in (0..bbox.width).step_by(step) {
                    let was = then.get_pixel(bbox.x + column, bbox.y + row);
                    let is = now.get_pixel(moved.x + column, moved.y + row);
                    let channels = was.0.iter().zip(is.0);
                    difference += channels
                        .map(|(&was, is)| u64::from(was.abs_diff(is)))
                        .sum::<u64>();
                }
            }
            let far = dx.abs() + dy.abs();
            if (difference, far) < (best.0, best.1) {
                best = (difference, far, moved);
            }
        }
    }
    Ok(best.2)
}

static FOLLOW: TrackerDef = TrackerDef {
    id: "follow",
    version: env!("CARGO_PKG_VERSION"),
    about: "Boxes that follow what is in them",
    schema: r#"{
        "capabilities": ["boxes"],
        "params": {
            "type": "object",
            "properties": {
                "reach": {
                    "type": "integer", "minimum": 1, "maximum": 64, "default": 16,
                    "description": "How far a box moves from one frame to the next, in pixels"
                }
            }
        }
    }"#,
    tracker: TrackerType::of::<Follow>(),
};

som_plugin::export!(trackers: [FOLLOW]);

#[cfg(test)]
mod tests {
    use super::*;
    use som_plugin::{BoxHint, Hints, Params};

    const SIZE: Size = Size::new(40, 20);

    /// A bright square whose top left corner is at a place.
    fn pixels(x: u32, y: u32) -> Vec<u8> {
        let square = BBox::new(x, y, 6, 6);
        let places = (0..SIZE.height).flat_map(|y| (0..SIZE.width).map(move |x| (x, y)));
        let gray = |(x, y)| match square.contains(som_plugin::Point::new(x, y)) {
            true => 200 + (x * 7 + y * 3) as u8 % 50,
            false => 20,
        };
        places.flat_map(|place| [gray(place); 3]).collect()
    }

    fn said(hints: Hints, remove: bool) -> Params {
        let said = ObjectHints {
            object: 3,
            hints,
            remove,
        };
        let said = ObjectHints::to_value(&[said]).unwrap();
        Params::from_iter([("hints".to_owned(), said)])
    }

    #[test]
    fn a_box_follows_what_is_in_it() {
        let mut tracker = Follow::create(&Call::uncancellable(&Params::new())).unwrap();
        let mut frame = |index, at: (u32, u32), params: &Params| {
            let pixels = pixels(at.0, at.1);
            let frame = Frame {
                image: Image::from_raw(SIZE.width, SIZE.height, &pixels[..]).unwrap(),
                index,
                count: None,
                is_backward: false,
            };
            tracker.frame(&frame, &Call::uncancellable(params)).unwrap()
        };
        let bbox = BoxHint {
            x: 4.0,
            y: 5.0,
            width: 6.0,
            height: 6.0,
        };
        let boxes = Hints {
            boxes: vec![bbox],
            ..Hints::default()
        };
        frame(0, (4, 5), &said(boxes, false));
        for (index, at) in [(1, (9, 7)), (2, (20, 2)), (3, (33, 13))] {
            let tracked = frame(index, at, &Params::new());
            assert_eq!(tracked[0].object, 3);
            assert_eq!(tracked[0].region.bbox(), BBox::new(at.0, at.1, 6, 6));
        }
        assert!(frame(4, (33, 13), &said(Hints::default(), true)).is_empty());
    }
}
