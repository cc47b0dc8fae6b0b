//! What the styles put on the canvas, checked on the pixels.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use image::RgbImage;
use som_core::{
    AllocateOptions, BBox, Call, Canvas, Color, Image, Mark, MarkStyle, Mask, Params, Point,
    Region, Size,
    pipeline::{Ink, mark},
};
use som_marks::{Alphabet, Boxes, Contour, MaskFill, Number};

const SIZE: Size = Size::new(160, 120);

fn photo() -> RgbImage {
    RgbImage::from_fn(SIZE.width, SIZE.height, |x, y| {
        image::Rgb([(x * 3) as u8, (y * 5) as u8, ((x ^ y) * 7) as u8])
    })
}

fn marked(bbox: BBox, label_box: BBox, color: u32) -> Mark {
    let region = Region::new(Mask::rect(SIZE, bbox));
    let anchor = bbox.center();
    Mark {
        region,
        text: "47".into(),
        label_box,
        anchor,
        color: Color::from_u32(color),
    }
}

fn draw(style: &dyn MarkStyle, marks: &[&Mark], params: &serde_json::Value) -> RgbImage {
    let mut page = photo();
    let params = params.as_object().unwrap().clone();
    let mut canvas = Canvas::from_raw(SIZE.width, SIZE.height, page.as_mut()).unwrap();
    let marks = marks.iter().copied().collect();
    style
        .draw(&mut canvas, &marks, &Call::uncancellable(&params))
        .unwrap();
    page
}

#[test]
fn text_contrasts_with_its_plate_and_is_as_high_as_promised() {
    for color in [0x1e_a2_ae, 0x90_24_84, 0xea_d2_0c, 0x00_60_90, 0x80_80_80] {
        let (mut params, font_size) = (Params::new(), 20.0);
        params.insert("font_size".into(), font_size.into());
        let call = Call::uncancellable(&params);
        let size = Number.labelling().unwrap().measure("47", &call).unwrap();
        let label = BBox::new(50, 40, size.width, size.height);
        let mark = marked(BBox::new(40, 30, 80, 60), label, color);
        let page = draw(&Number, &[&mark], &serde_json::json!({}));
        let (plate, ink) = (mark.color, mark.color.ink());
        let pixel = |x: u32, y: u32| Color(page.get_pixel(x, y).0);
        let rows: Vec<u32> = (label.y + 3..label.bottom() as u32 - 3)
            .filter(|&y| (label.x + 3..label.right() as u32 - 3).any(|x| pixel(x, y) == ink))
            .collect();
        let height = rows.last().unwrap() - rows.first().unwrap() + 1;
        assert!(f64::from(height) >= 0.7 * font_size, "{height} pixels");
        assert_eq!(pixel(label.x + 2, label.center().y), plate);
        assert!(ink.contrast(plate) >= 4.5);
    }
}

#[test]
fn labels_stay_in_their_boxes() {
    let label = BBox::new(60, 50, 34, 22);
    let mark = marked(BBox::new(40, 30, 80, 60), label, 0x1e_a2_ae);
    for style in [&Number as &dyn MarkStyle, &Alphabet] {
        let page = draw(style, &[&mark], &serde_json::json!({}));
        for (x, y, pixel) in page.enumerate_pixels() {
            if !label.contains(Point::new(x, y)) {
                assert_eq!(pixel, photo().get_pixel(x, y), "at {x},{y}");
            }
        }
    }
}

#[test]
fn a_box_is_drawn_as_a_box() {
    let bbox = BBox::new(40, 30, 80, 60);
    let masked = marked(bbox, BBox::default(), 0x1e_a2_ae);
    let corners = [40.0, 30.0, 120.0, 90.0];
    let boxed = Mark {
        region: Region::of_box(SIZE, corners),
        ..marked(bbox, BBox::default(), 0x1e_a2_ae)
    };
    // Its pixels are not known, so that none is tinted.
    let opaque = serde_json::json!({"opacity": 0.5});
    assert_ne!(draw(&MaskFill, &[&masked], &opaque), photo());
    assert_eq!(draw(&MaskFill, &[&boxed], &opaque), photo());
    // A line around it, whatever smaller regions lie over its edge.
    let line = serde_json::json!({"thickness": 2});
    let framed = draw(&Boxes, &[&boxed], &line);
    assert_eq!(draw(&Contour, &[&boxed], &line), framed);
    let over = Mark {
        region: Region::of_box(SIZE, [100.0, 20.0, 140.0, 50.0]),
        ..marked(BBox::new(100, 20, 40, 30), BBox::default(), 0xea_d2_0c)
    };
    let both = draw(&Contour, &[&boxed, &over], &line);
    assert_eq!(both, draw(&Boxes, &[&boxed, &over], &line));
}

