//! `--set KEY=VALUE` for the embedded segmenter and mark styles, and requests against their schemas.
//!
//! Input: one setting a line, or a JSON object.

#![no_main]

// The binary's own file: it has no library.
#[path = "../../crates/cli/set.rs"]
mod set;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use som_core::Params;
use som_engine::{
    registry::{KnownSegmenter, Registry},
    settings::Ladder,
};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let (settings, _) = Ladder::embedded().load().unwrap();
    Registry::open(&[som_classic::PLUGIN, som_marks::PLUGIN], &settings).unwrap()
});

static CLASSIC: LazyLock<&KnownSegmenter> = LazyLock::new(|| {
    let reached = REGISTRY.segmenter("classic").unwrap().reach();
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(reached)
        .unwrap()
});

fuzz_target!(|text: &str| {
    let classic: &KnownSegmenter = &CLASSIC;
    let takers = set::Takers::of_registry(classic, &REGISTRY);
    let stack = ["mask", "contour", "box", "alphabet", "number"].map(str::to_owned);
    let settings: Vec<set::Setting> = text.lines().filter_map(|line| line.parse().ok()).collect();
    if let Ok(assigned) = set::Assigned::of(&settings, &takers) {
        let _ = assigned.layers(&stack, &takers);
        assert!(assigned.options.len() + assigned.params.len() <= settings.len());
    }
    let level = set::Setting::new("level", text.to_owned());
    let _ = set::Assigned::of(&[level], &takers);

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
