//! The segmenter: options to a network, calls to regions.

use som_core::{Call, Error, Image, Region, Result};
use som_torch::{Instance, Learned, Source};

use crate::{
    asked::{Query, Wording},
    network::{EncodedImage, Network, Resize, tokens_at},
    params::CallParams,
    regions,
};

/// The network. Clones share the weights.
#[derive(Clone, Debug)]
pub struct Glip {
    pub(crate) network: Network,
}

impl Learned for Glip {
    const ID: &'static str = "glip";
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
            "{blocks} blocks, {} levels, {} stages, {} layers for text",
            config.settings.strides.len(),
            config.tower.stages,
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
        let settings = &network.config.settings;
        // What cannot be found is told before the image is looked at.
        let wording = Wording {
            separation: &settings.separation,
            caption: settings.caption.as_ref(),
        };
        let query = Query::of(&params, wording, call)?;
        let text = network.text.tokens(&query.text)?;
        let phrases = (0..).zip(&query.phrases).map(|(index, place)| {
            tokens_at(&text, &query.text, place.clone()).ok_or_else(|| {
                let phrase = query.phrase(index);
                Error::invalid(format!(
                    "the network has no token for the phrase {phrase:?}"
                ))
            })
        });
        let phrases = phrases.collect::<Result<Vec<_>>>()?;
        let resize = Resize {
            short_side: params
                .resize_short_side
                .unwrap_or(settings.resize_short_side),
            max_size: params.max_size.unwrap_or(settings.max_size),
        };
        let image = instance.encode(image, resize, call)?;
        let found = network.detect(&image, &text, &phrases, call)?;
        let threshold = params.threshold;
        Ok(regions::regions(
            &found,
            &query,
            threshold,
            image.inside,
            image.size,
        ))
    }
}
