//! The released networks, known by the names and shapes of their tensors alone.

use std::{collections::BTreeMap, fs, io::Write as _, path::Path};

use serde::Deserialize;
use serde_json::{Value, json};
use som_torch::{Compute, Loader, Precision, Source, checkpoint::Contradictions, classes::DataSet};
use tch::{Device, Kind};

use super::*;
use crate::network::Network;

/// What is known of a released network.
#[derive(Deserialize)]
struct Released {
    official_config: String,
    official_release_file: String,
    hyper_parameters: Value,
    keys: BTreeMap<String, Vec<u64>>,
}

const ALL: [&str; 6] = [
    "coco_instance_r50",
    "coco_instance_r50_hid2048",
    "coco_instance_swinl",
    "coco_panoptic_r50",
    "coco_panoptic_swinl",
    "ade20k_semantic_r50",
];

impl Released {
    fn open(name: &str) -> Self {
        let path = format!("tests/keys/{name}.json");
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }

    /// A checkpoint with these tensors in `folder`, all zeros, which take no room on a disk.
    fn write(&self, folder: &Path) -> Source {
        let mut header = serde_json::Map::new();
        let mut end = 0;
        for (name, shape) in &self.keys {
            let start = end;
            end += 4 * shape.iter().product::<u64>();
            let tensor = json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]});
            header.insert(name.clone(), tensor);
        }
        let header = serde_json::to_vec(&header).unwrap();
        let path = folder.join(&self.official_release_file);
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(&(header.len() as u64).to_le_bytes())
            .unwrap();
        file.write_all(&header).unwrap();
        file.set_len(8 + header.len() as u64 + end).unwrap();
        let compute = Compute::open("cpu", Precision::Fp32).unwrap();
        Source::open(&path, None, compute).unwrap()
    }

    /// The network that its tensors tell.
    fn config(&self) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let source = self.write(folder.path());
        let loader = Loader::new(&source.checkpoint, Device::Cpu).unwrap();
        Config::of(&loader.root(Kind::Float), &source).unwrap()
    }
}

#[test]
fn released_networks_are_known_by_their_tensors() {
    for name in ALL {
        let released = Released::open(name);
        let config = released.config();
        let mut told = released.hyper_parameters.clone();
        // The official name of the backbone is that of its builder.
        told["backbone"] = Value::Null;
        let told: Told = serde_json::from_value(told).unwrap();
        assert_eq!(config.contradictions(&told), Contradictions::default());

        let Output {
            task, only_things, ..
        } = config.output;
        let on = |mode: &str| released.hyper_parameters[mode] == json!(true);
        assert_eq!(task == Task::Panoptic, on("panoptic_on"), "{name}");
        assert_eq!(task == Task::Semantic, !on("instance_on"), "{name}");
        assert_eq!(only_things, on("panoptic_on"), "{name}");
        assert_eq!(config.output.enlarge_first, on("instance_on"), "{name}");
        let number = |value: f64| json!((value * 1e6).round() / 1e6);
        for (key, found) in [
            ("num_queries", json!(config.query_count())),
            (
                "object_mask_threshold",
                number(config.output.object_mask_threshold.into()),
            ),
            ("overlap_threshold", number(config.output.overlap_threshold)),
            (
                "detections_per_image",
                json!(config.output.detections_per_image),
            ),
            ("min_size_test", json!(config.input.shortest_edge)),
            ("max_size_test", json!(config.input.max_size)),
            ("size_divisibility", json!(config.input.divisibility)),
        ] {
            assert_eq!(found, released.hyper_parameters[key], "{name} {key}");
        }
        if let Selection::Proposals { boxes, .. } = config.selection {
            let expected = match told.initialize_box_type {
                Some(Initialize::BitMask) => Some(BoxRule::Tight),
                Some(Initialize::Mask2Box) => Some(BoxRule::Inclusive),
                _ => None,
            };
            assert_eq!(boxes, expected, "{name}");
        }
    }
}

#[test]
fn released_networks_have_the_tensors_that_are_asked_for_and_no_others() {
    for name in ALL {
        let mut released = Released::open(name);
        // Once something is missing, nothing is read, so that this takes neither time nor memory.
        let missing = match released.keys.contains_key("backbone.stem.conv1.weight") {
            true => "backbone.res2.0.conv1.norm.bias",
            false => "backbone.patch_embed.proj.bias",
        };
        let shape = released.keys.remove(missing).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let error = Network::load(&released.write(folder.path())).unwrap_err();
        let told = format!("does not fit the model: missing: {missing} {shape:?}");
        assert!(error.message().ends_with(&told), "{name}: {error}");
    }
}

#[test]
fn two_released_networks_of_the_same_tensors_go_by_their_files_names() {
    let mut released = Released::open("coco_instance_swinl");
    let boxes = |released: &Released| match released.config().selection {
        Selection::Proposals { boxes, .. } => boxes,
        Selection::Learned { .. } => panic!("no first stage"),
    };
    assert_eq!(boxes(&released), Some(BoxRule::Tight));
    "maskdino_swinl_50ep_300q_hid2048_3sd1_instance_mask52.1ap_box58.3ap.pth"
        .clone_into(&mut released.official_release_file);
    assert_eq!(boxes(&released), None);
}

#[test]
fn the_table_names_the_official_files() {
    for name in ALL {
        let released = Released::open(name);
        let config = released.config();
        let backbone = config.backbone.name().to_owned();
        let signs = Signs {
            backbone,
            num_classes: config.classes,
            levels: config.pixel_decoder.count() as i64,
            channels: 256,
            files: Vec::new(),
        };
        let file = &released.official_release_file;
        let official = Official::find(&signs, file).unwrap().unwrap();
        assert_eq!(official.config, released.official_config, "{name}");
    }
    // Of Cityscapes no tensors are listed; its network is that of ADE20K with other classes.
    let mut released = Released::open("ade20k_semantic_r50");
    for (tensor, rows) in [
        ("class_embed.weight", 20),
        ("class_embed.bias", 20),
        ("label_enc.weight", 19),
    ] {
        let shape = released
            .keys
            .get_mut(&format!("sem_seg_head.predictor.{tensor}"));
        shape.unwrap()[0] = rows;
    }
    let config = released.config();
    assert_eq!(config.output.vocabulary, Some(DataSet::Cityscapes));
    assert_eq!(
        (config.input.shortest_edge, config.input.max_size),
        (1024, 2048)
    );
}

#[test]
fn what_a_file_says_otherwise_is_told_with_both() {
    let released = Released::open("coco_panoptic_r50");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    let told = json!({"conv_dim": 64, "feature_order": "high2low", "two_stage": false, "num_classes": 133});
    fs::write(config, told.to_string()).unwrap();
    let source = released.write(folder.path());
    let loader = Loader::new(&source.checkpoint, Device::Cpu).unwrap();
    let error = Config::of(&loader.root(Kind::Float), &source).unwrap_err();
    for part in [
        "conv_dim is 64 in the config, but 256 in the checkpoint",
        "feature_order is \"high2low\" in the config, but \"low2high\" in the checkpoint",
        "two_stage is false in the config, but true in the checkpoint",
    ] {
        assert!(error.message().contains(part), "{error}");
    }
    assert!(!error.message().contains("num_classes"), "{error}");
}
