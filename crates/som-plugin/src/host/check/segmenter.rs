//! Questions about a segmenter.

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use som_core::{
    Call, Capability, Descriptor, Error, ErrorKind, Params, Region, Result, Segmenter as _,
    SegmenterFactory as _, Size,
};

use super::{
    super::{
        call::Conduct,
        segmenter::{Instance, PluginSegmenter},
    },
    Ask, Check, Setup,
    given::Given,
    hints::{hints_for, hints_of},
    test_image::TestImage,
};
use crate::sys::{SOM_CANCELLED, SOM_OK};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "schema",
        promise: "its schemas compile, their defaults are valid, and a misspelt key is refused",
        fix: "look at `schema`: each default must fit its own rule, and leave additionalProperties out",
        is_basic: true,
        ask: Ask::Segmenter(schema),
    },
    Check {
        name: "creates",
        promise: "instances are created and destroyed, several times and side by side",
        fix: "look at `create` and `destroy`; an option that it needs is given with --set KEY=VALUE",
        is_basic: true,
        ask: Ask::Segmenter(creates),
    },
    Check {
        name: "segments",
        promise: "it cuts a photograph, and its regions are as som_region says",
        fix: "look at what `segment` emits and returns: boxes inside the image, a mask with a pixel set, a score in [0, 1]",
        is_basic: true,
        ask: Ask::Segmenter(segments),
    },
    Check {
        name: "sizes",
        promise: "it cuts images of every size, from a single pixel on, and of one colour",
        fix: "allocate by the image's own width and height, and expect no region at all",
        is_basic: false,
        ask: Ask::Segmenter(sizes),
    },
    Check {
        name: "image",
        promise: "it reads the image alone and writes nothing to it",
        fix: "rows are packed: 3 * width bytes, without padding; copy what you want to change",
        is_basic: false,
        ask: Ask::Segmenter(image),
    },
    Check {
        name: "repeats",
        promise: "the same request gives the same regions, from the same instance and from another",
        fix: "seed what is random, keep no state between calls, and order what threads find",
        is_basic: false,
        ask: Ask::Segmenter(repeats),
    },
    Check {
        name: "parameters",
        promise: "it takes each parameter at the edges of what its schema allows",
        fix: "narrow `minimum`, `maximum` or `enum`, or handle the value",
        is_basic: false,
        ask: Ask::Segmenter(parameters),
    },
    Check {
        name: "hints",
        promise: "it takes the hints of its capabilities, and refuses others",
        fix: "declare in `capabilities` what it takes; without `automatic`, refuse a call without hints as SOM_UNSUPPORTED",
        is_basic: false,
        ask: Ask::Segmenter(hints),
    },
    Check {
        name: "cancellation",
        promise: "it returns SOM_CANCELLED soon after its call was cancelled, and emits nothing more",
        fix: "ask call->cancelled in every long loop, and return at once",
        is_basic: false,
        ask: Ask::Segmenter(cancellation),
    },
    Check {
        name: "threads",
        promise: "two instances on two threads do not disturb each other",
        fix: "keep state in the instance, not in globals; guard what must be shared",
        is_basic: false,
        ask: Ask::Segmenter(threads),
    },
];

/// A segmenter, and what it is given.
pub(super) struct SegmenterSubject {
    segmenter: Arc<PluginSegmenter>,
    options: Given,
    params: Given,
    grace: Duration,
}

impl SegmenterSubject {
    /// # Errors
    /// As [`Given::new`].
    pub(super) fn new(segmenter: Arc<PluginSegmenter>, setup: &Setup) -> Result<Self> {
        let descriptor = segmenter.descriptor();
        let who = format!("segmenter {:?}", descriptor.id);
        Ok(Self {
            options: Given::new(&who, &descriptor.options, &setup.settings)?,
            params: Given::new(&who, &descriptor.params, &setup.settings)?,
            grace: setup.grace,
            segmenter,
        })
    }

    fn descriptor(&self) -> &Descriptor {
        self.segmenter.descriptor()
    }

    fn create(&self) -> Result<Instance> {
        self.segmenter
            .open(&Call::uncancellable(&self.options.params()?))
    }

    /// The parameters of an ordinary call: with a hint, if it cannot do without.
    fn params(&self, size: Size) -> Result<Params> {
        let hints = hints_of(self.descriptor(), size).into_iter().next();
        match hints {
            Some((_, hints)) if !self.descriptor().can(Capability::Automatic) => {
                self.params.with("hints", hints)
            }
            _ => self.params.params(),
        }
    }

