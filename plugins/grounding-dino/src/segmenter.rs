//! The segmenter: options to a network, calls to regions.

use som_core::{Call, Image, Region, Result};
use som_torch::{Instance, Learned, Source};

use crate::{
    asked,
    network::{EncodedImage, Network, Resize},
    params::CallParams,
    regions,
};

/// The network. Clones share the weights.
#[derive(Clone, Debug)]
pub struct GroundingDino {
    pub(crate) network: Network,
}

impl Learned for GroundingDino {
    const ID: &'static str = "grounding-dino";
    type Encoded = EncodedImage;
    type Setting = Resize;

    fn load(source: &Source) -> Result<Self> {
        let network = Network::load(source)?;
        Ok(Self { network })
    }

    fn summary(&self) -> String {
        let config = &self.network.config;
        let stages = config.backbone.stages.iter();
        let blocks: i64 = stages.map(|stage| stage.blocks).sum();
        format!(
            "{blocks} blocks, {} and {} layers, {} queries, {} layers for text",
            config.encoder.layers,
            config.decoder.layers,
            config.decoder.queries,
            config.text.layers
        )
    }

    fn encode(&self, image: &Image<'_>, resize: Resize, call: &Call<'_>) -> Result<EncodedImage> {
        self.network.encode(image, resize, call)
    }

    fn segment(
        instance: &Instance<Self>,
        image: &Image<'_>,
        call: &Call<'_>,
    ) -> Result<Vec<Region>> {
        let params: CallParams = call.parse()?;
        let network = &instance.network().network;
        // What cannot be found is told before the image is looked at.
        let text = network.text.tokens(&asked::text(&params, call)?)?;
        let settings = &network.config.settings;
        let resize = Resize {
            short_side: params
                .resize_short_side
                .unwrap_or(settings.resize_short_side),
            max_size: params.max_size.unwrap_or(settings.max_size),
        };
        let image = instance.encode(image, resize, call)?;
        let found = network.detect(&image, &text, call)?;
        let tokenizer = &network.text.tokenizer;
        regions::regions(&found, &text, tokenizer, &params, image.size)
    }
}
