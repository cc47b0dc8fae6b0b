use som_core::{
    BBox, Call, Canvas, Error, ErrorKind, Image, Mask, Params, Region, Result, Segmenter,
    SegmenterFactory, Size,
};
use som_plugin::host::{Plugin, load};

use super::build::misbehave;

const SIZE: Size = Size::new(32, 24);

fn plugin() -> Plugin {
    load(&misbehave(&[])).unwrap()
}

fn fault(name: &str) -> Params {
    Params::from_iter([("fault".to_owned(), name.into())])
}

fn create(name: &str) -> Result<Box<dyn Segmenter>> {
    plugin().segmenters[0].create(&Call::uncancellable(&fault(name)))
}

/// What a new instance says when it is asked to do wrong, cancelled or not.
fn segment(name: &str, is_cancelled: bool) -> Result<Vec<Region>> {
    let params = fault(name);
    segment_on(
        &mut *create("").unwrap(),
        &Call::new(&params, &|| is_cancelled),
    )
}

fn segment_on(instance: &mut dyn Segmenter, call: &Call<'_>) -> Result<Vec<Region>> {
    let pixels = vec![0; SIZE.pixels() as usize * 3];
    instance.segment(
        &Image::from_raw(SIZE.width, SIZE.height, &pixels[..]).unwrap(),
        call,
    )
}

/// The host goes on: a new instance does its work.
fn assert_good(result: &Result<Vec<Region>>) {
    let mask = Mask::rect(SIZE, BBox::new(1, 1, 2, 2));
    assert_eq!(result.as_ref().unwrap(), &[Region::new(mask)]);
}

#[track_caller]
fn assert_error(error: &Error, kind: ErrorKind, who: &str, what: &str) {
    assert_eq!(
        (error.kind(), error.to_string()),
        (kind, format!("{who}: {what}"))
    );
    assert_good(&segment("", false));
}

/// Checks how a segmenter that does one thing wrong is answered.
#[track_caller]
fn refuses(name: &str, kind: ErrorKind, what: &str) {
    let error = segment(name, false).unwrap_err();
    assert_error(&error, kind, "segmenter \"misbehave\"", what);
}

/// The same for mistakes that are bugs.
#[track_caller]
fn is_bug(name: &str, what: &str) {
    refuses(name, ErrorKind::Internal, what);
}

#[test]
fn it_can_behave() {
    assert_good(&segment("", false));
}

// Regions.

#[test]
fn null_region() {
    is_bug("no region", "region 0: its som_region is NULL");
}

#[test]
fn short_region() {
    let what = "region 0: its som_region has the size 8, but version 1.0 has 56 \
                (set `size` to sizeof(som_region))";
    is_bug("short region", what);
}

#[test]
fn regions_outside_the_image() {
    is_bug(
        "region outside",
        "region 0: its box 31,1,2,2 does not lie in the 32x24 image",
    );
    let what = "region 0: its box 4294967295,1,4294967295,2 does not lie in the 32x24 image";
    is_bug("region far outside", what);
    let what = "region 1: its box 1,1,2,24 does not lie in the 32x24 image";
    is_bug("second region bad", what);
}

#[test]
fn regions_without_pixels() {
    is_bug(
        "region without size",
        "region 0: its box 1,1,0,2 covers no pixel",
    );
    is_bug(
        "empty mask",
        "region 0: its mask in the box 1,1,2,2 has no pixel set",
    );
}

#[test]
fn a_bad_region_is_not_forgiven_by_good_ones() {
    is_bug(
        "emits in spite of refusal",
        "region 0: its box 1,1,0,2 covers no pixel",
    );
}

#[test]
fn scores_that_are_none() {
    let what = "region 0: its score 1.5 is not in [0, 1] (or negative, for none)";
    is_bug("score above 1", what);
    let what = "region 0: its score NaN is not in [0, 1] (or negative, for none)";
    is_bug("score NaN", what);
}

#[test]
fn texts_that_are_none() {
    is_bug("label not UTF-8", "region 0: its label is not UTF-8");
    let what = "region 0: its extra \"{level: 1}\" is not a JSON object: key must be a string at \
                line 1 column 2";
    is_bug("extra not JSON", what);
    let what = "region 0: its extra \"[1]\" is not a JSON object: invalid type: sequence, expected \
                a map at line 1 column 0";
    is_bug("extra not an object", what);
    is_bug("level too high", "region 0: \"level\" of its extra is 256");
}