    /// An ordinary call.
    fn segment(&self, instance: &mut Instance, image: &TestImage) -> Result<Vec<Region>> {
        let params = self.params(image.size())?;
        instance
            .segment(&image.image()?, &Call::uncancellable(&params))
            .map_err(|error| error.at(image))
    }

    /// What ordinary calls give, `None` if that is not always the same: `repeats` tells.
    fn settled(&self, instance: &mut Instance, image: &TestImage) -> Result<Option<Vec<Region>>> {
        let first = self.segment(instance, image)?;
        Ok((self.segment(instance, image)? == first).then_some(first))
    }
}

fn schema(subject: &SegmenterSubject) -> Result<()> {
    subject.options.check()?;
    subject.params.check()?;
    let descriptor = subject.descriptor();
    if descriptor.can(Capability::Levels) && !subject.params.knows("level") {
        return Err(Error::internal(
            "it declares the capability levels, but has no parameter level",
        ));
    }
    let ways = hints_of(descriptor, Size::new(8, 8));
    if !descriptor.can(Capability::Automatic) && ways.is_empty() {
        return Err(Error::internal(
            "it declares neither the capability automatic nor one that takes hints",
        ));
    }
    Ok(())
}

fn creates(subject: &SegmenterSubject) -> Result<()> {
    let first = subject.create()?;
    for _ in 0..3 {
        drop(subject.create()?);
    }
    drop(first);
    Ok(())
}

fn segments(subject: &SegmenterSubject) -> Result<()> {
    let image = TestImage::photograph(160, 120);
    let regions = subject.segment(&mut subject.create()?, &image)?;
    let labelled = regions.iter().position(|region| region.label.is_some());
    match labelled {
        Some(index) if !subject.descriptor().can(Capability::Labels) => Err(Error::internal(
            format!("region {index} has a label, but the capability labels is not declared"),
        )),
        _ => Ok(()),
    }
}

fn sizes(subject: &SegmenterSubject) -> Result<()> {
    let mut instance = subject.create()?;
    for image in TestImage::of_every_size() {
        subject.segment(&mut instance, &image)?;
    }
    Ok(())
}

/// What a segmenter reads beyond the image changes what it finds.
fn image(subject: &SegmenterSubject) -> Result<()> {
    let mut instance = subject.create()?;
    let image = TestImage::photograph(33, 27);
    let before = image.pixels().to_vec();
    let Some(expected) = subject.settled(&mut instance, &image)? else {
        return Ok(());
    };
    let elsewhere = image.clone().amid(255);
    let found = subject.segment(&mut instance, &elsewhere)?;
    for image in [image, elsewhere] {
        image.check_surroundings()?;
        if image.pixels() != before {
            return Err(Error::internal("it changed the pixels of the image"));
        }
    }
    check_same(&expected, &found, "amid other bytes")
}

fn repeats(subject: &SegmenterSubject) -> Result<()> {
    let image = TestImage::photograph(97, 61);
    let mut instance = subject.create()?;
    let first = subject.segment(&mut instance, &image)?;
    let again = subject.segment(&mut instance, &image)?;
    check_same(&first, &again, "the second time")?;
    let other = subject.segment(&mut subject.create()?, &image)?;
    check_same(&first, &other, "from another instance")
}

/// How long a call with a parameter at its limit is watched.
const LONG_ENOUGH: Duration = Duration::from_secs(3);

fn parameters(subject: &SegmenterSubject) -> Result<()> {
    let image = TestImage::photograph(48, 40);
    let mut instance = subject.create()?;
    let ordinary = subject.params(image.size())?;
    for (key, value) in subject.params.edges() {
        let at = |error: Error| error.at(format_args!("with {key} = {value}"));
        let mut params = subject.params.with(&key, value.clone()).map_err(at)?;
        if let Some(hints) = ordinary.get("hints") {
            params.entry("hints").or_insert_with(|| hints.clone());
        }
        // What is allowed may take long; it is enough that it goes on.
        let end = Instant::now() + LONG_ENOUGH;
        let is_over = || Instant::now() >= end;
        match instance.segment(&image.image()?, &Call::new(&params, &is_over)) {
            Err(error) if error.kind() == ErrorKind::Cancelled && is_over() => {}
            result => drop(result.map_err(at)?),
        }
    }
    Ok(())
}

