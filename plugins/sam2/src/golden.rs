//! Numbers of the official project, for tests: on the CPU, or on the device that SOM_TEST_DEVICE
//! names.

use std::{env, fs, io::Write as _, path::Path};

use image::RgbImage;
use serde_json::Value;
use som_core::{Call, Image, Mask, Params, Rle, Size};
use som_torch::{Checkpoint, Compute, Precision, Source};
use tch::{Device, Tensor};

use crate::predictor::{EncodedImage, Predictor};

/// How far numbers may be off: stages of the image encoder, low-resolution logits, predicted IoUs.
pub(crate) const STAGE: f64 = 1e-3;
pub(crate) const LOGIT: f64 = 5e-2;
pub(crate) const IOU: f64 = 1e-2;

/// Relative, so that the tests can be carried to a machine with a GPU.
const FOLDER: &str = "tests/assets/tiny";

/// Numbers of the official project for one checkpoint, an image and a video.
pub(crate) struct Golden {
    pub expected: Checkpoint,
    pub json: Value,
    pub predictor: Predictor,
    pub pixels: RgbImage,
}

impl Golden {
    pub(crate) fn open() -> Self {
        Self::with(&[])
    }

    /// With some settings otherwise than in its config file.
    pub(crate) fn with(changes: &[(&str, Value)]) -> Self {
        let device = env::var("SOM_TEST_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
        let compute = Compute::open(&device, Precision::Fp32).unwrap();
        let folder = Path::new(FOLDER);
        let config = fs::read(folder.join("config.json")).unwrap();
        let mut config: Value = serde_json::from_slice(&config).unwrap();
        for (key, value) in changes {
            config[*key] = value.clone();
        }
        let mut changed = tempfile::NamedTempFile::new().unwrap();
        changed.write_all(config.to_string().as_bytes()).unwrap();
        let weights = folder.join("checkpoint.pth");
        let source = Source::open(&weights, Some(changed.path()), compute).unwrap();
        let json = fs::read(folder.join("expected.json")).unwrap();
        Self {
            expected: Checkpoint::open(&folder.join("expected.safetensors")).unwrap(),
            json: serde_json::from_slice(&json).unwrap(),
            predictor: Predictor::open(&source).unwrap(),
            pixels: image::open(folder.join("image.png")).unwrap().into_rgb8(),
        }
    }

    pub(crate) fn image(&self) -> Image<'_> {
        view(&self.pixels)
    }

    pub(crate) fn encode(&self) -> EncodedImage {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        self.predictor.run_encoder(&self.image(), &call).unwrap()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.expected.shape(name).is_some()
    }

    pub(crate) fn tensor(&self, name: &str) -> Tensor {
        self.expected.tensor(name).unwrap()
    }

    /// Compares with the tensor of that name, where there is one.
    #[track_caller]
    pub(crate) fn compare(&self, name: &str, found: &Tensor, tolerance: f64) {
        if !self.has(name) {
            return;
        }
        let expected = self.tensor(name);
        assert_eq!(found.size(), expected.size(), "{name}");
        if expected.numel() == 0 {
            return;
        }
        let off = (found.to_device(Device::Cpu) - &expected).abs().max();
        let off = off.double_value(&[]);
        println!("{name}: off by {off:.1e}");
        assert!(off <= tolerance, "{name}: off by {off}");
    }
}

pub(crate) fn view(pixels: &RgbImage) -> Image<'_> {
    let (width, height) = pixels.dimensions();
    Image::from_raw(width, height, pixels.as_raw().as_slice()).unwrap()
}

/// Compares a mask with one of the official project.
#[track_caller]
pub(crate) fn compare_masks(name: &str, found: &Mask, expected: &Value, least: f64) {
    let expected: Rle = serde_json::from_value(expected.clone()).unwrap();
    let expected = Mask::from_rle(&expected).unwrap();
    assert_eq!(found.size(), expected.size(), "{name}");
    let iou = match found.is_empty() && expected.is_empty() {
        true => 1.0,
        false => found.iou(&expected),
    };
    println!("{name}: IoU {iou:.5} of {} pixels", expected.area());
    assert!(iou >= least, "{name}: IoU {iou}");
}

/// `[height, width, channels]` as the official project has it.
pub(crate) fn channels_first(x: &Tensor) -> Tensor {
    x.permute([2, 0, 1]).unsqueeze(0)
}

/// `[places, channels]` of a square as the official project has it.
pub(crate) fn as_map(x: &Tensor) -> Tensor {
    let (places, channels) = x.size2().unwrap();
    let side = (places as f64).sqrt() as i64;
    channels_first(&x.view([side, side, channels]))
}

pub(crate) fn size_of(pixels: &RgbImage) -> Size {
    Size::new(pixels.width(), pixels.height())
}
