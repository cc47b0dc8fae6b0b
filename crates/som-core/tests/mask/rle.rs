use proptest::{collection::vec, prelude::*};
use som_core::{BBox, Counts, ErrorKind, Mask, Rle, Size};

use super::{check, masks, picture};

/// Column by column, as the definition says.
fn counts(mask: &Mask) -> Vec<u32> {
    let Size { width, height } = mask.size();
    let pixels = (0..width).flat_map(|x| (0..height).map(move |y| som_core::Point::new(x, y)));
    let (mut counts, mut last) = (vec![0], false);
    for point in pixels {
        if mask.contains(point) != last {
            last = !last;
            counts.push(0);
        }
        *counts.last_mut().unwrap() += 1;
    }
    counts
}

proptest! {
    #[test]
    fn counts_follow_the_definition((mask, _) in masks()) {
        let rle = mask.to_uncompressed_rle();
        prop_assert_eq!(rle.image_size(), mask.size());
        prop_assert_eq!(&rle.counts, &Counts::Uncompressed(counts(&mask)));
    }

    #[test]
    fn both_kinds_survive((mask, _) in masks()) {
        for rle in [mask.to_rle(), mask.to_uncompressed_rle()] {
            let decoded = Mask::from_rle(&rle).unwrap();
            check(&decoded);
            prop_assert_eq!(&decoded, &mask);
            let json = serde_json::to_string(&rle).unwrap();
            prop_assert_eq!(serde_json::from_str::<Rle>(&json).unwrap(), rle);
        }
    }

    /// Counts cut up by runs of length 0 mean the same.
    #[test]
    fn empty_runs_change_nothing((mask, _) in masks(), cuts in vec((0_usize..60, 0_u32..50), 0..8)) {
        let mut cut = counts(&mask);
        for (place, length) in cuts {
            let place = place % cut.len();
            let length = length.min(cut[place]);
            let rest = cut[place] - length;
            cut.splice(place..=place, [length, 0, rest]);
        }
        let rle = Rle { counts: Counts::Uncompressed(cut), ..mask.to_rle() };
        let decoded = Mask::from_rle(&rle).unwrap();
        check(&decoded);
        prop_assert_eq!(decoded, mask);
    }

    /// Whatever comes in is refused or is a mask like any other.
    #[test]
    fn no_text_breaks_the_decoder(text in "[0-o]{0,12}|\\PC{0,8}", height in 0_u32..6, width in 0_u32..6) {
        let rle = Rle { size: [height, width], counts: Counts::Compressed(text) };
        if let Ok(mask) = Mask::from_rle(&rle) {
            check(&mask);
            prop_assert_eq!(Mask::from_rle(&mask.to_rle()).unwrap(), mask);
        }
    }
}

fn compressed(size: [u32; 2], counts: &str) -> Rle {
    Rle {
        size,
        counts: Counts::Compressed(counts.to_owned()),
    }
}

/// Known answers, written by pycocotools 2.0.11.
#[test]
fn texts_match_pycocotools() {
    let size = Size::new(3, 2);
    for (mask, text) in [
        (Mask::empty(size), "6"),
        (Mask::rect(size, size.bbox()), "06"),
        (Mask::empty(Size::new(0, 5)), "0"),
        (Mask::empty(Size::new(5, 0)), "0"),
        (picture(&["#"]), "01"),
        (picture(&["."]), "1"),
        (Mask::rect(Size::new(5, 4), BBox::new(1, 1, 2, 2)), "52207"),
    ] {
        let rle = compressed([mask.size().height, mask.size().width], text);
        assert_eq!(mask.to_rle(), rle);
        assert_eq!(Mask::from_rle(&rle).unwrap(), mask);
    }
}

fn refusal(rle: &Rle) -> (ErrorKind, String) {
    let error = Mask::from_rle(rle).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn malformed_counts_are_refused_by_place() {
    let cases = [
        (
            "",
            "RLE: the counts add up to 0 pixels, but a 3x2 mask has 6",
        ),
        (
            "7",
            "RLE: the counts add up to 7 pixels, but a 3x2 mask has 6",
        ),
        (
            "2p",
            "RLE: the counts at character 1 are not compressed counts",
        ),
        (
            "2 ",
            "RLE: the counts at character 1 are not compressed counts",
        ),
        (
            "2é",
            "RLE: the counts at character 1 are not compressed counts",
        ),
        (
            "2Q",
            "RLE: the counts at character 1 end in the middle of a count",
        ),
        (
            "oooooooooooo0",
            "RLE: the counts at character 0 are not compressed counts",
        ),
        (
            "O",
            "RLE: the counts at character 0 stand for an impossible run",
        ),
        (
            "111N",
            "RLE: the counts at character 3 stand for an impossible run",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(
            refusal(&compressed([2, 3], text)),
            (ErrorKind::Invalid, message.to_owned())
        );
    }
}

#[test]
fn a_short_text_cannot_claim_a_huge_mask() {
    let text = "0000000000";
    let (kind, message) = refusal(&compressed([4_000_000_000, 4_000_000_000], text));
    assert_eq!(kind, ErrorKind::Exhausted);
    assert_eq!(
        message,
        "RLE: 4000000000x4000000000 is too large: at most 1048576 pixels a side and 4294967295 in all"
    );
    // Within the limits of size, every other column set: half a gigarun from 32 thousand numbers.
    let columns = vec![65_000; 65_000];
    let rle = Rle {
        size: [65_000, 65_000],
        counts: Counts::Uncompressed(columns),
    };
    assert_eq!(refusal(&rle).0, ErrorKind::Exhausted);
    // The sum of huge counts does not wrap around.
    let rle = Rle {
        size: [2, 3],
        counts: Counts::Uncompressed(vec![u32::MAX, 7]),
    };
    assert_eq!(refusal(&rle).0, ErrorKind::Invalid);
}

#[test]
fn the_largest_allowed_mask_is_exact() {
    let size = Size::new(4095, Size::MAX_SIDE);
    let mask = Mask::rect(size, size.bbox());
    let rle = mask.to_uncompressed_rle();
    assert_eq!(rle.counts, Counts::Uncompressed(vec![0, 4095 << 20]));
    assert_eq!(Mask::from_rle(&mask.to_rle()).unwrap(), mask);
    assert_eq!(mask.area(), 4095 << 20);
}
