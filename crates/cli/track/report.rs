//! The JSON of `som track`: the objects of every frame. Its schema is `schemas/track.schema.json`.
//!
//! What is found of a frame is kept in a file until the end, since frames may come in any order and a
//! video may be long.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write},
};

use serde::Serialize;
use som_core::{Error, Region, Result, Segmentation, Tracked};
use som_formats::write::to_line;

use crate::{output::Output, report::MarkEntry};

/// What is told of the video as a whole.
#[derive(Debug, Serialize)]
pub(super) struct VideoReport<'a> {
    pub(super) path: &'a str,
    pub(super) width: u32,
    pub(super) height: u32,
    /// How many frames it has, of which some were chosen.
    pub(super) frames: u64,
    /// Frames a second, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rate: Option<f64>,
}

/// All but the frames.
#[derive(Serialize)]
struct Head<'a> {
    video: &'a VideoReport<'a>,
    tracker: &'a Segmentation,
    objects: Vec<&'a Seen>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// One frame.
#[derive(Debug, Serialize)]
pub(super) struct FrameReport<'a> {
    /// Its number in the video, from 0.
    pub(super) index: u64,
    /// `None` for a frame that was taken out of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<&'a str>,
    pub(super) objects: Vec<ObjectReport<'a>>,
    /// Where it was drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) marked: Option<MarkedReport<'a>>,
}

/// An object in a frame.
#[derive(Debug, Serialize)]
pub(super) struct ObjectReport<'a> {
    object: u64,
    #[serde(flatten)]
    region: &'a Region,
}

/// The marks of a frame.
#[derive(Debug, Serialize)]
pub(super) struct MarkedReport<'a> {
    pub(super) path: Option<String>,
    pub(super) marks: Vec<MarkEntry<'a>>,
    /// By how many pixels labels moved against their objects since the frame before, at most; `None`
    /// without a mark in both.
    pub(super) label_shift: Option<f64>,
}

impl<'a> From<&'a Tracked> for ObjectReport<'a> {
    fn from(tracked: &'a Tracked) -> Self {
        Self {
            object: tracked.object,
            region: &tracked.region,
        }
    }
}

/// When an object was seen.
#[derive(Clone, Copy, Debug, Serialize)]
struct Seen {
    object: u64,
    first: u64,
    last: u64,
    frames: u64,
}

/// The frames so far.
pub(super) struct Frames {
    kept: BufWriter<File>,
    end: u64,
    /// Of each frame where its line is.
    lines: BTreeMap<u64, (u64, u64)>,
    seen: BTreeMap<u64, Seen>,
}

impl Frames {
    /// # Errors
    /// Exhausted, if there is no room for a file.
    pub(super) fn new() -> Result<Self> {
        let kept = tempfile::tempfile().map_err(unkept)?;
        Ok(Self {
            kept: BufWriter::new(kept),
            end: 0,
            lines: BTreeMap::new(),
            seen: BTreeMap::new(),
        })
    }

    /// Keeps a frame.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(super) fn keep(&mut self, frame: &FrameReport<'_>) -> Result<()> {
        for ObjectReport { object, .. } in &frame.objects {
            let seen = self.seen.entry(*object).or_insert(Seen {
                object: *object,
                first: frame.index,
                last: frame.index,
                frames: 0,
            });
            seen.first = seen.first.min(frame.index);
            seen.last = seen.last.max(frame.index);
            seen.frames += 1;
        }
        let line = to_line(frame)?;
        self.kept.write_all(&line).map_err(unkept)?;
        self.lines
            .insert(frame.index, (self.end, line.len() as u64));
        self.end += line.len() as u64;
        Ok(())
    }

    /// How many objects were seen.
    pub(super) fn objects(&self) -> usize {
        self.seen.len()
    }

    /// How many frames there are.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Which of `objects` were never seen.
    pub(super) fn never_seen(&self, objects: impl Iterator<Item = u64>) -> Vec<u64> {
        objects
            .filter(|object| !self.seen.contains_key(object))
            .collect()
    }

    /// Writes the whole: one frame a line. `error` is what ended it early.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub(super) fn write(
        self,
        output: &Output,
        video: &VideoReport<'_>,
        tracker: &Segmentation,
        error: Option<&Error>,
    ) -> Result<()> {
        let head = Head {
            video,
            tracker,
            objects: self.seen.values().collect(),
            error: error.map(Error::to_string),
        };
        let mut head = serde_json::to_string(&head)
            .map_err(|error| Error::internal("the report is no JSON").caused_by(error))?;
        head.pop();
        let mut kept = self
            .kept
            .into_inner()
            .map(BufReader::new)
            .map_err(|error| unkept(error.into_error()))?;
        output.write_by(|output| {
            let mut output = BufWriter::new(output);
            write!(output, "{head},\"frames\":[")?;
            let mut between = "\n";
            for &(start, length) in self.lines.values() {
                output.write_all(between.as_bytes())?;
                between = ",\n";
                kept.seek(SeekFrom::Start(start))?;
                // Without the end of its line.
                io::copy(&mut kept.by_ref().take(length - 1), &mut output)?;
            }
            output.write_all(b"\n]}\n")?;
            output.flush()
        })
    }
}

fn unkept(error: io::Error) -> Error {
    Error::exhausted("what was found cannot be kept (is there room in the temporary folder?)")
        .caused_by(error)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use som_core::{BBox, Mask, Size};

    use super::*;

    #[test]
    fn frames_are_told_in_their_order_and_objects_with_when_they_were_seen() {
        let size = Size::new(6, 4);
        let tracked = |object, x| Tracked {
            object,
            region: Region::new(Mask::rect(size, BBox::new(x, 0, 2, 2))),
        };
        let mut frames = Frames::new().unwrap();
        for (index, all) in [
            (7, vec![tracked(2, 0)]),
            (8, vec![]),
            (3, vec![tracked(2, 1), tracked(900, 3)]),
        ] {
            let objects = all.iter().map(ObjectReport::from).collect();
            let frame = FrameReport {
                index,
                path: None,
                objects,
                marked: None,
            };
            frames.keep(&frame).unwrap();
        }
        assert_eq!((frames.objects(), frames.len()), (2, 3));
        assert_eq!(frames.never_seen([1, 2].into_iter()), [1]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        let video = VideoReport {
            path: "v",
            width: 6,
            height: 4,
            frames: 9,
            rate: None,
        };
        let tracker = Segmentation::default();
        let error = Error::invalid("cut off");
        frames
            .write(&Output::File(path.clone()), &video, &tracker, Some(&error))
            .unwrap();
        let told: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let order: Vec<u64> = told["frames"]
            .as_array()
            .unwrap()
            .iter()
            .map(|frame| frame["index"].as_u64().unwrap())
            .collect();
        assert_eq!(order, [3, 7, 8]);
        assert_eq!(
            told["objects"],
            serde_json::json!([
                {"object": 2, "first": 3, "last": 7, "frames": 2},
                {"object": 900, "first": 3, "last": 3, "frames": 1},
            ])
        );
        assert_eq!(told["frames"][0]["objects"][1]["object"], 900);
        assert_eq!(
            told["frames"][0]["objects"][1]["segmentation"]["size"],
            serde_json::json!([4, 6])
        );
        assert_eq!(told["error"], "cut off");
    }
}
