//! Regions that people have already.

use std::path::PathBuf;

use clap::Args;
use som_formats::{Format, Only};

/// Which regions of which file stand in for a segmenter's.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Own regions")]
pub(crate) struct GivenFlags {
    /// Take the regions from a file instead of cutting: som's own JSON, COCO, YOLO, LabelMe,
    /// GeoJSON, JSON or CSV of boxes, NumPy arrays, a label map; or from a folder with a file or masks for each
    /// image (coffee.txt, coffee.1.png)
    #[arg(long, value_name = "FILE|DIR", conflicts_with_all = ["segmenter", "level", "granularity", "hints"])]
    pub(crate) regions: Option<PathBuf>,
    /// What the file is: som, coco, yolo, labelme, geojson, boxes, csv, labelmap, masks or npz
    /// [default: told by its content]
    #[arg(long, value_name = "FORMAT", requires = "regions")]
    pub(crate) regions_format: Option<Format>,
    /// Take only regions that meet a condition: id:1,4-7, label:cup,spoon, area:500.. (pixels),
    /// area:1%..20% or score:0.5..; may be given several times
    #[arg(long, value_name = "CONDITION", requires = "regions")]
    pub(crate) only: Vec<Only>,
    /// Number the marks as the file numbers its regions
    #[arg(long, requires = "regions", conflicts_with = "start")]
    pub(crate) keep_ids: bool,
}

impl GivenFlags {
    /// True if regions are given, so that nothing is cut.
    pub(crate) fn is_given(&self) -> bool {
        self.regions.is_some()
    }
}
