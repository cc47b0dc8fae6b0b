//! `--set KEY=VALUE` for the embedded segmenter and mark styles, and requests against their schemas.
//!
//! Input: one setting a line, or a JSON object.

#![no_main]

// The binary's own file: it has no library.
#[path = "../../crates/cli/flags/assignment.rs"]
mod assignment;

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use som_core::Params;
use som_engine::{
    registry::{KnownSegmenter, Registry},
    settings::Ladder,
};

use self::assignment::Assignment;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let (settings, _) = Ladder::embedded().load().unwrap();
    Registry::open(&[som_classic::PLUGIN, som_marks::PLUGIN], &settings).unwrap()
});

static CLASSIC: LazyLock<Arc<KnownSegmenter>> = LazyLock::new(|| {
    let reached = REGISTRY.segmenter("classic").unwrap().reach();
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(reached)
        .unwrap()
});

fuzz_target!(|text: &str| {
    let classic: &KnownSegmenter = &CLASSIC;
    let read = |key: &str, value: &str| {
        let _ = classic.params().parse_text("classic", key, value);
        for style in REGISTRY.styles() {
            let _ = style.params().parse_text("a style", key, value);
        }
    };
    for line in text.lines() {
        if let Ok(Assignment { key, value }) = line.parse() {
            assert!(!key.trim().is_empty());
            read(&key, &value);
        }
        let _ = Assignment::list(line);
    }
    read("level", &Assignment::new("level", text).value);

    let Ok(params) = serde_json::from_str::<Params>(text) else {
        return;
    };
    // What was resolved once is as it should be.
    if let Ok(resolved) = classic.resolve(&params) {
        assert_eq!(classic.resolve(&resolved).unwrap(), resolved);
    }
    for style in REGISTRY.styles() {
        if let Ok(resolved) = style.resolve(&params) {
            assert_eq!(style.resolve(&resolved).unwrap(), resolved);
        }
    }
});
