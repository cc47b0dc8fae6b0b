//! ADE20K with the 150 classes of the scene parsing challenge.

use std::sync::Arc;

use super::{Dataset, Kind, Place, files};
use crate::{Error, Question, Result, Sample, Segments, Truth};

/// Reads `annotations/SPLIT/*.png` and `objectInfo150.txt`.
pub(super) fn read(place: &Place, data: &mut Dataset) -> Result<()> {
    let split = place.split_or("validation");
    let maps = place.folder.join("annotations").join(split);
    let classes = Arc::new(classes(place)?);
    let vocabulary: Arc<Vec<String>> = Arc::new(
        classes
            .iter()
            .filter_map(|names| names.first().cloned())
            .collect(),
    );
    let inner = format!("images/{split}");
    let folder = place.images_in(&place.folder, &[&inner, "images"]);
    for (name, map) in files::listed(Kind::Ade20k, &maps, |name| name.ends_with(".png"))? {
        let id = name.strip_suffix(".png").unwrap_or(&name).to_owned();
        data.samples.push(Sample {
            group: id.clone(),
            image: folder.join(format!("{id}.jpg")),
            id,
            size: None,
            question: Question::Names {
                vocabulary: Arc::clone(&vocabulary),
            },
            truth: Truth::Segments(Segments::Classes {
                map,
                classes: Arc::clone(&classes),
            }),
            kinds: Vec::new(),
        });
    }
    data.notes.push(
        "the maps have classes alone: each connected part of a class (by sides and corners) is a \
         segment, numbered from 1 in the order of classes, then of reading"
            .to_owned(),
    );
    Ok(())
}

/// The names of each class with its synonyms, from the table's last column.
fn classes(place: &Place) -> Result<Vec<Vec<String>>> {
    let beside = place.folder.join("objectInfo150.txt");
    // The table lies beside the images, or above them.
    let above = place.folder.join("..").join("objectInfo150.txt");
    let path = if !beside.is_file() && above.is_file() {
        above
    } else {
        beside
    };
    let text = files::text(Kind::Ade20k, &path)?;
    let rows = text
        .lines()
        .enumerate()
        .skip(1)
        .filter(|(_, line)| !line.trim().is_empty());
    rows.map(|(index, line)| {
        let columns: Vec<&str> = line.split('\t').collect();
        let row = data_row(&columns);
        row.filter(|(number, _)| *number == index)
            .map(|(_, names)| names)
            .ok_or_else(|| {
                let message = "a row is the class's number, three figures and its names, by tabs";
                Error::malformed(&path, format!("line {}", index + 1), message)
            })
    })
    .collect()
}

fn data_row(columns: &[&str]) -> Option<(usize, Vec<String>)> {
    let (number, names) = (columns.first()?, columns.get(4)?);
    let names = names.split(',').map(|name| name.trim().to_owned());
    Some((number.trim().parse().ok()?, names.collect()))
}
