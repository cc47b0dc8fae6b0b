//! gRefCOCO's references: JSON, with none, one or several annotations each.

use std::path::Path;

use serde::Deserialize;

use super::refs::{Reference, Sentence};
use crate::{
    Result,
    data::{Kind, files},
};

#[derive(Deserialize)]
struct Read {
    ref_id: u64,
    image_id: u64,
    split: String,
    /// `[-1]` or `[null]` where there is no target.
    ann_id: Vec<Option<i64>>,
    #[serde(default)]
    no_target: bool,
    sentences: Vec<ReadSentence>,
}

#[derive(Deserialize)]
struct ReadSentence {
    sent_id: u64,
    sent: String,
}

pub(super) fn read(kind: Kind, file: &Path) -> Result<Vec<Reference>> {
    let read: Vec<Read> = files::json(kind, file)?;
    let reference = |read: Read| {
        let ids = read.ann_id.into_iter().flatten();
        let ids = ids.filter_map(|id| u64::try_from(id).ok());
        Reference {
            ref_id: read.ref_id,
            image_id: read.image_id,
            split: read.split,
            ann_ids: if read.no_target {
                Vec::new()
            } else {
                ids.collect()
            },
            sentences: read
                .sentences
                .into_iter()
                .map(|sentence| Sentence {
                    id: sentence.sent_id,
                    text: sentence.sent,
                })
                .collect(),
        }
    };
    Ok(read.into_iter().map(reference).collect())
}
