//! The references in a pickle: `[{ref_id, ann_id, image_id, split, sentences: [{sent_id, sent}]}]`.

use std::path::Path;

use super::pickle::{Pickle, Value};
use crate::{
    Error, Result,
    data::{Kind, files},
};

/// One thing, and what is said of it.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) ref_id: u64,
    pub(super) image_id: u64,
    /// Splits by their letters: "testAB" belongs to both testA and testB.
    pub(super) split: String,
    pub(super) ann_ids: Vec<u64>,
    pub(super) sentences: Vec<Sentence>,
}

/// One expression, in lower case and without punctuation.
#[derive(Debug)]
pub(super) struct Sentence {
    pub(super) id: u64,
    pub(super) text: String,
}

pub(super) fn read(kind: Kind, file: &Path, problems: &mut Vec<Error>) -> Result<Vec<Reference>> {
    let bytes = files::bytes(kind, file)?;
    let pickle = Pickle::read(&bytes)
        .map_err(|(at, why)| Error::malformed(file, format!("byte {at}"), why))?;
    let Some(entries) = pickle.root().list() else {
        return Err(Error::malformed(file, "pickle", "is no list of references"));
    };
    let mut refs = Vec::with_capacity(entries.len());
    for (index, entry) in entries.enumerate() {
        match reference(entry) {
            Ok(reference) => refs.push(reference),
            Err(key) => {
                let message = format!("{key} is missing or of another type");
                problems.push(Error::malformed(file, format!("entry {index}"), message));
            }
        }
    }
    Ok(refs)
}

/// The reference, or the key that is wrong.
fn reference(entry: Value<'_>) -> Result<Reference, &'static str> {
    let number = |key| entry.get(key).and_then(Value::number).ok_or(key);
    let text = |key| entry.get(key).and_then(Value::text).ok_or(key);
    let said = entry
        .get("sentences")
        .and_then(Value::list)
        .ok_or("sentences")?;
    Ok(Reference {
        ref_id: number("ref_id")?,
        image_id: number("image_id")?,
        split: text("split")?.to_owned(),
        ann_ids: vec![number("ann_id")?],
        sentences: said.map(sentence).collect::<Result<_, _>>()?,
    })
}

fn sentence(entry: Value<'_>) -> Result<Sentence, &'static str> {
    Ok(Sentence {
        id: entry
            .get("sent_id")
            .and_then(Value::number)
            .ok_or("sent_id")?,
        text: entry
            .get("sent")
            .and_then(Value::text)
            .ok_or("sent")?
            .to_owned(),
    })
}
