//! Parity with the official project, step by step of its sessions.

use serde_json::{Value, json};
use som_core::{BoxHint, Params, PointHint, Rle};
use tch::{Device, Kind, Tensor};

use super::{object::SharedTensor, *};
use crate::{
    golden::{Golden, LOGIT, STAGE, as_map, compare_masks, view},
    network::Bank,
};

/// What comes of several steps may be off by so much: memories are rounded to 16 bits, and a mask that is
/// binarised differs where a logit is nearly 0.
const LATER: f64 = 0.3;
const MEMORY: f64 = 0.4;
/// Scores nearer to 0 than this may have another sign.
const UNSURE: f64 = 0.05;

/// A session of the official project, done again.
struct Run {
    golden: Golden,
    name: &'static str,
    session: Session,
    frames: Vec<Frame>,
}

impl Run {
    fn open(name: &'static str) -> Self {
        let expected: Value = serde_json::from_str(
            &std::fs::read_to_string("tests/assets/tiny/expected.json").unwrap(),
        )
        .unwrap();
        let mut changes: Vec<(String, Value)> = Vec::new();
        for (key, value) in expected["video"][name]["options"].as_object().unwrap() {
            match key.as_str() {
                // Without it masks never give way to others.
                "sam_mask_decoder_extra_args" => {
                    changes.push(("dynamic_multimask_via_stability".to_owned(), json!(false)));
                }
                _ => changes.push((key.clone(), value.clone())),
            }
        }
        let changes: Vec<(&str, Value)> = changes
            .iter()
            .map(|(key, value)| (key.as_str(), value.clone()))
            .collect();
        let golden = Golden::with(&changes);
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let frames = golden.json["num_frames"].as_u64().unwrap() as usize;
        let settings = VideoSettings::of(&golden.predictor);
        let mut session = Session::new(&golden.predictor, settings).unwrap();
        session.frames = Some(frames);
        let frames = (0..frames).map(|index| {
            let pixels = pixels(index);
            Frame::encode(&golden.predictor, &view(&pixels), index, &call).unwrap()
        });
        Self {
            session,
            frames: frames.collect(),
            golden,
            name,
        }
    }

    fn steps(&self) -> Vec<Value> {
        let steps = &self.golden.json["video"][self.name]["steps"];
        steps.as_array().unwrap().clone()
    }

    /// The name of what a step gave for an object in a frame.
    fn tensor(&self, step: usize, frame: usize, object: u64) -> String {
        format!("video.{}.step{step}.f{frame}.obj{object}", self.name)
    }

    fn object(&self, id: u64) -> &Object {
        let mut objects = self.session.objects.iter();
        objects.find(|object| object.id == id).unwrap()
    }

    /// Compares what a step saw of other frames.
    fn check_bank(&self, step: usize, frame: usize, object: u64, is_backward: bool) {
        let name = self.tensor(step, frame, object);
        if !self.golden.has(&format!("{name}.memory")) {
            return;
        }
        let bank = self
            .session
            .bank(self.object(object), frame, is_backward)
            .unwrap();
        let told = &self.golden.json["video"][self.name]["num_obj_ptr_tokens"];
        let told = told[format!("step{step}.f{frame}.obj{object}")].as_i64();
        assert_eq!(Some(bank.pointers), told, "{name}");
        let compare = |what: &str, found: &Tensor, tolerance| {
            let name = format!("{name}.{what}");
            self.golden.compare(&name, &found.unsqueeze(1), tolerance);
        };
        compare("memory_pos", &bank.positions, 1e-5);
        compare("memory", &bank.tokens, MEMORY);
    }

    /// Compares what a step found of an object in a frame.
    fn check_found(&self, step: usize, frame: usize, object: u64) {
        let name = self.tensor(step, frame, object);
        let scores = format!("{name}.object_score_logits");
        if !self.golden.has(&scores) {
            return;
        }
        let found = self.object(object).found(frame, None).unwrap();
        let expected = self.golden.tensor(&scores).double_value(&[0, 0]);
        if expected.abs() > UNSURE {
            assert_eq!(found.score > 0.0, expected > 0.0, "{name}: {expected}");
        }
        let score = Tensor::from_slice(&[found.score]).view([1, 1]);
        self.golden.compare(&scores, &score, LATER);
        let pointer = found.pointer.0.unsqueeze(0);
        self.golden
            .compare(&format!("{name}.obj_ptr"), &pointer, LATER);
        let low = Tensor::from_slice(&found.logits).view([1, 1, 64, 64]);
        self.golden
            .compare(&format!("{name}.low_res_logits"), &low, LATER);
        if expected > 0.0 || found.iou < 1.0 {
            let ious = self.golden.tensor(&format!("{name}.iou_predictions"));
            let off = (ious.max().double_value(&[]) - f64::from(found.iou)).abs();
            println!("{name} IoU: off by {off:.1e}");
            assert!(off < 3e-2, "{name}: IoU off by {off}");
        }
    }

