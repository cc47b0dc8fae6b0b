//! Questions about a tracker.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use serde_json::{Value, json};
use som_core::{
    Call, Capability, Descriptor, Error, Frame, Params, Result, Size, Tracked, Tracker as _,
    TrackerFactory as _,
};

use super::{
    super::tracker::{Instance, PluginTracker},
    Ask, Check, Setup,
    given::Given,
    hints::hints_for,
    test_image::TestImage,
};
use crate::sys::{SOM_CANCELLED, SOM_OK};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "schema",
        promise: "its schemas compile, their defaults are valid, and a misspelt key is refused",
        fix: "look at `schema`: each default must fit its own rule, and leave additionalProperties out",
        is_basic: true,
        ask: Ask::Tracker(schema),
    },
    Check {
        name: "creates",
        promise: "instances are created and destroyed, several times and side by side",
        fix: "look at `create` and `destroy`; an option that it needs is given with --set KEY=VALUE",
        is_basic: true,
        ask: Ask::Tracker(creates),
    },
    Check {
        name: "tracks",
        promise: "it follows what it is pointed at, or what it finds, through some frames",
        fix: "look at what `frame` emits and returns: as som_region says, each with its object, an object once a frame",
        is_basic: true,
        ask: Ask::Tracker(tracks),
    },
    Check {
        name: "sizes",
        promise: "it takes videos of every size, from a single pixel on",
        fix: "allocate by the frame's own width and height",
        is_basic: false,
        ask: Ask::Tracker(sizes),
    },
    Check {
        name: "videos",
        promise: "what it remembers of one video is no part of another",
        fix: "keep what is remembered in the instance, not in globals",
        is_basic: false,
        ask: Ask::Tracker(videos),
    },
    Check {
        name: "objects",
        promise: "objects have the ids of their hints, and one that is removed is seen no more",
        fix: "emit a region with `object` as its hints have it, and drop the object at {\"remove\": true}",
        is_basic: false,
        ask: Ask::Tracker(objects),
    },
    Check {
        name: "again",
        promise: "frames may come again, backwards, and without anybody knowing how many there are",
        fix: "take `index` and `flags` as they come; `count` is 0 where it is not known",
        is_basic: false,
        ask: Ask::Tracker(again),
    },
    Check {
        name: "cancellation",
        promise: "it returns SOM_CANCELLED soon after its call was cancelled, and goes on with the next frame",
        fix: "ask call->cancelled in every long loop, return at once, and change nothing then",
        is_basic: false,
        ask: Ask::Tracker(cancellation),
    },
];

/// A tracker, and what it is given.
pub(super) struct TrackerSubject {
    tracker: Arc<PluginTracker>,
    options: Given,
    params: Given,
    setup: Setup,
}

/// One frame of a test video.
struct Shown<'a> {
    image: &'a TestImage,
    index: u64,
    is_backward: bool,
}

impl TrackerSubject {
    /// # Errors
    /// As [`Given::new`].
    pub(super) fn new(tracker: Arc<PluginTracker>, setup: &Setup) -> Result<Self> {
        let descriptor = tracker.descriptor();
        let who = format!("tracker {:?}", descriptor.id);
        Ok(Self {
            options: Given::new(&who, &descriptor.options, &setup.settings)?,
            params: Given::new(&who, &descriptor.params, &setup.settings)?,
            setup: setup.clone(),
            tracker,
        })
    }

    fn descriptor(&self) -> &Descriptor {
        self.tracker.descriptor()
    }

    fn create(&self) -> Result<Instance> {
        self.tracker
            .open(&Call::uncancellable(&self.options.params()?))
    }

    /// Something to point at, of the first kind that it takes; `None`, if it takes none.
    fn pointing(&self, size: Size) -> Option<Value> {
        let kinds = [Capability::Masks, Capability::Boxes, Capability::Points];
        let taken = kinds
            .into_iter()
            .filter(|&kind| self.descriptor().can(kind));
        let mut hints = taken.flat_map(|kind| hints_for(kind, size));
        hints.next().map(|(_, hints)| hints)
    }

    /// The parameters of a frame in which `objects` are pointed at.
    fn pointed(&self, size: Size, objects: &[u64]) -> Result<Params> {
        let Some(hints) = self.pointing(size) else {
            return self.params.params();
        };
        let said = objects
            .iter()
            .map(|object| json!({"object": object, "hints": hints}));
        self.params.with("hints", said.collect())
    }

    fn show(
        &self,
        instance: &mut Instance,
        shown: &Shown<'_>,
        params: &Params,
    ) -> Result<Vec<Tracked>> {
        let frame = Frame {
            image: shown.image.image()?,
            index: shown.index,
            count: None,
            is_backward: shown.is_backward,
        };
        instance
            .frame(&frame, &Call::uncancellable(params))
            .map_err(|error| error.at(format_args!("frame {}", shown.index)))
    }

    /// Shows `count` frames of one picture, of which the first says what is pointed at.
    fn film(
        &self,
        instance: &mut Instance,
        image: &TestImage,
        count: u64,
    ) -> Result<Vec<Vec<Tracked>>> {
        let frames = (0..count).map(|index| {
            let params = match index {
                0 => self.pointed(image.size(), &[1])?,
                _ => self.params.params()?,
            };
            let shown = Shown {
                image,
                index,
                is_backward: false,
            };
            self.show(instance, &shown, &params)
        });
        frames.collect()
    }
}

