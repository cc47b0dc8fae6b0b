//! ScreenSpot-Pro: `annotations/*.json`, a list of tasks for each application
//! (likaixin2000/ScreenSpot-Pro-GUI-Grounding, `eval_screenspot_pro.py`).

use serde::Deserialize;
use som_core::Size;

use super::{Dataset, Kind, Place, files};
use crate::{Error, Question, Rect, Result, Sample, Truth};

#[derive(Deserialize)]
struct Task {
    id: String,
    img_filename: String,
    img_size: [u32; 2],
    /// Left, top, right, bottom.
    bbox: [f64; 4],
    instruction: String,
    group: String,
    ui_type: String,
}

/// One sample a task; `--split` chooses an annotation file by its name.
pub(super) fn read(place: &Place, data: &mut Dataset) -> Result<()> {
    let folder = place.folder.join("annotations");
    let wanted = |name: &str| {
        let stem = name.strip_suffix(".json");
        stem.is_some_and(|stem| place.split.as_deref().is_none_or(|split| split == stem))
    };
    let found = files::listed(Kind::ScreenSpotPro, &folder, wanted)?;
    if found.is_empty() {
        let name = place.split_or("*");
        return Err(Kind::ScreenSpotPro.missing(folder.join(format!("{name}.json"))));
    }
    let photos = place.images_in(&place.folder, &["images"]);
    for (_, path) in found {
        let tasks: Vec<Task> = match files::json(Kind::ScreenSpotPro, &path) {
            Ok(tasks) => tasks,
            Err(error) => {
                data.problems.push(error);
                continue;
            }
        };
        for task in tasks {
            let truth = Rect::between(task.bbox);
            if !truth.is_sound() {
                let message = "bbox is no box left, top, right, bottom";
                data.problems.push(Error::malformed(
                    &path,
                    format!("task {}", task.id),
                    message,
                ));
                continue;
            }
            data.samples.push(Sample {
                id: task.id,
                group: task.img_filename.clone(),
                image: photos.join(&task.img_filename),
                size: Some(Size::new(task.img_size[0], task.img_size[1])),
                question: Question::Click(task.instruction),
                truth: Truth::Click(truth),
                kinds: vec![task.ui_type, task.group],
            });
        }
    }
    Ok(())
}
