//! A resized image as the input of a network.

use image::RgbImage;
use som_core::Size;
use tch::{Device, Tensor};

use crate::TorchResult;

/// How the images that a network was trained on were normalised: by mean and deviation of each
/// channel, in 0..=255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalization {
    /// Red, green, blue.
    pub mean: [f32; 3],
    /// Red, green, blue.
    pub deviation: [f32; 3],
}

impl Normalization {
    /// `[height, width, 3]` of the size `padded`: normalised at the top left, zeros beyond. What
    /// of the image reaches further is cut off.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn apply(&self, image: &RgbImage, padded: Size, device: Device) -> TorchResult<Tensor> {
        let (stride, height) = (3 * padded.width as usize, padded.height as usize);
        let mut input = vec![0.0_f32; stride * height];
        let rows = input.chunks_exact_mut(stride.max(1)).zip(
            image
                .as_raw()
                .chunks_exact(3 * image.width().max(1) as usize),
        );
        for (input, pixels) in rows {
            for (input, pixel) in input.chunks_exact_mut(3).zip(pixels.chunks_exact(3)) {
                for (channel, value) in input.iter_mut().enumerate() {
                    *value =
                        (f32::from(pixel[channel]) - self.mean[channel]) / self.deviation[channel];
                }
            }
        }
        Tensor::f_from_slice(&input)?
            .f_view([i64::from(padded.height), i64::from(padded.width), 3])?
            .f_to_device(device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_image_is_zero() {
        let image = RgbImage::from_raw(2, 1, vec![10, 20, 30, 40, 50, 60]).unwrap();
        let halves = Normalization {
            mean: [10.0, 0.0, 0.0],
            deviation: [1.0, 2.0, 10.0],
        };
        let padded = Size::new(3, 2);
        let input = halves.apply(&image, padded, Device::Cpu).unwrap();
        assert_eq!(input.size(), [2, 3, 3]);
        let numbers = Vec::<f32>::try_from(input.flatten(0, -1)).unwrap();
        assert_eq!(
            numbers[..9],
            [0.0, 10.0, 3.0, 30.0, 25.0, 6.0, 0.0, 0.0, 0.0]
        );
        assert_eq!(numbers[9..], [0.0; 9]);
    }
}