#[test]
fn parents_that_are_none() {
    is_bug(
        "parent missing",
        "region 0: its parent is 1, but there are 1 regions",
    );
    is_bug("own parent", "region 0: it is among its own parents");
}

// Statuses.

#[test]
fn unknown_statuses() {
    let what = "it failed with the unknown status 77, without a reason (call->fail gives one)";
    is_bug("unknown status", what);
    is_bug("negative status", "minus one");
}

#[test]
fn a_status_without_a_reason() {
    let what = "it failed with SOM_EXHAUSTED, without a reason (call->fail gives one)";
    refuses("no reason", ErrorKind::Exhausted, what);
}

#[test]
fn reasons() {
    refuses("reason not UTF-8", ErrorKind::Invalid, "caf\u{fffd}");
    refuses("two reasons", ErrorKind::Unsupported, "the first reason");
}

#[test]
fn a_broken_instance_is_not_used_again() {
    let mut instance = create("").unwrap();
    let (bug, none) = (fault("a bug"), Params::new());
    let error = segment_on(&mut *instance, &Call::uncancellable(&bug)).unwrap_err();
    assert_error(
        &error,
        ErrorKind::Internal,
        "segmenter \"misbehave\"",
        "a bug",
    );
    let error = segment_on(&mut *instance, &Call::uncancellable(&none)).unwrap_err();
    let what = "this instance failed before; make a new one";
    assert_error(&error, ErrorKind::Internal, "segmenter \"misbehave\"", what);

    let mut instance = create("").unwrap();
    let refused = fault("no reason");
    assert!(segment_on(&mut *instance, &Call::uncancellable(&refused)).is_err());
    assert_good(&segment_on(&mut *instance, &Call::uncancellable(&none)));
}

// Cancellation.

#[test]
fn cancelled_calls_have_no_result() {
    for name in [
        "",
        "ignores cancellation",
        "emits after cancellation",
        "two reasons",
    ] {
        let error = segment(name, true).unwrap_err();
        let what = "the call was cancelled or its deadline passed";
        assert_error(
            &error,
            ErrorKind::Cancelled,
            "segmenter \"misbehave\"",
            what,
        );
    }
}

#[test]
fn a_bug_in_a_cancelled_call_is_still_a_bug() {
    let error = segment("a bug", true).unwrap_err();
    assert_error(
        &error,
        ErrorKind::Internal,
        "segmenter \"misbehave\"",
        "a bug",
    );
}

#[test]
fn nobody_but_the_caller_cancels() {
    is_bug(
        "cancels itself",
        "it returned SOM_CANCELLED, but nobody cancelled the call",
    );
}

// Instances.

#[test]
fn instances_that_cannot_be_made() {
    let error = create("no weights").err().unwrap();
    let what = "weights not found at x.pth";
    assert_error(
        &error,
        ErrorKind::Unavailable,
        "segmenter \"misbehave\"",
        what,
    );
    let error = create("emits in create").err().unwrap();
    let what = "region 0: only `segment` and `frame` emit regions";
    assert_error(&error, ErrorKind::Internal, "segmenter \"misbehave\"", what);
}

#[test]
fn an_image_without_pixels_is_not_handed_over() {
    let none = Params::new();
    let image = Image::from_raw(0, 7, &[][..]).unwrap();
    let error = create("")
        .unwrap()
        .segment(&image, &Call::uncancellable(&none))
        .unwrap_err();
    let what = "the image is 0x7 pixels";
    assert_error(&error, ErrorKind::Invalid, "segmenter \"misbehave\"", what);
}

// Mark styles.

#[test]
fn styles_that_fail() {
    use som_core::{MarkStyle, Marks};

    let plugin = plugin();
    let style = &plugin.mark_styles[0];
    let mut pixels = [0; 3];
    let mut canvas = Canvas::from_raw(1, 1, &mut pixels[..]).unwrap();
    let mut draw = |name: &str| {
        style
            .draw(
                &mut canvas,
                &Marks::default(),
                &Call::uncancellable(&fault(name)),
            )
            .unwrap_err()
    };
    let what = "it failed with SOM_INVALID, without a reason (call->fail gives one)";
    assert_error(
        &draw("no reason"),
        ErrorKind::Invalid,
        "mark style \"scribble\"",
        what,
    );
    let what = "region 0: only `segment` and `frame` emit regions";
    assert_error(
        &draw("emits"),
        ErrorKind::Internal,
        "mark style \"scribble\"",
        what,
    );
    let params = fault("no size");
    let error = style
        .labelling()
        .unwrap()
        .measure("12", &Call::uncancellable(&params))
        .unwrap_err();
    let what = "it measures the label \"12\" as 0x12 pixels";
    assert_error(&error, ErrorKind::Internal, "mark style \"scribble\"", what);
}

