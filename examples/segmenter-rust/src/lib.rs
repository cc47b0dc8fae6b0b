//! A segmenter: cuts the image into a grid.

use som_plugin::{
    BBox, Call, Image, Mask, Region, Result, Segmenter, Size,
    guest::{Create, SegmenterDef, SegmenterType},
};

struct Grid;

impl Create for Grid {
    fn create(_options: &Call<'_>) -> Result<Self> {
        Ok(Self)
    }
}

impl Segmenter for Grid {
    fn segment(&mut self, image: &Image<'_>, call: &Call<'_>) -> Result<Vec<Region>> {
        let size = Size::new(image.width(), image.height());
        let cell = call.number("cell").unwrap_or(64.0) as u32;
        let mut regions = Vec::new();
        for y in (0..size.height).step_by(cell as usize) {
            call.check()?;
            for x in (0..size.width).step_by(cell as usize) {
                regions.push(Region::new(Mask::rect(size, BBox::new(x, y, cell, cell))));
            }
        }
        Ok(regions)
    }
}

static GRID: SegmenterDef = SegmenterDef {
    id: "grid",
    version: env!("CARGO_PKG_VERSION"),
    about: "Cuts the image into a grid",
    schema: r#"{
        "capabilities": ["automatic"],
        "params": {
            "type": "object",
            "properties": {
                "cell": {
                    "type": "integer", "minimum": 8, "maximum": 4096, "default": 64,
                    "description": "Width and height of a cell in pixels"
                }
            }
        }
    }"#,
    segmenter: SegmenterType::of::<Grid>(),
};

som_plugin::export!(segmenters: [GRID]);

#[cfg(test)]
mod tests {
    use super::*;
    use som_plugin::Params;

    #[test]
    fn cells_cover_the_image() {
        let pixels = [0; 3 * 20 * 10];
        let image = Image::from_raw(20, 10, &pixels[..]).unwrap();
        let params = Params::from_iter([("cell".to_owned(), 8.into())]);
        let regions = Grid.segment(&image, &Call::uncancellable(&params)).unwrap();
        let covered: u64 = regions.iter().map(|region| region.mask.area()).sum();
        assert_eq!((regions.len(), covered), (6, 200));
    }
}
