//! The segmenter: options to a network, calls to regions.

use som_core::{Call, Image, Region, Result};
use som_torch::{Instance, Learned, Source, numbers, stages::stage, text::Vocabularies};

use crate::{
    network::{EncodedImage, Network, Resize},
    params::CallParams,
    tasks::Answer,
    vocabulary::Vocabulary,
};

/// The network, and the vocabularies that it was asked for. Clones share both.
#[derive(Clone, Debug)]
pub struct OpenSeed {
    pub(crate) network: Network,
    pub(crate) vocabularies: Vocabularies,
}

impl Learned for OpenSeed {
    const ID: &'static str = "open-seed";
    type Encoded = EncodedImage;
    type Setting = Resize;

    fn load(source: &Source) -> Result<Self> {
        Ok(Self {
            network: Network::load(source)?,
            vocabularies: Vocabularies::new(Self::ID),
        })
    }

    fn summary(&self) -> String {
        let config = &self.network.config;
        let blocks: i64 = config
            .backbone
            .stages
            .iter()
            .map(|stage| stage.blocks)
            .sum();
        format!(
            "{blocks} blocks, {} layers, {} queries and {} for stuff",
            config.decoder.layers, config.queries, config.stuff_queries
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
        let network = instance.network();
        let vocabulary = stage("text encoder", || network.vocabulary(&params, call))?;
        let image = instance.encode(image, network.resize(&params), call)?;
        network.regions(&image, &vocabulary, &params, call)
    }
}

impl OpenSeed {
    /// What the classes of a call mean to the network.
    ///
    /// # Errors
    /// As [`Vocabulary::of`].
    pub(crate) fn vocabulary(&self, params: &CallParams, call: &Call<'_>) -> Result<Vocabulary> {
        let language = &self.network.language;
        Vocabulary::of(params, language, &self.vocabularies, call)
    }

    /// How large a call wants the image.
    pub(crate) fn resize(&self, params: &CallParams) -> Resize {
        let settings = &self.network.config.settings;
        Resize {
            short_side: params
                .resize_short_side
                .unwrap_or(settings.resize_short_side),
            max_size: params.max_size.or(settings.max_size),
        }
    }

    /// The regions of an image in which the classes of a vocabulary are looked for.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn regions(
        &self,
        image: &EncodedImage,
        vocabulary: &Vocabulary,
        params: &CallParams,
        call: &Call<'_>,
    ) -> Result<Vec<Region>> {
        let Network {
            config, decoder, ..
        } = &self.network;
        let decode = || decoder.forward(&image.features, &vocabulary.weights, call);
        let predictions = stage("decoder", decode)?;
        numbers::require(&predictions.logits, "decoder")?;
        numbers::require(&predictions.masks, "decoder")?;
        let answer = Answer {
            image,
            predictions: &predictions,
            vocabulary,
            settings: &config.settings,
        };
        answer.regions(params, call)
    }
}
