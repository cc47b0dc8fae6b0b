//! A session of the official project, done again step by step.

use serde_json::{Value, json};
use som_core::{BoxHint, Call, Mask, Params, PointHint, Rle};
use som_torch::interactive::Prompt;
use tch::{Device, Kind, Tensor};

use crate::{
    golden::{Golden, STAGE, as_map, compare_masks, view},
    video::{
        Session, VideoSettings,
        frame::Frame,
        object::{Found, Object, SharedTensor},
    },
};

/// What comes of several steps may be off by so much: memories are rounded to 16 bits, and a mask that is
/// binarised differs where a logit is nearly 0.
const LATER: f64 = 0.3;
const MEMORY: f64 = 0.4;
/// Scores nearer to 0 than this may have another sign.
const UNSURE: f64 = 0.05;

/// A session of the official project, done again.
pub(super) struct Run {
    pub golden: Golden,
    name: &'static str,
    pub session: Session,
    pub frames: Vec<Frame>,
}

impl Run {
    pub(super) fn open(name: &'static str) -> Self {
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

    pub(super) fn steps(&self) -> Vec<Value> {
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
    pub(super) fn check_memory(&self, step: &str, frame: &Frame, encoded: &str, is_pointed: bool) {
        if !self.golden.has(encoded) {
            return;
        }
        let low = self.golden.tensor(&format!("{step}.low_res_logits"));
        let score = self.golden.tensor(&format!("{step}.object_score_logits"));
        let found = Found {
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

    pub(super) fn run(&mut self) {
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
                    self.session.objects.retain(|it| it.id != object);
                    let left: Vec<u64> = self.session.objects.iter().map(|it| it.id).collect();
                    assert_eq!(json!(left), told["obj_ids"]);
                    self.check_masks(step, 0, &told["results"]);
                }
                op => panic!("{op}"),
            }
        }
    }
}

pub(super) fn pixels(index: usize) -> image::RgbImage {
    let path = format!("tests/assets/tiny/frame{index}.png");
    image::open(path).unwrap().into_rgb8()
}

/// The prompt of a step.
pub(super) fn prompt(told: &Value) -> Prompt {
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
