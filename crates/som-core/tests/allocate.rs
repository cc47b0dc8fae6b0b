//! What mark allocation promises, recomputed here by brute force.

use image::RgbImage;
use proptest::prelude::*;
use som_core::{
    AllocateOptions, Allocation, BBox, Call, Image, Labelling, Labels, MarkOptions, Mask,
    MaskBuilder, Params, Point, Region, Result, Size, UnmarkedReason, allocate,
};

/// Numbers in boxes of a plain size: two thirds of the font size a digit, the font size high.
struct Digits;

impl Labelling for Digits {
    fn label(&self, index: u32) -> Result<String> {
        Ok((index + 1).to_string())
    }

    fn measure(&self, text: &str, call: &Call<'_>) -> Result<Size> {
        let font_size = call
            .number("font_size")
            .expect("allocation sets the font size");
        let width = (font_size * text.len() as f64 * 2.0 / 3.0).ceil() as u32 + 2;
        Ok(Size::new(width, font_size.ceil() as u32 + 2))
    }
}

fn mask(size: Size, inside: impl Fn(u32, u32) -> bool) -> Mask {
    let mut mask = MaskBuilder::new(size);
    for y in 0..size.height {
        for x in (0..size.width).filter(|&x| inside(x, y)) {
            mask.push(y, x, x + 1);
        }
    }
    mask.finish()
}

fn disc(size: Size, center: (i64, i64), radius: i64) -> Mask {
    mask(size, |x, y| {
        (i64::from(x) - center.0).pow(2) + (i64::from(y) - center.1).pow(2) <= radius * radius
    })
}

fn asked(marks: MarkOptions) -> AllocateOptions {
    AllocateOptions {
        marks,
        ..AllocateOptions::default()
    }
}

fn run(size: Size, masks: &[Mask], options: &AllocateOptions) -> Allocation {
    run_with(size, masks, options, false)
}

/// Every region is called "wine glass"; with `class_names` that is written, too.
fn run_with(
    size: Size,
    masks: &[Mask],
    options: &AllocateOptions,
    class_names: bool,
) -> Allocation {
    let photo = RgbImage::from_fn(size.width, size.height, |x, y| {
        image::Rgb([(x * 7) as u8, (y * 5) as u8, (x * y) as u8])
    });
    let view = Image::from_raw(size.width, size.height, photo.as_raw().as_slice()).unwrap();
    let region = |mask| Region {
        label: Some("wine glass".to_owned()),
        ..Region::new(mask)
    };
    let regions = masks.iter().cloned().map(region).collect();
    let params = Params::from_iter([("class_names".to_owned(), class_names.into())]);
    let labels = Labels {
        labelling: &Digits,
        params: &params,
    };
    allocate(
        &view,
        regions,
        Some(labels),
        options,
        &Call::uncancellable(&params),
    )
    .unwrap()
}

/// Where the label of the only mark lies, in the middle.
fn only_label(size: Size, mask: Mask) -> (Point, bool) {
    let allocation = run(size, &[mask], &AllocateOptions::default());
    let mark = &allocation.marks[0];
    (mark.mark.label_box.center(), mark.facts.leader)
}

#[test]
fn a_disc_is_labelled_in_its_middle() {
    let size = Size::new(200, 160);
    assert_eq!(
        only_label(size, disc(size, (120, 70), 50)),
        (Point::new(120, 70), false)
    );
}

#[test]
fn the_foot_of_an_l_is_labelled_where_it_is_widest() {
    let size = Size::new(200, 200);
    let l = mask(size, |x, y| {
        (10..30).contains(&x) && (10..190).contains(&y)
            || (10..110).contains(&x) && (110..190).contains(&y)
    });
    let (center, leader) = only_label(size, l);
    assert!(!leader);
    assert!(
        (45..=75).contains(&center.x) && (148..=152).contains(&center.y),
        "{center:?}"
    );
}