#[test]
fn a_class_name_is_written_where_it_fits() {
    let params = Params::from_iter([("font_size".to_owned(), 16.0.into())]);
    let measure = |text: &str| {
        let call = Call::uncancellable(&params);
        Number.labelling().unwrap().measure(text, &call).unwrap()
    };
    let draw_named = |name: &str, size: Size, class_names: bool| {
        let label = BBox::new(20, 50, size.width, size.height);
        let mut mark = marked(BBox::new(10, 30, 140, 60), label, 0x1e_a2_ae);
        mark.region.label = Some(name.to_owned());
        draw(
            &Number,
            &[&mark],
            &serde_json::json!({"class_names": class_names}),
        )
    };
    let room = measure("47 cup");
    assert!(room.width > measure("47").width && room.height == measure("47").height);
    // With room, it is written if asked for; the same box without room for it holds the text alone.
    let (with, without) = (
        draw_named("cup", room, true),
        draw_named("cup", room, false),
    );
    assert_ne!(with, without);
    let tight = Size::new(room.width - 1, room.height);
    assert_eq!(
        draw_named("cup", tight, true),
        draw_named("cup", tight, false)
    );
    // Letters that the font does not have would be boxes.
    let wide = measure("47 \u{1f375}\u{1f375}\u{1f375}");
    let tea = "\u{1f375}\u{1f375}\u{1f375}";
    assert_eq!(draw_named(tea, wide, true), draw_named(tea, wide, false));
}

#[test]
fn a_leader_line_ends_on_its_region() {
    let label = BBox::new(10, 10, 30, 20);
    let mark = marked(BBox::new(100, 80, 5, 5), label, 0xea_d2_0c);
    let page = draw(&Number, &[&mark], &serde_json::json!({}));
    assert_eq!(page.get_pixel(mark.anchor.x, mark.anchor.y).0, mark.color.0);
}

#[test]
fn masks_tint_by_their_opacity_and_the_smaller_one_shows() {
    let below = marked(BBox::new(10, 10, 100, 90), BBox::default(), 0xff_00_00);
    let above = marked(BBox::new(40, 40, 20, 20), BBox::default(), 0x00_00_ff);
    let page = draw(
        &MaskFill,
        &[&below, &above],
        &serde_json::json!({"opacity": 0.4, "edge": 0}),
    );
    for (x, y, pixel) in page.enumerate_pixels() {
        let point = Point::new(x, y);
        let mark = [&above, &below]
            .into_iter()
            .find(|mark| mark.region.mask.contains(point));
        for (channel, &was) in photo().get_pixel(x, y).0.iter().enumerate() {
            let expected = mark.map_or(f64::from(was), |mark| {
                0.6 * f64::from(was) + 0.4 * f64::from(mark.color.0[channel])
            });
            assert!(
                (f64::from(pixel.0[channel]) - expected).abs() <= 0.51,
                "at {x},{y}"
            );
        }
    }
}

/// What a model is asked about keeps its colours: the tint fades from the edge inwards.
#[test]
fn by_default_only_the_edge_is_tinted() {
    let bbox = BBox::new(20, 20, 120, 80);
    let mark = marked(bbox, BBox::default(), 0xff_00_00);
    let (before, page) = (photo(), draw(&MaskFill, &[&mark], &serde_json::json!({})));
    for (x, y, pixel) in page.enumerate_pixels() {
        let was = before.get_pixel(x, y);
        let [x, y] = [x, y].map(u32::cast_signed);
        let depth = [x - 20, 139 - x, y - 20, 99 - y];
        match depth.into_iter().min().unwrap() {
            0 => assert!(pixel.0[0] >= was.0[0] && (was.0[0] > 250 || pixel != was)),
            ..0 | 4.. => assert_eq!(pixel, was, "at {x},{y}"),
            _ => {}
        }
    }
    let deeper = serde_json::json!({"edge": 1, "reach": 30});
    let page = draw(&MaskFill, &[&mark], &deeper);
    let is_redder = |x| page.get_pixel(x, 60).0[0] > before.get_pixel(x, 60).0[0];
    assert!(is_redder(21) && is_redder(40));
    assert_eq!(page.get_pixel(80, 60), before.get_pixel(80, 60));
}

