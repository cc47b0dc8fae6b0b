//! Numbers of the official project, for tests: on the CPU, or on the device that SOM_TEST_DEVICE
//! names.

use std::{env, fs, path::Path};

use image::RgbImage;
use serde_json::Value;
use som_core::{Call, Connectivity, Image, Mask, Params, Size};
use som_torch::{Checkpoint, Compute, Learned as _, Precision, Source};
use tch::{Device, Kind, Tensor};

use crate::{
    hints,
    network::{Draws, EncodedImage, Pixels},
    segmenter::Seem,
    vocabulary::Vocabulary,
};

/// Of backbone, pixel decoder and text.
pub(crate) const FEATURE: Tolerance = Tolerance {
    absolute: 1e-4,
    relative: 1e-5,
};
/// Of all behind them.
pub(crate) const OBJECT: Tolerance = Tolerance {
    absolute: 2e-3,
    relative: 2e-5,
};

/// How far numbers may be off: absolutely, and by the largest of a tensor.
#[derive(Clone, Copy)]
pub(crate) struct Tolerance {
    absolute: f64,
    relative: f64,
}

/// Numbers of the official project for one checkpoint and image.
pub(crate) struct Golden {
    pub name: &'static str,
    pub expected: Checkpoint,
    pub json: Value,
    pub seem: Seem,
    pub pixels: RgbImage,
}

impl Golden {
    pub(crate) fn open(name: &'static str) -> Self {
        let device = env::var("SOM_TEST_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
        let compute = Compute::open(&device, Precision::Fp32).unwrap();
        // Relative, so that the tests can be carried to a machine with a GPU.
        let folder = Path::new("tests/assets").join(name);
        let config = folder.join("config.json");
        let source = Source::open(&folder.join("checkpoint.pth"), Some(&config), compute).unwrap();
        Self {
            name,
            expected: Checkpoint::open(&folder.join("expected.safetensors")).unwrap(),
            json: serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap(),
            pixels: image::open(folder.join("image.png")).unwrap().into_rgb8(),
            seem: Seem::load(&source).unwrap(),
        }
    }

    pub(crate) fn image(&self) -> Image<'_> {
        let (width, height) = self.pixels.dimensions();
        Image::from_raw(width, height, self.pixels.as_raw().as_slice()).unwrap()
    }

    pub(crate) fn size(&self) -> Size {
        Size::new(self.pixels.width(), self.pixels.height())
    }

    pub(crate) fn encode(&self) -> EncodedImage {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let network = &self.seem.network;
        let text_size = network.config.settings.text_size;
        network.encode(&self.image(), text_size, &call).unwrap()
    }

    /// COCO's classes, as the fixtures have them.
    pub(crate) fn vocabulary(&self) -> Vocabulary {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let params = crate::params::CallParams {
            classes: None,
            things: None,
            object_mask_threshold: None,
            overlap_threshold: None,
            text_size: None,
            seed: None,
        };
        self.seem.vocabulary(&params, &call).unwrap()
    }

    /// The places of a drawing.
    pub(crate) fn places(&self, drawing: &str) -> Vec<Mask> {
        let path = Path::new("tests/assets").join(self.name);
        let drawing = image::open(path.join(format!("prompt_{drawing}.png"))).unwrap();
        let drawing = drawing.into_luma8().into_raw();
        let drawing: Vec<u8> = drawing.iter().map(|&value| u8::from(value > 0)).collect();
        let mask = Mask::from_dense(self.size(), self.size().bbox(), &drawing).unwrap();
        mask.components(Connectivity::Four)
    }

    pub(crate) fn prompts(&self, drawing: &str, image: &EncodedImage) -> Pixels {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        hints::pixels(&self.places(drawing), &image.frame, &call).unwrap()
    }

    /// What the official project drew at random.
    pub(crate) fn draws(&self, drawing: &str) -> Draws {
        let drawn = |name: &str| {
            let name = format!("inter_{drawing}/sampled_{name}");
            Vec::<i64>::try_from(self.tensor(&name)).unwrap()
        };
        // There are the ranks as they were drawn; they are sorted before anything is made of them.
        let rising = |name: &str| {
            let mut ranks = drawn(name);
            ranks.sort_unstable();
            ranks
        };
        Draws {
            mean: rising("point_rank_for_mean"),
            levels: (0..3)
                .map(|level| rising(&format!("point_rank_level{level}")))
                .collect(),
            queries: drawn("object_query_indices"),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.expected.shape(name).is_some()
    }

    pub(crate) fn tensor(&self, name: &str) -> Tensor {
        self.expected.tensor(name).unwrap()
    }

    /// Compares with the tensor of that name, where there is one.
    #[track_caller]
    pub(crate) fn compare(&self, name: &str, found: &Tensor, tolerance: Tolerance) {
        if self.has(name) {
            let name_here = format!("{}: {name}", self.name);
            assert_near(&name_here, found, &self.tensor(name), tolerance);
        }
    }

    /// Compares some rows, from the first on, with those of that name from `from` on.
    #[track_caller]
    pub(crate) fn compare_rows(&self, name: &str, from: i64, found: &Tensor, tolerance: Tolerance) {
        if self.has(name) {
            let expected = self.tensor(name).squeeze();
            let count = found.size()[0].min(expected.size()[0] - from);
            let name_here = format!("{}: {name}", self.name);
            let (found, expected) = (found.narrow(0, 0, count), expected.narrow(0, from, count));
            assert_near(&name_here, &found, &expected, tolerance);
        }
    }

    /// Compares what queries see, from row `from` on, with what is blocked there.
    #[track_caller]
    pub(crate) fn compare_visible(&self, name: &str, from: i64, found: &Tensor) {
        let name = format!("{name}_true_means_blocked");
        if !self.has(&name) {
            return;
        }
        let blocked = self.tensor(&name).squeeze_dim(0);
        let blocked = blocked.narrow(0, from, found.size()[0]);
        let blocked = blocked.narrow(1, blocked.size()[1] - found.size()[1], found.size()[1]);
        let visible = blocked.eq(0);
        let wrong = found.to_device(Device::Cpu).not_equal_tensor(&visible);
        let wrong = wrong.sum(Kind::Int64).int64_value(&[]);
        assert_eq!(wrong, 0, "{}: {name}", self.name);
    }
}

#[track_caller]
pub(crate) fn assert_near(name: &str, found: &Tensor, expected: &Tensor, tolerance: Tolerance) {
    assert_eq!(found.size(), expected.size(), "{name}");
    let worst = (found.to_device(Device::Cpu) - expected).abs().max();
    let worst = worst.double_value(&[]);
    let most = expected.abs().max().double_value(&[]);
    let allowed = tolerance.absolute + tolerance.relative * most;
    assert!(worst <= allowed, "{name}: off by {worst} of {most}");
}

/// `[height, width, channels]` as the official project has it.
pub(crate) fn channels_first(x: &Tensor) -> Tensor {
    x.permute([2, 0, 1]).unsqueeze(0)
}

pub(crate) fn both(check: impl Fn(&Golden)) {
    let _guard = tch::no_grad_guard();
    for name in ["focalt", "focall"] {
        check(&Golden::open(name));
    }
}