#[test]
fn a_ring_is_labelled_on_itself_and_not_in_its_hole() {
    let size = Size::new(300, 300);
    let ring = mask(size, |x, y| {
        let squared = (i64::from(x) - 150).pow(2) + (i64::from(y) - 150).pow(2);
        (80 * 80..=140 * 140).contains(&squared)
    });
    let allocation = run(
        size,
        std::slice::from_ref(&ring),
        &AllocateOptions::default(),
    );
    let mark = &allocation.marks[0];
    assert_eq!(mark.facts.on_region, 1.0);
    assert!(ring.contains(mark.mark.label_box.center()));
}

#[test]
fn the_outer_of_two_nested_boxes_is_labelled_beside_the_inner_one() {
    let size = Size::new(240, 160);
    let outer = Mask::rect(size, BBox::new(10, 10, 220, 140));
    let inner_box = BBox::new(80, 40, 80, 80);
    let allocation = run(
        size,
        &[Mask::rect(size, inner_box), outer],
        &AllocateOptions::default(),
    );
    let [outer, inner] = &allocation.marks[..] else {
        panic!("two marks")
    };
    assert_eq!((outer.id, outer.index, inner.id, inner.index), (1, 1, 2, 0));
    assert!(!outer.mark.label_box.intersects(inner_box));
    assert_eq!(inner.mark.label_box.center(), Point::new(119, 79));
    assert_eq!((outer.facts.on_region, inner.facts.on_region), (1.0, 1.0));
}

#[test]
fn a_pixel_gets_its_label_beside_it() {
    let size = Size::new(100, 100);
    let allocation = run(
        size,
        &[Mask::rect(size, BBox::new(50, 50, 1, 1))],
        &AllocateOptions::default(),
    );
    let mark = &allocation.marks[0];
    assert!(mark.facts.leader && mark.facts.hold(9.0));
    assert_eq!(mark.mark.anchor, Point::new(50, 50));
    assert_eq!(
        mark.mark.leader(),
        Some([mark.mark.label_box.center(), Point::new(50, 50)])
    );
}

#[test]
fn nothing_and_no_room_are_normal() {
    let empty = run(Size::new(50, 50), &[], &AllocateOptions::default());
    assert_eq!((empty.marks.len(), empty.pages), (0, 0));
    let tiny = Size::new(3, 2);
    let allocation = run(
        tiny,
        &[Mask::rect(tiny, tiny.bbox()), Mask::empty(tiny)],
        &AllocateOptions::default(),
    );
    let reasons: Vec<_> = allocation
        .unmarked
        .iter()
        .map(|unmarked| unmarked.reason)
        .collect();
    assert_eq!(reasons, [UnmarkedReason::NoRoom, UnmarkedReason::Empty]);
}

#[test]
fn equal_masks_each_get_a_mark() {
    let size = Size::new(200, 150);
    let masks = vec![disc(size, (100, 75), 40); 3];
    let allocation = run(size, &masks, &AllocateOptions::default());
    assert_eq!(
        allocation
            .marks
            .iter()
            .map(|mark| mark.index)
            .collect::<Vec<_>>(),
        [0, 1, 2]
    );
    assert!(allocation.marks.iter().all(|mark| mark.facts.hold(9.0)));
}

#[test]
fn pages_take_so_many_marks_in_order() {
    let size = Size::new(400, 300);
    let masks: Vec<Mask> = (0..7)
        .map(|i| disc(size, (50 + 50 * i, 150), 24 - i))
        .collect();
    let options = asked(MarkOptions {
        page_size: Some(3),
        max_marks: Some(6),
        ..MarkOptions::default()
    });
    let allocation = run(size, &masks, &options);
    assert_eq!(
        allocation
            .marks
            .iter()
            .map(|mark| mark.page)
            .collect::<Vec<_>>(),
        [1, 1, 1, 2, 2, 2]
    );
    assert_eq!(allocation.unmarked[0].reason, UnmarkedReason::OverLimit);
}

