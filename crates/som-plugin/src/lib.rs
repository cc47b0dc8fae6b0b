//! The plugin boundary of som, both sides of it.
//!
//! `include/som_plugin.h` is the contract: a C ABI that a plugin in any language keeps. [`sys`]
//! mirrors it line by line; `guest` is the author's side in safe Rust; `host` loads libraries and
//! adopts what they bring.
//!
//! # A complete plugin
//!
//! ```
//! use som_plugin::{
//!     BBox, Call, Image, Mask, Region, Result, Segmenter, Size,
//!     guest::{Create, SegmenterDef, SegmenterType},
//! };
//!
//! /// Cuts every image into a left and a right half.
//! struct Halves;
//!
//! impl Create for Halves {
//!     fn create(_options: &Call<'_>) -> Result<Self> {
//!         Ok(Halves)
//!     }
//! }
//!
//! impl Segmenter for Halves {
//!     fn segment(&mut self, image: &Image<'_>, call: &Call<'_>) -> Result<Vec<Region>> {
//!         call.check()?;
//!         let size = Size::new(image.width(), image.height());
//!         let cut = size.width.div_ceil(2);
//!         let halves = [BBox::new(0, 0, cut, size.height), BBox::new(cut, 0, cut, size.height)];
//!         let masks = halves.map(|half| Mask::rect(size, half)).into_iter();
//!         Ok(masks.filter(|mask| !mask.is_empty()).map(Region::new).collect())
//!     }
//! }
//!
//! static HALVES: SegmenterDef = SegmenterDef {
//!     id: "halves",
//!     version: env!("CARGO_PKG_VERSION"),
//!     about: "Cuts the image into a left and a right half",
//!     schema: r#"{"capabilities": ["automatic"]}"#,
//!     segmenter: SegmenterType::of::<Halves>(),
//! };
//!
//! som_plugin::export!(segmenters: [HALVES]);
//!
//! # fn main() -> Result<()> {
//! # let plugin = som_plugin::host::adopt(PLUGIN)?;
//! # let halves: &dyn som_plugin::SegmenterFactory = &*plugin.segmenters[0];
//! # assert_eq!(halves.descriptor().id, "halves");
//! # let none = som_plugin::Params::new();
//! # let call = Call::uncancellable(&none);
//! # for (width, areas) in [(1, &[2][..]), (5, &[6, 4])] {
//! #     let pixels = vec![0; width as usize * 2 * 3];
//! #     let image = Image::from_raw(width, 2, &pixels[..]).unwrap();
//! #     let regions = halves.create(&call)?.segment(&image, &call)?;
//! #     assert_eq!(regions.iter().map(|region| region.mask.area()).collect::<Vec<_>>(), areas);
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! A program embeds the crate by the `PLUGIN` that `export!` defines; built as a dynamic library
//! with the feature `export`, it is loaded (`guest` says how).

// The one crate that may: a boundary to C is unsafe by nature.
#![allow(unsafe_code)]

mod borrow;
mod contain;
mod entry;
mod region;
mod status;
pub mod sys;

#[cfg(feature = "guest")]
pub mod guest;
#[cfg(feature = "host")]
pub mod host;

pub use entry::Entry;
#[doc(no_inline)]
pub use som_core::{
    BBox, BoxHint, Call, Canvas, Color, Error, ErrorKind, Frame, Hints, Image, Labelling, Mark,
    MarkStyle, Marks, Mask, MaskBuilder, ObjectHints, Params, Point, PointHint, Region, Result,
    Segmenter, SegmenterFactory, Size, Tracked, Tracker, TrackerFactory,
};

/// The header, for authors who write in another language.
pub const HEADER: &str = include_str!("../include/som_plugin.h");
