//! libtorch's errors as som's.

use som_core::{Error, ErrorKind};
use tch::TchError;

/// The result of a network's operations.
pub type TorchResult<T> = Result<T, TchError>;

/// What a libtorch error means to a caller: memory that ran out is `Exhausted`, a device that went
/// away is `Unavailable`, all else is a bug.
#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub fn torch_error(error: TchError) -> Error {
    let text = error.to_string();
    // The lines below the first are a C++ stack trace.
    let message = text
        .lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("Internal torch error: ");
    let kind = if is_out_of_memory(message) {
        ErrorKind::Exhausted
    } else if message.contains("CUDA error") || message.contains("NVIDIA driver") {
        ErrorKind::Unavailable
    } else {
        ErrorKind::Internal
    };
    Error::new(kind, format!("libtorch: {message}"))
}

fn is_out_of_memory(message: &str) -> bool {
    [
        "out of memory",
        "can't allocate memory",
        "CUBLAS_STATUS_ALLOC_FAILED",
        "std::bad_alloc",
    ]
    .iter()
    .any(|sign| message.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind, Tensor};

    #[test]
    fn memory_that_runs_out_is_exhausted() {
        let huge = Tensor::f_zeros([1 << 55], (Kind::Float, Device::Cpu)).unwrap_err();
        assert_eq!(torch_error(huge).kind(), ErrorKind::Exhausted);
    }

    #[test]
    fn a_wrong_shape_is_a_bug_told_in_one_line() {
        let options = (Kind::Float, Device::Cpu);
        let error = Tensor::zeros([2, 3], options)
            .f_matmul(&Tensor::zeros([2, 3], options))
            .unwrap_err();
        let error = torch_error(error);
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert_eq!(error.message().lines().count(), 1, "{error}");
    }
}
