//! Parity with the official project, step by step of its sessions; and what only this one does.

mod run;

use serde_json::json;
use som_core::Params;
use tch::Tensor;

use self::run::{Run, pixels, prompt};
use super::*;
use crate::{
    golden::{Golden, LOGIT, STAGE, compare_masks, view},
    network::Bank,
};

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
            let asked = decode::Asked {
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
            .frame(&view(&pixels), place, prompts, &[], &call)
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
        let tracked = session.frame(&view(&pixels[index % 2]), place, prompts, &[], &call);
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
    let (pixels, params) = (pixels[0].clone(), Params::new());
    let call = Call::uncancellable(&params);
    let place = Place {
        index: 61,
        ..Place::default()
    };
    let found = session.frame(&view(&pixels), place, &[], &[5], &call);
    assert!(found.unwrap().is_empty() && session.is_empty(), "forgotten");
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
        .frame(&view(&pixels), place, &[nothing], &[], &call)
        .unwrap_err();
    assert!(
        error.message().contains("the prompt of object 7"),
        "{error}"
    );
    assert!(session.is_empty());

    session
        .frame(&view(&pixels), place, &[], &[], &call)
        .unwrap();
    let other = image::RgbImage::new(5, 4);
    let error = session
        .frame(&view(&other), place, &[], &[], &call)
        .unwrap_err();
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
        .frame(&view(&pixels), at(0), &[said(1)], &[], &call)
        .unwrap();
    let spoilt = &golden.predictor.sam2.memory.ages;
    let whole = spoilt.copy();
    let _ = spoilt.shallow_clone().fill_(f64::NAN);
    let error = session
        .frame(&view(&pixels), at(1), &[said(2)], &[], &call)
        .unwrap_err();
    assert!(error.message().contains("mask decoder"), "{error}");
    assert_eq!(session.objects.len(), 1);
    assert!(session.objects[0].recent.is_empty());
    spoilt.shallow_clone().copy_(&whole);
    let found = session
        .frame(&view(&pixels), at(1), &[said(2)], &[], &call)
        .unwrap();
    let found: Vec<u64> = found.iter().map(|found| found.object).collect();
    assert_eq!(found, [1, 2]);
}
