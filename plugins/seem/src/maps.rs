//! From mask embeddings of queries to maps of logits, and how these become the image's.

use som_torch::{
    TorchResult,
    resample::{Axis, Resampling},
};
use tch::{Device, Kind, Tensor};

use crate::network::{EncodedImage, Frame};

/// The logits of mask embeddings `[masks, channels]`, map by map, row by row.
pub(crate) fn logits(image: &EncodedImage, masks: &Tensor) -> TorchResult<Vec<f32>> {
    let features = image.mask_features.f_flatten(0, 1)?;
    numbers(&masks.f_mm(&features.f_tr()?)?)
}

/// How logits become those of the image: enlarged to the padded input, cut to what shows the image,
/// and resized to its size.
pub(crate) fn of_image(image: &EncodedImage) -> Resampling {
    let Frame { inside, size, .. } = image.frame;
    let resampling = of_input(image);
    if size == inside {
        return resampling;
    }
    Resampling {
        rows: resampling.rows.bicubic_antialiased(size.height),
        columns: resampling.columns.bicubic_antialiased(size.width),
    }
}

/// How logits become those of the image as the network sees it.
pub(crate) fn of_input(image: &EncodedImage) -> Resampling {
    let Frame { inside, padded, .. } = image.frame;
    let features = image.mask_features.size();
    let axis =
        |low: i64, padded, inside| Axis::identity(low as u32).bilinear(padded).cropped(inside);
    Resampling {
        rows: axis(features[0], padded.height, inside.height),
        columns: axis(features[1], padded.width, inside.width),
    }
}

/// The numbers of a tensor, row by row.
pub(crate) fn numbers(tensor: &Tensor) -> TorchResult<Vec<f32>> {
    let tensor = tensor
        .f_to_device(Device::Cpu)?
        .f_to_kind(Kind::Float)?
        .f_contiguous()?;
    let mut numbers = vec![0.0; tensor.numel()];
    let count = numbers.len();
    tensor.f_copy_data(&mut numbers, count)?;
    Ok(numbers)
}
