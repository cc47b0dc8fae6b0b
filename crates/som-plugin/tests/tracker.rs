use serde_json::json;
use som_plugin::{
    BBox, Call, ErrorKind, Frame, Image, Mask, ObjectHints, Params, Region, Result, Size, Tracked,
    Tracker, TrackerFactory,
    guest::{CreateTracker, TrackerDef, TrackerType},
    host,
};

/// Remembers a box an object, moved on by a column a frame, and says what it was told of the frame.
struct Drift {
    boxes: Vec<(u64, BBox)>,
    frames_kept: usize,
}

impl CreateTracker for Drift {
    fn create(options: &Call<'_>) -> Result<Self> {
        Ok(Self {
            boxes: Vec::new(),
            frames_kept: options.number("frames_kept").unwrap_or(0.0) as usize,
        })
    }
}

impl Tracker for Drift {
    fn frame(&mut self, frame: &Frame<'_>, call: &Call<'_>) -> Result<Vec<Tracked>> {
        call.check()?;
        for ObjectHints {
            object,
            hints,
            remove,
        } in call.object_hints()?
        {
            self.boxes.retain(|&(other, _)| other != object);
            if !remove {
                let bbox = hints.boxes[0];
                let bbox = BBox::new(
                    bbox.x as u32,
                    bbox.y as u32,
                    bbox.width as u32,
                    bbox.height as u32,
                );
                self.boxes.push((object, bbox));
            }
        }
        let size = Size::new(frame.image.width(), frame.image.height());
        let tracked = self.boxes.iter().map(|&(object, bbox)| {
            let moved = BBox::new(bbox.x + frame.index as u32, bbox.y, bbox.width, bbox.height);
            let mut region = Region::new(Mask::rect(size, moved));
            let told = json!([
                frame.index,
                frame.count,
                frame.is_backward,
                self.frames_kept
            ]);
            region.extra.insert("told".to_owned(), told);
            Tracked { object, region }
        });
        let mut tracked: Vec<_> = tracked.collect();
        if call.text("mistake") == Some("nobody") {
            tracked[0].object = 0;
        }
        if call.text("mistake") == Some("twice") {
            tracked.push(tracked[0].clone());
        }
        Ok(tracked)
    }
}

static DRIFT: TrackerDef = TrackerDef {
    id: "drift",
    version: "1.0.0",
    about: "Everything drifts to the right",
    schema: r#"{"capabilities": ["boxes"], "options": {"properties": {"frames_kept": {"type": "integer"}}}}"#,
    tracker: TrackerType::of::<Drift>(),
};

som_plugin::export!(trackers: [DRIFT]);

const SIZE: Size = Size::new(9, 4);

fn params(value: serde_json::Value) -> Params {
    serde_json::from_value(value).unwrap()
}

fn drift() -> Box<dyn Tracker> {
    let plugin = host::adopt(PLUGIN).unwrap();
    assert!(plugin.segmenters.is_empty() && plugin.mark_styles.is_empty());
    let options = params(json!({"frames_kept": 5}));
    plugin.trackers[0]
        .create(&Call::uncancellable(&options))
        .unwrap()
}

fn frame(tracker: &mut dyn Tracker, index: u64, said: &serde_json::Value) -> Result<Vec<Tracked>> {
    let pixels = vec![0; SIZE.pixels() as usize * 3];
    let frame = Frame {
        image: Image::from_raw(SIZE.width, SIZE.height, &pixels[..]).unwrap(),
        index,
        count: (index > 1).then_some(7),
        is_backward: index == 3,
    };
    let said = params(said.clone());
    tracker.frame(&frame, &Call::uncancellable(&said))
}

fn expected(object: u64, x: u32, told: serde_json::Value) -> Tracked {
    let mut region = Region::new(Mask::rect(SIZE, BBox::new(x, 1, 2, 3)));
    region.extra.insert("told".to_owned(), told);
    Tracked { object, region }
}

fn hint(object: u64, x: u32) -> serde_json::Value {
    json!({"object": object, "hints": {"boxes": [{"x": x, "y": 1, "width": 2, "height": 3}]}})
}

#[test]
fn a_descriptor_of_a_tracker_tells_hints_by_object() {
    let plugin = host::adopt(PLUGIN).unwrap();
    let descriptor = plugin.trackers[0].descriptor();
    assert_eq!(descriptor.id, "drift");
    let object = descriptor
        .params
        .pointer("/properties/hints/items/properties")
        .unwrap();
    assert!(object["hints"]["properties"]["boxes"].is_object());
    assert!(object["hints"]["properties"].get("points").is_none());
}

#[test]
fn objects_and_frames_come_across_and_state_stays_in_the_instance() {
    let mut tracker = drift();
    let hints = json!({"hints": [hint(4_000_000_000_000, 0), hint(7, 3)]});
    let first = frame(&mut *tracker, 0, &hints).unwrap();
    let told = json!([0, null, false, 5]);
    let both = [
        expected(4_000_000_000_000, 0, told.clone()),
        expected(7, 3, told),
    ];
    assert_eq!(first, both);
    let told = json!([3, 7, true, 5]);
    let none = json!({});
    let third = frame(&mut *tracker, 3, &none).unwrap();
    assert_eq!(
        third,
        [
            expected(4_000_000_000_000, 3, told.clone()),
            expected(7, 6, told)
        ]
    );
    let removed = json!({"hints": [{"object": 4_000_000_000_000_u64, "remove": true}]});
    let second = frame(&mut *tracker, 2, &removed).unwrap();
    assert_eq!(second, [expected(7, 5, json!([2, 7, false, 5]))]);
    // Another video knows nothing of this one.
    assert_eq!(frame(&mut *drift(), 0, &none).unwrap(), []);
}

#[test]
fn objects_that_make_no_sense_are_the_trackers_fault() {
    for (mistake, told) in [
        (
            "nobody",
            "tracker \"drift\": region 0: its object is 0 (objects are counted from 1)",
        ),
        (
            "twice",
            "tracker \"drift\": regions 0 and 1 are both of object 7",
        ),
    ] {
        let mut tracker = drift();
        let said = json!({"hints": [hint(7, 3)], "mistake": mistake});
        let error = frame(&mut *tracker, 0, &said).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string()),
            (ErrorKind::Internal, told.to_owned())
        );
        let again = frame(&mut *tracker, 0, &json!({})).unwrap_err();
        assert!(again.to_string().contains("make a new one"), "{again}");
    }
}

#[test]
fn hints_that_make_no_sense_and_cancelled_frames_are_refused_and_harm_nobody() {
    let mut tracker = drift();
    let error = frame(&mut *tracker, 0, &json!({"hints": [{"object": 1}]})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let pixels = vec![0; SIZE.pixels() as usize * 3];
    let image = Image::from_raw(SIZE.width, SIZE.height, &pixels[..]).unwrap();
    let called_off = Frame {
        image,
        index: 0,
        count: None,
        is_backward: false,
    };
    let none = Params::new();
    let error = tracker
        .frame(&called_off, &Call::new(&none, &|| true))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(frame(&mut *tracker, 0, &json!({})).unwrap(), []);
}
