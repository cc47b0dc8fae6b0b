//! The segmenter: options to a network, calls to regions.

use som_core::{Call, Image, Region, Result, Size};
use som_torch::{Instance, Learned, Source, stages::stage, text::Vocabularies};

use crate::{
    hints::Asked,
    network::{EncodedImage, Network},
    params::CallParams,
    vocabulary::Vocabulary,
};

/// The network, and the vocabularies that it was asked for. Clones share both.
#[derive(Clone, Debug)]
pub struct Seem {
    pub(crate) network: Network,
    pub(crate) vocabularies: Vocabularies,
}

impl Learned for Seem {
    const ID: &'static str = "seem";
    type Encoded = EncodedImage;
    /// The shorter side of the image as the network sees it.
    type Setting = u32;

    fn load(source: &Source) -> Result<Self> {
        Ok(Self {
            network: Network::load(source)?,
            vocabularies: Vocabularies::new(Self::ID),
        })
    }

    fn summary(&self) -> String {
        let config = &self.network.config;
        let blocks = config.backbone.stages.iter().map(|stage| stage.blocks);
        let blocks: Vec<String> = blocks.map(|count| count.to_string()).collect();
        format!(
            "a FocalNet of {} blocks, {} layers, {} queries, images whose shorter side is {} pixels",
            blocks.join("+"),
            config.decoder.layers,
            config.decoder.queries,
            config.settings.text_size
        )
    }

    fn encode(&self, image: &Image<'_>, text_size: u32, call: &Call<'_>) -> Result<EncodedImage> {
        self.network.encode(image, text_size, call)
    }

    fn segment(
        instance: &Instance<Self>,
        image: &Image<'_>,
        call: &Call<'_>,
    ) -> Result<Vec<Region>> {
        let params: CallParams = call.parse()?;
        let seem = instance.network();
        let settings = &seem.network.config.settings;
        let size = Size::new(image.width(), image.height());
        let text_size = params.text_size.unwrap_or(settings.text_size);
        let hints = call.hints()?;
        let asked = hints.map(|hints| Asked::of(&hints, size)).transpose()?;
        // What cannot be found is told before the image is looked at.
        let Some(asked) = asked else {
            let vocabulary = stage("text encoder", || seem.vocabulary(&params, call))?;
            let image = instance.encode(image, text_size, call)?;
            return seem.everything(&image, &vocabulary, &params, call);
        };
        let image = instance.encode(image, text_size, call)?;
        let seed = params.seed.unwrap_or(settings.seed);
        seem.asked(&image, &asked, seed, call)
    }
}

impl Seem {
    /// What the classes of a call mean to the network.
    ///
    /// # Errors
    /// As [`Vocabulary::of`].
    pub(crate) fn vocabulary(&self, params: &CallParams, call: &Call<'_>) -> Result<Vocabulary> {
        let language = &self.network.language;
        Vocabulary::of(params, language, &self.vocabularies, call)
    }
}
