//! The same tensors under other names: one network, as several projects save it.

use std::{collections::BTreeMap, io, sync::Arc};

use super::{Checkpoint, Entry};

/// What a tensor is called by another project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// Its name there.
    pub name: String,
    /// Which part of the tensor of that name it is, along the first axis; of a whole tensor, 0.
    pub part: usize,
}

impl Checkpoint {
    /// The same tensors under the names that `rename` finds for them. Those that get the same name are
    /// the parts of one tensor; where they do not fit together, they keep the names they have.
    #[must_use]
    pub fn renamed(&self, rename: impl Fn(&str) -> Renamed) -> Self {
        let mut places: BTreeMap<String, Vec<(usize, &String, &Entry)>> = BTreeMap::new();
        for (old, entry) in &self.entries {
            let Renamed { name, part } = rename(old);
            places.entry(name).or_default().push((part, old, entry));
        }
        let mut entries = BTreeMap::new();
        for (name, mut parts) in places {
            parts.sort_by_key(|&(part, ..)| part);
            let whole: Vec<&Entry> = parts.iter().map(|&(_, _, entry)| entry).collect();
            match joined(&whole) {
                Some(entry) => {
                    entries.insert(name, entry);
                }
                None => entries.extend(
                    parts
                        .into_iter()
                        .map(|(_, old, entry)| (old.clone(), entry.clone())),
                ),
            }
        }
        Self {
            path: self.path.clone(),
            entries,
        }
    }
}

/// Tensors one after the other along the first axis; `None`, if they do not fit together.
fn joined(parts: &[&Entry]) -> Option<Entry> {
    let (first, others) = parts.split_first()?;
    if others.is_empty() {
        return Some((*first).clone());
    }
    let (_, inner) = first.shape.split_first()?;
    let mut rows = 0_i64;
    for part in parts {
        let (count, other) = part.shape.split_first()?;
        if other != inner || part.kind != first.kind {
            return None;
        }
        rows = rows.checked_add(*count)?;
    }
    let mut shape = first.shape.clone();
    *shape.first_mut()? = rows;
    let reads: Vec<_> = parts.iter().map(|part| Arc::clone(&part.read)).collect();
    let read = move || -> io::Result<Vec<u8>> {
        let bytes = reads.iter().map(|read| read());
        Ok(bytes.collect::<io::Result<Vec<_>>>()?.concat())
    };
    Some(Entry {
        shape,
        kind: first.kind,
        read: Arc::new(read),
    })
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;

    fn checkpoint(tensors: &[(&str, &[i64], &'static [u8])]) -> Checkpoint {
        let entries = tensors.iter().map(|&(name, shape, bytes)| {
            let entry = Entry {
                shape: shape.to_vec(),
                kind: Kind::Uint8,
                read: Arc::new(move || Ok(bytes.to_vec())),
            };
            (name.to_owned(), entry)
        });
        Checkpoint {
            path: "weights".into(),
            entries: entries.collect(),
        }
    }

    /// `q` and `k` are parts of `qk`; all else keeps its name.
    fn together(name: &str) -> Renamed {
        let part = ["q", "k"].iter().position(|part| *part == name);
        Renamed {
            name: part.map_or(name, |_| "qk").to_owned(),
            part: part.unwrap_or(0),
        }
    }

    #[test]
    fn parts_become_one_tensor_in_their_order() {
        let found = checkpoint(&[
            ("k", &[1, 2], &[5, 6]),
            ("other", &[1], &[9]),
            ("q", &[2, 2], &[1, 2, 3, 4]),
        ])
        .renamed(together);
        assert_eq!(found.names().collect::<Vec<_>>(), ["other", "qk"]);
        assert_eq!(found.shape("qk"), Some(&[3_i64, 2][..]));
        let numbers = Vec::<u8>::try_from(found.tensor("qk").unwrap().flatten(0, -1)).unwrap();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn parts_that_do_not_fit_keep_their_names() {
        let found = checkpoint(&[("k", &[1, 2], &[5, 6]), ("q", &[3], &[1, 2, 3])]);
        let found = found.renamed(together);
        assert_eq!(found.names().collect::<Vec<_>>(), ["k", "q"]);
    }
}
