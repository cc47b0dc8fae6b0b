//! Questions about a mark style.

use std::{
    collections::BTreeMap,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use som_core::{
    AllocateOptions, BBox, Call, Error, ErrorKind, Labels, MarkStyle as _, Marks, Mask, Params,
    Region, Result, Size, View, allocate,
};

use super::{
    super::mark_style::PluginStyle, Ask, Check, Setup, given::Given, test_image::TestImage,
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "schema",
        promise: "its schema compiles, its defaults are valid, and a misspelt key is refused",
        fix: "look at `schema`: each default must fit its own rule, and leave additionalProperties out",
        is_basic: true,
        ask: Ask::MarkStyle(schema),
    },
    Check {
        name: "labels",
        promise: "its labels are texts, no two alike, written within the room given, with a size",
        fix: "`label` works like snprintf: at most `cap` bytes with the NUL, and the whole length returned; `measure` gives a width and a height above 0",
        is_basic: true,
        ask: Ask::MarkStyle(labels),
    },
    Check {
        name: "draws",
        promise: "it draws marks on a photograph",
        fix: "look at what `draw` does and returns; it emits no regions",
        is_basic: true,
        ask: Ask::MarkStyle(draws),
    },
    Check {
        name: "canvas",
        promise: "it draws on canvases of every size, and nowhere else",
        fix: "clip what you draw to the canvas's own width and height; rows are packed: 3 * width bytes, without padding",
        is_basic: false,
        ask: Ask::MarkStyle(canvas),
    },
    Check {
        name: "nothing",
        promise: "without marks it draws nothing",
        fix: "return SOM_OK at once if mark_count is 0",
        is_basic: false,
        ask: Ask::MarkStyle(nothing),
    },
    Check {
        name: "repeats",
        promise: "the same request gives the same pixels",
        fix: "keep no state between calls, and seed what is random",
        is_basic: false,
        ask: Ask::MarkStyle(repeats),
    },
    Check {
        name: "parameters",
        promise: "it takes each parameter at the edges of what its schema allows",
        fix: "narrow `minimum`, `maximum` or `enum`, or handle the value",
        is_basic: false,
        ask: Ask::MarkStyle(parameters),
    },
    Check {
        name: "cancellation",
        promise: "it returns soon after its call was cancelled",
        fix: "ask call->cancelled for every mark, and return SOM_CANCELLED",
        is_basic: false,
        ask: Ask::MarkStyle(cancellation),
    },
    Check {
        name: "threads",
        promise: "two threads that draw at a time do not disturb each other",
        fix: "mark styles have no state: keep nothing in globals",
        is_basic: false,
        ask: Ask::MarkStyle(threads),
    },
];

/// A mark style, and what it is given.
pub(super) struct StyleSubject {
    style: Arc<PluginStyle>,
    params: Given,
    grace: Duration,
}

impl StyleSubject {
    /// # Errors
    /// As [`Given::new`].
    pub(super) fn new(style: Arc<PluginStyle>, setup: &Setup) -> Result<Self> {
        let descriptor = style.descriptor();
        let who = format!("mark style {:?}", descriptor.id);
        Ok(Self {
            params: Given::new(&who, &descriptor.params, &setup.settings)?,
            grace: setup.grace,
            style,
        })
    }

    /// Draws the marks that som would allocate for a few regions.
    fn mark(&self, image: &mut TestImage, params: &Params) -> Result<()> {
        self.mark_regions(image, regions(image.size()), &Call::uncancellable(params))
    }

    fn mark_regions(
        &self,
        image: &mut TestImage,
        regions: Vec<Region>,
        call: &Call<'_>,
    ) -> Result<()> {
        let labels = self.style.labelling().map(|labelling| Labels {
            labelling,
            params: call.params(),
        });
        let everyone = Call::uncancellable(call.params());
        // Seen as it is, the image is not enlarged for its labels.
        let Size { width, height } = image.size();
        let options = AllocateOptions {
            view: View {
                long_side: width.max(height),
                ..View::UNLIMITED
            },
            ..AllocateOptions::default()
        };
        let allocation = allocate(&image.image()?, regions, labels, &options, &everyone)?;
        let marks: Marks<'_> = allocation.on_page(1).map(|mark| &mark.mark).collect();
        let what = image.to_string();
        let drawn = self.style.draw(&mut image.canvas()?, &marks, call);
        drawn.map_err(|error| error.at(what))
    }

    /// A photograph with the marks of an ordinary call on it.
    fn marked_photograph(&self) -> Result<TestImage> {
        let mut image = TestImage::photograph(160, 120);
        self.mark(&mut image, &self.params.params()?)?;
        Ok(image)
    }
}

/// Everything, a part that lies in it, and single pixels in the corners.
fn regions(size: Size) -> Vec<Region> {
    let Size { width, height } = size;
    let part = BBox::new(width / 4, height / 4, width.div_ceil(2), height.div_ceil(2));
    let first = BBox::new(0, 0, 1, 1);
    let last = BBox::new(width - 1, height - 1, 1, 1);
    let boxes = [size.bbox(), part, first, last];
    boxes.map(|bbox| Region::new(Mask::rect(size, bbox))).into()
}

fn schema(subject: &StyleSubject) -> Result<()> {
    subject.params.check()
}

