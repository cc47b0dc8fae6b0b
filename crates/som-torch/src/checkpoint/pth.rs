//! What `torch.save` writes. The reading is pytorch-reader's; this file is all that knows of it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Read},
    path::Path,
    sync::Arc,
};

use pytorch_reader::{DType, MAX_PICKLE_SIZE, PytorchReader};
use tch::Kind;

use super::{Entry, pickle};

/// The tensors of the file, or why they are refused.
pub(super) fn entries(path: &Path) -> Result<BTreeMap<String, Entry>, String> {
    check_imports(path)?;
    // No error of the reader holds more than a sentence, and the file's path is ours to add.
    let reader = PytorchReader::new(path).map_err(|error| error.to_string())?;
    reader
        .into_tensors()
        .into_iter()
        .map(|(name, tensor)| {
            let kind = kind(tensor.dtype()).ok_or_else(|| {
                format!(
                    "tensor {name} has the unsupported type {:?}",
                    tensor.dtype()
                )
            })?;
            let shape = tensor
                .shape()
                .iter()
                .map(|&extent| extent.try_into().unwrap_or(i64::MAX))
                .collect();
            Ok((
                name,
                Entry {
                    shape,
                    kind,
                    read: Arc::new(move || tensor.read()),
                },
            ))
        })
        .collect()
}

/// Refuses a file whose pickles name anything but tensors and plain containers.
///
/// pytorch-reader would only leave such objects out. A checkpoint with code in it is somebody's
/// attack or mistake, and whoever loads it should hear so.
fn check_imports(path: &Path) -> Result<(), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut reader = BufReader::new(file);
    let mut start = [0; 2];
    reader
        .read_exact(&mut start)
        .map_err(|_| "is empty".to_owned())?;
    if &start == b"PK" {
        let mut pickle = zipped_pickle(path)?;
        return pickle::check(&mut pickle);
    }
    // The stream of pickles before PyTorch 1.6: magic number, version, system, object, keys.
    let mut stream = start.as_slice().chain(reader);
    for _ in 0..5 {
        pickle::check(&mut stream)
            .map_err(|reason| format!("not a PyTorch checkpoint: {reason}"))?;
    }
    Ok(())
}

fn zipped_pickle(path: &Path) -> Result<impl Read, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut archive = zip::ZipArchive::new(BufReader::new(file))
        .map_err(|error| format!("truncated or damaged: {error}"))?;
    let pickles: Vec<String> = archive
        .file_names()
        .filter_map(Result::ok)
        .filter(|name| name.rsplit('/').next() == Some("data.pkl"))
        .map(std::borrow::Cow::into_owned)
        .collect();
    let [name] = pickles.as_slice() else {
        return Err(format!(
            "not a PyTorch checkpoint: {} entries data.pkl instead of one",
            pickles.len()
        ));
    };
    let mut entry = archive.by_name(name).map_err(|error| error.to_string())?;
    if entry.size() > MAX_PICKLE_SIZE {
        return Err(format!("data.pkl claims {} bytes", entry.size()));
    }
    let mut pickle = Vec::new();
    entry
        .by_ref()
        .take(MAX_PICKLE_SIZE)
        .read_to_end(&mut pickle)
        .map_err(|error| error.to_string())?;
    Ok(std::io::Cursor::new(pickle))
}

const fn kind(dtype: DType) -> Option<Kind> {
    Some(match dtype {
        DType::Bool => Kind::Bool,
        DType::U8 => Kind::Uint8,
        DType::I8 => Kind::Int8,
        DType::I16 => Kind::Int16,
        DType::I32 => Kind::Int,
        DType::I64 => Kind::Int64,
        DType::F16 => Kind::Half,
        DType::BF16 => Kind::BFloat16,
        DType::F32 => Kind::Float,
        DType::F64 => Kind::Double,
        DType::U16 | DType::U32 | DType::U64 => return None,
    })
}
