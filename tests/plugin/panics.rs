use som_core::{
    Call, Canvas, ErrorKind, Image, Labelling, MarkStyle, Marks, Params, Region, Result, Segmenter,
    SegmenterFactory,
};
use som_plugin::host::{Plugin, load};

use super::build::rust_library;

fn plugin() -> Plugin {
    load(&rust_library("panicky-plugin")).unwrap()
}

fn panic_in(place: &str) -> Params {
    Params::from_iter([("panic".to_owned(), place.into())])
}

fn create(place: &str) -> Result<Box<dyn Segmenter>> {
    plugin().segmenters[0].create(&Call::uncancellable(&panic_in(place)))
}

fn segment(instance: &mut dyn Segmenter, place: &str) -> Result<Vec<Region>> {
    let image = Image::from_raw(1, 1, &[0; 3][..]).unwrap();
    instance.segment(&image, &Call::uncancellable(&panic_in(place)))
}

/// Checks that an error tells of a panic, and where it was.
#[track_caller]
fn assert_panic<T>(result: Result<T>, who: &str, what: &str) {
    let error = result.err().unwrap();
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(
        text.starts_with(&format!("{who}: panicked at tests/plugin/panicky/src/")),
        "{text}"
    );
    assert!(text.ends_with(&format!(": {what}")), "{text}");
}

#[test]
fn panics_of_a_segmenter_become_errors() {
    let who = "segmenter \"panicky\"";
    assert_panic(create("create"), who, "asked to panic in create");
    let mut instance = create("").unwrap();
    assert_panic(
        segment(&mut *instance, "segment"),
        who,
        "asked to panic in segment",
    );
    let error = segment(&mut *instance, "").unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{who}: this instance failed before; make a new one")
    );
    drop(create("drop").unwrap());
    assert_eq!(segment(&mut *create("").unwrap(), "").unwrap().len(), 1);
}

#[test]
fn panics_of_a_mark_style_become_errors() {
    let who = "mark style \"panicky-scribble\"";
    let plugin = plugin();
    let style = &plugin.mark_styles[0];
    let mut pixels = [0; 3];
    let mut canvas = Canvas::from_raw(1, 1, &mut pixels[..]).unwrap();
    let drawn = style.draw(
        &mut canvas,
        &Marks::default(),
        &Call::uncancellable(&panic_in("draw")),
    );
    assert_panic(drawn, who, "asked to panic in draw");
    let measured = style.measure("1", &Call::uncancellable(&panic_in("measure")));
    assert_panic(measured, who, "asked to panic in measure");
    let error = style.label(13).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{who}: its label of mark 13 is empty")
    );
    assert_eq!(style.label(14).unwrap(), "14");
}