fn labels(subject: &StyleSubject) -> Result<()> {
    let Some(labelling) = subject.style.labelling() else {
        return Ok(());
    };
    let params = subject.params.params()?;
    let call = Call::uncancellable(&params);
    let mut earlier = BTreeMap::new();
    for index in 0..1000 {
        let label = labelling.label(index)?;
        if index < 30 {
            labelling.measure(&label, &call)?;
            within_room(&subject.style, index, label.as_bytes())?;
        }
        if let Some(other) = earlier.insert(label.clone(), index) {
            return Err(Error::internal(format!(
                "marks {other} and {index} have the same label {label:?}"
            )));
        }
    }
    Ok(())
}

/// Whatever the room, `label` fills it with the start of the text and a NUL, and leaves the rest.
fn within_room(style: &PluginStyle, index: u32, label: &[u8]) -> Result<()> {
    const UNTOUCHED: u8 = 0xa5;
    let wrong = |room: usize, what: &str| {
        Error::internal(format!(
            "its label of mark {index}, given room for {room} bytes, {what}"
        ))
    };
    for room in 0..=label.len() + 1 {
        let mut out = vec![UNTOUCHED; label.len() + 64];
        let length = style.write_label(index, &mut out[..room])?;
        if out[room..].iter().any(|&byte| byte != UNTOUCHED) {
            return Err(wrong(room, "writes more"));
        }
        if length != label.len() {
            let what = format!("returns {length}, but is {} bytes long", label.len());
            return Err(wrong(room, &what));
        }
        let Some((end, start)) = out[..room].split_last() else {
            continue;
        };
        if *end != 0 || start != &label[..start.len()] {
            return Err(wrong(room, "is not the start of it with a NUL"));
        }
    }
    Ok(())
}

fn draws(subject: &StyleSubject) -> Result<()> {
    subject.marked_photograph().map(drop)
}

fn canvas(subject: &StyleSubject) -> Result<()> {
    let params = subject.params.params()?;
    for surroundings in [0, 255] {
        for image in TestImage::of_every_size() {
            let mut image = image.amid(surroundings);
            subject.mark(&mut image, &params)?;
            image
                .check_surroundings()
                .map_err(|error| error.at(&image))?;
        }
    }
    Ok(())
}

fn nothing(subject: &StyleSubject) -> Result<()> {
    let params = subject.params.params()?;
    let mut image = TestImage::photograph(33, 27);
    let before = image.pixels().to_vec();
    subject.mark_regions(&mut image, Vec::new(), &Call::uncancellable(&params))?;
    if image.pixels() != before {
        return Err(Error::internal("it draws although there are no marks"));
    }
    Ok(())
}

fn repeats(subject: &StyleSubject) -> Result<()> {
    let first = subject.marked_photograph()?;
    check_same(&first, &subject.marked_photograph()?, "the second time")
}

fn parameters(subject: &StyleSubject) -> Result<()> {
    for (key, value) in subject.params.edges() {
        let at = |error: Error| error.at(format_args!("with {key} = {value}"));
        let params = subject.params.with(&key, value.clone()).map_err(at)?;
        let mut image = TestImage::photograph(160, 120);
        subject.mark(&mut image, &params).map_err(at)?;
        image.check_surroundings().map_err(at)?;
    }
    Ok(())
}

fn cancellation(subject: &StyleSubject) -> Result<()> {
    let params = subject.params.params()?;
    let mut image = TestImage::photograph(160, 120);
    let regions = regions(image.size());
    let start = Instant::now();
    let result = subject.mark_regions(&mut image, regions, &Call::new(&params, &|| true));
    let took = start.elapsed();
    if took > subject.grace {
        let (took, grace) = (took.as_secs_f64(), subject.grace.as_secs_f64());
        return Err(Error::internal(format!(
            "a cancelled call went on for {took:.1} s (at most {grace:.1} s are granted)"
        )));
    }
    // It may have been done before it asked.
    match result {
        Err(error) if error.kind() != ErrorKind::Cancelled => Err(error),
        _ => Ok(()),
    }
}

fn threads(subject: &StyleSubject) -> Result<()> {
    let alone = subject.marked_photograph()?;
    let together = Barrier::new(2);
    let results = thread::scope(|scope| {
        let run = || {
            together.wait();
            subject.marked_photograph()
        };
        let threads = [scope.spawn(run), scope.spawn(run)];
        threads.map(thread::ScopedJoinHandle::join)
    });
    for result in results {
        let marked = result.map_err(|_| Error::internal("a thread of the check panicked"))??;
        check_same(&alone, &marked, "beside another thread")?;
    }
    Ok(())
}

/// # Errors
/// Internal, naming the first pixel that differs.
fn check_same(expected: &TestImage, found: &TestImage, when: &str) -> Result<()> {
    let width = expected.size().width as usize;
    let mut pixels = expected.pixels().chunks(3).zip(found.pixels().chunks(3));
    match pixels.position(|(a, b)| a != b) {
        None => Ok(()),
        Some(at) => {
            let (x, y) = (at % width, at / width);
            Err(Error::internal(format!(
                "{when}, the same marks give another pixel at {x},{y}"
            )))
        }
    }
}