/// One mark alone on the last page would be overlooked.
#[test]
fn pages_have_as_many_marks_as_one_another() {
    let size = Size::new(400, 300);
    let masks: Vec<Mask> = (0..7)
        .map(|i| disc(size, (50 + 50 * i, 150), 24 - i))
        .collect();
    let options = asked(MarkOptions {
        page_size: Some(6),
        ..MarkOptions::default()
    });
    let allocation = run(size, &masks, &options);
    let pages = allocation.marks.iter().map(|mark| mark.page);
    assert_eq!(pages.collect::<Vec<_>>(), [1, 1, 1, 1, 2, 2, 2]);
}

/// How many regions have no mark for this reason.
fn without(allocation: &Allocation, reason: UnmarkedReason) -> usize {
    let unmarked = allocation.unmarked.iter();
    unmarked
        .filter(|unmarked| unmarked.reason == reason)
        .count()
}

#[test]
fn a_small_image_is_drawn_enlarged_on_one_page() {
    let size = Size::new(64, 48);
    let masks: Vec<Mask> = (0..20)
        .map(|i| Mask::rect(size, BBox::new(2 + 12 * (i % 5), 2 + 11 * (i / 5), 9, 8)))
        .collect();
    let allocation = run(size, &masks, &AllocateOptions::default());
    assert_eq!((allocation.marks.len(), allocation.pages), (20, 1));
    assert!(allocation.scale > 1);
    for mark in &allocation.marks {
        assert!(mark.facts.hold(9.0));
        assert_eq!(mark.mark.region.mask, masks[mark.index]);
    }
    // Without labels nothing is too small.
    let plain = [7; 64 * 48 * 3];
    let image = Image::from_raw(64, 48, &plain[..]).unwrap();
    let regions = masks.into_iter().map(Region::new).collect();
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let bare = allocate(&image, regions, None, &AllocateOptions::default(), &call).unwrap();
    assert_eq!((bare.scale, bare.pages), (1, 1));
}

#[test]
fn what_does_not_fit_on_the_pages_are_the_smallest_regions() {
    let size = Size::new(1400, 24);
    let masks: Vec<Mask> = (0..600)
        .map(|i| Mask::rect(size, BBox::new(2 * i + 100, 4, 1, 1 + i % 16)))
        .collect();
    let allocation = run(size, &masks, &AllocateOptions::default());
    let crowded = without(&allocation, UnmarkedReason::Crowded);
    assert_eq!((allocation.pages, allocation.scale), (4, 1));
    assert!(crowded > 100 && crowded + allocation.marks.len() == masks.len());
    let most = allocation
        .unmarked
        .iter()
        .map(|u| u.region.mask.area())
        .max();
    let least = allocation
        .marks
        .iter()
        .map(|m| m.mark.region.mask.area())
        .min();
    assert!(most <= least, "{most:?} left out, {least:?} marked");
    // Numbers have no gaps.
    assert!((1..).zip(&allocation.marks).all(|(id, mark)| mark.id == id));
    let all = asked(MarkOptions {
        max_pages: Some(0),
        ..MarkOptions::default()
    });
    let all = run(size, &masks, &all);
    assert!(all.pages > 4 && all.marks.len() == masks.len());
}

/// White paper with black strokes within `boxes`.
fn paper(size: Size, boxes: &[BBox]) -> RgbImage {
    RgbImage::from_fn(size.width, size.height, |x, y| {
        let is_in = |bbox: &BBox| bbox.contains(Point::new(x, y)) && (x - bbox.x) % 5 < 2;
        image::Rgb([if boxes.iter().any(is_in) { 0 } else { 255 }; 3])
    })
}

fn on_paper(paper: &RgbImage, masks: &[Mask]) -> Allocation {
    let (width, height) = paper.dimensions();
    let view = Image::from_raw(width, height, paper.as_raw().as_slice()).unwrap();
    let regions = masks.iter().cloned().map(Region::new).collect();
    let params = Params::new();
    let labels = Labels {
        labelling: &Digits,
        params: &params,
    };
    let (options, call) = (AllocateOptions::default(), Call::uncancellable(&params));
    allocate(&view, regions, Some(labels), &options, &call).unwrap()
}

