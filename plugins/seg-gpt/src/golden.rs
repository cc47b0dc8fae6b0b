//! Numbers of the reference, for tests: on the CPU, or on the device that SOM_TEST_DEVICE names.

use std::{env, fs, path::Path};

use image::RgbImage;
use som_core::{ExampleHint, Hints, Image, Params, Size};
use som_torch::{Checkpoint, Compute, Learned as _, Precision, Source};
use tch::{Device, Kind, Tensor};

use crate::segmenter::SegGpt;

/// The tolerance that the golden data recommend.
pub(crate) const NUMBER: f64 = 1e-4;

/// Numbers of the reference for one checkpoint and image.
pub(crate) struct Golden {
    pub expected: Checkpoint,
    pub source: Source,
    pub seg_gpt: SegGpt,
    pub pixels: RgbImage,
}

impl Golden {
    pub(crate) fn open() -> Self {
        let device = env::var("SOM_TEST_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
        let compute = Compute::open(&device, Precision::Fp32).unwrap();
        let source = Source::open(&file("checkpoint.pth"), None, compute).unwrap();
        Self {
            expected: Checkpoint::open(&file("expected.safetensors")).unwrap(),
            seg_gpt: SegGpt::load(&source).unwrap(),
            source,
            pixels: image::open(file("image.png")).unwrap().into_rgb8(),
        }
    }

    pub(crate) fn image(&self) -> Image<'_> {
        let (width, height) = self.pixels.dimensions();
        Image::from_raw(width, height, self.pixels.as_raw().as_slice()).unwrap()
    }

    pub(crate) fn tensor(&self, name: &str) -> Tensor {
        self.expected.tensor(name).unwrap()
    }
}

/// A file of the reference. Relative, so that the tests can be carried to a machine with a GPU.
pub(crate) fn file(name: &str) -> std::path::PathBuf {
    Path::new("tests/assets/tiny").join(name)
}

/// The picture and the mask in these files.
pub(crate) fn example(picture: &str, mask: &str) -> ExampleHint {
    let mask = image::open(file(mask)).unwrap().into_luma8();
    let size = Size::new(mask.width(), mask.height());
    ExampleHint::new(fs::read(file(picture)).unwrap(), size, mask.as_raw()).unwrap()
}

/// The parameters of a call with these examples, and what else is set.
pub(crate) fn asked(examples: &[(&str, &str)], set: &serde_json::Value) -> Params {
    let examples = examples
        .iter()
        .map(|(picture, mask)| example(picture, mask));
    let hints = Hints {
        examples: examples.collect(),
        ..Hints::default()
    };
    let mut params = set.as_object().unwrap().clone();
    params.insert("hints".to_owned(), serde_json::to_value(hints).unwrap());
    params
}

#[track_caller]
pub(crate) fn assert_near(name: &str, found: &Tensor, expected: &Tensor, tolerance: f64) {
    assert_eq!(found.size(), expected.size(), "{name}");
    let found = found.to_device(Device::Cpu).to_kind(Kind::Double);
    let worst = (found - expected.to_kind(Kind::Double)).abs().max();
    let worst = worst.double_value(&[]);
    assert!(worst <= tolerance, "{name}: off by {worst}");
}
