//! Data sets, read in their published formats from folders as people have them.
//!
//! Nothing is downloaded: what is missing is named, with where it can be had and its licence. An
//! entry that is wrong is left out and told in [`Dataset::problems`]; the others are read.

mod origin;
mod files;
mod labels;
mod coco;
mod ade20k;
mod refcoco;
mod flickr30k;
mod davis;
mod reasonseg;
mod screenspot;
mod som_bench;
mod lines;
mod truth;

use std::{
    collections::HashSet,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use self::{
    labels::LabelMap,
    lines::SCHEMA,
    origin::Origin,
    truth::{Cut, CutSegments},
};
use crate::{Error, Result, Sample};

/// The data sets that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// COCO instances.
    CocoInstances,
    /// COCO panoptic.
    CocoPanoptic,
    /// ADE20K with 150 classes.
    Ade20k,
    /// RefCOCO.
    RefCoco,
    /// RefCOCO+.
    RefCocoPlus,
    /// RefCOCOg.
    RefCocoG,
    /// gRefCOCO.
    GRefCoco,
    /// Flickr30k Entities.
    Flickr30k,
    /// DAVIS 2017, semi-supervised.
    Davis2017,
    /// DAVIS 2017, unsupervised.
    Davis2017Unsupervised,
    /// ReasonSeg.
    ReasonSeg,
    /// ScreenSpot-Pro.
    ScreenSpotPro,
    /// SoM-Bench.
    SomBench,
    /// JSON lines of one's own, by `schemas/samples.schema.json`.
    Lines,
}

impl Kind {
    /// All kinds with their names.
    pub const ALL: [(&'static str, Kind); 14] = [
        ("coco-instances", Kind::CocoInstances),
        ("coco-panoptic", Kind::CocoPanoptic),
        ("ade20k", Kind::Ade20k),
        ("refcoco", Kind::RefCoco),
        ("refcoco+", Kind::RefCocoPlus),
        ("refcocog", Kind::RefCocoG),
        ("grefcoco", Kind::GRefCoco),
        ("flickr30k", Kind::Flickr30k),
        ("davis2017", Kind::Davis2017),
        ("davis2017-unsupervised", Kind::Davis2017Unsupervised),
        ("reasonseg", Kind::ReasonSeg),
        ("screenspot-pro", Kind::ScreenSpotPro),
        ("som-bench", Kind::SomBench),
        ("lines", Kind::Lines),
    ];

    /// The kind's name on the command line.
    pub fn name(self) -> &'static str {
        let named = Self::ALL.iter().find(|(_, kind)| *kind == self);
        named.map_or("", |(name, _)| name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// By its name.
impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = Self::ALL.iter().find(|(known, _)| *known == name);
        let unknown = || de::Error::custom(format!("{name:?} is no data set"));
        known.map(|(_, kind)| *kind).ok_or_else(unknown)
    }
}

/// Where a data set lies, and what of it is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Which data set it is.
    pub kind: Kind,
    /// Its folder; of some, the annotation file itself may be named.
    pub folder: PathBuf,
    /// The part of it, such as `val` or `val2017`; `None` for the only or the usual one.
    pub split: Option<String>,
    /// Where the images are; `None` for where the data set has them.
    pub images: Option<PathBuf>,
}

/// As in `refcoco:data/refcoco`.
impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, folder) = text.split_once(':').unwrap_or((text, ""));
        let known = Kind::ALL.map(|(name, _)| name);
        let kind = Kind::ALL.iter().find(|(known, _)| *known == name);
        let Some(&(_, kind)) = kind else {
            let unknown =
                som_core::Error::unknown(som_core::ErrorKind::Invalid, "data set", name, known);
            return Err(Error::Invalid(unknown.to_string()));
        };
        if folder.is_empty() {
            return Err(Error::Invalid(format!(
                "{text}: the folder is missing (write {name}:FOLDER)"
            )));
        }
        Ok(Self {
            kind,
            folder: folder.into(),
            split: None,
            images: None,
        })
    }
}

impl Place {
    /// The split that is wanted, or the usual one.
    fn split_or<'a>(&'a self, usual: &'a str) -> &'a str {
        self.split.as_deref().unwrap_or(usual)
    }

    /// The folder of the images: what the user said, else the first of `usual` in the data set's
    /// folder that is there, else the first of them.
    fn images_in(&self, root: &Path, usual: &[&str]) -> PathBuf {
        if let Some(images) = &self.images {
            return images.clone();
        }
        let mut places = usual.iter().map(|place| root.join(place));
        let first = usual
            .first()
            .map_or(root.to_owned(), |place| root.join(place));
        places.find(|place| place.is_dir()).unwrap_or(first)
    }
}

/// A data set as it was read.
#[derive(Debug)]
pub struct Dataset {
    /// Which one it is.
    pub kind: Kind,
    /// What is asked and what is right, in the data set's order.
    pub samples: Vec<Sample>,
    /// Entries that were left out, and why.
    pub problems: Vec<Error>,
    /// What one has to know to read its numbers.
    pub notes: Vec<String>,
}

impl Dataset {
    /// Reads the data set that lies at `place`.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Unreadable`] or [`Error::Malformed`], if a file without which
    /// there is nothing to read is not there or not whole; [`Error::Invalid`], if there is no such
    /// split.
    pub fn open(place: &Place) -> Result<Self> {
        let mut data = Self {
            kind: place.kind,
            samples: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
        };
        match place.kind {
            Kind::CocoInstances => coco::instances(place, &mut data)?,
            Kind::CocoPanoptic => coco::panoptic(place, &mut data)?,
            Kind::Ade20k => ade20k::read(place, &mut data)?,
            Kind::RefCoco | Kind::RefCocoPlus | Kind::RefCocoG => refcoco::read(place, &mut data)?,
            Kind::GRefCoco => refcoco::read_generalized(place, &mut data)?,
            Kind::Flickr30k => flickr30k::read(place, &mut data)?,
            Kind::Davis2017 | Kind::Davis2017Unsupervised => davis::read(place, &mut data)?,
            Kind::ReasonSeg => reasonseg::read(place, &mut data)?,
            Kind::ScreenSpotPro => screenspot::read(place, &mut data)?,
            Kind::SomBench => som_bench::read(place, &mut data)?,
            Kind::Lines => lines::read(place, &mut data)?,
        }
        data.leave_out_duplicates(&place.folder);
        Ok(data)
    }

    /// The images that are not there, each named once.
    pub fn missing_images(&self) -> Vec<&Path> {
        let mut seen = HashSet::new();
        let images = self.samples.iter().map(|sample| sample.image.as_path());
        images
            .filter(|image| seen.insert(*image) && !image.is_file())
            .collect()
    }

    /// Of samples with the same id the first stays.
    fn leave_out_duplicates(&mut self, folder: &Path) {
        let mut seen = HashSet::new();
        let problems = &mut self.problems;
        self.samples.retain(|sample| {
            let is_new = seen.insert(sample.id.clone());
            if !is_new {
                let entry = format!("sample {}", sample.id);
                let message = "the id occurs twice; the first one counts";
                problems.push(Error::malformed(folder, entry, message));
            }
            is_new
        });
    }
}