    /// Compares the memory `encoded` of what `step` stored.
    fn check_memory(&self, step: &str, frame: &Frame, encoded: &str, is_pointed: bool) {
        if !self.golden.has(encoded) {
            return;
        }
        let low = self.golden.tensor(&format!("{step}.low_res_logits"));
        let score = self.golden.tensor(&format!("{step}.object_score_logits"));
        let found = object::Found {
            logits: Vec::<f32>::try_from(low.flatten(0, -1)).unwrap().into(),
            pointer: SharedTensor(Tensor::zeros([32], (Kind::Float, Device::Cpu))),
            score: score.double_value(&[0, 0]) as f32,
            iou: 0.0,
        };
        let memory = self.session.memory(frame, &found, is_pointed).unwrap();
        self.golden.compare(encoded, &as_map(&memory), STAGE);
    }

    /// Compares the masks of a frame, all objects.
    fn check_masks(&self, step: usize, frame: usize, results: &Value) {
        let tracked = self.session.tracked(&self.frames[frame]).unwrap();
        for expected in results[frame.to_string()].as_array().unwrap() {
            let id = expected["obj_id"].as_u64().unwrap();
            let name = format!("{} masks", self.tensor(step, frame, id));
            let found = tracked.iter().find(|found| found.object == id);
            match found {
                Some(found) => {
                    let is_large = expected["area"].as_u64().unwrap() > 200;
                    let least = if is_large { 0.97 } else { 0.9 };
                    compare_masks(&name, &found.mask, &expected["mask"], least);
                }
                None => assert_eq!(expected["area"], 0, "{name}"),
            }
        }
    }

    fn run(&mut self) {
        for (step, told) in self.steps().iter().enumerate() {
            let frame = told["frame_idx"].as_u64().unwrap_or_default() as usize;
            let object = told["obj_id"].as_u64().unwrap_or_default();
            match told["op"].as_str().unwrap() {
                "points" | "mask" => {
                    let known = self.session.objects.iter().find(|it| it.id == object);
                    let followed = known.and_then(|it| it.followed.get(&frame).copied());
                    if let Some(is_backward) = followed {
                        self.check_bank(step, frame, object, is_backward);
                    }
                    let clears = told["clear_old_points"].as_bool().unwrap_or(true);
                    let prompt = prompt(told);
                    self.session
                        .add(&self.frames[frame], object, &prompt, clears)
                        .unwrap();
                    self.check_found(step, frame, object);
                    self.check_masks(step, frame, &told["results"]);
                }
                "propagate" => {
                    for frame in &self.frames {
                        self.session.settle(frame).unwrap();
                    }
                    let is_backward = told["reverse"].as_bool().unwrap_or(false);
                    let order: Vec<usize> = serde_json::from_value(told["order"].clone()).unwrap();
                    for frame in order {
                        for object in self.session.objects.clone() {
                            self.check_bank(step, frame, object.id, is_backward);
                        }
                        for place in 0..self.session.objects.len() {
                            let at = &self.frames[frame];
                            self.session.propagate(at, place, is_backward).unwrap();
                        }
                        for object in self.session.objects.clone() {
                            self.check_found(step, frame, object.id);
                        }
                        self.check_masks(step, frame, &told["results"]);
                    }
                }
                "remove" => {
                    self.session.remove(object);
                    let left: Vec<u64> = self.session.objects.iter().map(|it| it.id).collect();
                    assert_eq!(json!(left), told["obj_ids"]);
                    self.check_masks(step, 0, &told["results"]);
                }
                op => panic!("{op}"),
            }
        }
    }
}

fn pixels(index: usize) -> image::RgbImage {
    let path = format!("tests/assets/tiny/frame{index}.png");
    image::open(path).unwrap().into_rgb8()
}

/// The prompt of a step.
fn prompt(told: &Value) -> Prompt {
    let points: Vec<[f64; 2]> = serde_json::from_value(told["points"].clone()).unwrap_or_default();
    let labels: Vec<u8> = serde_json::from_value(told["labels"].clone()).unwrap_or_default();
    let points = points.iter().zip(labels);
    let points = points.map(|(&[x, y], label)| PointHint { x, y, label });
    let corners: Option<[f64; 4]> = serde_json::from_value(told["box"].clone()).unwrap_or_default();
    let mask: Option<Rle> = serde_json::from_value(told["mask"].clone()).unwrap_or_default();
    Prompt {
        points: points.collect(),
        bbox: corners.map(|[x, y, right, bottom]| BoxHint {
            x,
            y,
            width: right - x,
            height: bottom - y,
        }),
        mask: mask.map(|mask| Mask::from_rle(&mask).unwrap()),
    }
}

