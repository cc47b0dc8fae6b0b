//! Numbers of the official project, for tests: on the CPU, or on the device that SOM_TEST_DEVICE
//! names.

use std::{env, fs, path::Path};

use image::RgbImage;
use serde_json::Value;
use som_core::{Call, Image, Params};
use som_torch::{
    Checkpoint, Compute, Learned as _, Precision, Source,
    text::{Wording, templates},
};
use tch::{Device, Tensor};

use crate::{
    network::{ClassWeights, EncodedImage, Resize},
    segmenter::OpenSeed,
};

// Tolerances that the golden data recommend.
pub(crate) const ACTIVATION: f64 = 2e-4;
pub(crate) const MASK_LOGIT: f64 = 1e-3;
pub(crate) const TEXT: f64 = 1e-4;
pub(crate) const BOX: f64 = 1e-5;

/// Numbers of the official project for one checkpoint and image.
pub(crate) struct Golden {
    pub expected: Checkpoint,
    pub json: Value,
    pub open_seed: OpenSeed,
    pub pixels: RgbImage,
}

impl Golden {
    pub(crate) fn open(name: &str) -> Self {
        let device = env::var("SOM_TEST_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
        let compute = Compute::open(&device, Precision::Fp32).unwrap();
        // Relative, so that the tests can be carried to a machine with a GPU.
        let folder = Path::new("tests/assets").join(name);
        let config = folder.join("config.json");
        let source = Source::open(&folder.join("checkpoint.pth"), Some(&config), compute).unwrap();
        Self {
            expected: Checkpoint::open(&folder.join("expected.safetensors")).unwrap(),
            json: serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap(),
            pixels: image::open(folder.join("image.png")).unwrap().into_rgb8(),
            open_seed: OpenSeed::load(&source).unwrap(),
        }
    }

    pub(crate) fn image(&self) -> Image<'_> {
        let (width, height) = self.pixels.dimensions();
        Image::from_raw(width, height, self.pixels.as_raw().as_slice()).unwrap()
    }

    /// As the configuration says.
    pub(crate) fn resize(&self) -> Resize {
        let settings = &self.open_seed.network.config.settings;
        Resize {
            short_side: settings.resize_short_side,
            max_size: settings.max_size,
        }
    }

    pub(crate) fn encode(&self) -> EncodedImage {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let network = &self.open_seed.network;
        network.encode(&self.image(), self.resize(), &call).unwrap()
    }

    /// The classes of a run.
    pub(crate) fn classes(&self, run: &str) -> ClassWeights {
        let names: Vec<String> = match run {
            "text" => serde_json::from_value(self.json["text"]["class_names"].clone()).unwrap(),
            _ => serde_json::from_value(self.json[run]["class_names"].clone()).unwrap(),
        };
        let wording = match &self.json[run]["drawn"]["template_indices"] {
            Value::Array(drawn) => {
                let templates: Vec<&str> = templates().collect();
                let template = |index: &Value| templates[index.as_u64().unwrap() as usize];
                Wording::One(
                    drawn
                        .iter()
                        .map(|index| template(index).to_owned())
                        .collect(),
                )
            }
            _ => Wording::Average,
        };
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let language = &self.open_seed.network.language;
        let embedded = language.embed_classes(&names, &wording, &call).unwrap();
        let name = match run {
            "text" => "text.class_embeddings_eval".to_owned(),
            _ => format!("{run}.class_embeddings"),
        };
        self.compare(&name, &embedded.embeddings, TEXT);
        ClassWeights {
            embeddings: embedded.embeddings.tr(),
            scale: language.scale().unwrap(),
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
    pub(crate) fn compare(&self, name: &str, found: &Tensor, tolerance: f64) {
        if self.has(name) {
            assert_near(name, found, &self.tensor(name), tolerance);
        }
    }
}

#[track_caller]
pub(crate) fn assert_near(name: &str, found: &Tensor, expected: &Tensor, tolerance: f64) {
    assert_eq!(found.size(), expected.size(), "{name}");
    let found = found.to_device(Device::Cpu).nan_to_num(None, 1e30, -1e30);
    let expected = expected.nan_to_num(None, 1e30, -1e30);
    let worst = (found - expected).abs().max().double_value(&[]);
    assert!(worst <= tolerance, "{name}: off by {worst}");
}

/// `[height, width, channels]` as the official project has it.
pub(crate) fn channels_first(x: &Tensor) -> Tensor {
    x.permute([2, 0, 1]).unsqueeze(0)
}

pub(crate) fn both(check: impl Fn(&Golden)) {
    let _guard = tch::no_grad_guard();
    for name in ["swint", "swinl_decouple"] {
        check(&Golden::open(name));
    }
}
