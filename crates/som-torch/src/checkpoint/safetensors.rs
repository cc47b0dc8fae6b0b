//! The safetensors format: a JSON header, then the numbers.

use std::{collections::BTreeMap, fs::File, io, io::Read, path::Path, sync::Arc};

use safetensors::{Dtype, tensor::Metadata};
use tch::Kind;

use super::Entry;

/// Headers beyond this are refused by the format's own library, too.
const MAX_HEADER: u64 = 100_000_000;

/// True if the file starts as safetensors does: the header's length, then `{`.
pub(super) fn recognises(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(9).read_to_end(&mut start)?;
    let Some((length, brace)) = start.split_first_chunk::<8>() else {
        return Ok(false);
    };
    Ok(u64::from_le_bytes(*length) <= MAX_HEADER && brace == b"{")
}

/// The tensors of the file, or why it is malformed.
pub(super) fn entries(path: &Path) -> Result<BTreeMap<String, Entry>, String> {
    let (start, length, metadata) = header(path)?;
    let path: Arc<Path> = path.into();
    metadata
        .tensors()
        .into_iter()
        .map(|(name, info)| {
            let kind = kind(info.dtype).ok_or_else(|| {
                format!("tensor {name} has the unsupported type {:?}", info.dtype)
            })?;
            let elements = info
                .shape
                .iter()
                .try_fold(1_usize, |product, &extent| product.checked_mul(extent));
            let bytes =
                elements.and_then(|elements| elements.checked_mul(kind.elt_size_in_bytes()));
            let (from, to) = info.data_offsets;
            if bytes != to.checked_sub(from) {
                return Err(format!(
                    "tensor {name} has {from}..{to} as its bytes, which do not fit its shape"
                ));
            }
            let (from, to) = (start + from as u64, start + to as u64);
            if to > length {
                return Err(format!(
                    "truncated: tensor {name} ends at byte {to}, the file at {length}"
                ));
            }
            let shape = info
                .shape
                .iter()
                .map(|&extent| extent.try_into().unwrap_or(i64::MAX))
                .collect();
            let path = Arc::clone(&path);
            Ok((
                name,
                Entry {
                    shape,
                    kind,
                    read: Arc::new(move || read(&path, from, to)),
                },
            ))
        })
        .collect()
}

/// Where the numbers start, how long the file is, and what is in it.
fn header(path: &Path) -> Result<(u64, u64, Metadata), String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    let mut header_length = [0; 8];
    file.read_exact(&mut header_length)
        .map_err(|error| error.to_string())?;
    let header_length = u64::from_le_bytes(header_length);
    let mut header = Vec::new();
    file.take(header_length)
        .read_to_end(&mut header)
        .map_err(|error| error.to_string())?;
    let metadata = serde_json::from_slice(&header)
        .map_err(|error| format!("not valid safetensors: {error}"))?;
    Ok((8 + header_length, length, metadata))
}

fn read(path: &Path, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    io::Seek::seek(&mut file, io::SeekFrom::Start(from))?;
    let mut bytes = vec![0; (to - from) as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

const fn kind(dtype: Dtype) -> Option<Kind> {
    Some(match dtype {
        Dtype::BOOL => Kind::Bool,
        Dtype::U8 => Kind::Uint8,
        Dtype::I8 => Kind::Int8,
        Dtype::I16 => Kind::Int16,
        Dtype::I32 => Kind::Int,
        Dtype::I64 => Kind::Int64,
        Dtype::F16 => Kind::Half,
        Dtype::BF16 => Kind::BFloat16,
        Dtype::F32 => Kind::Float,
        Dtype::F64 => Kind::Double,
        _ => return None,
    })
}
