//! regions of one frame → those of the next: objects that keep their identity, whoever cuts the frames.
//!
//! So any segmenter can be carried through a video. Each object is expected where block matching
//! says it went ([`Carrier::expect`]). Then either everything in the frame was cut, and its regions are
//! assigned to objects by intersection over union, the best pair first ([`Carrier::assign`], as in
//! Bewley et al., *Simple Online and Realtime Tracking*, 2016, with masks for boxes); or somebody pointed
//! at objects, and what was expected was cut anew ([`Carrier::follow`]).

mod motion;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use self::motion::Pyramid;
use crate::{Call, Image, Mask, Region, Result, Tracked};

/// A region is an object's from this intersection over union on with what is expected of it.
const SAME: f64 = 0.5;
/// Up to this mean difference in gray values it is the same thing that is seen.
const ALIKE: f32 = 16.0;
/// Up to this distance of mean colours, along the furthest channel, too; and so a thing may have come back.
const COLOR: f32 = 20.0;
/// One that comes back is at least this share as large as it was, or that much larger.
const AREA: f64 = 0.5;
/// A new region of which more than this share is known already is a part of that, not a new object.
const KNOWN: f64 = 0.5;
/// So many frames an object that is out of sight is waited for.
const PATIENCE: u32 = 250;
/// At most so many objects are waited for: the latest.
const WAITED_FOR: usize = 1024;

/// The objects of one video, and where they were last.
#[derive(Clone, Debug, Default)]
pub struct Carrier {
    /// Shared by clones, which are made for every frame.
    last: Option<Arc<Pyramid>>,
    objects: Vec<Object>,
    /// What people pointed at, by frame: there it is what they said.
    pointed: BTreeMap<u64, Vec<Tracked>>,
    /// The largest id so far.
    largest: u64,
}

/// Where an object is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// The object, from 1.
    pub object: u64,
    /// What it was, moved to where it is expected; what leaves the frame is cut off.
    pub region: Region,
    /// Whether it looks the same there; if not, something else is seen.
    pub is_alike: bool,
    /// Whether people said so: then it is not cut anew.
    pub is_said: bool,
}

#[derive(Clone, Debug)]
struct Object {
    id: u64,
    /// As it was seen last.
    region: Region,
    /// The mean of its pixels then.
    color: [f32; 3],
    /// Frames since then.
    away: u32,
}

impl Carrier {
    /// Where the objects in sight are expected in `image`, the next frame, in the order in which they
    /// came. Those that people pointed at in this frame are what these said.
    ///
    /// # Errors
    /// Cancelled.
    pub fn expect(
        &mut self,
        image: &Image<'_>,
        index: u64,
        call: &Call<'_>,
    ) -> Result<Vec<Expected>> {
        let next = Pyramid::new(image);
        let mut expected = Vec::new();
        let pointed = self.pointed.get(&index);
        for object in &self.objects {
            call.check()?;
            // Only what people pointed at is looked for where it was last.
            if object.away > 0 && self.pointed.is_empty() {
                continue;
            }
            let said = pointed.and_then(|all| all.iter().find(|said| said.object == object.id));
            if let Some(Tracked { object, region }) = said {
                expected.push(Expected {
                    object: *object,
                    region: region.clone(),
                    is_alike: true,
                    is_said: true,
                });
                continue;
            }
            let mask = &object.region.mask;
            let shift = match (&self.last, object.away) {
                (Some(last), 0) => last.shift(&next, mask),
                _ => None,
            };
            let (moved, error) = match shift {
                Some(shift) => (mask.moved(shift.x, shift.y), shift.error),
                None => (mask.clone(), 0.0),
            };
            let is_alike = error <= ALIKE && apart(object.color, mean(image, &moved)) <= COLOR;
            if !moved.is_empty() {
                expected.push(Expected {
                    object: object.id,
                    region: Region {
                        mask: moved,
                        ..object.region.clone()
                    },
                    is_alike,
                    is_said: false,
                });
            }
        }
        self.last = Some(Arc::new(next));
        Ok(expected)
    }