#[test]
fn the_session_of_points_matches() {
    let _guard = tch::no_grad_guard();
    Run::open("points").run();
}

#[test]
fn the_session_of_conditioning_frames_backwards_and_forwards_matches() {
    let _guard = tch::no_grad_guard();
    Run::open("as_cond").run();
}

#[test]
fn the_session_of_edits_matches() {
    let _guard = tch::no_grad_guard();
    Run::open("edits").run();
}

#[test]
fn the_session_of_filled_holes_matches() {
    let _guard = tch::no_grad_guard();
    Run::open("fill_holes").run();
}

#[test]
fn frames_are_resized_as_there() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let row = golden.json["video_rows_y"].as_i64().unwrap();
    let rows = (0..6).map(|index| {
        let pixels = pixels(index);
        let input = golden.predictor.frame_input(&view(&pixels)).unwrap();
        input.narrow(0, row, 1).permute([2, 0, 1])
    });
    let rows = Tensor::stack(&rows.collect::<Vec<_>>(), 0);
    golden.compare("video.frames_preprocessed_rows", &rows, 1e-6);
}

/// What was stored of a step, fed to the next one: no error adds up.
#[test]
fn each_part_matches_by_itself() {
    let _guard = tch::no_grad_guard();
    for name in ["points", "as_cond"] {
        let run = Run::open(name);
        // Of frames that people pointed at: found in one step, remembered in the next one.
        for (found, remembered, frame) in [
            ("step0.f0.obj5", "step2.f0.obj5", 0),
            ("step1.f0.obj4", "step2.f0.obj4", 0),
            ("step3.f3.obj2", "step4.f3.obj2", 3),
            ("step3.f4.obj1", "step5.f4.obj1", 4),
        ] {
            let encoded = format!("video.{name}.{remembered}.memory_encoder_output_preflight");
            let found = format!("video.{name}.{found}");
            run.check_memory(&found, &run.frames[frame], &encoded, true);
        }
        let golden = &run.golden;
        let memory = &golden.predictor.sam2.memory;
        let told = &golden.json["video"][name]["num_obj_ptr_tokens"];
        for (at, pointers) in told.as_object().unwrap() {
            let step = format!("video.{name}.{at}");
            let frame: usize = at.split(".f").nth(1).unwrap()[..1].parse().unwrap();
            let frame = &run.frames[frame];
            let device = golden.predictor.compute.device;
            let stored = |what: &str| {
                let tensor = golden.tensor(&format!("{step}.{what}"));
                tensor.squeeze_dim(1).to_device(device)
            };
            let bank = Bank {
                tokens: stored("memory"),
                positions: stored("memory_pos"),
                pointers: pointers.as_i64().unwrap(),
            };
            let image = &frame.features.embedding;
            let seen = memory.attention.forward(image, &memory.image_places, &bank);
            let output = format!("{step}.memory_attention_output");
            golden.compare(&output, &seen.unwrap().unsqueeze(1), STAGE);

            run.check_memory(
                &step,
                frame,
                &format!("{step}.memory_encoder_output"),
                false,
            );
            // All but corrections, which are told points and logits.
            if at.starts_with("step3") {
                continue;
            }
            let image = golden.tensor(&output).squeeze_dim(1).to_device(device);
            let asked = step::Asked {
                image: &image,
                points: &[],
                mask: None,
                is_ambiguous: true,
            };
            let found = run.session.ask(frame, &asked).unwrap();
            let low = Tensor::from_slice(&found.logits).view([1, 1, 64, 64]);
            golden.compare(&format!("{step}.low_res_logits"), &low, LOGIT);
            let pointer = found.pointer.0.unsqueeze(0);
            golden.compare(&format!("{step}.obj_ptr"), &pointer, LOGIT);
        }
    }
}

/// The session of points as frames that come one after the other, of which the fourth comes again with a
/// correction, and the first three at the end.
#[test]
fn frames_that_come_one_by_one_give_the_same() {
    let mut run = Run::open("points");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let steps = run.steps();
    let said = |step: usize| ObjectPrompt {
        object: steps[step]["obj_id"].as_u64().unwrap(),
        prompt: prompt(&steps[step]),
    };
    let mut frame = |index: usize, prompts: &[ObjectPrompt], step: usize| {
        let place = Place {
            index,
            count: Some(6),
            is_backward: false,
        };
        let pixels = pixels(index);
        let tracked = run
            .session
            .frame(&view(&pixels), place, prompts, &call)
            .unwrap();
        let expected = steps[step]["results"][index.to_string()]
            .as_array()
            .unwrap();
        assert_eq!(tracked.len(), expected.len());
        for (tracked, expected) in tracked.iter().zip(expected) {
            assert_eq!(json!(tracked.object), expected["obj_id"]);
            let name = format!("frame {index}, object {}, step {step}", tracked.object);
            compare_masks(&name, &tracked.mask, &expected["mask"], 0.97);
        }
    };
    frame(0, &[said(0), said(1)], 2);
    for index in 1..6 {
        frame(index, &[], 2);
    }
    frame(3, &[said(3)], 3);
    for index in [4, 5] {
        frame(index, &[], 4);
    }
    for index in [0, 1, 2] {
        frame(index, &[], 5);
    }
}

