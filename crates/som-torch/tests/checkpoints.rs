//! Checkpoints of every kind that is met, and files that must be refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use som_core::ErrorKind;
use som_torch::{Checkpoint, Loader};
use tch::{Device, Kind, Tensor};

fn asset(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/checkpoints")
        .join(name)
}

fn open(name: &str) -> Checkpoint {
    Checkpoint::open(&asset(name)).unwrap()
}

fn refusal(path: &Path) -> (ErrorKind, String) {
    let error = Checkpoint::open(path).expect_err("it must be refused");
    (error.kind(), error.message().to_owned())
}

/// `bytes` as a file of its own.
fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    file
}

#[test]
fn every_container_gives_the_same_tensors() {
    for name in [
        "zip.pth",
        "zip_protocol4.pth",
        "legacy.pth",
        "same.safetensors",
    ] {
        let checkpoint = open(name);
        let tensor = |key: &str| checkpoint.tensor(key).unwrap();
        let numbers = |key: &str| {
            Vec::<f64>::try_from(tensor(key).to_kind(Kind::Double).flatten(0, -1)).unwrap()
        };
        let kinds =
            ["float", "half", "bfloat", "double", "count", "flag"].map(|key| tensor(key).kind());
        let expected = [
            Kind::Float,
            Kind::Half,
            Kind::BFloat16,
            Kind::Double,
            Kind::Int64,
            Kind::Bool,
        ];
        assert_eq!(kinds, expected, "{name}");
        assert_eq!(tensor("float").size(), [2, 3], "{name}");
        assert_eq!(
            numbers("float"),
            [0.0, 0.25, 0.5, 0.75, 1.0, 1.25],
            "{name}"
        );
        assert_eq!(numbers("half"), [0.5, -2.0, 65504.0], "{name}");
        assert_eq!(numbers("bfloat"), [1.0, -3.0, 2.0_f64.powi(100)], "{name}");
        assert_eq!(numbers("double"), [0.1], "{name}");
        assert_eq!(numbers("count"), [7.0], "{name}");
        assert_eq!(tensor("count").size(), [0_i64; 0], "{name}");
        assert_eq!(numbers("flag"), [1.0, 0.0], "{name}");
        assert_eq!(tensor("turned").size(), [3, 2], "{name}");
        assert_eq!(
            numbers("turned"),
            [0.0, 0.75, 0.25, 1.0, 0.5, 1.25],
            "{name}"
        );
        assert_eq!(numbers("part"), [1.0, 1.25, 1.5, 1.75], "{name}");
        assert_eq!(numbers("every_third"), [0.0, 0.75, 1.5, 2.25], "{name}");
        assert_eq!(numbers("whole").len(), 12, "{name}");
        assert_eq!(tensor("empty").size(), [0, 4], "{name}");
        assert_eq!(checkpoint.names().count(), 11, "{name}");
        assert_eq!(
            checkpoint.tensor("other").unwrap_err().kind(),
            ErrorKind::NotFound,
            "{name}"
        );
    }
}

#[test]
fn weights_are_found_where_training_scripts_put_them() {
    for name in ["nested.pth", "data_parallel.pth", "fairseq.pth"] {
        let checkpoint = open(name);
        assert_eq!(
            checkpoint.names().collect::<Vec<_>>(),
            ["bias", "weight"],
            "{name}"
        );
        assert_eq!(checkpoint.shape("bias"), Some([3_i64].as_slice()), "{name}");
    }
}

/// As detection projects save them: with the state of the training, and a mean of the weights.
#[test]
fn the_state_of_a_training_is_left_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("training.safetensors");
    let number = Tensor::from_slice(&[1.0_f32]);
    let tensors: Vec<(&str, &Tensor)> = [
        "model.module.weight",
        "model_ema.module.weight",
        "optimizer.state.0.exp_avg",
        "scheduler.last_lr",
    ]
    .map(|name| (name, &number))
    .into();
    Tensor::write_safetensors(&tensors, &path).unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(checkpoint.names().collect::<Vec<_>>(), ["weight"]);
}

