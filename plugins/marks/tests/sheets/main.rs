//! Pictures of our own making, cut by the default segmenter, marked with the default stack, and
//! scored.
//!
//! `cargo test -p som-marks --test sheets -- --nocapture` prints the scores. With `SOM_SHEETS=FOLDER`
//! it writes what it marked there, as contact sheets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod ciede2000; // how different two colours look
mod colors; //    what the colours of marks are
mod contact; //   contact sheets of what was marked
mod easel; //     what the pictures are drawn with
mod pictures; //  the pictures
mod scores; //    what is measured of a marked picture

use pictures::PICTURES;
use scores::{Scores, score};

/// Pictures in which less of what is true is found, and the least share of it: writing on small
/// signs, noise of a scan, and what is hardly lighter or darker than what is around.
const HARDER: [(&str, f64); 10] = [
    ("bars of one blue", 0.5),
    ("form with checkboxes", 0.65),
    ("toolbar", 0.7),
    ("metro", 0.7),
    ("scanned page", 0.0),
    ("logo on white", 0.6),
    ("logo on dark", 0.6),
    ("night street", 0.5),
    ("gray of 16 bits: lesions", 0.2),
    ("gray of 16 bits: bones", 0.6),
];
/// Least share of the things that is found in all others.
const FOUND: f64 = 0.8;
/// Largest mean and single share of a thing's ink that may be hidden.
const HIDDEN: (f64, f64) = (0.1, 0.5);
/// Largest difference of colour inside a region.
const SHIFT: f64 = 2.0;

#[test]
fn photographs_keep_their_colours_inside_regions() {
    let mut sheet = contact::Sheet::new("photographs");
    for name in ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/images/");
        let mut easel = easel::Easel::new(1, 1, [0; 3]);
        easel.picture = image::open(format!("{folder}{name}")).unwrap().to_rgb8();
        let (marked, scores) = score(&easel);
        println!(
            "{name}: {} regions, shift {:.2}",
            scores.regions, scores.shift
        );
        assert!(scores.shift <= SHIFT, "{name}: {}", scores.shift);
        assert_eq!(marked.allocation.pages, 1);
        assert!(
            marked
                .allocation
                .marks
                .iter()
                .all(|mark| mark.facts.hold(9.0))
        );
        sheet.add(name, &marked.pages[0]);
    }
    sheet.write();
}

#[test]
fn pictures_of_our_own_making_are_cut_and_marked_well() {
    let mut sheet = contact::Sheet::new("pictures");
    let mut wrong = Vec::new();
    println!(
        "{:26} found regions  shift  hidden: mean  most  pages scale holding",
        ""
    );
    for (name, make) in PICTURES {
        let easel = make();
        let (marked, scores) = score(&easel);
        let Scores {
            found,
            regions,
            shift,
            hidden: (mean, most),
            pages,
            scale,
            holding: (holding, all),
        } = scores;
        println!(
            "{name:26} {found:5.2} {regions:7} {shift:6.2} {mean:13.3} {most:5.2} {pages:6} {scale:5} {holding:4}/{all}"
        );
        let harder = HARDER.iter().find(|(harder, _)| *harder == name);
        let least = harder.map_or(FOUND, |(_, least)| *least);
        if found < least || shift > SHIFT || mean > HIDDEN.0 || most > HIDDEN.1 || holding < all {
            wrong.push(name);
        }
        sheet.add(name, &marked.pages[0]);
    }
    sheet.write();
    assert_eq!(wrong, [""; 0]);
}
