//! Flickr30k Entities: `Sentences/ID.txt`, `Annotations/ID.xml`, and a list of ids for each split
//! (`flickr30k_entities_utils.py` of BryanPlummer/flickr30k_entities).

mod sentence;
mod boxes;

use self::{boxes::Boxes, sentence::Sentence};
use super::{Dataset, Kind, Place, files};
use crate::{Error, Phrase, Question, Result, Sample, Truth};

/// One sample a sentence.
pub(super) fn read(place: &Place, data: &mut Dataset) -> Result<()> {
    let folder = &place.folder;
    let split = place.split_or("test");
    let list = files::text(Kind::Flickr30k, &folder.join(format!("{split}.txt")))?;
    let [sentences, annotations] = ["Sentences", "Annotations"].map(|name| folder.join(name));
    for part in [&sentences, &annotations] {
        if !part.is_dir() {
            return Err(Kind::Flickr30k.missing(part));
        }
    }
    let photos = place.images_in(folder, &["flickr30k-images", "flickr30k_images", "images"]);
    let mut unscored = 0;
    for id in list.lines().map(str::trim).filter(|id| !id.is_empty()) {
        let file = sentences.join(format!("{id}.txt"));
        let boxes = Boxes::read(&annotations.join(format!("{id}.xml")));
        let (text, boxes) = match (files::text(Kind::Flickr30k, &file), boxes) {
            (Ok(text), Ok(boxes)) => (text, boxes),
            (Err(error), _) | (_, Err(error)) => {
                data.problems.push(error);
                continue;
            }
        };
        for (number, line) in text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .enumerate()
        {
            let sentence = match Sentence::parse(line) {
                Ok(sentence) => sentence,
                Err(why) => {
                    let entry = format!("line {}", number + 1);
                    data.problems.push(Error::malformed(&file, entry, why));
                    continue;
                }
            };
            let all = sentence.phrases.len();
            let phrases: Vec<Phrase> = sentence
                .phrases
                .into_iter()
                .filter_map(|phrase| {
                    let boxes = boxes.of(&phrase.chain)?;
                    Some(Phrase {
                        text: phrase.text,
                        types: phrase.types,
                        boxes: boxes.to_vec(),
                    })
                })
                .collect();
            unscored += all - phrases.len();
            data.samples.push(Sample {
                id: format!("{id}:{number}"),
                group: id.to_owned(),
                image: photos.join(format!("{id}.jpg")),
                size: Some(boxes.size),
                question: Question::Phrases {
                    sentence: sentence.text,
                },
                truth: Truth::Phrases(phrases),
                kinds: Vec::new(),
            });
        }
    }
    data.notes.push(format!(
        "{unscored} phrases have no box (not visual, scenes, or without one) and are not scored"
    ));
    data.notes.push(
        "boxes are counted from 1 in the files and from 0 here; their width is xmax - xmin, as in \
         published evaluations"
            .to_owned(),
    );
    Ok(())
}
