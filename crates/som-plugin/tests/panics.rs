use som_plugin::{
    Call, ErrorKind, Image, Params, Region, Result, Segmenter, SegmenterFactory,
    guest::{Create, SegmenterDef, SegmenterType},
    host,
};

/// Panics where its parameters or options say so.
struct Nervous {
    panics_at_the_end: bool,
}

impl Create for Nervous {
    fn create(options: &Call<'_>) -> Result<Self> {
        assert_ne!(options.text("where"), Some("create"), "no start");
        Ok(Self {
            panics_at_the_end: options.text("where") == Some("drop"),
        })
    }
}

impl Segmenter for Nervous {
    fn segment(&mut self, _: &Image<'_>, call: &Call<'_>) -> Result<Vec<Region>> {
        assert_ne!(call.text("where"), Some("segment"), "no nerves");
        Ok(Vec::new())
    }
}

impl Drop for Nervous {
    fn drop(&mut self) {
        assert!(!self.panics_at_the_end, "no end");
    }
}

static NERVOUS: SegmenterDef = SegmenterDef {
    id: "nervous",
    version: "0.0.1",
    about: "Panics",
    schema: "{}",
    segmenter: SegmenterType::of::<Nervous>(),
};

som_plugin::export!(segmenters: [NERVOUS]);

fn at(place: &str) -> Params {
    Params::from_iter([("where".to_owned(), place.into())])
}

fn create(place: &str) -> Result<Box<dyn Segmenter>> {
    let plugin = host::adopt(PLUGIN).unwrap();
    plugin.segmenters[0].create(&Call::uncancellable(&at(place)))
}

fn segment(instance: &mut dyn Segmenter, place: &str) -> Result<Vec<Region>> {
    let image = Image::from_raw(1, 1, &[0; 3][..]).unwrap();
    instance.segment(&image, &Call::uncancellable(&at(place)))
}

#[test]
fn a_panic_in_create_is_an_error() {
    let error = create("create").err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Internal);
    let text = error.to_string();
    assert!(
        text.starts_with("segmenter \"nervous\": panicked at "),
        "{text}"
    );
    assert!(
        text.contains("panics.rs:") && text.contains("no start"),
        "{text}"
    );
}

#[test]
fn an_instance_that_panicked_is_not_used_again() {
    let mut instance = create("").unwrap();
    assert!(segment(&mut *instance, "").is_ok());
    let error = segment(&mut *instance, "segment").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(error.to_string().contains("no nerves"), "{error}");

    let error = segment(&mut *instance, "").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert_eq!(
        error.to_string(),
        "segmenter \"nervous\": this instance failed before; make a new one"
    );
    assert!(segment(&mut *create("").unwrap(), "").is_ok());
}

#[test]
fn a_panic_in_drop_harms_nobody() {
    drop(create("drop").unwrap());
    assert!(segment(&mut *create("").unwrap(), "").is_ok());
}