/// A contour lies within its region, right along the edge, and nowhere else.
#[test]
fn contours_follow_the_edge() {
    let bbox = BBox::new(30, 20, 70, 60);
    let mark = marked(bbox, BBox::default(), 0xea_d2_0c);
    let page = draw(&Contour, &[&mark], &serde_json::json!({"thickness": 2.0}));
    for (x, y, pixel) in page.enumerate_pixels() {
        let changed = pixel != photo().get_pixel(x, y);
        // Pixels inside from the edge; negative outside.
        let depth = [
            x.cast_signed() - 30,
            99 - x.cast_signed(),
            y.cast_signed() - 20,
            79 - y.cast_signed(),
        ]
        .into_iter()
        .min()
        .unwrap();
        match depth {
            1 if (5..65).contains(&(x.cast_signed() - 30)) => {
                assert_eq!(pixel.0, mark.color.0, "at {x},{y}");
            }
            -1..=3 => {}
            _ => assert!(!changed, "ink at {x},{y}, {depth} pixels inside"),
        }
    }
}

/// Lines are as thick as asked for, up to the most.
#[test]
fn contours_are_as_thick_as_asked_for() {
    for thickness in [1_u32, 5, 11, 16, 40, 64] {
        let mark = marked(SIZE.bbox(), BBox::default(), 0xea_d2_0c);
        let page = draw(
            &Contour,
            &[&mark],
            &serde_json::json!({"thickness": thickness}),
        );
        let middle = |x: u32| page.get_pixel(x, 60).0;
        let inked = (0..60)
            .take_while(|&x| middle(x + 1) == mark.color.0)
            .count() as u32;
        // The first pixel is not wholly inked, and at 60 pixels the middle is reached.
        let expected = (thickness - 1).min(60);
        assert!(inked.abs_diff(expected) <= 1, "{inked} for {thickness}");
    }
}

#[test]
fn boxes_stay_inside_the_image() {
    let mark = marked(SIZE.bbox(), BBox::default(), 0x36_ea_fc);
    let page = draw(&Boxes, &[&mark], &serde_json::json!({"thickness": 2.0}));
    for (x, y) in [(0, 60), (159, 60), (80, 0), (80, 119)] {
        assert_eq!(page.get_pixel(x, y).0, mark.color.0);
    }
    assert_eq!(page.get_pixel(80, 60), photo().get_pixel(80, 60));
}

#[test]
fn letters_go_on_after_z() {
    let label = |index| Alphabet.labelling().unwrap().label(index).unwrap();
    assert_eq!(
        [0, 25, 26, 51, 52, 701, 702].map(label),
        ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
    );
}

#[test]
fn the_same_input_gives_the_same_bytes_on_any_thread() {
    let work = || {
        let photo = photo();
        let image = Image::from_raw(SIZE.width, SIZE.height, photo.as_raw().as_slice()).unwrap();
        let regions = (0..30).map(|i| {
            Region::new(Mask::rect(
                SIZE,
                BBox::new(i * 13 % 140, i * 29 % 100, 4 + i, 3 + i),
            ))
        });
        let params = Params::new();
        let stack = [&MaskFill as &dyn MarkStyle, &Contour, &Boxes, &Number].map(|style| Ink {
            style,
            params: &params,
        });
        let call = Call::uncancellable(&params);
        let marked = mark(
            &image,
            regions.collect(),
            &stack,
            &AllocateOptions::default(),
            &call,
        )
        .unwrap();
        assert!(
            marked
                .allocation
                .marks
                .iter()
                .all(|mark| mark.facts.hold(9.0))
        );
        marked
            .pages
            .into_iter()
            .map(RgbImage::into_raw)
            .collect::<Vec<_>>()
    };
    let first = work();
    let others: Vec<_> = (0..4).map(|_| std::thread::spawn(work)).collect();
    for other in others {
        assert_eq!(other.join().unwrap(), first);
    }
}
