use std::{
    cell::Cell,
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};
use som_core::{Mask, Params, Size};
use tempfile::TempDir;

use super::*;

thread_local! {
    /// Networks that this test has loaded, and images that they have encoded.
    static LOADED: Cell<usize> = const { Cell::new(0) };
    static ENCODED: Cell<usize> = const { Cell::new(0) };
}

/// A network that finds the whole image, and an empty mask.
#[derive(Clone, Debug)]
struct Counting;

#[derive(Clone, Debug, PartialEq)]
struct Width(u32);

impl Encoded for Width {
    fn bytes(&self) -> u64 {
        1 << 19
    }
}

impl Learned for Counting {
    const ID: &'static str = "counting";
    type Encoded = Width;
    type Setting = u32;

    fn load(_: &Source) -> Result<Self> {
        LOADED.set(LOADED.get() + 1);
        Ok(Self)
    }

    fn summary(&self) -> String {
        "it counts".to_owned()
    }

    fn encode(&self, image: &Image<'_>, setting: u32, _: &Call<'_>) -> Result<Width> {
        ENCODED.set(ENCODED.get() + 1);
        Ok(Width(image.width() + setting))
    }

    fn segment(_: &Instance<Self>, image: &Image<'_>, _: &Call<'_>) -> Result<Vec<Region>> {
        let one = tch::Tensor::from_slice(&[1.0_f32]).set_requires_grad(true);
        assert!(!(one * 2.0).requires_grad(), "gradients are on");
        let size = Size::new(image.width(), image.height());
        let masks = [Mask::rect(size, size.bbox()), Mask::empty(size)];
        Ok(masks.map(Region::new).to_vec())
    }
}

/// A folder with a checkpoint, of which a network would be loaded.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let checkpoint = "tests/checkpoints/same.safetensors";
        fs::copy(checkpoint, files.path("weights.safetensors")).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An instance with the weights, and with these options beside the usual ones.
    fn instance(&self, options: &Value) -> Result<Instance<Counting>> {
        let mut all = json!({
            "weights": self.path("weights.safetensors"),
            "device": "cpu", "precision": "fp32", "cache_mib": 1,
        });
        let all = all.as_object_mut().unwrap();
        all.extend(options.as_object().unwrap().clone());
        Instance::create(&Call::uncancellable(all))
    }
}

#[test]
fn instances_with_the_same_options_share_one_network() {
    let files = Files::new();
    let first = files.instance(&json!({})).unwrap();
    let second = files.instance(&json!({})).unwrap();
    assert_eq!(LOADED.get(), 1);
    assert!(Arc::ptr_eq(&first.shared, &second.shared));
    let _third = files.instance(&json!({"precision": "bf16"})).unwrap();
    let _fourth = files.instance(&json!({"cache_mib": 2})).unwrap();
    assert_eq!(LOADED.get(), 3);
    drop((first, second));
    let _fifth = files.instance(&json!({})).unwrap();
    assert_eq!(LOADED.get(), 4);
}

#[test]
fn files_that_were_replaced_are_loaded_anew() {
    let files = Files::new();
    let _first = files.instance(&json!({})).unwrap();
    fs::write(files.path("config.json"), "{}").unwrap();
    let _second = files.instance(&json!({})).unwrap();
    assert_eq!(LOADED.get(), 2);
    let weights = fs::File::options()
        .append(true)
        .open(files.path("weights.safetensors"));
    let later = SystemTime::now() + Duration::from_secs(5);
    weights.unwrap().set_modified(later).unwrap();
    let _third = files.instance(&json!({})).unwrap();
    assert_eq!(LOADED.get(), 3);
}

#[test]
fn images_are_remembered_for_all_instances_by_pixels_and_setting() {
    let files = Files::new();
    let instances = [(); 2].map(|()| files.instance(&json!({})).unwrap());
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let pixels = [[0_u8; 12], [1; 12], [2; 12]];
    let [zeros, ones, twos] = pixels
        .each_ref()
        .map(|pixels| Image::from_raw(2, 2, &pixels[..]).unwrap());
    for (image, setting, encoded) in [
        (&zeros, 0, 1),
        (&zeros, 0, 1),
        (&zeros, 9, 2),
        (&zeros, 0, 2),
        // There is room for two: what was used longest ago goes.
        (&ones, 0, 3),
        (&zeros, 0, 3),
        (&twos, 0, 4),
        (&ones, 0, 5),
    ] {
        for instance in &instances {
            let found = instance.encode(image, setting, &call).unwrap();
            assert_eq!(found, Width(2 + setting));
        }
        assert_eq!(ENCODED.get(), encoded, "{setting}");
    }
}

#[test]
fn files_that_are_not_there_are_named_with_their_setting() {
    let files = Files::new();
    let gone = files.path("gone");
    for (options, parts) in [
        (
            json!({"weights": null}),
            ["no weights given", "set segmenter.counting.weights"],
        ),
        (
            json!({"weights": gone}),
            ["weights not found", "set segmenter.counting.weights"],
        ),
        (
            json!({"config": gone}),
            ["config not found", "set segmenter.counting.config"],
        ),
    ] {
        let error = files.instance(&options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        for part in parts {
            assert!(error.message().contains(part), "{error}");
        }
    }
    let words = files.path("words.pth");
    fs::write(&words, "no weights").unwrap();
    let error = files.instance(&json!({"weights": words})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(LOADED.get(), 0);
}

#[test]
fn empty_masks_are_left_out_and_gradients_are_off() {
    let mut instance = Files::new().instance(&json!({})).unwrap();
    let pixels = [0; 12];
    let image = Image::from_raw(2, 2, &pixels[..]).unwrap();
    let found = instance.segment(&image, &Call::uncancellable(&Params::new()));
    assert_eq!(found.unwrap().len(), 1);
}
