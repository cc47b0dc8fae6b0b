//! The segmenter: options to a network, calls to regions.

use som_core::{Call, Image, Region, Result};
use som_torch::{Instance, Learned, Source};

use crate::{
    asked::expressions,
    network::{EncodedImage, Network},
    regions::region,
};

/// The network. Clones share the weights.
#[derive(Clone, Debug)]
pub struct PolyFormer {
    pub(crate) network: Network,
}

impl Learned for PolyFormer {
    const ID: &'static str = "poly-former";
    type Encoded = EncodedImage;
    type Setting = ();

    fn load(source: &Source) -> Result<Self> {
        let network = Network::load(source)?;
        Ok(Self { network })
    }

    fn summary(&self) -> String {
        let config = &self.network.config;
        let stages = config.backbone.stages.iter();
        let blocks: i64 = stages.map(|stage| stage.blocks).sum();
        format!(
            "{blocks} blocks, {} and {} layers, {} bins, {} layers for text",
            config.encoder.layers, config.decoder.layers, config.bins, config.text.layers
        )
    }

    fn encode(&self, image: &Image<'_>, (): (), call: &Call<'_>) -> Result<EncodedImage> {
        self.network.encode(image, call)
    }

    fn segment(
        instance: &Instance<Self>,
        image: &Image<'_>,
        call: &Call<'_>,
    ) -> Result<Vec<Region>> {
        let network = &instance.network().network;
        // What cannot be found is told before the image is looked at.
        let asked = expressions(call)?;
        let read = |expression| network.text.prompt(expression);
        let texts = asked.iter().map(read).collect::<Result<Vec<_>>>()?;
        let encoded = instance.encode(image, (), call)?;
        let found = asked.iter().zip(&texts).map(|(expression, text)| {
            let written = network.refer(&encoded, text, call)?;
            Ok(region(&written, &expression.given, encoded.size))
        });
        found.collect()
    }
}
