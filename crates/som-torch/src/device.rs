//! Where a network runs and in which precision: the options `device` and `precision`.

use serde::{Deserialize, Serialize};
use som_core::{Error, Result};
use tch::{Cuda, Device, Kind};

use crate::{cuda, memory, threads};

/// Where and how precisely a network computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compute {
    /// The CPU or one GPU.
    pub device: Device,
    /// Of weights and activations.
    pub precision: Precision,
}

impl Compute {
    /// From the options `device` (`cpu`, `cuda`, `cuda:N` or `auto`: a GPU if there is one) and
    /// `precision`.
    ///
    /// # Errors
    /// Invalid, if `device` is none of these; Unavailable, if it is a GPU that is not there, with
    /// the reason; Exhausted, if the threads to compute with cannot start.
    pub fn open(device: &str, precision: Precision) -> Result<Self> {
        let device = match device {
            "cpu" => Device::Cpu,
            "auto" => gpu(0).unwrap_or(Device::Cpu),
            "cuda" => gpu(0).map_err(|reason| unavailable(device, &reason))?,
            _ => {
                let index = device
                    .strip_prefix("cuda:")
                    .and_then(|index| index.parse().ok());
                let index = index.ok_or_else(|| {
                    Error::invalid(format!(
                        "device {device:?} is none of cpu, cuda, cuda:N, auto"
                    ))
                })?;
                gpu(index).map_err(|reason| unavailable(device, &reason))?
            }
        };
        threads::require()?;
        Ok(Self { device, precision })
    }

    /// True on a GPU.
    pub fn is_gpu(self) -> bool {
        self.device != Device::Cpu
    }

    /// Checks that `bytes` of memory are left for `what`. On a GPU the allocation itself reports
    /// that memory is short.
    ///
    /// # Errors
    /// Exhausted, with what is needed and what is left.
    pub fn require(self, bytes: u64, what: &str) -> Result<()> {
        if self.is_gpu() {
            return Ok(());
        }
        memory::require(bytes, what)
    }

    /// The element type of weights and activations.
    pub const fn kind(self) -> Kind {
        match self.precision {
            Precision::Fp32 => Kind::Float,
            Precision::Bf16 => Kind::BFloat16,
            Precision::Fp16 => Kind::Half,
        }
    }
}

fn unavailable(device: &str, reason: &str) -> Error {
    Error::unavailable(format!(
        "device {device:?}: {reason} (use device cpu or auto)"
    ))
}

/// The GPU of this index, or why there is none.
fn gpu(index: usize) -> Result<Device, String> {
    cuda::open().map_err(|reason| {
        format!("libtorch's CUDA library is not usable: {reason} (`cargo xtask libtorch --cuda` installs it)")
    })?;
    if !Cuda::is_available() {
        return Err("libtorch finds no usable NVIDIA GPU and driver".to_owned());
    }
    let count = Cuda::device_count();
    if i64::try_from(index).is_ok_and(|index| index < count) {
        Ok(Device::Cuda(index))
    } else {
        Err(format!(
            "there is no such GPU (this machine has {count}, numbered from 0)"
        ))
    }
}

/// The number format of weights and activations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits: exact parity with the official results.
    #[default]
    Fp32,
    /// 16 bits, the exponent range of 32: for recent GPUs, and CPUs with matrix units.
    Bf16,
    /// 16 bits, finer but with a smaller range.
    Fp16,
}

#[cfg(test)]
mod tests {
    use super::*;
    use som_core::ErrorKind;

    #[test]
    fn devices_that_are_not_named_so_are_invalid() {
        for name in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "CPU"] {
            assert_eq!(
                Compute::open(name, Precision::Fp32).unwrap_err().kind(),
                ErrorKind::Invalid,
                "{name}"
            );
        }
    }

    #[test]
    fn a_gpu_that_is_not_there_is_unavailable_and_says_what_to_do() {
        // No machine has this many.
        let error = Compute::open("cuda:4095", Precision::Fp32).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(
            error.message().contains("use device cpu or auto"),
            "{error}"
        );
    }

    #[test]
    fn auto_is_always_something() {
        Compute::open("auto", Precision::Fp32).unwrap();
    }
}
