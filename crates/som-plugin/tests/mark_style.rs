use std::sync::Mutex;

use serde_json::json;
use som_plugin::{
    BBox, Call, Canvas, Color, Error, ErrorKind, Labelling, Mark, MarkStyle, Marks, Mask, Params,
    Point, Region, Result, Size,
    guest::{MarkStyleDef, MarkStyleType},
    host::{self, PluginStyle},
};

/// Remembers the marks and paints the first pixel of each label's box.
#[derive(Default)]
struct Dot;

static SEEN: Mutex<Vec<Mark>> = Mutex::new(Vec::new());

impl MarkStyle for Dot {
    fn draw(&self, canvas: &mut Canvas<'_>, marks: &Marks<'_>, call: &Call<'_>) -> Result<()> {
        call.check()?;
        for mark in marks {
            canvas.put_pixel(mark.label_box.x, mark.label_box.y, image::Rgb(mark.color.0));
        }
        *SEEN.lock().unwrap() = marks.iter().copied().cloned().collect();
        Ok(())
    }
}

/// Labels of growing length; labels 7 and 8 fail.
#[derive(Default)]
struct Speaker;

impl MarkStyle for Speaker {
    fn labelling(&self) -> Option<&dyn Labelling> {
        Some(self)
    }

    fn draw(&self, _: &mut Canvas<'_>, _: &Marks<'_>, _: &Call<'_>) -> Result<()> {
        Err(Error::exhausted("out of ink"))
    }
}

impl Labelling for Speaker {
    fn label(&self, index: u32) -> Result<String> {
        match index {
            7 => Err(Error::internal("seven is missing")),
            8 => panic!("eight is missing"),
            _ => Ok("ö".repeat(index as usize + 1)),
        }
    }

    fn measure(&self, text: &str, call: &Call<'_>) -> Result<Size> {
        let font_size = call
            .number("font_size")
            .ok_or_else(|| Error::invalid("no font size"))?;
        Ok(Size::new(text.chars().count() as u32, font_size as u32))
    }
}

/// Paints the boxes of the masks it gets.
#[derive(Default)]
struct Blind;

impl MarkStyle for Blind {
    fn ignores_masks(&self) -> bool {
        true
    }

    fn draw(&self, canvas: &mut Canvas<'_>, marks: &Marks<'_>, _: &Call<'_>) -> Result<()> {
        for mark in marks {
            assert_eq!(mark.region.mask.area(), mark.region.bbox().area());
            canvas.put_pixel(mark.region.bbox().x, 0, image::Rgb([5; 3]));
        }
        Ok(())
    }
}

static DOT: MarkStyleDef = MarkStyleDef {
    id: "dot",
    version: "1.0.0",
    about: "Paints a dot",
    schema: r#"{"params": {"type": "object"}}"#,
    style: MarkStyleType::of::<Dot>(),
};

static SPEAKER: MarkStyleDef = MarkStyleDef {
    id: "speaker",
    version: "1.0.0",
    about: "Speaks",
    schema: "{}",
    style: MarkStyleType::of::<Speaker>(),
};

static BLIND: MarkStyleDef = MarkStyleDef {
    id: "blind",
    version: "1.0.0",
    about: "Looks at boxes",
    schema: "{}",
    style: MarkStyleType::of::<Blind>(),
};

som_plugin::export!(mark_styles: [DOT, SPEAKER, BLIND]);

fn style(id: &str) -> std::sync::Arc<PluginStyle> {
    let plugin = host::adopt(PLUGIN).unwrap();
    plugin
        .mark_styles
        .into_iter()
        .find(|style| style.descriptor().id == id)
        .unwrap()
}

fn marks(size: Size) -> Vec<Mark> {
    let mask = Mask::from_dense(size, BBox::new(2, 1, 2, 2), &[1, 0, 0, 1]).unwrap();
    let mut region = Region::new(mask);
    region.label = Some("cup".to_owned());
    region
        .extra
        .insert("stability_score".to_owned(), json!(0.5));
    let other = Region::new(Mask::rect(size, BBox::new(0, 0, 1, 1)));
    vec![
        Mark {
            region,
            text: "1".to_owned(),
            label_box: BBox::new(3, 2, 2, 1),
            anchor: Point::new(3, 2),
            color: Color([1, 2, 3]),
        },
        Mark {
            region: other,
            text: String::new(),
            label_box: BBox::new(0, 3, 1, 1),
            anchor: Point::new(0, 0),
            color: Color([9, 8, 7]),
        },
    ]
}

