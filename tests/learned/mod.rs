//! Learned segmenters through the command: each from its checkpoint to the pixels.
//!
//! A plugin has one file here, with what only it can say: how its fixtures are laid out. All else is
//! the table `package.metadata.som` of its manifest, and [`tests_of`] are its tests.

// Plugins, their tables, and `som` with one of them.
mod plugin;
// One call, and what the official project gives for it.
mod case;

// Masks and scores of the official project.
mod parity;
// A GPU that is none, to see that nothing stays on the CPU.
mod device;
// Checkpoints, settings and images that nothing good comes of.
mod faults;
// A moved installation, and one without libtorch.
mod install;
// The same through gRPC.
mod serve;

// GLIP.
mod glip;
// Grounding DINO and Segment Anything as one.
mod grounded_sam;
// Grounding DINO.
mod grounding_dino;
// Mask DINO.
mod mask_dino;
// OpenSeeD.
mod open_seed;
// PolyFormer.
mod poly_former;
// Segment Anything.
mod sam;
// SAM 2.
mod sam2;
// SEEM.
mod seem;
// SegGPT.
mod seg_gpt;
// Semantic-SAM.
mod semantic_sam;

use std::{collections::BTreeSet, fs, path::PathBuf};

use self::plugin::Plugin;
use crate::source::root;

/// The tests of a plugin: every fixture's own, and those that one of them is enough for.
macro_rules! tests_of {
    (@each $plugin:expr; $($concern:ident::$test:ident),+) => {
        $(
            #[test]
            fn $test() {
                crate::learned::$concern::$test(&$plugin);
            }
        )+
    };
    ($plugin:expr, $($fixture:ident),+) => {
        mod parity {
            use super::*;

            $(
                #[test]
                fn $fixture() {
                    crate::learned::parity::as_official(&$plugin, stringify!($fixture));
                }
            )+

            #[test]
            fn every_fixture_has_its_test() {
                let tested = [$(stringify!($fixture)),+];
                crate::learned::parity::every_fixture_has_its_test(&$plugin, &tested);
            }
        }

        crate::learned::tests_of!(
            @each $plugin;
            parity::lower_precisions_find_nearly_the_same,
            device::on_a_gpu_nothing_stays_on_the_cpu,
            device::gpus_are_counted,
            faults::checkpoints_that_are_none_are_refused_by_name,
            faults::checkpoints_of_other_segmenters_are_named_as_what_they_are,
            faults::weights_and_devices_that_are_not_there_are_named_with_a_way_out,
            faults::a_network_larger_than_the_memory_is_refused_before_it_is_read,
            faults::tiny_and_huge_images_are_cut,
            faults::parameters_that_contradict_each_other_are_refused,
            faults::what_the_config_says_wrong_is_named,
            faults::too_little_memory_is_an_error_and_nothing_hangs,
            install::a_missing_libtorch_is_named_and_how_to_get_it,
            install::a_moved_installation_finds_the_libtorch_that_moved_along,
            serve::the_service_finds_what_the_official_project_finds,
            serve::the_next_request_works,
            serve::a_server_whose_weights_are_wrong_says_so_at_every_call_and_lives
        );
    };
}

use tests_of;

/// Every plugin over libtorch.
const PLUGINS: [&Plugin; 10] = [
    &glip::GLIP,
    &grounding_dino::GROUNDING_DINO,
    &mask_dino::MASK_DINO,
    &open_seed::OPEN_SEED,
    &poly_former::POLY_FORMER,
    &sam::SAM,
    &sam2::SAM2,
    &seem::SEEM,
    &seg_gpt::SEG_GPT,
    &semantic_sam::SEMANTIC_SAM,
];

#[test]
fn every_learned_segmenter_is_tested() {
    let folders = fs::read_dir(root().join("plugins")).unwrap();
    let folders = folders.map(|folder| folder.unwrap().path());
    let learned = folders.filter(|folder| {
        let manifest = fs::read_to_string(folder.join("Cargo.toml"));
        manifest.is_ok_and(|text| text.contains("\nsom-torch"))
    });
    let learned: BTreeSet<PathBuf> = learned.collect();
    let tested: BTreeSet<PathBuf> = PLUGINS.map(|plugin| root().join(plugin.folder)).into();
    assert_eq!(
        learned, tested,
        "plugins over libtorch (left) and those tested (right)"
    );
}