#[test]
fn a_word_is_labelled_beside_it_where_there_is_room() {
    let size = Size::new(600, 400);
    let words: Vec<BBox> = (0..8)
        .map(|i| BBox::new(60 + 260 * (i % 2), 40 + 90 * (i / 2), 90 + 10 * i, 26))
        .collect();
    let paper = paper(size, &words);
    let masks: Vec<Mask> = words.iter().map(|&word| Mask::rect(size, word)).collect();
    let marks = on_paper(&paper, &masks).marks;
    for mark in &marks {
        assert!(mark.facts.hold(9.0), "{:?}", mark.facts);
        assert!(mark.facts.ink_hidden <= 0.05, "{:?}", mark.facts);
        let word = words[mark.index];
        let is_beside = !mark.mark.label_box.intersects(word);
        assert_eq!(mark.facts.leader, is_beside, "{:?}", mark.mark.label_box);
    }
    let beside = marks.iter().filter(|mark| mark.facts.leader).count();
    assert!(beside >= 4, "{beside}");
}

#[test]
fn a_label_moves_off_the_words_of_its_region() {
    let size = Size::new(600, 300);
    // A panel with a word where it is widest, and a button that its word fills.
    let (panel, button) = (BBox::new(20, 20, 400, 200), BBox::new(460, 120, 100, 40));
    let words = [BBox::new(150, 100, 140, 40), BBox::new(468, 126, 84, 28)];
    let paper = paper(size, &words);
    let masks = [panel, button].map(|bbox| Mask::rect(size, bbox));
    let allocation = on_paper(&paper, &masks);
    let [on_panel, on_button] = &allocation.marks[..] else {
        panic!("two marks")
    };
    assert_eq!(on_panel.facts.on_region, 1.0);
    assert_eq!(
        (on_panel.facts.ink_hidden, on_button.facts.ink_hidden),
        (0.0, 0.0)
    );
    assert!(on_button.facts.leader);
}

#[test]
fn ink_that_is_hidden_is_told() {
    let size = Size::new(200, 120);
    let whole = size.bbox();
    let allocation = on_paper(&paper(size, &[whole]), &[Mask::rect(size, whole)]);
    let (label, facts) = (
        allocation.marks[0].mark.label_box,
        allocation.marks[0].facts,
    );
    let share = label.area() as f32 / whole.area() as f32;
    assert!(
        (facts.ink_hidden / share - 1.0).abs() < 0.2,
        "{} for {share}",
        facts.ink_hidden
    );
}