fn hints(subject: &SegmenterSubject) -> Result<()> {
    let image = TestImage::photograph(97, 61);
    let descriptor = subject.descriptor();
    let mut instance = subject.create()?;
    for (what, hints) in hints_of(descriptor, image.size()) {
        let params = subject.params.with("hints", hints)?;
        instance
            .segment(&image.image()?, &Call::uncancellable(&params))
            .map_err(|error| error.at(format_args!("with {what} as a hint")))?;
    }
    for capability in Capability::ALL {
        let undeclared = !descriptor.can(capability);
        for (what, hints) in hints_for(capability, image.size()) {
            if undeclared && subject.params.with("hints", hints).is_ok() {
                return Err(Error::internal(format!(
                    "its schema takes {what} as a hint, but the capability {capability} is not declared"
                )));
            }
        }
    }
    if descriptor.can(Capability::Automatic) {
        return Ok(());
    }
    let params = subject.params.params()?;
    let result = instance.segment(&image.image()?, &Call::uncancellable(&params));
    match result.as_ref().map_err(Error::kind) {
        Err(ErrorKind::Unsupported | ErrorKind::Invalid) => Ok(()),
        Err(_) => result.map(drop).map_err(|error| error.at("without hints")),
        Ok(_) => Err(Error::internal(
            "it segments without hints, but the capability automatic is not declared",
        )),
    }
}

fn cancellation(subject: &SegmenterSubject) -> Result<()> {
    let mut instance = subject.create()?;
    let small = TestImage::photograph(48, 40);
    let before = "cancelled before it began";
    let conduct = cancelled_call(subject, &mut instance, &small, before, &|| true)?;
    if conduct.status == SOM_OK {
        return Err(Error::internal(format!(
            "{before}, the call returned SOM_OK"
        )));
    }
    // As soon as the plugin has asked once.
    let asked = AtomicU32::new(0);
    let after_a_question = || asked.fetch_add(1, Ordering::Relaxed) > 0;
    let large = TestImage::photograph(1024, 768);
    let during = "cancelled while it ran";
    cancelled_call(subject, &mut instance, &large, during, &after_a_question).map(drop)
}

/// A call that is cancelled when `cancelled` says so; it may be done before it learns of that.
fn cancelled_call(
    subject: &SegmenterSubject,
    instance: &mut Instance,
    image: &TestImage,
    when: &str,
    cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<Conduct> {
    let params = subject.params(image.size())?;
    let start = Instant::now();
    let conduct = instance.watch(&image.image()?, &Call::new(&params, cancelled))?;
    let took = start.elapsed();
    if took > subject.grace {
        let (took, grace) = (took.as_secs_f64(), subject.grace.as_secs_f64());
        return Err(Error::internal(format!(
            "{when}, the call went on for {took:.1} s (at most {grace:.1} s are granted)"
        )));
    }
    if conduct.emitted_late {
        return Err(Error::internal(format!(
            "{when}, it emitted a region after it had learnt of that"
        )));
    }
    match conduct.status {
        SOM_OK | SOM_CANCELLED => Ok(conduct),
        _ => {
            let error = conduct.result.err();
            let error = error.filter(|error| error.kind() == ErrorKind::Internal);
            let status = conduct.status;
            Err(error.unwrap_or_else(|| {
                Error::internal(format!("{when}, it returned the status {status}"))
            }))
        }
    }
}

fn threads(subject: &SegmenterSubject) -> Result<()> {
    let image = TestImage::photograph(97, 61);
    let Some(alone) = subject.settled(&mut subject.create()?, &image)? else {
        return Ok(());
    };
    let mut instances = [subject.create()?, subject.create()?];
    let together = Barrier::new(instances.len());
    let run = |instance: &mut Instance| {
        together.wait();
        let first = subject.segment(instance, &image)?;
        Ok((first, subject.segment(instance, &image)?))
    };
    let results = thread::scope(|scope| {
        let threads = instances
            .each_mut()
            .map(|instance| scope.spawn(|| run(instance)));
        threads.map(thread::ScopedJoinHandle::join)
    });
    for result in results {
        let panicked = |_| Error::internal("a thread of the check panicked");
        let (first, second): (_, Vec<Region>) = result.map_err(panicked)??;
        check_same(&alone, &first, "beside another instance")?;
        check_same(&alone, &second, "beside another instance")?;
    }
    // An instance may change threads.
    let back = subject.segment(&mut instances[0], &image)?;
    check_same(&alone, &back, "back on the first thread")
}

/// # Errors
/// Internal, naming the first region that differs.
fn check_same(expected: &[Region], found: &[Region], when: &str) -> Result<()> {
    if expected.len() != found.len() {
        let (expected, found) = (expected.len(), found.len());
        return Err(Error::internal(format!(
            "{when}, the same image gives {found} regions instead of {expected}"
        )));
    }
    match expected.iter().zip(found).position(|(a, b)| a != b) {
        None => Ok(()),
        Some(index) => Err(Error::internal(format!(
            "{when}, the same image gives another region {index}"
        ))),
    }
}