fn schema(subject: &TrackerSubject) -> Result<()> {
    subject.options.check()?;
    subject.params.check()?;
    let is_automatic = subject.descriptor().can(Capability::Automatic);
    if !is_automatic && subject.pointing(Size::new(8, 8)).is_none() {
        return Err(Error::internal(
            "it declares neither the capability automatic nor one that takes points, boxes or masks",
        ));
    }
    Ok(())
}

fn creates(subject: &TrackerSubject) -> Result<()> {
    let first = subject.create()?;
    for _ in 0..3 {
        drop(subject.create()?);
    }
    drop(first);
    Ok(())
}

fn tracks(subject: &TrackerSubject) -> Result<()> {
    let image = TestImage::photograph(160, 120);
    subject.film(&mut subject.create()?, &image, 4).map(drop)?;
    image.check_surroundings()
}

fn sizes(subject: &TrackerSubject) -> Result<()> {
    for image in TestImage::of_every_size() {
        subject
            .film(&mut subject.create()?, &image, 2)
            .map_err(|error| error.at(&image))?;
    }
    Ok(())
}

/// Two videos side by side are what each is alone.
fn videos(subject: &TrackerSubject) -> Result<()> {
    let (one, other) = (
        TestImage::photograph(97, 61),
        TestImage::plain("all gray", 97, 61, 120),
    );
    let alone = subject.film(&mut subject.create()?, &one, 3)?;
    if subject.film(&mut subject.create()?, &one, 3)? != alone {
        return Err(Error::internal(
            "another instance gives something else for the same video",
        ));
    }
    let (mut first, mut second) = (subject.create()?, subject.create()?);
    let mut beside = Vec::new();
    for index in 0..3 {
        let params = match index {
            0 => subject.pointed(one.size(), &[1])?,
            _ => subject.params.params()?,
        };
        let shown = |image| Shown {
            image,
            index,
            is_backward: false,
        };
        subject.show(&mut second, &shown(&other), &params)?;
        beside.push(subject.show(&mut first, &shown(&one), &params)?);
    }
    match beside == alone {
        true => Ok(()),
        false => Err(Error::internal(
            "beside another video, the same video gives something else",
        )),
    }
}

fn objects(subject: &TrackerSubject) -> Result<()> {
    let image = TestImage::photograph(97, 61);
    if subject.pointing(image.size()).is_none() {
        return Ok(());
    }
    let mut instance = subject.create()?;
    let said = [7, 4_000_000_000_000];
    let shown = |index| Shown {
        image: &image,
        index,
        is_backward: false,
    };
    let params = subject.pointed(image.size(), &said)?;
    let others = |tracked: &[Tracked]| {
        let mut ids = tracked.iter().map(|tracked| tracked.object);
        ids.find(|id| !said.contains(id))
    };
    for (index, params) in [(0, params), (1, subject.params.params()?)] {
        let tracked = subject.show(&mut instance, &shown(index), &params)?;
        if let Some(other) = others(&tracked) {
            return Err(Error::internal(format!(
                "objects 7 and 4000000000000 were pointed at, but it speaks of {other}"
            )));
        }
    }
    let remove = json!([{"object": 7, "remove": true}]);
    let params = subject.params.with("hints", remove)?;
    let tracked = subject.show(&mut instance, &shown(2), &params)?;
    match tracked.iter().any(|tracked| tracked.object == 7) {
        true => Err(Error::internal("object 7 was removed, and is still there")),
        false => Ok(()),
    }
}

fn again(subject: &TrackerSubject) -> Result<()> {
    let image = TestImage::photograph(97, 61);
    let mut instance = subject.create()?;
    let none = subject.params.params()?;
    let first = subject.pointed(image.size(), &[1])?;
    let course = [
        (5, false, &first),
        (6, false, &none),
        (5, true, &none),
        (4, true, &none),
        (6, false, &none),
        (900, false, &none),
        (5, false, &first),
    ];
    for (index, is_backward, params) in course {
        let shown = Shown {
            image: &image,
            index,
            is_backward,
        };
        subject.show(&mut instance, &shown, params)?;
    }
    Ok(())
}

fn cancellation(subject: &TrackerSubject) -> Result<()> {
    let image = TestImage::photograph(640, 480);
    let mut instance = subject.create()?;
    let params = subject.pointed(image.size(), &[1])?;
    let asked = AtomicU32::new(0);
    let always: &(dyn Fn() -> bool + Sync) = &|| true;
    let after_a_question = || asked.fetch_add(1, Ordering::Relaxed) > 0;
    for (when, cancelled) in [
        ("cancelled before it began", always),
        ("cancelled while it ran", &after_a_question),
    ] {
        let frame = Frame {
            image: image.image()?,
            index: 0,
            count: Some(2),
            is_backward: false,
        };
        let start = Instant::now();
        let conduct = instance.watch(&frame, &Call::new(&params, cancelled))?;
        let (took, grace) = (start.elapsed(), subject.setup.grace);
        if took > grace {
            return Err(Error::internal(format!(
                "{when}, the call went on for {:.1} s (at most {:.1} s are granted)",
                took.as_secs_f64(),
                grace.as_secs_f64()
            )));
        }
        if conduct.emitted_late {
            return Err(Error::internal(format!(
                "{when}, it emitted a region after it had learnt of that"
            )));
        }
        if ![SOM_OK, SOM_CANCELLED].contains(&conduct.status) {
            let status = conduct.status;
            return Err(Error::internal(format!(
                "{when}, it returned the status {status}"
            )));
        }
    }
    // The video goes on.
    let shown = Shown {
        image: &image,
        index: 0,
        is_backward: false,
    };
    subject.show(&mut instance, &shown, &params).map(drop)
}