#[test]
fn a_long_video_takes_no_more_memory() {
    let golden = Golden::open();
    let settings = VideoSettings {
        max_cond_frames_in_attn: Some(2),
        memory_mib: 0,
        ..VideoSettings::of(&golden.predictor)
    };
    let mut session = Session::new(&golden.predictor, settings).unwrap();
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let steps = &golden.json["video"]["points"]["steps"];
    let said = ObjectPrompt {
        object: 5,
        prompt: prompt(&steps[0]),
    };
    let pixels: Vec<_> = (0..2).map(pixels).collect();
    let mut frame = |index: usize, prompts: &[ObjectPrompt]| {
        let place = Place {
            index,
            ..Place::default()
        };
        let tracked = session.frame(&view(&pixels[index % 2]), place, prompts, &call);
        let object = session.objects.first();
        let kept = object.map(|it| (it.recent.len(), it.pointed.len(), it.pending.len()));
        (tracked.unwrap().len(), kept.unwrap_or_default())
    };
    assert_eq!(frame(0, &[]), (0, (0, 0, 0)));
    for index in 1..60 {
        let is_told = index % 3 == 1;
        let (found, kept) = frame(
            index,
            if is_told {
                std::slice::from_ref(&said)
            } else {
                &[]
            },
        );
        assert_eq!(found, 1);
        assert!(kept.0 <= 16 && kept.1 <= 16 && kept.2 == 0, "{kept:?}");
    }
    assert_eq!(frame(60, &[]).1, (16, 16, 0));
    session.remove(5);
    assert!(session.is_empty());
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let golden = Golden::open();
    let settings = VideoSettings::of(&golden.predictor);
    let wrong = VideoSettings {
        memory_temporal_stride_for_eval: 0,
        ..settings
    };
    let error = Session::new(&golden.predictor, wrong).unwrap_err();
    assert!(
        error
            .message()
            .contains("memory_temporal_stride_for_eval is 0"),
        "{error}"
    );
    let wrong = VideoSettings {
        max_cond_frames_in_attn: Some(1),
        ..settings
    };
    let error = Session::new(&golden.predictor, wrong).unwrap_err();
    assert!(
        error.message().contains("max_cond_frames_in_attn is 1"),
        "{error}"
    );

    let mut session = Session::new(&golden.predictor, settings).unwrap();
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let nothing = ObjectPrompt {
        object: 7,
        prompt: Prompt::default(),
    };
    let (pixels, place) = (pixels(0), Place::default());
    let error = session
        .frame(&view(&pixels), place, &[nothing], &call)
        .unwrap_err();
    assert!(
        error.message().contains("the prompt of object 7"),
        "{error}"
    );
    assert!(session.is_empty());

    session.frame(&view(&pixels), place, &[], &call).unwrap();
    let other = image::RgbImage::new(5, 4);
    let error = session.frame(&view(&other), place, &[], &call).unwrap_err();
    assert!(error.message().contains("the frame is 5 x 4"), "{error}");
}

/// What comes before a frame fails is as if that had never come.
#[test]
fn a_frame_that_fails_leaves_no_trace() {
    let golden = Golden::open();
    let settings = VideoSettings::of(&golden.predictor);
    let mut session = Session::new(&golden.predictor, settings).unwrap();
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let steps = &golden.json["video"]["points"]["steps"];
    let said = |object: u64| ObjectPrompt {
        object,
        prompt: prompt(&steps[0]),
    };
    let pixels = pixels(0);
    let at = |index| Place {
        index,
        ..Place::default()
    };
    session
        .frame(&view(&pixels), at(0), &[said(1)], &call)
        .unwrap();
    let spoilt = &golden.predictor.sam2.memory.ages;
    let whole = spoilt.copy();
    let _ = spoilt.shallow_clone().fill_(f64::NAN);
    let error = session
        .frame(&view(&pixels), at(1), &[said(2)], &call)
        .unwrap_err();
    assert!(error.message().contains("mask decoder"), "{error}");
    assert_eq!(session.objects.len(), 1);
    assert!(session.objects[0].recent.is_empty());
    spoilt.shallow_clone().copy_(&whole);
    let found = session
        .frame(&view(&pixels), at(1), &[said(2)], &call)
        .unwrap();
    let found: Vec<u64> = found.iter().map(|found| found.object).collect();
    assert_eq!(found, [1, 2]);
}
