//! How many parts a message has, told from its bytes before it is decoded.
//!
//! Two bytes can stand for a message within a message that takes two hundred in memory, so that 64 MiB
//! of them would take gigabytes. What is counted are messages within messages, and texts.

use std::{collections::HashMap, sync::LazyLock};

use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet, field_descriptor_proto::Type};
use tonic::Status;

use crate::pb;

/// Most parts of a message: more than the largest list of regions has.
const MAX_PARTS: usize = 1 << 20;
/// Messages within messages within messages, as deep as prost follows them.
const MAX_DEPTH: u32 = 100;

/// Wire types (Protocol Buffers, "Encoding").
const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH: u64 = 2;
const FIXED_32: u64 = 5;

/// Checks the message called `name` in `bytes`.
///
/// # Errors
/// RESOURCE_EXHAUSTED, if it has too many parts; INVALID_ARGUMENT for kinds of fields that no message
/// of the contract has. What else is malformed is for the decoder to tell.
pub(crate) fn check(name: &str, bytes: &[u8]) -> Result<(), Status> {
    let Some(&message) = SCHEMA.by_name.get(name) else {
        return Ok(());
    };
    let mut count = 0;
    match SCHEMA.count(message, bytes, MAX_DEPTH, &mut count) {
        Ok(()) | Err(Stop::Malformed) => Ok(()),
        Err(Stop::TooMany) => Err(Status::resource_exhausted(format!(
            "the message has more than {MAX_PARTS} parts (messages and texts within it)"
        ))),
        Err(Stop::Foreign) => Err(Status::invalid_argument(
            "malformed message: it has fields of a wire type that is not used here",
        )),
    }
}

/// Why counting ended early.
enum Stop {
    Malformed,
    TooMany,
    Foreign,
}

/// For each message of the contract, which of its fields are parts.
struct Schema {
    messages: Vec<HashMap<u64, Part>>,
    by_name: HashMap<String, usize>,
}

#[derive(Clone, Copy)]
enum Part {
    /// By its index.
    Message(usize),
    Text,
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let set = FileDescriptorSet::decode(pb::FILE_DESCRIPTOR_SET).unwrap_or_default();
    let mut all = Vec::new();
    for file in &set.file {
        for message in &file.message_type {
            collect(file.package(), message, &mut all);
        }
    }
    let names = all
        .iter()
        .enumerate()
        .map(|(index, (name, _))| (name.clone(), index));
    let by_name: HashMap<String, usize> = names.collect();
    let parts = |message: &DescriptorProto| {
        let part = |field: &prost_types::FieldDescriptorProto| {
            let part = match field.r#type() {
                Type::Message => {
                    Part::Message(*by_name.get(field.type_name().trim_start_matches('.'))?)
                }
                Type::String => Part::Text,
                _ => return None,
            };
            Some((u64::try_from(field.number()).ok()?, part))
        };
        message.field.iter().filter_map(part).collect()
    };
    Schema {
        messages: all.iter().map(|(_, message)| parts(message)).collect(),
        by_name,
    }
});

/// A message and those declared within it, by their full names.
fn collect<'a>(
    scope: &str,
    message: &'a DescriptorProto,
    all: &mut Vec<(String, &'a DescriptorProto)>,
) {
    let name = format!("{scope}.{}", message.name());
    for nested in &message.nested_type {
        collect(&name, nested, all);
    }
    all.push((name, message));
}

impl Schema {
    fn count(
        &self,
        message: usize,
        mut bytes: &[u8],
        depth: u32,
        count: &mut usize,
    ) -> Result<(), Stop> {
        while !bytes.is_empty() {
            let key = varint(&mut bytes)?;
            let skipped = match key & 7 {
                VARINT => {
                    varint(&mut bytes)?;
                    0
                }
                FIXED_64 => 8,
                FIXED_32 => 4,
                LENGTH => usize::try_from(varint(&mut bytes)?).map_err(|_| Stop::Malformed)?,
                _ => return Err(Stop::Foreign),
            };
            let (inside, after) = bytes.split_at_checked(skipped).ok_or(Stop::Malformed)?;
            bytes = after;
            let part = self.messages[message].get(&(key >> 3));
            if let (LENGTH, Some(part)) = (key & 7, part) {
                *count += 1;
                if *count > MAX_PARTS {
                    return Err(Stop::TooMany);
                }
                if let Part::Message(within) = *part {
                    let depth = depth.checked_sub(1).ok_or(Stop::Malformed)?;
                    self.count(within, inside, depth, count)?;
                }
            }
        }
        Ok(())
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Stop> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(Stop::Malformed)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Stop::Malformed)
}

#[cfg(test)]
mod tests {
    use prost::Name as _;
    use serde_json::json;

    use super::*;
    use crate::{params, pb::v1 as wire};

    fn parts(message: &impl prost::Name) -> usize {
        fn of<T: prost::Name>(_: &T) -> String {
            T::full_name()
        }
        let mut count = 0;
        let index = SCHEMA.by_name[&of(message)];
        assert!(
            SCHEMA
                .count(index, &message.encode_to_vec(), MAX_DEPTH, &mut count)
                .is_ok()
        );
        count
    }

    #[test]
    fn messages_and_texts_are_parts_and_bytes_are_not() {
        let image = wire::Image {
            content: Some(wire::image::Content::Encoded(wire::EncodedImage {
                data: vec![10; 1000].into(),
                ..wire::EncodedImage::default()
            })),
        };
        let params = serde_json::from_value(json!({"a": [1, "x"]})).unwrap();
        let request = wire::MarkRequest {
            image: Some(image),
            segmenter: "classic".into(),
            params: Some(params::to_wire(&params)),
            ..wire::MarkRequest::default()
        };
        // image, encoded; segmenter; params, its entry, key and value, the list, two values and "x".
        assert_eq!(parts(&request), 2 + 1 + 8);
    }

    #[test]
    fn a_few_bytes_do_not_become_gigabytes() {
        let regions = |count| wire::RegionList {
            regions: vec![wire::Region::default(); count],
            ids: vec![],
        };
        let name = wire::RegionList::full_name();
        let check = |count| check(&name, &regions(count).encode_to_vec());
        assert!(check(MAX_PARTS).is_ok());
        let status = check(MAX_PARTS + 1).unwrap_err();
        assert_eq!(status.code(), tonic::Code::ResourceExhausted);
    }

    #[test]
    fn nothing_hides_behind_what_is_malformed() {
        let name = wire::RegionList::full_name();
        // A group, which decoders pass over.
        let status = check(&name, &[0x1b, 0x1c]).unwrap_err();
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        // Cut off: the decoder tells.
        assert!(check(&name, &[0x0a, 0x7f]).is_ok());
        assert!(check(&name, &[0xff; 11]).is_ok());
    }
}
