//! The segmenter: what a call asks of the network, and how its answers become regions.

use som_core::{Call, Image, Region, Result, Size};
use som_torch::{Instance, Learned, Source, generate::generate_whole, resize};

use crate::{
    automatic::{AtLevels, prompt},
    encoded::EncodedImage,
    found::Found,
    hints::prompts,
    interactive::predict,
    network::SemanticSam,
    params::CallParams,
};

/// One instance. Instances with the same options share weights and encoded images.
pub type SemanticSamSegmenter = Instance<SemanticSam>;

impl Learned for SemanticSam {
    const ID: &'static str = "semantic-sam";
    type Encoded = EncodedImage;
    /// The shorter side of the image as the network sees it.
    type Setting = u32;

    fn load(source: &Source) -> Result<Self> {
        Self::open(source)
    }

    fn summary(&self) -> String {
        let blocks = self.config.swin.stages.iter().map(|stage| stage.blocks);
        let blocks: Vec<String> = blocks.map(|count| count.to_string()).collect();
        format!(
            "a Swin backbone of {} blocks, {} masks for each point, images whose shorter side is {} pixels",
            blocks.join("+"),
            self.config.masks,
            self.config.text_size
        )
    }

    fn encode(&self, image: &Image<'_>, text_size: u32, call: &Call<'_>) -> Result<EncodedImage> {
        self.encode_image(image, text_size, call)
    }

    fn segment(
        instance: &Instance<Self>,
        image: &Image<'_>,
        call: &Call<'_>,
    ) -> Result<Vec<Region>> {
        let CallParams {
            automatic,
            level,
            text_size,
            selection,
        } = call.parse()?;
        let network = instance.network();
        level.check(network.config.masks.unsigned_abs() as usize)?;
        let text_size = text_size.unwrap_or(network.config.text_size);
        let size = Size::new(image.width(), image.height());
        let inside = resize::shortest_side(size, text_size);
        let hints = call.hints()?;
        let prompts = hints
            .map(|hints| prompts(&hints, size, inside))
            .transpose()?;
        let encoded = instance.encode(image, text_size, call)?;
        let levels = match prompts {
            Some(_) => level.of_masks(),
            None => level.in_order(),
        };
        let asked = AtLevels {
            network: network.clone(),
            levels: &levels,
            call,
        };
        if let Some(prompts) = prompts {
            let offset = automatic.stability_score_offset;
            return predict(&asked, &encoded, &prompts, selection, offset, size);
        }
        let found = generate_whole(&asked, encoded, inside, &automatic, call)?;
        let regions = found.into_iter().map(|candidate| {
            let point = candidate.points.first().copied().unwrap_or_default();
            let found = Found {
                mask: candidate.mask,
                predicted_iou: candidate.predicted_iou,
                stability_score: candidate.stability_score,
                place: prompt(point, inside).place,
                level: levels[candidate.mask_index],
            };
            found.into_region(size)
        });
        Ok(regions.collect())
    }
}
