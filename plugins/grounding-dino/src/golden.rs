//! Numbers of the reference, for tests: on the CPU, or on the device that SOM_TEST_DEVICE names.

use std::{env, fs, path::Path};

use image::RgbImage;
use serde_json::Value;
use som_core::{Call, Image, Params};
use som_torch::{Checkpoint, Compute, Learned as _, Precision, Source};
use tch::{Device, Kind, Tensor};

use crate::{
    network::{EncodedImage, Resize},
    segmenter::GroundingDino,
};

// Tolerances that the golden data recommend.
pub(crate) const HIDDEN: f64 = 1e-3;
pub(crate) const BOX: f64 = 1e-4;

/// Numbers of the reference for one checkpoint and image.
pub(crate) struct Golden {
    pub expected: Checkpoint,
    pub json: Value,
    pub source: Source,
    pub grounding_dino: GroundingDino,
    pub pixels: RgbImage,
}

impl Golden {
    pub(crate) fn open(name: &str) -> Self {
        let device = env::var("SOM_TEST_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
        let compute = Compute::open(&device, Precision::Fp32).unwrap();
        // Relative, so that the tests can be carried to a machine with a GPU.
        let folder = Path::new("tests/assets").join(name);
        let source = Source::open(&folder.join("checkpoint.pth"), None, compute).unwrap();
        Self {
            expected: Checkpoint::open(&folder.join("expected.safetensors")).unwrap(),
            json: serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap(),
            grounding_dino: GroundingDino::load(&source).unwrap(),
            source,
            pixels: image::open(folder.join("image.png")).unwrap().into_rgb8(),
        }
    }

    pub(crate) fn image(&self) -> Image<'_> {
        let (width, height) = self.pixels.dimensions();
        Image::from_raw(width, height, self.pixels.as_raw().as_slice()).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        self.json["text"].as_str().unwrap()
    }

    /// As what lies beside the checkpoint says.
    pub(crate) fn resize(&self) -> Resize {
        let settings = &self.grounding_dino.network.config.settings;
        Resize {
            short_side: settings.resize_short_side,
            max_size: settings.max_size,
        }
    }

    pub(crate) fn encode(&self) -> EncodedImage {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let network = &self.grounding_dino.network;
        network.encode(&self.image(), self.resize(), &call).unwrap()
    }

    pub(crate) fn tensor(&self, name: &str) -> Tensor {
        self.expected.tensor(name).unwrap()
    }

    /// Compares with the tensor of that name, whose first axis is of one image.
    #[track_caller]
    pub(crate) fn compare(&self, name: &str, found: &Tensor, tolerance: f64) {
        assert_near(name, found, &self.tensor(name).squeeze_dim(0), tolerance);
    }

    /// Compares `[height, width, channels]` with channels first.
    #[track_caller]
    pub(crate) fn compare_map(&self, name: &str, found: &Tensor, tolerance: f64) {
        self.compare(name, &found.permute([2, 0, 1]), tolerance);
    }
}

#[track_caller]
pub(crate) fn assert_near(name: &str, found: &Tensor, expected: &Tensor, tolerance: f64) {
    assert_eq!(found.size(), expected.size(), "{name}");
    let found = found.to_device(Device::Cpu).to_kind(Kind::Double);
    let found = found.nan_to_num(None, 1e30, -1e30);
    let expected = expected.to_kind(Kind::Double).nan_to_num(None, 1e30, -1e30);
    let worst = (found - expected).abs().max().double_value(&[]);
    assert!(worst <= tolerance, "{name}: off by {worst}");
}
