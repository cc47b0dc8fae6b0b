use std::{
    ffi::{CStr, c_char, c_void},
    mem::offset_of,
    ptr,
    sync::Mutex,
};

use som_plugin::{
    BBox, Call, Canvas, Color, Entry, Image, Mark, MarkStyle, Marks, Mask, Params, Point, Region,
    Result, Segmenter, SegmenterFactory, Size,
    guest::{self, Create, Level, SegmenterDef, SegmenterType},
    host,
    sys::{
        self, SOM_INTERNAL, SOM_OK, som_call, som_canvas, som_host, som_image, som_level, som_mark,
        som_mark_style, som_plugin_entry, som_region, som_segmenter, som_status,
    },
};

/// A struct as a later version of the header may have it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Newer<T> {
    base: T,
    added: [u64; 2],
}

const fn newer<T>(base: T) -> Newer<T> {
    Newer {
        base,
        added: [7, 7],
    }
}

// A plugin by hand, with structs of any size.

unsafe extern "C" fn create(_: *const som_call, _: *mut *mut c_void) -> som_status {
    SOM_OK
}

unsafe extern "C" fn segment(
    _: *mut c_void,
    call: *const som_call,
    _: *const som_image,
) -> som_status {
    let region = som_region {
        size: size_of::<Newer<som_region>>(),
        x: 1,
        y: 0,
        width: 2,
        height: 1,
        score: -1.0,
        reserved: 0,
        mask: ptr::null(),
        label: ptr::null(),
        extra: ptr::null(),
        object: 0,
    };
    let region = newer(region);
    // SAFETY: the host's own call, and a region that lives long enough.
    unsafe { (*call).emit.unwrap()(call, (&raw const region).cast()) }
}

unsafe extern "C" fn destroy(_: *mut c_void) {}

fn hand_made(id: &'static CStr, size: usize) -> Newer<som_segmenter> {
    newer(som_segmenter {
        size,
        id: id.as_ptr(),
        version: c"1.0.0".as_ptr(),
        about: c"By hand".as_ptr(),
        schema: c"{}".as_ptr(),
        create: Some(create),
        segment: Some(segment),
        destroy: Some(destroy),
    })
}

/// A plugin with one segmenter, leaked as plugins are.
fn plugin(segmenter: Newer<som_segmenter>, plugin_size: usize) -> *const sys::som_plugin {
    let segmenter: *const Newer<som_segmenter> = Box::leak(Box::new(segmenter));
    let list = Box::leak(Box::new([segmenter.cast::<som_segmenter>(), ptr::null()]));
    let segmenters = list.as_ptr();
    let plugin = sys::som_plugin {
        size: plugin_size,
        segmenters,
        mark_styles: ptr::null(),
        trackers: ptr::null(),
    };
    let plugin: *const Newer<sys::som_plugin> = Box::leak(Box::new(newer(plugin)));
    plugin.cast()
}

unsafe extern "C" fn newer_entry(_: *const som_host) -> *const sys::som_plugin {
    let segmenter = hand_made(c"newer", size_of::<Newer<som_segmenter>>());
    plugin(segmenter, size_of::<Newer<sys::som_plugin>>())
}

unsafe extern "C" fn short_segmenter(_: *const som_host) -> *const sys::som_plugin {
    plugin(
        hand_made(c"short", size_of::<som_segmenter>() - 8),
        size_of::<sys::som_plugin>(),
    )
}

unsafe extern "C" fn short_plugin(_: *const som_host) -> *const sys::som_plugin {
    plugin(hand_made(c"short", size_of::<som_segmenter>()), 8)
}

fn adopt(entry: som_plugin_entry) -> Result<host::Plugin> {
    // SAFETY: a plugin by the header, or one that is refused.
    host::adopt(unsafe { Entry::new(entry) })
}

#[test]
fn a_plugin_of_a_newer_header_works() {
    let plugin = adopt(newer_entry).unwrap();
    let none = Params::new();
    let call = Call::uncancellable(&none);
    let mut instance = plugin.segmenters[0].create(&call).unwrap();
    let image = Image::from_raw(3, 1, &[0; 9][..]).unwrap();
    let regions = instance.segment(&image, &call).unwrap();
    let size = Size::new(3, 1);
    assert_eq!(
        regions,
        [Region::new(
            Mask::from_dense(size, size.bbox(), &[0, 1, 1]).unwrap()
        )]
    );
}

// A mark style of the first header, which had no flags.

static MASKS: Mutex<Vec<bool>> = Mutex::new(Vec::new());

unsafe extern "C" fn draw(
    _: *const som_call,
    _: *const som_canvas,
    marks: *const *const som_mark,
    count: usize,
) -> som_status {
    for index in 0..count {
        // SAFETY: the host's own marks.
        let region = unsafe { (*(*marks.add(index))).region.read() };
        MASKS.lock().unwrap().push(region.mask.is_null());
    }
    SOM_OK
}

unsafe extern "C" fn older_entry(_: *const som_host) -> *const sys::som_plugin {
    let style = Box::leak(Box::new(som_mark_style {
        size: offset_of!(som_mark_style, flags),
        id: c"older".as_ptr(),
        version: c"1.0.0".as_ptr(),
        about: c"By hand".as_ptr(),
        schema: c"{}".as_ptr(),
        label: None,
        measure: None,
        draw: Some(draw),
        // Whatever lies behind the struct.
        flags: u64::MAX,
    }));
    let list = Box::leak(Box::new([ptr::from_ref(style), ptr::null()]));
    Box::leak(Box::new(sys::som_plugin {
        size: offset_of!(sys::som_plugin, trackers),
        segmenters: ptr::null(),
        mark_styles: list.as_ptr(),
        // Whatever lies behind the struct.
        trackers: ptr::dangling(),
    }))
}

