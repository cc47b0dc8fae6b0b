use serde_json::json;
use som_plugin::{
    BBox, Call, Error, ErrorKind, Image, Mask, Params, Region, Result, Segmenter, Size,
    guest::{Create, SegmenterDef, SegmenterType},
    host,
};

/// Gives back what it is told to in its parameters.
struct Parrot {
    greeting: String,
}

impl Create for Parrot {
    fn create(options: &Call<'_>) -> Result<Self> {
        match options.text("greeting") {
            Some(greeting) => Ok(Self {
                greeting: greeting.to_owned(),
            }),
            None => Err(
                Error::unavailable("no greeting (set segmenter.parrot.greeting)")
                    .caused_by(std::io::Error::other("file\0missing")),
            ),
        }
    }
}

impl Segmenter for Parrot {
    fn segment(&mut self, image: &Image<'_>, call: &Call<'_>) -> Result<Vec<Region>> {
        call.check()?;
        if let Some(complaint) = call.text("complaint") {
            return Err(Error::unsupported(complaint));
        }
        let size = Size::new(image.width(), image.height());
        Ok(regions(
            size,
            call.params(),
            &self.greeting,
            image.get_pixel(1, 0).0,
        ))
    }
}

static PARROT: SegmenterDef = SegmenterDef {
    id: "parrot",
    version: "1.2.3-rc.1",
    about: "Says it again",
    schema: r#"{"capabilities": ["automatic", "points"], "options": {"type": "object"}}"#,
    segmenter: SegmenterType::of::<Parrot>(),
};

som_plugin::export!(segmenters: [PARROT]);

/// One region of every kind.
fn regions(size: Size, params: &Params, greeting: &str, pixel: [u8; 3]) -> Vec<Region> {
    let pixels = [0, 1, 0, 7, 255, 0];
    let crescent = Mask::from_dense(size, BBox::new(1, 0, 3, 2), &pixels).unwrap();
    let mut full = Region::new(Mask::rect(size, size.bbox()));
    full.extra.insert("heard".to_owned(), json!(params));
    let mut first = Region::new(crescent);
    first.score = Some(0.25);
    first.label = Some(format!("{greeting} ä"));
    first.level = Some(3);
    first.parent = Some(1);
    first.extra.insert("pixel".to_owned(), json!(pixel));
    vec![first, full]
}

const SIZE: Size = Size::new(4, 3);

fn pixels() -> Vec<u8> {
    (0..SIZE.pixels() as u8 * 3).collect()
}

fn image(pixels: &[u8]) -> Image<'_> {
    Image::from_raw(SIZE.width, SIZE.height, pixels).unwrap()
}

fn params(value: serde_json::Value) -> Params {
    serde_json::from_value(value).unwrap()
}

fn parrot() -> Box<dyn Segmenter> {
    let plugin = host::adopt(PLUGIN).unwrap();
    let options = params(json!({"greeting": "hello"}));
    let [parrot] = &plugin.segmenters[..] else {
        panic!("one segmenter")
    };
    som_plugin::SegmenterFactory::create(&**parrot, &Call::uncancellable(&options)).unwrap()
}

#[test]
fn a_descriptor_comes_across() {
    let plugin = host::adopt(PLUGIN).unwrap();
    assert!(plugin.mark_styles.is_empty());
    let parrot = som_plugin::SegmenterFactory::descriptor(&*plugin.segmenters[0]);
    assert_eq!(
        (&*parrot.id, &*parrot.version, &*parrot.about),
        ("parrot", "1.2.3-rc.1", "Says it again")
    );
    assert_eq!(parrot.options, json!({"type": "object"}));
    assert!(parrot.params["properties"]["hints"]["properties"]["points"].is_object());
}

#[test]
fn regions_come_across_unchanged() {
    let pixels = pixels();
    let said = params(json!({"a": [1, 2.5, "\u{0} ünï"], "hints": null}));
    let heard = parrot()
        .segment(&image(&pixels), &Call::uncancellable(&said))
        .unwrap();
    assert_eq!(heard, regions(SIZE, &said, "hello", [3, 4, 5]));
}

#[test]
fn errors_come_across_with_their_causes() {
    let plugin = host::adopt(PLUGIN).unwrap();
    let none = Params::new();
    let factory: &dyn som_plugin::SegmenterFactory = &*plugin.segmenters[0];
    let error = factory.create(&Call::uncancellable(&none)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.to_string(),
        "segmenter \"parrot\": no greeting (set segmenter.parrot.greeting): file\u{fffd}missing"
    );

    let mut parrot = parrot();
    let pixels = pixels();
    let complaint = params(json!({"complaint": "too many feathers"}));
    let error = parrot
        .segment(&image(&pixels), &Call::uncancellable(&complaint))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.to_string(), "segmenter \"parrot\": too many feathers");
    assert!(
        parrot
            .segment(&image(&pixels), &Call::uncancellable(&none))
            .is_ok()
    );
}

#[test]
fn a_cancelled_call_ends_as_such() {
    let pixels = pixels();
    let none = Params::new();
    let mut parrot = parrot();
    let error = parrot
        .segment(&image(&pixels), &Call::new(&none, &|| true))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(
        parrot
            .segment(&image(&pixels), &Call::uncancellable(&none))
            .is_ok()
    );
}

#[test]
fn an_instance_may_change_threads() {
    let mut parrot = parrot();
    let worker = std::thread::spawn(move || {
        let (pixels, none) = (pixels(), Params::new());
        let regions = parrot
            .segment(&image(&pixels), &Call::uncancellable(&none))
            .unwrap();
        (parrot, regions.len())
    });
    let (parrot, regions) = worker.join().unwrap();
    assert_eq!(regions, 2);
    drop(parrot);
}
