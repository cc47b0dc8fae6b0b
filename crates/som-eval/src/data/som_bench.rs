//! SoM-Bench: the marked images as released (microsoft/SoM, `benchmark/README.md`).

use std::sync::Arc;

use super::{Dataset, Kind, Place, files};
use crate::{Question, Result, Sample, Truth};

/// The parts whose marked images ask for names.
const NAMING: [&str; 2] = ["coco_ovseg", "ade20k_ovseg"];
/// The parts whose JSON has keys that nobody documented.
const UNDOCUMENTED: [&str; 2] = ["flickr30k_grounding", "refcocog_refseg"];
const UNPUBLISHED: &str = "the truth of SoM-Bench's naming parts was never published: score the \
                           names against coco-panoptic or ade20k, whose images these are";

/// One sample a marked image; `--split` chooses a part.
pub(super) fn read(place: &Place, data: &mut Dataset) -> Result<()> {
    let folder = &place.folder;
    let is_wanted = |part: &str| place.split.as_deref().is_none_or(|split| split == part);
    let mut has_any = false;
    for part in NAMING.into_iter().filter(|part| is_wanted(part)) {
        let images = folder.join(part).join("som_images");
        if !images.is_dir() {
            continue;
        }
        has_any = true;
        let is_image = |name: &str| name.ends_with(".jpg");
        for (name, path) in files::listed(Kind::SomBench, &images, is_image)? {
            let stem = name.strip_suffix(".jpg").unwrap_or(&name);
            // Behind the last underscore stands the place of its first region.
            let image = stem.rsplit_once('_').map_or(stem, |(image, _)| image);
            data.samples.push(Sample {
                id: format!("{part}/{stem}"),
                group: format!("{part}/{image}"),
                image: path,
                size: None,
                question: Question::Names {
                    vocabulary: Arc::default(),
                },
                truth: Truth::Unpublished(UNPUBLISHED),
                kinds: vec![part.to_owned()],
            });
        }
    }
    for part in UNDOCUMENTED.into_iter().filter(|part| is_wanted(part)) {
        let inner = folder.join(part);
        if inner.is_dir() {
            has_any = true;
            let count =
                files::listed(Kind::SomBench, &inner, |name| name.ends_with(".json"))?.len();
            data.notes.push(format!(
                "{part}: {count} JSON files are there and not read, as their keys are not \
                 documented; flickr30k and refcocog have the same images with their truth"
            ));
        }
    }
    if has_any {
        Ok(())
    } else {
        let part = place.split_or(NAMING[0]);
        Err(Kind::SomBench.missing(folder.join(part)))
    }
}
