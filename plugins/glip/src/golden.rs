//! Numbers of the official project, for tests: on the CPU, or on the device that SOM_TEST_DEVICE names.

use std::{env, fs, ops::Range, path::Path};

use image::RgbImage;
use serde_json::Value;
use som_core::{Call, Image, Params};
use som_torch::{Checkpoint, Compute, Learned as _, Precision, Source, text::WordPieces};
use tch::{Device, Kind, Tensor};

use crate::{
    asked::{Query, Wording},
    network::{EncodedImage, Resize, tokens_at},
    params::CallParams,
    segmenter::Glip,
};

// Tolerances that the golden data recommend.
pub(crate) const NEAR: f64 = 1e-4;
pub(crate) const SCORE: f64 = 1e-4;
pub(crate) const BOX: f64 = 0.02;

/// Numbers of the official project for one checkpoint and image.
pub(crate) struct Golden {
    pub expected: Checkpoint,
    pub json: Value,
    pub source: Source,
    pub glip: Glip,
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
            glip: Glip::load(&source).unwrap(),
            source,
            pixels: image::open(folder.join("image.png")).unwrap().into_rgb8(),
        }
    }

    pub(crate) fn image(&self) -> Image<'_> {
        let (width, height) = self.pixels.dimensions();
        Image::from_raw(width, height, self.pixels.as_raw().as_slice()).unwrap()
    }

    /// As the config beside the checkpoint says.
    pub(crate) fn resize(&self) -> Resize {
        let settings = &self.glip.network.config.settings;
        Resize {
            short_side: settings.resize_short_side,
            max_size: settings.max_size,
        }
    }

    pub(crate) fn encode(&self) -> EncodedImage {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let network = &self.glip.network;
        network.encode(&self.image(), self.resize(), &call).unwrap()
    }

    /// One of the two texts, its tokens, and those of its phrases.
    pub(crate) fn asked(&self, name: &str) -> (Query, WordPieces, Vec<Range<usize>>) {
        let network = &self.glip.network;
        let settings = &network.config.settings;
        let wording = Wording {
            separation: &settings.separation,
            caption: settings.caption.as_ref(),
        };
        let text = &self.json[name]["text"];
        let params = serde_json::json!({"threshold": 0.5, "hints": {"text": text}});
        let params = params.as_object().cloned().unwrap();
        let call = Call::uncancellable(&params);
        let given: CallParams = call.parse().unwrap();
        let query = Query::of(&given, wording, &call).unwrap();
        let pieces = network.text.tokens(&query.text).unwrap();
        let phrases = query.phrases.iter();
        let phrases = phrases.map(|place| tokens_at(&pieces, &query.text, place.clone()).unwrap());
        let phrases = phrases.collect();
        (query, pieces, phrases)
    }

    pub(crate) fn tensor(&self, name: &str) -> Tensor {
        self.expected.tensor(name).unwrap()
    }

    /// Compares with the tensor of that name, whose first axis is of one image.
    #[track_caller]
    pub(crate) fn compare(&self, name: &str, found: &Tensor) {
        assert_near(name, found, &self.tensor(name).squeeze_dim(0));
    }

    /// Compares `[height, width, channels]` with channels first.
    #[track_caller]
    pub(crate) fn compare_map(&self, name: &str, found: &Tensor) {
        self.compare(name, &found.permute([2, 0, 1]));
    }

    /// Compares tokens `[tokens, …]` with as many of those stored, which go on with others that were
    /// filled in, or end before.
    #[track_caller]
    pub(crate) fn compare_tokens(&self, name: &str, found: &Tensor) {
        let expected = self.tensor(name).squeeze_dim(0);
        let count = found.size()[0].min(expected.size()[0]);
        let (found, expected) = (found.narrow(0, 0, count), expected.narrow(0, 0, count));
        assert_near(name, &found, &expected);
    }
}

/// Within the tolerance; in relation to the largest number where the golden data say so.
#[track_caller]
pub(crate) fn assert_near(name: &str, found: &Tensor, expected: &Tensor) {
    assert_eq!(found.size(), expected.size(), "{name}");
    let found = found.to_device(Device::Cpu).to_kind(Kind::Double);
    let expected = expected.to_kind(Kind::Double);
    let is_relative = ["fpn", "fuse"].iter().any(|part| name.contains(part));
    let largest = expected.abs().max().double_value(&[]);
    let most = NEAR * if is_relative { largest } else { 1.0 };
    let worst = (found - expected).abs().max().double_value(&[]);
    assert!(worst <= most, "{name}: off by {worst}");
}