#[test]
fn a_checkpoint_with_code_in_it_is_refused_by_name() {
    for (name, culprit) in [
        ("runs.pth", "system"),
        ("runs_protocol4.pth", "system"),
        ("runs_legacy.pth", "system"),
        ("runs_and_forgets.pth", "builtins.exec"),
        ("whole_model.pth", "torch.nn.modules.linear.Linear"),
    ] {
        let (kind, message) = refusal(&asset(name));
        assert_eq!(kind, ErrorKind::Invalid, "{name}");
        assert!(
            message.contains("refused") && message.contains(culprit),
            "{message}"
        );
    }
    // What `make.py` had them do.
    assert!(!Path::new("checkpoint-was-executed").exists());
}

#[test]
fn files_that_are_no_checkpoints_are_refused() {
    let missing = refusal(&asset("missing.pth"));
    assert_eq!(missing.0, ErrorKind::Unavailable);
    assert!(missing.1.contains("not found at"), "{}", missing.1);
    for bytes in [
        b"".as_slice(),
        b"P",
        b"hello world, this is no checkpoint",
        &[0xff; 64],
        b"PK\x03\x04",
    ] {
        assert_eq!(
            refusal(file(bytes).path()).0,
            ErrorKind::Invalid,
            "{bytes:?}"
        );
    }
    assert_eq!(refusal(&asset("plain_pickle.pth")).0, ErrorKind::Invalid);
    let (_, message) = refusal(&asset("plain_pickle.pth"));
    assert!(message.contains("plain_pickle.pth"), "{message}");
}

/// Opened or not, no prefix of a checkpoint gives wrong numbers or ends the process.
#[test]
fn truncated_files_are_refused() {
    for name in ["zip.pth", "legacy.pth", "same.safetensors"] {
        let whole = fs::read(asset(name)).unwrap();
        for end in (0..whole.len()).step_by(whole.len() / 60) {
            let file = file(&whole[..end]);
            match Checkpoint::open(file.path()) {
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Invalid, "{name} at {end}: {error}");
                }
                Ok(checkpoint) => {
                    let names: Vec<String> = checkpoint.names().map(str::to_owned).collect();
                    let lost = names.iter().any(|name| checkpoint.tensor(name).is_err());
                    assert!(lost, "{name} at {end} was read as if it were whole");
                }
            }
        }
    }
}

#[test]
fn damaged_bytes_never_end_the_process() {
    for name in ["zip.pth", "legacy.pth", "same.safetensors"] {
        let whole = fs::read(asset(name)).unwrap();
        for place in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x55;
            if let Ok(checkpoint) = Checkpoint::open(file(&damaged).path()) {
                for name in checkpoint.names() {
                    let _ = checkpoint.tensor(name);
                }
            }
        }
    }
}

#[test]
fn everything_that_does_not_fit_is_listed() {
    let checkpoint = open("nested.pth");
    let loader = Loader::new(&checkpoint, Device::Cpu).unwrap();
    let root = loader.root(Kind::Float);
    assert_eq!(root.weight("weight", &[2]).size(), [2]);
    let _ = root.weight("bias", &[4]);
    let _ = root.at("blocks").at(0).weight("weight", &[1]);
    let error = loader.finish().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let message = error.message();
    for part in [
        "mis-shaped: bias is [3], expected [4]",
        "missing: blocks.0.weight [1]",
        "nested.pth",
    ] {
        assert!(message.contains(part), "{message}");
    }

    let loader = Loader::new(&checkpoint, Device::Cpu).unwrap();
    let half = loader.root(Kind::Half).weight("weight", &[2]);
    assert_eq!(half.kind(), Kind::Half);
    assert!(Tensor::allclose(
        &half.to_kind(Kind::Float),
        &Tensor::from_slice(&[1.0_f32, 1.0]),
        0.0,
        0.0,
        false
    ));
    let message = loader.finish().unwrap_err().message().to_owned();
    assert!(message.contains("unexpected: bias"), "{message}");
}