    /// The objects among all the regions of the frame: those expected, those that came back, and new
    /// ones. One whose region was not cut, while it is still seen, stays as it is expected.
    pub fn assign(
        &mut self,
        image: &Image<'_>,
        expected: Vec<Expected>,
        regions: Vec<Region>,
    ) -> Vec<Tracked> {
        let mut regions: Vec<Option<Region>> = regions.into_iter().map(Some).collect();
        let mut found = Vec::new();
        for (at, region) in pairs(&expected, &regions) {
            if let Some(region) = regions[region].take() {
                found.push((expected[at].object, region));
            }
        }
        let seen: BTreeSet<u64> = found.iter().map(|(object, _)| *object).collect();
        let not_cut = expected
            .into_iter()
            .filter(|expected| expected.is_alike && !seen.contains(&expected.object));
        found.extend(not_cut.map(|expected| (expected.object, expected.region)));
        let mut known = found.iter().fold(Mask::empty(size(image)), |known, one| {
            known.union(&one.1.mask)
        });
        for region in regions.into_iter().flatten() {
            let area = region.mask.area();
            let covered = region.mask.intersection_area(&known);
            if area == 0 || covered as f64 > KNOWN * area as f64 {
                continue;
            }
            known = known.union(&region.mask);
            let object = self.returned(image, &region, &found).unwrap_or_else(|| {
                self.largest = self.largest.saturating_add(1);
                self.largest
            });
            found.push((object, region));
        }
        self.see(image, found)
    }

    /// The objects that people pointed at, as they were cut anew: `cut` is what came of those expected,
    /// by object. One of which something else came stays as it is expected, and one that looks like
    /// something else is out of sight.
    pub fn follow(
        &mut self,
        image: &Image<'_>,
        expected: Vec<Expected>,
        cut: Vec<Tracked>,
    ) -> Vec<Tracked> {
        let mut cut: BTreeMap<u64, Region> = cut
            .into_iter()
            .map(|cut| (cut.object, cut.region))
            .collect();
        let seen = expected.into_iter().filter(|expected| expected.is_alike);
        let seen = seen.map(
            |Expected {
                 object,
                 region,
                 is_said,
                 ..
             }| {
                let cut = cut.remove(&object);
                let cut = cut.filter(|cut| !is_said && region.mask.iou(&cut.mask) >= SAME);
                (object, cut.unwrap_or(region))
            },
        );
        let seen = seen.collect();
        self.see(image, seen)
    }

    /// Takes it from people that `object` is this `region` in frame `index`.
    pub fn point_at(&mut self, image: &Image<'_>, index: u64, object: u64, region: Region) {
        let said = self.pointed.entry(index).or_default();
        said.retain(|said| said.object != object);
        said.push(Tracked {
            object,
            region: region.clone(),
        });
        self.largest = self.largest.max(object);
        self.remember(image, object, region);
    }

    /// Forgets an object.
    pub fn forget(&mut self, object: u64) {
        self.objects.retain(|it| it.id != object);
        for said in self.pointed.values_mut() {
            said.retain(|it| it.object != object);
        }
        self.pointed.retain(|_, said| !said.is_empty());
    }

    /// Of the objects that are waited for, the one that `region` may be: as large and of the same
    /// colour; of several the nearest colour.
    fn returned(&self, image: &Image<'_>, region: &Region, found: &[(u64, Region)]) -> Option<u64> {
        let (color, area) = (mean(image, &region.mask), region.mask.area() as f64);
        let is_free = |object: &&Object| {
            object.away > 0 && found.iter().all(|(other, _)| *other != object.id)
        };
        let fits = |object: &&Object| {
            let was = object.region.mask.area() as f64;
            area.min(was) >= AREA * area.max(was) && apart(object.color, color) <= COLOR
        };
        let waiting = self.objects.iter().filter(is_free).filter(fits);
        let nearest = waiting.min_by(|a, b| {
            apart(a.color, color)
                .total_cmp(&apart(b.color, color))
                .then(a.id.cmp(&b.id))
        });
        nearest.map(|object| object.id)
    }

