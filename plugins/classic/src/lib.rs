//! `classic`: a segmenter without weights, the one som is born with.
//!
//! It finds regions by what they look like, not by what they are, and knows them at six levels,
//! nested in each other. Each stage is a file, in this order:
//!
//! > image → `color` → `histogram` → `boundary` → `watershed` → `outline` → `graph` → `merge` →
//! > `hierarchy` → `levels` → `automatic`, or `target` and `hints` → regions
//!
//! Of a picture that is drawn, as screens, charts and maps are, they are image → `zones` → `details`
//! → `drawn` → `hierarchy`, and on as above.
//!
//! Of a photograph, all up to the basins is done on a copy of bounded size, the outlines are drawn again on the
//! image itself. Every stage is deterministic: the same image gives the same regions, byte for
//! byte.
//!
//! Each region tells in `extra` its `node` in the merge tree and, as `parent_node`, that of the
//! region around it at the coarser levels. Numbers of nodes depend on the image alone, so they tie
//! together the regions of calls with different parameters. Where a parameter, `level` or
//! `max_regions`, is why there are no more regions, each names it as `capped`.

mod automatic;
mod boundary;
mod color;
mod connect;
mod details;
mod drawn;
mod graph;
mod grid;
mod hierarchy;
mod hints;
mod histogram;
mod levels;
mod merge;
mod outline;
mod params;
mod partition;
mod scene;
mod sets;
mod target;
mod watershed;
mod zones;

use som_core::{Call, Image, Region, Result, Segmenter, Size};
use som_plugin::guest::{Create, SegmenterDef, SegmenterType};

use crate::{params::Params, scene::Scene, target::targets};

/// The segmenter. It keeps nothing between calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Classic;

static CLASSIC: SegmenterDef = SegmenterDef {
    id: "classic",
    version: env!("CARGO_PKG_VERSION"),
    about: "Regions by colour, texture and edges, at six levels; needs no weights",
    schema: include_str!("schema.json"),
    segmenter: SegmenterType::of::<Classic>(),
};

som_plugin::export!(segmenters: [CLASSIC]);

impl Create for Classic {
    fn create(_options: &Call<'_>) -> Result<Self> {
        Ok(Self)
    }
}

impl Segmenter for Classic {
    fn segment(&mut self, image: &Image<'_>, call: &Call<'_>) -> Result<Vec<Region>> {
        let size = Size::new(image.width(), image.height());
        let params = Params::from_call(call)?;
        let targets = call
            .hints()?
            .map(|hints| targets(&hints, size))
            .transpose()?;
        if size.pixels() == 0 {
            return Ok(Vec::new());
        }
        let scene = Scene::new(image, &params, call)?;
        Ok(match targets {
            None => scene.everything(&params),
            Some(targets) => scene.find_all(&targets, params.max_regions()),
        })
    }
}