#[test]
fn labels_that_are_none() {
    use som_core::MarkStyle;

    for (macro_name, index, what) in [
        ("EMPTY_LABEL", 0, "is empty"),
        ("LABEL_NOT_UTF8", 1, "is not UTF-8"),
        ("LABEL_TOO_LONG", 2, "is 1048576 bytes long"),
        ("LABEL_WRONG_LENGTH", 3, "has 0 bytes, but it returned 3"),
    ] {
        let plugin = load(&misbehave(&[macro_name])).unwrap();
        let style = &plugin.mark_styles[0];
        let error = style.labelling().unwrap().label(index).unwrap_err();
        let what = format!("its label of mark {index} {what}");
        assert_error(
            &error,
            ErrorKind::Internal,
            "mark style \"scribble\"",
            &what,
        );
    }
}

// What a plugin says of itself.

/// Checks that a library that says one thing wrong is refused.
#[track_caller]
fn says_wrong(macro_name: &str, what: &str) {
    let library = misbehave(&[macro_name]);
    let error = load(&library).unwrap_err();
    let who = format!("library {}", library.display());
    assert_error(&error, ErrorKind::Internal, &who, what);
}

#[test]
fn short_structs() {
    let what = "its som_plugin has the size 8, but version 1.0 has 24 \
                (set `size` to sizeof(som_plugin))";
    says_wrong("SHORT_PLUGIN", what);
    let what = "segmenter 0: its som_segmenter has the size 8, but version 1.0 has 64 \
                (set `size` to sizeof(som_segmenter))";
    says_wrong("SHORT_SEGMENTER", what);
}

#[test]
fn null_lists_are_empty() {
    let plugin = load(&misbehave(&["NULL_LISTS"])).unwrap();
    assert!(plugin.segmenters.is_empty() && plugin.mark_styles.is_empty());
}

#[test]
fn null_callbacks() {
    says_wrong("NULL_CREATE", "segmenter \"misbehave\": its create is NULL");
    says_wrong(
        "NULL_SEGMENT",
        "segmenter \"misbehave\": its segment is NULL",
    );
    says_wrong(
        "NULL_DESTROY",
        "segmenter \"misbehave\": its destroy is NULL",
    );
    says_wrong("NULL_DRAW", "mark style \"scribble\": its draw is NULL");
    let what = "mark style \"scribble\": it has a label, but its measure is NULL";
    says_wrong("LABEL_WITHOUT_MEASURE", what);
    let what = "mark style \"scribble\": it has a measure, but its label is NULL";
    says_wrong("MEASURE_WITHOUT_LABEL", what);
}

#[test]
fn bad_ids() {
    says_wrong("NULL_ID", "segmenter 0: its id is NULL");
    says_wrong("ID_NOT_UTF8", "segmenter 0: its id is not UTF-8");
    let what = "segmenter \"Mis behave\": its id must be one or more of a-z, 0-9 and -";
    says_wrong("BAD_ID", what);
    says_wrong("TWINS", "two segmenters have the id \"misbehave\"");
}

#[test]
fn bad_descriptions() {
    says_wrong(
        "ABOUT_NOT_UTF8",
        "segmenter \"misbehave\": its about is not UTF-8",
    );
    let what = "segmenter \"misbehave\": its version \"1\" is not a semantic version such as 1.0.0";
    says_wrong("BAD_VERSION", what);
    let what = "segmenter \"misbehave\": its schema is no JSON: EOF while parsing an object at line 1 column 1";
    says_wrong("SCHEMA_NOT_JSON", what);
    let what = "segmenter \"misbehave\": its schema: unknown capability \"magic\" (known: automatic, \
                points, boxes, masks, text, labels, levels, examples)";
    says_wrong("UNKNOWN_CAPABILITY", what);
}