    /// Remembers what was seen of objects in a frame; the others are out of sight from now on.
    fn see(&mut self, image: &Image<'_>, seen: Vec<(u64, Region)>) -> Vec<Tracked> {
        for object in &mut self.objects {
            object.away = object.away.saturating_add(1);
        }
        for (object, region) in &seen {
            self.remember(image, *object, region.clone());
        }
        let is_pointed = |object: &Object| {
            let mut said = self.pointed.values().flatten();
            said.any(|said| said.object == object.id)
        };
        let mut waited_for: Vec<u32> = self.objects.iter().map(|object| object.away).collect();
        waited_for.sort_unstable();
        let most = waited_for
            .get(WAITED_FOR)
            .map_or(PATIENCE, |&away| away.min(PATIENCE));
        let kept = self
            .objects
            .iter()
            .filter(|object| object.away == 0 || object.away < most || is_pointed(object));
        self.objects = kept.cloned().collect();
        let mut tracked: Vec<Tracked> = seen
            .into_iter()
            .map(|(object, region)| Tracked { object, region })
            .collect();
        tracked.sort_by_key(|tracked| tracked.object);
        tracked
    }

    fn remember(&mut self, image: &Image<'_>, id: u64, region: Region) {
        let object = Object {
            id,
            color: mean(image, &region.mask),
            region,
            away: 0,
        };
        match self.objects.iter_mut().find(|it| it.id == id) {
            Some(known) => *known = object,
            None => self.objects.push(object),
        }
    }
}

/// Indices of those expected and of regions that belong together, each once, the best pair first.
fn pairs(wanted: &[Expected], regions: &[Option<Region>]) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    for (at, expected) in wanted.iter().enumerate() {
        for (index, region) in regions.iter().enumerate() {
            let Some(region) = region else { continue };
            let iou = expected.region.mask.iou(&region.mask);
            if iou >= SAME {
                all.push((iou, at, index));
            }
        }
    }
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut taken, mut used) = (vec![false; wanted.len()], vec![false; regions.len()]);
    all.retain(|&(_, at, index)| {
        let is_free = !taken[at] && !used[index];
        if is_free {
            (taken[at], used[index]) = (true, true);
        }
        is_free
    });
    all.into_iter().map(|(_, at, index)| (at, index)).collect()
}

/// The mean of a mask's pixels, of some of them where it is large.
fn mean(image: &Image<'_>, mask: &Mask) -> [f32; 3] {
    const ROWS: u32 = 32;
    let step = (mask.bbox().height / ROWS).max(1);
    let (mut sum, mut count) = ([0_u64; 3], 0_u64);
    let width = image.width() as usize;
    let pixels = image.as_raw().as_chunks::<3>().0;
    for (y, spans) in mask
        .rows()
        .filter(|(y, _)| (y - mask.bbox().y).is_multiple_of(step))
    {
        for span in spans {
            let row = y as usize * width;
            for pixel in &pixels[row + span.start as usize..row + span.end as usize] {
                count += 1;
                for (sum, &channel) in sum.iter_mut().zip(pixel) {
                    *sum += u64::from(channel);
                }
            }
        }
    }
    sum.map(|sum| sum as f32 / count.max(1) as f32)
}

/// How far two colours lie apart, along the channel in which they differ most.
fn apart(a: [f32; 3], b: [f32; 3]) -> f32 {
    let channels = a.into_iter().zip(b).map(|(a, b)| (a - b).abs());
    channels.fold(0.0, f32::max)
}

fn size(image: &Image<'_>) -> crate::Size {
    crate::Size::new(image.width(), image.height())
}

#[cfg(test)]
mod tests;