fn shapes() -> impl Strategy<Value = (Size, Vec<Mask>)> {
    let shape = (0_i64..160, 0_i64..120, 1_i64..60, 1_u32..70, any::<bool>());
    (
        40_u32..160,
        40_u32..120,
        prop::collection::vec(shape, 0..24),
    )
        .prop_map(|(width, height, shapes)| {
            let size = Size::new(width, height);
            let masks = shapes.into_iter().map(|(x, y, r, side, round)| {
                if round {
                    disc(size, (x, y), r)
                } else {
                    Mask::rect(size, BBox::new(x as u32, y as u32, r as u32, side))
                }
            });
            (size, masks.collect())
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_promise_holds(
        (size, masks) in shapes(), page_size in prop::option::of(1_u32..9), class_names in any::<bool>(),
    ) {
        let options = asked(MarkOptions { page_size, ..MarkOptions::default() });
        let allocation = run_with(size, &masks, &options, class_names);
        prop_assert_eq!(&allocation, &run_with(size, &masks, &options, class_names));
        let marks = &allocation.marks;
        let pixels: usize = masks.iter().filter(|mask| !mask.is_empty()).count();
        prop_assert_eq!(marks.len() + without(&allocation, UnmarkedReason::NoRoom) + without(&allocation, UnmarkedReason::Crowded), pixels);
        prop_assert!(allocation.pages <= 4);
        let page = Size::new(size.width * allocation.scale, size.height * allocation.scale);
        let on_page: Vec<Mask> = masks.iter().map(|mask| mask.resized(page)).collect();
        for (index, mark) in marks.iter().enumerate() {
            let (label, facts) = (mark.mark.label_box, mark.facts);
            prop_assert_eq!(&mark.mark.region.mask, &masks[mark.index]);
            prop_assert!(page.bbox().encloses(label) && facts.inside_image);
            prop_assert!(on_page[mark.index].contains(mark.mark.anchor) && facts.anchor_on_region);
            for other in &marks[index + 1..] {
                prop_assert!(other.mark.region.mask.area() <= mark.mark.region.mask.area());
                prop_assert!(other.page != mark.page || !label.intersects(other.mark.label_box));
            }
            prop_assert!(facts.clear_of_labels);
            // Its own pixels under the label, which no smaller region covers.
            let own = (label.y..label.bottom() as u32)
                .flat_map(|y| (label.x..label.right() as u32).map(move |x| Point::new(x, y)))
                .filter(|&point| on_page[mark.index].contains(point))
                .filter(|&point| !marks[index + 1..].iter().any(|m| on_page[m.index].contains(point)))
                .count();
            if allocation.unmarked.len() == masks.len() - pixels {
                prop_assert_eq!(facts.on_region, own as f32 / label.area() as f32);
            }
            prop_assert_eq!(facts.leader, !label.contains(mark.mark.anchor));
            prop_assert!(mark.mark.color.contrast(mark.mark.color.ink()) >= 4.5);
            prop_assert_eq!(facts.contrast, mark.mark.color.contrast(mark.mark.color.ink()));
            prop_assert!(facts.glyph_height >= 9.0);
            prop_assert!((0.0..=1.0).contains(&facts.ink_hidden));
        }
        for page in 1..=allocation.pages {
            let count = allocation.on_page(page).count();
            prop_assert!(count > 0 && count <= page_size.map_or(usize::MAX, |size| size as usize));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Names take what room is left: nothing gets smaller, moves to another page or is lost, and a
    /// label is as it was, or has room for the whole caption.
    #[test]
    fn class_names_cost_no_mark_anything((size, masks) in shapes()) {
        let options = AllocateOptions::default();
        let plain = run(size, &masks, &options);
        let named = run_with(size, &masks, &options, true);
        prop_assert_eq!(&plain.unmarked, &named.unmarked);
        for (plain, named) in plain.marks.iter().zip(&named.marks) {
            prop_assert_eq!((plain.id, plain.page, &plain.mark.text), (named.id, named.page, &named.mark.text));
            prop_assert_eq!((plain.font_size, plain.facts.leader), (named.font_size, named.facts.leader));
            let caption = named.mark.caption().unwrap();
            let params = Params::from_iter([("font_size".to_owned(), f64::from(named.font_size).into())]);
            let needed = Digits.measure(&caption, &Call::uncancellable(&params)).unwrap();
            let label = named.mark.label_box;
            prop_assert!(label == plain.mark.label_box || Size::new(label.width, label.height) == needed);
            prop_assert!(named.facts.hold(9.0) || !plain.facts.hold(9.0));
        }
    }
}

#[test]
fn a_class_name_is_written_where_there_is_room() {
    let size = Size::new(420, 160);
    let masks = [
        disc(size, (80, 80), 70),
        Mask::rect(size, BBox::new(250, 60, 6, 6)),
        Mask::rect(size, BBox::new(170, 10, 24, 24)),
    ];
    let allocation = run_with(size, &masks, &AllocateOptions::default(), true);
    let wide: Vec<bool> = allocation
        .marks
        .iter()
        .map(|mark| mark.mark.label_box.width > 60)
        .collect();
    // The disc holds its name; the speck has room around it for a label with a leader line; the box
    // would be hidden by its name.
    assert_eq!(wide, [true, false, true]);
    assert_eq!(allocation.marks[0].facts.on_region, 1.0);
    assert!(allocation.marks[2].facts.leader);
    assert_eq!(allocation.marks[2].mark.text, "3");
}

#[test]
fn appended_regions_leave_the_numbers_of_the_others() {
    let size = Size::new(300, 200);
    let masks = [
        disc(size, (60, 60), 30),
        disc(size, (200, 100), 50),
        Mask::rect(size, BBox::new(0, 0, 290, 190)),
        Mask::rect(size, BBox::new(10, 150, 40, 30)),
    ];
    let ids = |masks: &[Mask], options: &AllocateOptions| -> Vec<(usize, u32, String)> {
        let marks = run(size, masks, options).marks;
        let mut ids: Vec<_> = marks
            .into_iter()
            .map(|mark| (mark.index, mark.id, mark.mark.text))
            .collect();
        ids.sort();
        ids
    };
    let alone = ids(&masks[..2], &AllocateOptions::default());
    let options = AllocateOptions {
        appended: 2,
        ..AllocateOptions::default()
    };
    let together = ids(&masks, &options);
    assert_eq!(together[..2], alone);
    let appended = [(2, 3, "3".to_owned()), (3, 4, "4".to_owned())];
    assert_eq!(together[2..], appended);
    // A limit takes from the others.
    let limited = AllocateOptions {
        marks: MarkOptions {
            max_marks: Some(3),
            ..MarkOptions::default()
        },
        ..options
    };
    let indices: Vec<usize> = ids(&masks, &limited).iter().map(|id| id.0).collect();
    assert_eq!(indices, [1, 2, 3]);
}

#[test]
fn numbers_begin_where_asked_and_ids_of_regions_are_kept() {
    let size = Size::new(300, 200);
    let masks = [20, 40, 30].map(|radius| disc(size, (radius * 5, 100), radius));
    let numbers = |options: &AllocateOptions| -> Vec<(usize, u32, String)> {
        let marks = run(size, &masks, options).marks.into_iter();
        marks
            .map(|mark| (mark.index, mark.id, mark.mark.text))
            .collect()
    };
    let number = |index: usize, id: u32| (index, id, id.to_string());
    let start = MarkOptions {
        start: Some(11),
        ..MarkOptions::default()
    };
    let started = numbers(&asked(start.clone()));
    assert_eq!(started, [number(1, 11), number(2, 12), number(0, 13)]);
    let options = AllocateOptions {
        ids: vec![8, 90, 7],
        ..asked(start)
    };
    assert_eq!(
        numbers(&options),
        [number(2, 7), number(0, 8), number(1, 90)]
    );
}

#[test]
fn a_shuffle_changes_labels_and_colours_alone() {
    let size = Size::new(400, 300);
    let masks: Vec<Mask> = (0..12)
        .map(|i| {
            let center = (50 + 100 * (i % 4), 50 + 100 * (i / 4));
            disc(size, center, 20 + i)
        })
        .collect();
    let shuffled = |shuffle| {
        let options = AllocateOptions {
            shuffle,
            ..AllocateOptions::default()
        };
        run(size, &masks, &options)
    };
    let (plain, other) = (shuffled(0), shuffled(1));
    assert_eq!(other, shuffled(1));
    assert_ne!(other, shuffled(2));
    let ids = |allocation: &Allocation| -> Vec<(u32, usize)> {
        let marks = allocation.marks.iter();
        marks.map(|mark| (mark.id, mark.index)).collect()
    };
    assert_eq!(ids(&plain), ids(&other));
    let texts = |allocation: &Allocation| -> Vec<String> {
        let marks = allocation.marks.iter();
        marks.map(|mark| mark.mark.text.clone()).collect()
    };
    assert_ne!(texts(&plain), texts(&other));
    let sorted = |allocation: &Allocation| {
        let mut texts = texts(allocation);
        texts.sort();
        texts
    };
    assert_eq!(sorted(&plain), sorted(&other));
    let same_colour = plain.marks.iter().zip(&other.marks);
    let changed = same_colour.filter(|(a, b)| a.mark.color != b.mark.color);
    assert!(changed.count() > 3);
    assert!(other.marks.iter().all(|mark| mark.facts.hold(9.0)));
}
