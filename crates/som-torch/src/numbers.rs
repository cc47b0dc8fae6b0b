//! What networks give: numbers, or none.
//!
//! Without a look at what they compute, nothing would pass the filters, and the image would seem to
//! hold nothing.

use som_core::{Error, Result};
use tch::{Device, Kind, Tensor};

use crate::{TorchResult, torch_error};

/// A tensor's numbers, of which the last axis runs fastest.
///
/// # Errors
/// What libtorch reports.
pub fn of(tensor: &Tensor) -> TorchResult<Vec<f32>> {
    let mut numbers = vec![0.0; tensor.numel()];
    let count = numbers.len();
    tensor
        .f_to_kind(Kind::Float)?
        .f_to_device(Device::Cpu)?
        .f_contiguous()?
        .f_copy_data(&mut numbers, count)?;
    Ok(numbers)
}

/// Checks that what `part` of a network gives are numbers.
///
/// # Errors
/// Invalid, if one of them is infinite or none.
pub fn require(tensor: &Tensor, part: &str) -> Result<()> {
    let finite = tensor.f_isfinite().and_then(|finite| finite.f_all());
    let finite = finite.and_then(|finite| finite.f_int64_value(&[]));
    match finite.map_err(torch_error)? {
        0 => Err(none_of(part)),
        _ => Ok(()),
    }
}

/// The error of a `part` of a network that gives infinities or no numbers.
pub fn none_of(part: &str) -> Error {
    Error::invalid(format!(
        "the {part} gives infinities or no numbers: the weights are damaged, or too large for precision fp16 (use fp32 or bf16)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use som_core::ErrorKind;

    #[test]
    fn one_number_that_is_none_is_an_error_that_names_the_part() {
        require(&Tensor::from_slice(&[1.0_f32, -2.0]), "encoder").unwrap();
        for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let error = require(&Tensor::from_slice(&[1.0, odd]), "encoder").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains("the encoder gives"), "{error}");
        }
    }
}
