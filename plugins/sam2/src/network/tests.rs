//! Parity of the image encoder with the official project, stage by stage.

use som_core::Params;
use som_torch::nn::sine_positions;
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
