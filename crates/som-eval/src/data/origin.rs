//! Where data sets can be had, and under which terms.

use std::path::PathBuf;

use super::Kind;
use crate::Error;

/// Where a data set comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// What people call it.
    pub name: &'static str,
    /// Where it can be had.
    pub from: &'static str,
    /// Its terms, in a few words.
    pub licence: &'static str,
}

impl Kind {
    /// Where the data set can be had.
    pub const fn origin(self) -> Origin {
        let (name, from, licence) = match self {
            Self::CocoInstances => (
                "COCO instances",
                "https://cocodataset.org/#download",
                "annotations CC BY 4.0, images by the licence that the JSON names",
            ),
            Self::CocoPanoptic => (
                "COCO panoptic",
                "https://cocodataset.org/#download",
                "annotations CC BY 4.0, images by the licence that the JSON names",
            ),
            Self::Ade20k => (
                "ADE20K",
                "http://sceneparsing.csail.mit.edu",
                "annotations BSD-3, images for non-commercial research and education alone",
            ),
            Self::RefCoco => ("RefCOCO", REFER, REFER_LICENCE),
            Self::RefCocoPlus => ("RefCOCO+", REFER, REFER_LICENCE),
            Self::RefCocoG => ("RefCOCOg", REFER, REFER_LICENCE),
            Self::GRefCoco => (
                "gRefCOCO",
                "https://github.com/henghuiding/gRefCOCO",
                "annotations CC BY-NC-SA 4.0, images of COCO train2014",
            ),
            Self::Flickr30k => (
                "Flickr30k Entities",
                "https://github.com/BryanPlummer/flickr30k_entities",
                "non-commercial research and education; images by Flickr's terms, on request",
            ),
            Self::Davis2017 | Self::Davis2017Unsupervised => (
                "DAVIS 2017",
                "https://davischallenge.org/davis2017/code.html",
                "BSD",
            ),
            Self::ReasonSeg => (
                "ReasonSeg",
                "https://github.com/dvlab-research/LISA",
                "Apache-2.0, images by their sources' terms",
            ),
            Self::ScreenSpotPro => (
                "ScreenSpot-Pro",
                "https://github.com/likaixin2000/ScreenSpot-Pro-GUI-Grounding",
                "none is named in its repository: ask its authors",
            ),
            Self::SomBench => (
                "SoM-Bench",
                "https://github.com/microsoft/SoM/tree/main/benchmark",
                "MIT, images by their data sets' terms",
            ),
            Self::Lines => (
                "samples as JSON lines",
                "whoever wrote them",
                "as its author says",
            ),
        };
        Origin {
            name,
            from,
            licence,
        }
    }

    /// `path` of the data set is not there.
    pub(super) fn missing(self, path: impl Into<PathBuf>) -> Error {
        let Origin {
            name,
            from,
            licence,
        } = self.origin();
        Error::Missing {
            data: name,
            path: path.into(),
            from,
            licence,
        }
    }
}

const REFER: &str = "https://github.com/lichengunc/refer";
const REFER_LICENCE: &str = "annotations Apache-2.0, images of COCO train2014";
