//! DAVIS 2017: `Annotations/480p/SEQ/%05d.png`, and a list of sequences for each split
//! (davisvideochallenge/davis2017-evaluation, `davis.py`).

use super::{Dataset, Kind, Place, files};
use crate::{Error, Question, Result, Sample, Truth, Video};

/// One sample a sequence.
pub(super) fn read(place: &Place, data: &mut Dataset) -> Result<()> {
    let Place { kind, folder, .. } = place;
    let is_unsupervised = *kind == Kind::Davis2017Unsupervised;
    let truth = if is_unsupervised {
        "Annotations_unsupervised/480p"
    } else {
        "Annotations/480p"
    };
    let list = folder.join(format!("ImageSets/2017/{}.txt", place.split_or("val")));
    let text = files::text(*kind, &list)?;
    let photos = place.images_in(folder, &["JPEGImages/480p", "JPEGImages/Full-Resolution"]);
    for name in text.lines().map(str::trim).filter(|name| !name.is_empty()) {
        let maps = folder.join(truth).join(name);
        let frames = match files::listed(*kind, &maps, |file| file.ends_with(".png")) {
            Ok(frames) => frames,
            Err(error) => {
                data.problems.push(error);
                continue;
            }
        };
        let named = |(file, path): (String, _)| {
            let stem = file.strip_suffix(".png").unwrap_or(&file);
            (stem.to_owned(), path)
        };
        let frames: Vec<_> = frames.into_iter().map(named).collect();
        let Some((first, _)) = frames.first() else {
            data.problems
                .push(Error::malformed(&maps, name, "holds no frame"));
            continue;
        };
        data.samples.push(Sample {
            id: name.to_owned(),
            group: name.to_owned(),
            image: photos.join(name).join(format!("{first}.jpg")),
            size: None,
            question: Question::Track,
            truth: Truth::Video(Video {
                frames,
                is_unsupervised,
            }),
            kinds: Vec::new(),
        });
    }
    if data.samples.is_empty() {
        return Err(data
            .problems
            .pop()
            .unwrap_or_else(|| kind.missing(folder.join(truth))));
    }
    data.notes.push(if is_unsupervised {
        "all frames count, void is left out, and proposals are paired with objects by the best \
         total of J&F"
            .to_owned()
    } else {
        "the first and the last frame do not count, and void is not regarded".to_owned()
    });
    Ok(())
}
