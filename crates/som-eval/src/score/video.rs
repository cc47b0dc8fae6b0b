//! Objects in videos: J, F and J&F, means over objects.

use som_core::Mask;

use super::{
    Fault,
    tally::{Measured, Scope, Tally},
};
use crate::{
    Error, Sample, Video,
    data::LabelMap,
    metrics::{
        Ratio,
        video::{Statistics, best_pairs, f, j},
    },
    results::{Answer, Outcome},
};

/// The number that says void in the truth.
const VOID: u32 = 255;
/// The most objects of a sequence: there are as many numbers.
const MAX_OBJECTS: u32 = 254;

/// Scores the objects of a sequence.
pub(super) fn score(
    sample: &Sample,
    video: &Video,
    maps: &[LabelMap],
    outcome: Option<&Outcome>,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let truth = Objects::new(sample, video, maps)?;
    let none = Answer::default();
    let answer = outcome.map_or(&none, |outcome| &outcome.answer);
    let measured = truth.measure(answer)?;
    if let Some(oracle) = outcome.and_then(|outcome| outcome.oracle.as_ref()) {
        let measured = truth.measure(oracle)?;
        tally.add_to(&Scope::Oracle, sample, &measured);
    }
    tally.add(sample, &sample.kinds, &measured);
    Ok(())
}

/// The objects of a sequence in the frames that count.
struct Objects<'a> {
    count: u32,
    is_unsupervised: bool,
    frames: Vec<Frame<'a>>,
}

struct Frame<'a> {
    name: &'a str,
    map: &'a LabelMap,
    /// By object, from the first on.
    masks: Vec<Mask>,
    /// `None` where void is not regarded.
    void: Option<Mask>,
}

/// J and F of an object, a value a frame.
type Values = [Vec<f64>; 2];

impl<'a> Objects<'a> {
    fn new(sample: &Sample, video: &'a Video, maps: &'a [LabelMap]) -> Result<Self, Fault> {
        let wrong = |what: &str| {
            let entry = format!("sequence {}", sample.id);
            Fault::Truth(Error::malformed(&sample.image, entry, what))
        };
        let first = maps.first().ok_or_else(|| wrong("has no frames"))?;
        let numbers = first
            .labels
            .iter()
            .copied()
            .filter(|number| *number != VOID);
        let count = numbers.max().unwrap_or(0);
        if count == 0 {
            return Err(wrong("has no object in its first frame"));
        }
        if count > MAX_OBJECTS {
            return Err(wrong("has colours where numbers of objects are expected"));
        }
        let numbers: Vec<u32> = (1..=count).collect();
        let is_unsupervised = video.is_unsupervised;
        let frames = video.frames.iter().zip(maps).map(|((name, _), map)| Frame {
            name,
            map,
            masks: map.masks(&numbers),
            void: is_unsupervised.then(|| map.mask(VOID)),
        });
        let mut frames: Vec<Frame<'_>> = frames.collect();
        if !is_unsupervised {
            // The first one is given, and the last one never counts.
            frames.pop();
            frames = frames.split_off(frames.len().min(1));
        }
        if frames.is_empty() {
            return Err(wrong("has fewer than three frames"));
        }
        Ok(Self {
            count,
            is_unsupervised,
            frames,
        })
    }

    fn measure(&self, answer: &Answer) -> Result<Measured, Fault> {
        let numbers = answer
            .frames
            .values()
            .flat_map(|frame| frame.keys().copied());
        let most = numbers.max().unwrap_or(0);
        let values = if self.is_unsupervised {
            if most > MAX_OBJECTS {
                return Err(Fault::Answer(format!("{most} is no number of an object")));
            }
            self.paired(&self.found(answer, self.count.max(most))?)
        } else if most > self.count {
            return Err(Fault::Answer(format!(
                "object {most} is answered, but the sequence has {}",
                self.count
            )));
        } else {
            let found = self.found(answer, self.count)?;
            (0..self.count as usize)
                .map(|object| self.values(object, &found[object]))
                .collect()
        };
        Ok(measured(&values))
    }

    /// The masks of objects 1 to `count` in each frame; without an answer they are empty.
    fn found(&self, answer: &Answer, count: u32) -> Result<Vec<Vec<Mask>>, Fault> {
        let mask = |frame: &Frame<'_>, object: u32| {
            let shapes = answer.frames.get(frame.name);
            match shapes.and_then(|shapes| shapes.get(&object)) {
                Some(shape) => {
                    let mask = shape.mask(frame.map.size);
                    mask.map(std::borrow::Cow::into_owned).map_err(|error| {
                        Fault::Answer(format!("frame {}, object {object}: {error}", frame.name))
                    })
                }
                None => Ok(Mask::empty(frame.map.size)),
            }
        };
        (1..=count)
            .map(|object| {
                self.frames
                    .iter()
                    .map(|frame| mask(frame, object))
                    .collect()
            })
            .collect()
    }

    fn values(&self, object: usize, found: &[Mask]) -> Values {
        let frames = || self.frames.iter().zip(found);
        [j, f].map(|measure: fn(&Mask, &Mask, Option<&Mask>) -> f64| {
            frames()
                .map(|(frame, found)| measure(&frame.masks[object], found, frame.void.as_ref()))
                .collect()
        })
    }

    /// The values of each object with the proposal that it is paired with.
    fn paired(&self, found: &[Vec<Mask>]) -> Vec<Values> {
        let values: Vec<Vec<Values>> = (0..self.count as usize)
            .map(|object| {
                found
                    .iter()
                    .map(|found| self.values(object, found))
                    .collect()
            })
            .collect();
        let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let score = |[j, f]: &Values| (mean(j) + mean(f)) / 2.0;
        let scores: Vec<Vec<f64>> = values
            .iter()
            .map(|row| row.iter().map(score).collect())
            .collect();
        let pairs = best_pairs(&scores);
        values
            .into_iter()
            .zip(pairs)
            .map(|(mut row, pair)| row.swap_remove(pair))
            .collect()
    }
}

/// The statistics of each object, summed.
fn measured(objects: &[Values]) -> Measured {
    const NAMES: [[&str; 3]; 2] = [["j", "j_recall", "j_decay"], ["f", "f_recall", "f_decay"]];
    let mut measured = Measured::new();
    let mut both = Ratio::default();
    for object in objects {
        for (frames, [mean, recall, decay]) in object.iter().zip(NAMES) {
            if let Some(statistics) = Statistics::of(frames) {
                measured.push((mean, Ratio::one(statistics.mean)));
                measured.push((recall, Ratio::one(statistics.recall)));
                measured.push((decay, Ratio::one(statistics.decay)));
                both += Ratio::new(statistics.mean / 2.0, 0.5);
            }
        }
    }
    measured.push(("j&f", both));
    measured
}
