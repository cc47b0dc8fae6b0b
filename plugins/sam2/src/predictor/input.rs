//! An image as the network's input.

use som_core::Image;
use som_torch::{TorchResult, resize};
use tch::{Kind, Tensor};

use super::Predictor;

impl Predictor {
    /// An image by itself, resized to the whole square `[side, side, 3]` and normalised: as
    /// `SAM2Transforms` does it, on numbers that are not rounded.
    pub(crate) fn image_input(&self, image: &Image<'_>) -> TorchResult<Tensor> {
        let side = self.sam2.config.side;
        let size = [i64::from(image.height()), i64::from(image.width()), 3];
        let pixels = Tensor::f_from_data_size(image.as_raw(), &size, Kind::Uint8)?
            .f_to_device(self.compute.device)?
            .f_permute([2, 0, 1])?
            .f_unsqueeze(0)?
            .f_to_kind(Kind::Float)?
            .f_contiguous()?
            .f_div_scalar(255.0)?;
        let resized = pixels.f_internal_upsample_bilinear2d_aa([side, side], false, None, None)?;
        self.normalized(&resized.f_squeeze_dim(0)?.f_permute([1, 2, 0])?)
    }

    /// A frame of a video, resized to the whole square `[side, side, 3]` and normalised: as Pillow
    /// resizes, to whole bytes.
    pub(crate) fn frame_input(&self, image: &Image<'_>) -> TorchResult<Tensor> {
        let side = self.side();
        let resized = resize::bicubic(image, som_core::Size::new(side, side));
        let side = i64::from(side);
        let pixels = Tensor::f_from_data_size(resized.as_raw(), &[side, side, 3], Kind::Uint8)?;
        // Divided in double precision there.
        let pixels = pixels.f_to_kind(Kind::Double)?.f_div_scalar(255.0)?;
        self.normalized(
            &pixels
                .f_to_kind(Kind::Float)?
                .f_to_device(self.compute.device)?,
        )
    }

    fn normalized(&self, image: &Tensor) -> TorchResult<Tensor> {
        let config = &self.sam2.config;
        let device = self.compute.device;
        let mean = Tensor::f_from_slice(&config.mean)?.f_to_device(device)?;
        let deviation = Tensor::f_from_slice(&config.deviation)?.f_to_device(device)?;
        image.f_sub(&mean)?.f_div(&deviation)?.f_contiguous()
    }
}
