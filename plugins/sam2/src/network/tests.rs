//! Parity of the image encoder with the official project, stage by stage; and its released networks.

use std::{collections::BTreeMap, fs, io::Write as _, path::Path};

use serde_json::{Value, json};
use som_core::Params;
use som_torch::{Compute, Precision, nn::sine_positions};
use tch::{Device, IndexOp};

use super::*;
use crate::golden::{Golden, STAGE, as_map, channels_first};

#[test]
fn the_image_encoder_matches() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let predictor = &golden.predictor;
    let Sam2 { hiera, neck, .. } = &predictor.sam2;
    let input = predictor.image_input(&golden.image()).unwrap();
    let rows: Vec<i64> =
        serde_json::from_value(golden.json["preprocessed_rows_y"].clone()).unwrap();
    let rows = Tensor::from_slice(&rows).to_device(input.device());
    let rows = input.index_select(0, &rows).permute([2, 0, 1]);
    golden.compare("input.preprocessed_rows", &rows, 1e-5);
    let mean = input.mean_dim([0_i64, 1].as_slice(), false, Kind::Float);
    golden.compare("input.preprocessed_mean_per_channel", &mean, 1e-5);

    let mut x = hiera.embed_patches(&input).unwrap();
    golden.compare("encoder.patch_embed", &x.unsqueeze(0), STAGE);
    let positions = hiera.positions.i((.., .., ..4));
    golden.compare("encoder.pos_embed_resized", &positions, STAGE);
    x += &*hiera.positions;
    let mut stages = Vec::new();
    let ends: Vec<i64> = predictor.sam2.config.hiera.shapes.stages();
    let mut end = ends[0];
    for (index, block) in hiera.blocks.iter().enumerate() {
        let name = format!("encoder.block{index}");
        if golden.has(&format!("{name}.attn")) {
            let attended = block.attend(&x).unwrap().to_device(Device::Cpu);
            let windows = golden.tensor(&format!("{name}.attn"));
            let off = (&attended - map_of(&windows, attended.size()[0]))
                .abs()
                .max();
            println!("{name}.attn: off by {:.1e}", off.double_value(&[]));
            assert!(off.double_value(&[]) < STAGE, "{name}.attn: off by {off:?}");
        }
        x = block.forward(&x).unwrap();
        golden.compare(&name, &x.unsqueeze(0), STAGE);
        if index as i64 + 1 == end {
            golden.compare(
                &format!("encoder.stage{}", stages.len()),
                &channels_first(&x),
                STAGE,
            );
            stages.push(x.shallow_clone());
            end += ends.get(stages.len()).copied().unwrap_or_default();
        }
    }
    let maps = neck.forward(&stages).unwrap();
    for (level, map) in maps.iter().enumerate() {
        golden.compare(&format!("encoder.fpn{level}"), &channels_first(map), STAGE);
        let (rows, columns, channels) = map.size3().unwrap();
        let places = sine_positions(rows, columns, channels, Device::Cpu).unwrap();
        let name = format!("encoder.fpn_pos{level}");
        golden.compare(&name, &channels_first(&places), 1e-5);
    }
    let params = Params::new();
    let features = predictor
        .features(&input, &Call::uncancellable(&params))
        .unwrap();
    let embedding = features.embedding + &*predictor.sam2.no_memory;
    golden.compare("image_embedding", &as_map(&embedding), STAGE);
    for (index, map) in features.fine.unwrap().maps().unwrap().iter().enumerate() {
        let name = format!("high_res_features{index}");
        golden.compare(&name, &channels_first(map), STAGE);
    }
    golden.compare("dense_pe", &as_map(&predictor.places), 1e-5);
}

/// Windows of the official project, with what they hold beyond the map, as a map of `side`.
fn map_of(windows: &Tensor, side: i64) -> Tensor {
    let (count, size, _, channels) = windows.size4().unwrap();
    let across = (count as f64).sqrt() as i64;
    let map = windows
        .view([across, across, size, size, channels])
        .permute([0, 2, 1, 3, 4])
        .reshape([across * size, across * size, channels]);
    map.i((..side, ..side))
}

/// A checkpoint of zeros, which take no room.
fn sparse(path: &Path, keys: &BTreeMap<String, Vec<u64>>) {
    let mut end = 0_u64;
    let entry = |(name, shape): (&String, &Vec<u64>)| {
        let start = end;
        end += 4 * shape.iter().product::<u64>();
        let entry = json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]});
        (name.clone(), entry)
    };
    let header: serde_json::Map<String, Value> = keys.iter().map(entry).collect();
    let header = Value::from(header).to_string();
    let mut file = fs::File::create(path).unwrap();
    let length = header.len() as u64;
    file.write_all(&length.to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len(8 + length + end).unwrap();
}

/// The released networks, by the names and shapes of their tensors: nothing is missing, nothing left
/// over, and everything told that no config file tells.
#[test]
fn released_checkpoints_are_recognised_by_their_tensors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("released.safetensors");
    let compute = Compute::open("cpu", Precision::Fp32).unwrap();
    for (name, blocks, windows, global) in [
        ("tiny", [1, 2, 7, 2], 14, vec![5, 7, 9]),
        ("small", [1, 2, 11, 2], 14, vec![7, 10, 13]),
        ("base_plus", [2, 3, 16, 3], 14, vec![12, 16, 20]),
        ("large", [2, 6, 36, 4], 16, vec![23, 33, 43]),
    ] {
        let keys = fs::read(format!("tests/keys/{name}.json")).unwrap();
        let mut keys: BTreeMap<String, Vec<u64>> = serde_json::from_slice(&keys).unwrap();
        // What follows the first that is missing is compared, but not read.
        let first = "image_encoder.trunk.patch_embed.proj.bias";
        let width = keys.remove(first).unwrap()[0];
        let missing = format!("does not fit the model: missing: {first} [{width}]");
        for is_first_release in [false, true] {
            if is_first_release {
                keys.retain(|name, _| !name.starts_with("obj_ptr_tpos_proj."));
                keys.remove("no_obj_embed_spatial").unwrap();
            }
            sparse(&path, &keys);
            let source = Source::open(&path, None, compute).unwrap();
            let config = Config::of(&source).unwrap();
            assert_eq!(config.side, 1024);
            assert_eq!(config.hiera.shapes.stages(), blocks);
            let found = config.hiera.blocks.iter().zip(0..);
            let found = found.filter(|(block, _)| block.window.is_none());
            assert_eq!(found.map(|(_, index)| index).collect::<Vec<_>>(), global);
            let most = config.hiera.blocks.iter().filter_map(|block| block.window);
            assert_eq!(most.max(), Some(windows));
            assert_eq!(config.memory.has_pointer_age, !is_first_release);
            assert_eq!(config.memory.has_no_object, !is_first_release);
            let told = Sam2::load(&source).unwrap_err().message().to_owned();
            assert!(told.ends_with(&missing), "{told}");
        }
    }
}
