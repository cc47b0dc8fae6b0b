//! A plugin that panics on request: where the option or parameter `panic` says.

// What else should it do?
#![allow(clippy::panic)]

use som_plugin::{
    Call, Canvas, Image, Labelling, MarkStyle, Marks, Mask, Region, Result, Segmenter, Size,
    guest::{Create, MarkStyleDef, MarkStyleType, SegmenterDef, SegmenterType},
};

/// Panics if the call asks for it `here`.
fn panic_if_asked(call: &Call<'_>, here: &str) {
    if call.text("panic") == Some(here) {
        panic!("asked to panic in {here}");
    }
}

struct Panicky {
    panics_at_the_end: bool,
}

impl Create for Panicky {
    fn create(options: &Call<'_>) -> Result<Self> {
        panic_if_asked(options, "create");
        Ok(Self {
            panics_at_the_end: options.text("panic") == Some("drop"),
        })
    }
}

impl Segmenter for Panicky {
    fn segment(&mut self, image: &Image<'_>, call: &Call<'_>) -> Result<Vec<Region>> {
        panic_if_asked(call, "segment");
        let size = Size::new(image.width(), image.height());
        Ok(vec![Region::new(Mask::rect(size, size.bbox()))])
    }
}

impl Drop for Panicky {
    fn drop(&mut self) {
        assert!(!self.panics_at_the_end, "asked to panic in drop");
    }
}

#[derive(Default)]
struct Scribble;

impl MarkStyle for Scribble {
    fn labelling(&self) -> Option<&dyn Labelling> {
        Some(self)
    }

    fn draw(&self, _canvas: &mut Canvas<'_>, _marks: &Marks<'_>, call: &Call<'_>) -> Result<()> {
        panic_if_asked(call, "draw");
        Ok(())
    }
}

impl Labelling for Scribble {
    fn label(&self, index: u32) -> Result<String> {
        assert_ne!(index, 13, "no label 13");
        Ok(index.to_string())
    }

    fn measure(&self, _text: &str, call: &Call<'_>) -> Result<Size> {
        panic_if_asked(call, "measure");
        Ok(Size::new(8, 12))
    }
}

static PANICKY: SegmenterDef = SegmenterDef {
    id: "panicky",
    version: env!("CARGO_PKG_VERSION"),
    about: "Panics on request",
    schema: r#"{
        "capabilities": ["automatic"],
        "options": {"type": "object", "properties": {"panic": {"type": "string"}}},
        "params": {"type": "object", "properties": {"panic": {"type": "string"}}}
    }"#,
    segmenter: SegmenterType::of::<Panicky>(),
};

static SCRIBBLE: MarkStyleDef = MarkStyleDef {
    id: "panicky-scribble",
    version: env!("CARGO_PKG_VERSION"),
    about: "Panics on request",
    schema: r#"{"params": {"type": "object", "properties": {"panic": {"type": "string"}}}}"#,
    style: MarkStyleType::of::<Scribble>(),
};

som_plugin::export!(segmenters: [PANICKY], mark_styles: [SCRIBBLE]);