#[test]
fn marks_come_across_and_ink_comes_back() {
    let size = Size::new(5, 4);
    let mut pixels = [0; 60];
    let mut canvas = Canvas::from_raw(size.width, size.height, &mut pixels[..]).unwrap();
    let marks = marks(size);
    let none = Params::new();
    let call = Call::uncancellable(&none);
    let dot = style("dot");
    dot.draw(&mut canvas, &marks.iter().collect(), &call)
        .unwrap();
    assert_eq!(canvas.get_pixel(3, 2).0, [1, 2, 3]);
    assert_eq!(canvas.get_pixel(0, 3).0, [9, 8, 7]);
    assert_eq!(pixels.iter().filter(|&&byte| byte != 0).count(), 6);
    assert_eq!(*SEEN.lock().unwrap(), marks);

    let mut canvas = Canvas::from_raw(size.width, size.height, &mut pixels[..]).unwrap();
    let error = dot
        .draw(&mut canvas, &Marks::default(), &Call::new(&none, &|| true))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn styles_that_ignore_masks_get_boxes() {
    let size = Size::new(5, 4);
    let mut pixels = [0; 60];
    let mut canvas = Canvas::from_raw(size.width, size.height, &mut pixels[..]).unwrap();
    let marks = marks(size);
    let none = Params::new();
    let blind = style("blind");
    assert!(blind.ignores_masks() && !style("dot").ignores_masks());
    blind
        .draw(
            &mut canvas,
            &marks.iter().collect(),
            &Call::uncancellable(&none),
        )
        .unwrap();
    assert_eq!(canvas.get_pixel(2, 0).0, [5; 3]);
}

#[test]
fn only_styles_that_label_have_labels() {
    assert!(style("dot").labelling().is_none());
    assert!(style("speaker").labelling().is_some());
}

#[test]
fn labels_come_across_at_any_length() {
    let speaker = style("speaker");
    for index in [0, 1, 30, 31, 32, 33, 1000] {
        let label = speaker.labelling().unwrap().label(index).unwrap();
        assert_eq!(label, "ö".repeat(index as usize + 1));
    }
    let error = speaker.labelling().unwrap().label(2047).unwrap_err();
    assert_eq!(
        error.to_string(),
        "mark style \"speaker\": its label of mark 2047 is 4096 bytes long"
    );
    for index in [7, 8] {
        let error = speaker.labelling().unwrap().label(index).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("mark style \"speaker\": its label of mark {index} is empty")
        );
    }
}

#[test]
fn measures_and_failures_come_across() {
    let speaker = style("speaker");
    let params = json!({"font_size": 12}).as_object().unwrap().clone();
    let labelling = speaker.labelling().unwrap();
    let size = labelling
        .measure("äöü", &Call::uncancellable(&params))
        .unwrap();
    assert_eq!(size, Size::new(3, 12));

    let none = Params::new();
    let error = labelling
        .measure("1", &Call::uncancellable(&none))
        .unwrap_err();
    assert_eq!(
        (error.kind(), &*error.to_string()),
        (ErrorKind::Invalid, "mark style \"speaker\": no font size")
    );
    let zero = json!({"font_size": 0}).as_object().unwrap().clone();
    let error = labelling
        .measure("1", &Call::uncancellable(&zero))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "mark style \"speaker\": it measures the label \"1\" as 1x0 pixels"
    );

    let mut pixels = [0; 3];
    let mut canvas = Canvas::from_raw(1, 1, &mut pixels[..]).unwrap();
    let error = speaker
        .draw(&mut canvas, &Marks::default(), &Call::uncancellable(&none))
        .unwrap_err();
    assert_eq!(
        (error.kind(), &*error.to_string()),
        (ErrorKind::Exhausted, "mark style \"speaker\": out of ink")
    );
}
