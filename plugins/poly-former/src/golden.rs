//! Numbers of the reference, for tests: on the CPU, or on the device that SOM_TEST_DEVICE names.

use std::{env, fs, path::Path};

use image::RgbImage;
use serde_json::{Value, json};
use som_core::{Call, Image, Params};
use som_torch::{Checkpoint, Compute, Learned as _, Precision, Source};
use tch::{Device, Kind, Tensor};

use crate::{
    asked::{Expression, expressions},
    network::{EncodedImage, Prompt},
    segmenter::PolyFormer,
};

// Tolerances that the golden data recommend.
pub(crate) const HIDDEN: f64 = 1e-4;
pub(crate) const COORDINATE: f64 = 1e-5;

/// Numbers of the reference for one checkpoint and image.
pub(crate) struct Golden {
    pub expected: Checkpoint,
    pub json: Value,
    pub source: Source,
    pub poly_former: PolyFormer,
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
            poly_former: PolyFormer::load(&source).unwrap(),
            source,
            pixels: image::open(folder.join("image.png")).unwrap().into_rgb8(),
        }
    }

    pub(crate) fn image(&self) -> Image<'_> {
        let (width, height) = self.pixels.dimensions();
        Image::from_raw(width, height, self.pixels.as_raw().as_slice()).unwrap()
    }

    /// What was asked, and what came of it: each with its place in the batch.
    pub(crate) fn samples(&self) -> impl Iterator<Item = (i64, Prompt, &Value)> {
        let samples = self.json["samples"].as_array().unwrap();
        (0..).zip(samples).map(|(index, sample)| {
            let expression = asked(sample["text"].as_str().unwrap());
            assert_eq!(expression.words, sample["caption_after_cleaning"]);
            let prompt = self.poly_former.network.text.prompt(&expression).unwrap();
            (index, prompt, sample)
        })
    }

    pub(crate) fn encode(&self) -> EncodedImage {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let network = &self.poly_former.network;
        network.encode(&self.image(), &call).unwrap()
    }

    pub(crate) fn tensor(&self, name: &str) -> Tensor {
        self.expected.tensor(name).unwrap()
    }

    /// Compares with the tensor of that name, whose first axis is of one image.
    #[track_caller]
    pub(crate) fn compare(&self, name: &str, sample: i64, found: &Tensor, tolerance: f64) {
        let expected = self.tensor(name).select(0, sample);
        assert_near(name, found, &expected, tolerance);
    }
}

/// The text as a call has it.
pub(crate) fn asked(text: &str) -> Expression {
    let params = json!({"hints": {"text": text}});
    let call = Call::uncancellable(params.as_object().unwrap());
    expressions(&call).unwrap().remove(0)
}

#[track_caller]
pub(crate) fn assert_near(name: &str, found: &Tensor, expected: &Tensor, tolerance: f64) {
    assert_eq!(found.size(), expected.size(), "{name}");
    let found = found.to_device(Device::Cpu).to_kind(Kind::Double);
    let worst = (found - expected.to_kind(Kind::Double)).abs().max();
    let worst = worst.double_value(&[]);
    assert!(worst <= tolerance, "{name}: off by {worst}");
}
