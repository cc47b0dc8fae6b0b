//! Parity with the backbones of official projects, stage by stage: on the CPU, or on the
//! device that SOM_TEST_DEVICE names.

use std::{env, path::Path};

use som_core::Params;
use tch::{Device, Kind};

use super::*;
use crate::{Checkpoint, Compute, Loader, Precision};

/// Weights, a resized image, and what the official project makes of it.
struct Golden {
    checkpoint: Checkpoint,
    device: Device,
}

impl Golden {
    fn open(name: &str) -> Self {
        let device = env::var("SOM_TEST_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
        let path = format!("tests/backbones/swin_{name}.safetensors");
        Self {
            checkpoint: Checkpoint::open(Path::new(&path)).unwrap(),
            device: Compute::open(&device, Precision::Fp32).unwrap().device,
        }
    }

    fn swin(&self, kind: Kind) -> Swin {
        let loader = Loader::new(&self.checkpoint, self.device).unwrap();
        let scope = loader.root(kind).at("backbone");
        let sizes = SwinSizes::of(&scope).unwrap();
        let swin = Swin::load(&scope, &sizes).unwrap();
        for name in self.checkpoint.names() {
            if !name.starts_with("backbone.") {
                loader.root(kind).leave(name);
            }
        }
        loader.finish().unwrap();
        swin
    }

    /// The image, normalised and filled up with zeros to a multiple of 32.
    fn image(&self) -> Tensor {
        let image = self.checkpoint.tensor("input").unwrap();
        let mean = Tensor::from_slice(&[123.675_f32, 116.28, 103.53]);
        let deviation = Tensor::from_slice(&[58.395_f32, 57.12, 57.375]);
        let image = (image.to_kind(Kind::Float) - mean) / deviation;
        filled_up(&image, 32).unwrap().to_device(self.device)
    }

    /// Compares with the tensor of that name, where there is one.
    fn compare(&self, name: &str, found: &Tensor) {
        let name = format!("expected.{name}");
        if self.checkpoint.shape(&name).is_none() {
            return;
        }
        let expected = self.checkpoint.tensor(&name).unwrap();
        assert_eq!(found.size(), expected.size(), "{name}");
        let worst = (found.to_device(Device::Cpu) - &expected).abs().max();
        let worst = worst.double_value(&[]);
        assert!(worst <= 1e-4, "{name}: off by {worst}");
    }
}

/// `[height, width, channels]` as the official projects have it.
fn channels_first(x: &Tensor) -> Tensor {
    x.permute([2, 0, 1]).unsqueeze(0)
}

const ALL: [&str; 2] = ["mask_dino", "open_seed"];

#[test]
fn each_stage_matches() {
    let _guard = tch::no_grad_guard();
    for name in ALL {
        let golden = Golden::open(name);
        let swin = golden.swin(Kind::Float);
        let mut x = swin.embed(&golden.image()).unwrap();
        golden.compare("patch_embed", &channels_first(&x));
        for (index, stage) in swin.stages.iter().enumerate() {
            let layouts = stage.layouts(&x).unwrap();
            for (at, block) in stage.blocks.iter().enumerate() {
                x = block.forward(&x, &layouts[at % 2], &stage.edges).unwrap();
                if at + 1 == stage.blocks.len() {
                    let tokens = x.flatten(0, 1).unsqueeze(0);
                    golden.compare(&format!("layers{index}.last_block"), &tokens);
                }
            }
            let output = stage.norm.as_ref().unwrap().forward(&x).unwrap();
            golden.compare(&format!("res{}", index + 2), &channels_first(&output));
            if let Some(merging) = &stage.merging {
                x = merging.forward(&x).unwrap();
            }
        }
    }
}

#[test]
fn all_together_gives_the_outputs() {
    let _guard = tch::no_grad_guard();
    for name in ALL {
        let golden = Golden::open(name);
        let swin = golden.swin(Kind::Float);
        let params = Params::new();
        let outputs = swin.forward(&golden.image(), &Call::uncancellable(&params));
        let outputs = outputs.unwrap();
        assert_eq!(outputs.len(), 4);
        for (index, output) in outputs.iter().enumerate() {
            golden.compare(&format!("res{}", index + 2), &channels_first(output));
        }
    }
}

#[test]
fn half_precision_gives_about_the_same() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("open_seed");
    let params = Params::new();
    let outputs = |kind| {
        let call = Call::uncancellable(&params);
        golden.swin(kind).forward(&golden.image(), &call).unwrap()
    };
    for (whole, half) in outputs(Kind::Float).iter().zip(outputs(Kind::BFloat16)) {
        assert_eq!(half.kind(), Kind::BFloat16);
        let off = (half.to_kind(Kind::Float) - whole).abs().mean(Kind::Float);
        assert!(off.double_value(&[]) < 0.05, "{off:?}");
    }
}

#[test]
fn the_layout_of_a_map_puts_each_token_into_one_place() {
    for (map, window, shift) in [
        ([5, 9], 4, 2),
        ([1, 1], 7, 3),
        ([8, 8], 4, 0),
        ([3, 20], 5, 2),
    ] {
        let layout = Layout::new(map, window, shift, Device::Cpu).unwrap();
        let tokens = map[0] * map[1];
        let windows: i64 = layout.groups.iter().map(|(_, count)| count).sum();
        assert_eq!(layout.tokens.size(), [windows * window * window]);
        let back = layout.tokens.index_select(0, &layout.places);
        assert_eq!(back, Tensor::arange(tokens, (Kind::Int64, Device::Cpu)));
        let beyond = layout.beyond.map_or(0, |beyond| beyond.size()[0]);
        assert_eq!(tokens + beyond, windows * window * window);
    }
}
