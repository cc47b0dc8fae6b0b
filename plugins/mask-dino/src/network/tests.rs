//! Parity with the official project, intermediate by intermediate: on the CPU, or on the device that
//! SOM_TEST_DEVICE names.

use std::{env, path::Path};

use som_core::{ErrorKind, Image, Params};
use som_torch::{Checkpoint, Compute, Precision, decoder::proposals::Proposals};
use tch::{Device, IndexOp};

use super::{config::Input, selection::Chosen, *};
use crate::Predictor;

/// A network, an image, and what the official project makes of it.
struct Golden {
    name: &'static str,
    expected: Checkpoint,
    network: Network,
    device: Device,
}

const ALL: [&str; 3] = ["r50_instance", "r50_semantic", "swin_panoptic"];

impl Golden {
    fn open(name: &'static str) -> Self {
        let device = env::var("SOM_TEST_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
        let compute = Compute::open(&device, Precision::Fp32).unwrap();
        // Relative, so that the tests can be carried to a machine with a GPU.
        let folder = Path::new("tests/assets").join(name);
        let source = Source::open(&folder.join("checkpoint.pth"), None, compute).unwrap();
        Self {
            name,
            expected: Checkpoint::open(&folder.join("expected.safetensors")).unwrap(),
            network: Network::load(&source).unwrap(),
            device: compute.device,
        }
    }

    /// The image as the network sees it: normalised, and padded with zeros.
    fn input(&self) -> Tensor {
        let pixels = self.expected.tensor("input.resized_u8_hwc").unwrap();
        let Input {
            mean, deviation, ..
        } = self.network.config.input;
        let [mean, deviation] = [mean, deviation].map(|numbers| Tensor::from_slice(&numbers));
        let input = (pixels.to_kind(Kind::Float) - mean) / deviation;
        let (height, width, _) = input.size3().unwrap();
        let short = |extent: i64| (32 - extent % 32) % 32;
        let pad = [0, 0, 0, short(width), 0, short(height)];
        input.constant_pad_nd(pad).to_device(self.device)
    }

    /// Compares with the tensor of that name, where there is one.
    fn compare(&self, name: &str, found: &Tensor, tolerance: f64) {
        if self.expected.shape(name).is_none() {
            return;
        }
        let expected = self.expected.tensor(name).unwrap();
        let found = found.to_device(Device::Cpu);
        assert_eq!(found.size(), expected.size(), "{} {name}", self.name);
        let same = found.eq_tensor(&expected);
        let worst = (found - &expected).masked_fill(&same, 0.0).abs().max();
        let worst = worst.double_value(&[]);
        assert!(worst <= tolerance, "{} {name}: off by {worst}", self.name);
    }

    /// How far numbers as large as those of the named tensor may be off.
    fn relative(&self, name: &str) -> f64 {
        let expected = self.expected.tensor(name);
        expected.map_or(0.0, |tensor| 1e-4 * tensor.abs().max().double_value(&[]))
    }
}

/// `[height, width, channels]` as the official project has it.
fn channels_first(x: &Tensor) -> Tensor {
    x.permute([2, 0, 1]).unsqueeze(0)
}

fn all(check: impl Fn(&Golden)) {
    let _guard = tch::no_grad_guard();
    for name in ALL {
        check(&Golden::open(name));
    }
}

#[test]
fn the_backbone_matches() {
    all(|golden| {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let input = golden.input();
        if let Backbone::ResNet(resnet) = &golden.network.backbone {
            let name = "backbone.stem";
            let stem = channels_first(&resnet.embed(&input).unwrap());
            golden.compare(name, &stem, golden.relative(name));
        }
        let maps = golden.network.backbone.forward(&input, &call).unwrap();
        for (index, map) in maps.iter().enumerate() {
            let name = format!("backbone.res{}", index + 2);
            assert!(golden.expected.shape(&name).is_some(), "{name}");
            golden.compare(&name, &channels_first(map), golden.relative(&name));
        }
    });
}

#[test]
fn the_pixel_decoder_matches() {
    all(|golden| {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let decoder = &golden.network.pixel_decoder;
        let maps = golden
            .network
            .backbone
            .forward(&golden.input(), &call)
            .unwrap();
        let input = decoder.prepare(&maps).unwrap();
        // The official project numbers the projections; the encoder's order may have the last first.
        let levels = input.levels.split(&input.tokens).unwrap();
        let extra_first = golden.network.config.pixel_decoder.has_extra_level
            && levels[0].size()[0] < levels[1].size()[0];
        for (index, level) in levels.iter().enumerate() {
            let index = match extra_first {
                true => (index + levels.len() - 1) % levels.len(),
                false => index,
            };
            let name = format!("pixel_decoder.input_proj{index}");
            golden.compare(&name, &channels_first(level), 2e-4);
        }
        let positions = input.positions.unsqueeze(0);
        golden.compare("pixel_decoder.encoder_layer0.inputs.pos", &positions, 1e-5);
        let places = input.levels.centers(golden.device).unwrap();
        let layer = &decoder.layers()[0];
        let first = layer
            .forward(&input.tokens, &input.positions, &places, &input.levels)
            .unwrap();
        golden.compare("pixel_decoder.encoder_layer0", &first.unsqueeze(0), 2e-4);
        let features = decoder.forward(&maps, &call).unwrap();
        let fine = channels_first(&features.mask_features);
        golden.compare("pixel_decoder.mask_features", &fine, 2e-4);
        let memory = features.memory.unsqueeze(1);
        assert!(golden.expected.shape("decoder.memory").is_some());
        golden.compare("decoder.memory", &memory, 2e-4);
    });
}

#[test]
fn queries_are_chosen_alike() {
    all(|golden| {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let network = &golden.network;
        let maps = network.backbone.forward(&golden.input(), &call).unwrap();
        let PixelFeatures {
            mask_features,
            memory,
            levels,
        } = network.pixel_decoder.forward(&maps, &call).unwrap();
        let memory = network.queries.project(&memory, &levels).unwrap();
        if let QuerySelection::Proposals { head, count, .. } = &network.selection {
            let proposals = Proposals::new(&levels, golden.device).unwrap();
            let output = head.forward(&memory, &proposals).unwrap();
            golden.compare("decoder.enc_output_memory", &output.unsqueeze(0), 2e-4);
            let logits = network.heads.classes(&output).unwrap();
            golden.compare("decoder.enc_class_logits", &logits.unsqueeze(0), 1e-4);
            let chosen = Chosen::of(
                head,
                *count,
                &network.queries,
                &network.heads,
                &memory,
                &levels,
            )
            .unwrap();
            let cells = chosen.cells.unsqueeze(0);
            golden.compare("decoder.topk_proposal_index", &cells, 0.0);
            let boxes = chosen.boxes.sigmoid().unsqueeze(0);
            golden.compare("decoder.interm.pred_boxes", &boxes, 1e-5);
            let content = network.queries.normed(&chosen.content).unwrap();
            let classes = network.heads.classes(&content).unwrap().unsqueeze(0);
            golden.compare("decoder.interm.pred_logits", &classes, 1e-4);
            let masks = network.heads.masks(&content).unwrap();
            let masks = mask_logits(&masks, &mask_features).unwrap().unsqueeze(0);
            golden.compare("decoder.interm.pred_masks", &masks, 1e-3);
        }
        let queries = network
            .selection
            .choose(
                &network.queries,
                &network.heads,
                &memory,
                &levels,
                &mask_features,
            )
            .unwrap();
        let content = queries.content.unsqueeze(1);
        golden.compare("decoder.query_content", &content, 2e-4);
        golden.compare("decoder.reference0", &queries.boxes.unsqueeze(0), 1e-5);
    });
}

#[test]
fn queries_become_the_same_objects() {
    all(|golden| {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let Network {
            backbone,
            pixel_decoder,
            selection,
            queries: decoder,
            heads,
            config,
        } = &golden.network;
        let maps = backbone.forward(&golden.input(), &call).unwrap();
        let PixelFeatures {
            mask_features,
            memory,
            levels,
        } = pixel_decoder.forward(&maps, &call).unwrap();
        let memory = decoder.project(&memory, &levels).unwrap();
        let values = decoder.values(&memory, &levels).unwrap();
        let choose = || selection.choose(decoder, heads, &memory, &levels, &mask_features);
        let mut queries = choose().unwrap();
        for index in 0..config.queries.layers {
            queries = decoder
                .step(index as usize, &queries, &values[index as usize])
                .unwrap();
            let content = &queries.content;
            golden.compare(
                &format!("decoder.layer{index}"),
                &content.unsqueeze(1),
                2e-4,
            );
            let normed = decoder.normed(content).unwrap().unsqueeze(0);
            golden.compare(&format!("decoder.normed_layer{index}"), &normed, 2e-4);
            let boxes = queries.boxes.unsqueeze(0);
            golden.compare(&format!("decoder.reference{}", index + 1), &boxes, 1e-5);
        }
        let once = decoder
            .forward(choose().unwrap(), &memory, &levels, &call)
            .unwrap();
        let kept = decoder
            .forward_in(choose().unwrap(), &values, &call)
            .unwrap();
        assert_eq!(once.content, kept.content);
        assert_eq!(once.boxes, kept.boxes);
    });
}

#[test]
fn the_answer_matches() {
    all(|golden| {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let answer = golden.network.forward(&golden.input(), &call).unwrap();
        let logits = answer.class_logits.unsqueeze(0);
        golden.compare("output.pred_logits", &logits, 1e-4);
        golden.compare("output.pred_boxes_cxcywh", &answer.boxes.unsqueeze(0), 1e-5);
        let masks = mask_logits(&answer.mask_embeddings, &answer.mask_features).unwrap();
        assert!(golden.expected.shape("output.pred_masks_low").is_some());
        golden.compare("output.pred_masks_low", &masks.unsqueeze(0), 1e-3);
        assert!(masks.i((0, .., ..)).isfinite().all().int64_value(&[]) == 1);
    });
}

#[test]
fn weights_that_give_no_numbers_are_an_error_not_an_empty_image() {
    let _guard = tch::no_grad_guard();
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let compute = Compute::open("cpu", Precision::Fp32).unwrap();
    let weights = Path::new("tests/assets/swin_panoptic/checkpoint.pth");
    let source = Source::open(weights, None, compute).unwrap();
    let mut predictor = Predictor::open(&source).unwrap();
    predictor.network.config.input.deviation = [0.0; 3];
    let image = Image::from_raw(1, 1, &[90, 130, 40][..]).unwrap();
    let size = predictor.input_size();
    let error = predictor.run(&image, size, &call).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("pixel decoder"), "{error}");
}
