use proptest::{collection::vec, prelude::*};
use som_core::{BBox, Mask, Size, nms};

const SIZE: Size = Size::new(40, 40);

fn boxes() -> impl Strategy<Value = Vec<(BBox, u8)>> {
    let bbox = (0_u32..30, 0_u32..30, 0_u32..12, 0_u32..12)
        .prop_map(|(x, y, width, height)| BBox::new(x, y, width, height));
    vec((bbox, 0_u8..6), 0..40)
}

fn corners(bbox: BBox) -> [f32; 4] {
    [
        bbox.x as f32,
        bbox.y as f32,
        bbox.right() as f32,
        bbox.bottom() as f32,
    ]
}

/// By the definition: take the best, drop what overlaps it too much, and so on.
fn greedy(scores: &[f32], iou: impl Fn(usize, usize) -> f64, threshold: f64) -> Vec<usize> {
    let mut left: Vec<usize> = (0..scores.len()).collect();
    let mut kept = Vec::new();
    while let Some(&best) = left
        .iter()
        .rev()
        .max_by(|&&a, &&b| scores[a].total_cmp(&scores[b]))
    {
        kept.push(best);
        left.retain(|&other| other != best && iou(best, other) <= threshold);
    }
    kept
}

proptest! {
    #[test]
    fn what_stays_follows_the_definition(boxes in boxes(), threshold in 0.0_f64..1.0) {
        let scores: Vec<f32> = boxes.iter().map(|&(_, score)| f32::from(score) / 5.0).collect();
        let expected = greedy(&scores, |a, b| boxes[a].0.iou(boxes[b].0), threshold);
        let corners: Vec<_> = boxes.iter().map(|&(bbox, _)| corners(bbox)).collect();
        prop_assert_eq!(nms::by_box(&corners, &scores, None, threshold), expected);

        // Discs in the boxes, so that masks and boxes differ.
        let masks: Vec<Mask> = boxes.iter().map(|&(bbox, _)| disc(bbox)).collect();
        let masks: Vec<&Mask> = masks.iter().collect();
        let expected = greedy(&scores, |a, b| masks[a].iou(masks[b]), threshold);
        prop_assert_eq!(nms::by_mask(&masks, &scores, threshold), expected);
    }

    #[test]
    fn classes_do_not_suppress_each_other(boxes in boxes(), threshold in 0.0_f64..1.0) {
        let scores: Vec<f32> = boxes.iter().map(|&(_, score)| f32::from(score)).collect();
        let classes: Vec<u32> = (0..boxes.len() as u32).map(|index| index % 3).collect();
        let corners: Vec<_> = boxes.iter().map(|&(bbox, _)| corners(bbox)).collect();
        let mut expected = Vec::new();
        for class in 0..3 {
            let members: Vec<usize> = (0..boxes.len()).filter(|&i| classes[i] == class).collect();
            let own = |values: &[[f32; 4]]| members.iter().map(|&i| values[i]).collect::<Vec<_>>();
            let own_scores: Vec<f32> = members.iter().map(|&i| scores[i]).collect();
            let kept = nms::by_box(&own(&corners), &own_scores, None, threshold);
            expected.extend(kept.into_iter().map(|i| members[i]));
        }
        expected.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        prop_assert_eq!(nms::by_box(&corners, &scores, Some(&classes), threshold), expected);
    }
}

fn disc(bbox: BBox) -> Mask {
    let pixels: Vec<u8> = (0..bbox.area())
        .map(|i| {
            let (x, y) = (
                (i % u64::from(bbox.width)) as f64,
                (i / u64::from(bbox.width)) as f64,
            );
            let (width, height) = (f64::from(bbox.width), f64::from(bbox.height));
            let (dx, dy) = (
                (2.0 * x + 1.0) / width - 1.0,
                (2.0 * y + 1.0) / height - 1.0,
            );
            u8::from(dx * dx + dy * dy <= 1.0)
        })
        .collect();
    let bbox = if bbox.is_empty() {
        BBox::default()
    } else {
        bbox
    };
    Mask::from_dense(SIZE, bbox, &pixels).unwrap()
}

#[test]
fn the_best_of_those_that_overlap_stays() {
    let boxes = [
        [0.0, 0.0, 10.0, 10.0],
        [0.0, 0.0, 10.0, 5.0],
        [20.0, 0.0, 30.0, 10.0],
        [0.0, 0.0, 10.0, 9.0],
    ];
    let scores = [0.5, 0.9, 0.1, 0.9];
    // IoU of 1 and 3 is 5/9, of 0 and 3 it is 0.9, and 0.5 of 0 and 1.
    assert_eq!(nms::by_box(&boxes, &scores, None, 0.5), [1, 0, 2]);
    assert_eq!(nms::by_box(&boxes, &scores, None, 0.6), [1, 3, 2]);
    assert_eq!(nms::by_box(&boxes, &scores, None, 0.95), [1, 3, 0, 2]);
    // Just the threshold is not above it.
    assert_eq!(nms::by_box(&boxes[..2], &scores[..2], None, 0.5), [1, 0]);
    assert_eq!(nms::by_box(&[], &[], None, 0.5), [] as [usize; 0]);
}

#[test]
fn empty_masks_and_scores_that_are_no_numbers_are_normal() {
    let (empty, full) = (Mask::empty(SIZE), Mask::rect(SIZE, SIZE.bbox()));
    let masks = [&empty, &full, &empty, &full];
    assert_eq!(
        nms::by_mask(&masks, &[0.1, f32::NAN, 0.2, f32::NAN], 0.5),
        [1, 2, 0]
    );
}