#[test]
fn a_mark_style_of_an_older_header_works() {
    let plugin = adopt(older_entry).unwrap();
    let size = Size::new(3, 1);
    let mark = Mark {
        region: Region::new(Mask::from_dense(size, size.bbox(), &[1, 0, 1]).unwrap()),
        text: String::new(),
        label_box: BBox::default(),
        anchor: Point::new(0, 0),
        color: Color::WHITE,
    };
    let mut pixels = [0; 9];
    let mut canvas = Canvas::from_raw(3, 1, &mut pixels[..]).unwrap();
    let none = Params::new();
    plugin.mark_styles[0]
        .draw(
            &mut canvas,
            &Marks::from_iter([&mark]),
            &Call::uncancellable(&none),
        )
        .unwrap();
    assert_eq!(*MASKS.lock().unwrap(), [false]);
}

#[test]
fn a_struct_smaller_than_the_first_version_is_refused() {
    let needed = size_of::<som_segmenter>();
    assert_eq!(
        adopt(short_segmenter).unwrap_err().to_string(),
        format!(
            "segmenter 0: its som_segmenter has the size {}, but version 1.0 has {needed} \
             (set `size` to sizeof(som_segmenter))",
            needed - 8
        )
    );
    assert_eq!(
        adopt(short_plugin).unwrap_err().to_string(),
        "its som_plugin has the size 8, but version 1.0 has 24 (set `size` to sizeof(som_plugin))"
    );
}

// A host by hand: newer than the guest.

struct Whole;

impl Create for Whole {
    fn create(_: &Call<'_>) -> Result<Self> {
        guest::log(Level::Info, "made");
        Ok(Self)
    }
}

impl Segmenter for Whole {
    fn segment(&mut self, image: &Image<'_>, call: &Call<'_>) -> Result<Vec<Region>> {
        let size = Size::new(image.width(), image.height());
        let mut region = Region::new(Mask::rect(size, size.bbox()));
        region.label = call.text("label").map(str::to_owned);
        Ok(vec![region])
    }
}

static WHOLE: SegmenterDef = SegmenterDef {
    id: "whole",
    version: "1.0.0",
    about: "The whole image",
    schema: "{}",
    segmenter: SegmenterType::of::<Whole>(),
};

som_plugin::export!(segmenters: [WHOLE]);

/// What reached the host by hand.
static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

unsafe extern "C" fn emit(_: *const som_call, region: *const som_region) -> som_status {
    // SAFETY: the guest's region, which is of this very header.
    let region = unsafe { region.read() };
    // SAFETY: as above.
    let label = unsafe { CStr::from_ptr(region.label) }.to_str().unwrap();
    HEARD
        .lock()
        .unwrap()
        .push(format!("{label} {}x{}", region.width, region.height));
    SOM_OK
}

unsafe extern "C" fn log(_: *const som_host, _: som_level, _: *const c_char) {}

#[test]
fn a_host_of_a_newer_header_works() {
    let host: &Newer<som_host> = Box::leak(Box::new(newer(som_host {
        size: size_of::<Newer<som_host>>(),
        data: ptr::null_mut(),
        version: c"9.9.9".as_ptr(),
        log: Some(log),
    })));
    let call = newer(som_call {
        size: size_of::<Newer<som_call>>(),
        data: ptr::null_mut(),
        params: c"{\"label\": \"all\"}".as_ptr(),
        cancelled: None,
        number: None,
        text: None,
        emit: Some(emit),
        fail: None,
    });
    let image = newer(som_image {
        size: size_of::<Newer<som_image>>(),
        width: 2,
        height: 1,
        pixels: [0; 6].as_ptr(),
    });
    let call = (&raw const call).cast();
    // SAFETY: a host by the header plays with a plugin by the header.
    unsafe {
        let plugin = PLUGIN.function()((&raw const *host).cast()).read();
        let whole = plugin.segmenters.read().read();
        let mut instance = ptr::null_mut();
        assert_eq!(whole.create.unwrap()(call, &mut instance), SOM_OK);
        assert_eq!(
            whole.segment.unwrap()(instance, call, (&raw const image).cast()),
            SOM_OK
        );
        whole.destroy.unwrap()(instance);
    }
    assert_eq!(*HEARD.lock().unwrap(), ["all 2x1"]);
}

#[test]
fn a_host_without_sense_is_refused() {
    // SAFETY: the guest checks what it gets.
    unsafe {
        assert!(PLUGIN.function()(ptr::null()).is_null());
        let plugin = {
            let host = Box::leak(Box::new(som_host {
                size: size_of::<som_host>(),
                data: ptr::null_mut(),
                version: c"0.1.0".as_ptr(),
                log: None,
            }));
            PLUGIN.function()(host).read()
        };
        let whole = plugin.segmenters.read().read();
        let mut instance = ptr::null_mut();
        assert_eq!(
            whole.create.unwrap()(ptr::null(), &mut instance),
            SOM_INTERNAL
        );
        let call = som_call {
            size: size_of::<som_call>(),
            data: ptr::null_mut(),
            params: c"[]".as_ptr(),
            cancelled: None,
            number: None,
            text: None,
            emit: None,
            fail: None,
        };
        assert_eq!(whole.create.unwrap()(&call, &mut instance), SOM_INTERNAL);
        assert!(instance.is_null());
        assert_eq!(
            whole.segment.unwrap()(ptr::null_mut(), &call, ptr::null()),
            SOM_INTERNAL
        );
        whole.destroy.unwrap()(ptr::null_mut());
    }
}
