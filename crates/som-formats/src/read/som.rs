//! som's own JSON: of `som segment` and `som mark` (crates/cli/schemas), as it was written or edited;
//! one report or one a line; and a list of regions alone, as Segment Anything's
//! `SamAutomaticMaskGenerator` gives with `output_mode="coco_rle"`.

use serde::{Deserialize, de::IgnoredAny};
use som_core::{Params, Size};

use super::{
    Target,
    gathering::{Entry, Gathering},
    segmentation::Segmentation,
    which,
};
use crate::{
    FormatError,
    json::{self, Limited},
};

/// As much of a report as tells whose it is.
#[derive(Deserialize)]
struct Head {
    image: Option<Facts>,
}

#[derive(Deserialize)]
struct Facts {
    #[serde(default)]
    path: String,
    width: Option<u32>,
    height: Option<u32>,
}

/// A report of either command.
#[derive(Deserialize)]
struct Report {
    image: Option<Facts>,
    marks: Option<Limited<Mark>>,
    regions: Option<Limited<Region>>,
}

#[derive(Deserialize)]
struct Mark {
    id: Option<u64>,
    region: Region,
}

/// What an edited region needs is a segmentation or a box; when both are there, the box does not
/// count.
#[derive(Deserialize)]
struct Region {
    id: Option<u64>,
    segmentation: Option<Segmentation>,
    bbox: Option<[f64; 4]>,
    score: Option<f64>,
    label: Option<String>,
    level: Option<u8>,
    parent: Option<u32>,
    #[serde(default)]
    extra: Params,
}

pub(super) fn read(
    bytes: &[u8],
    target: &Target<'_>,
    gathering: &mut Gathering,
) -> Result<(), FormatError> {
    if bytes.trim_ascii_start().starts_with(b"[") {
        return json::each(bytes, None, |index, region: Region| {
            gathering.add(region.entry(format!("[{index}]"))?)
        });
    }
    let report = report(bytes, target, gathering)?;
    if let Some(Facts {
        width: Some(width),
        height: Some(height),
        ..
    }) = report.image
    {
        gathering.check_size("the file", Size::new(width, height))?;
    }
    if let Some(Limited(marks)) = report.marks {
        for (index, Mark { id, region }) in marks.into_iter().enumerate() {
            let mut entry = region.entry(format!("marks[{index}]"))?;
            entry.id = id.or(entry.id);
            gathering.add(entry)?;
        }
    } else if let Some(Limited(regions)) = report.regions {
        for (index, region) in regions.into_iter().enumerate() {
            gathering.add(region.entry(format!("regions[{index}]"))?)?;
        }
    } else {
        let message = "has neither marks nor regions, as som's JSON has";
        return Err(FormatError::Structure(message.to_owned()));
    }
    Ok(())
}

/// The report about the image, among all that follow one another.
fn report(
    bytes: &[u8],
    target: &Target<'_>,
    gathering: &mut Gathering,
) -> Result<Report, FormatError> {
    let failed = |error: serde_json::Error| json::syntax(&error);
    let heads = serde_json::Deserializer::from_slice(bytes).into_iter::<Head>();
    let name = |head: Head| head.image.map_or_else(String::new, |facts| facts.path);
    let names = heads.map(|head| head.map(name));
    let names = names.collect::<Result<Vec<String>, _>>().map_err(failed)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if names.len() > 1 {
        gathering.tells_images_apart();
    }
    let chosen = which::choose(target.name, &names)?;
    if let (None, [other]) = (chosen, names.as_slice())
        && !other.is_empty()
        && !target.name.is_empty()
    {
        gathering.note(format!("the regions are those of {other}"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    for _ in 0..chosen.unwrap_or(0) {
        IgnoredAny::deserialize(&mut deserializer).map_err(failed)?;
    }
    Report::deserialize(&mut deserializer).map_err(failed)
}

impl Region {
    fn entry(self, place: String) -> Result<Entry, FormatError> {
        let Some(shape) = Segmentation::shape(self.segmentation, self.bbox) else {
            return Err(FormatError::entry(
                place,
                "has neither segmentation nor bbox",
            ));
        };
        Ok(Entry {
            id: self.id,
            label: self.label,
            score: self.score,
            level: self.level,
            parent: self.parent,
            extra: self.extra,
            ..Entry::new(place, shape)
        })
    }
}
