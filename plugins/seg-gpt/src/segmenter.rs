//! The segmenter: options to a network, calls to regions.

use som_core::{Call, Example, Image, Region, Result};
use som_torch::{Instance, Learned, Source, numbers, torch_error};

use crate::{
    network::{EncodedImage, Network},
    params::CallParams,
    prompt::{examples, palette},
    regions::{Painting, bright, brightness, class, classes},
};

/// The network. Clones share the weights.
#[derive(Clone, Debug)]
pub struct SegGpt {
    pub(crate) network: Network,
}

impl Learned for SegGpt {
    const ID: &'static str = "seg-gpt";
    type Encoded = EncodedImage;
    type Setting = ();

    fn load(source: &Source) -> Result<Self> {
        let network = Network::load(source)?;
        Ok(Self { network })
    }

    fn summary(&self) -> String {
        let config = &self.network.config;
        let (layers, width, side) = (config.layers, config.width, config.side());
        format!("{layers} layers of {width} channels, pictures of {side}x{side} pixels")
    }

    fn encode(&self, image: &Image<'_>, (): (), _: &Call<'_>) -> Result<EncodedImage> {
        self.network.encode(image)
    }

    fn segment(
        instance: &Instance<Self>,
        image: &Image<'_>,
        call: &Call<'_>,
    ) -> Result<Vec<Region>> {
        let seg_gpt = instance.network();
        let params: CallParams = call.parse()?;
        // What cannot be found is told before the image is looked at.
        let examples = examples(call, params.num_labels)?;
        let encoded = instance.encode(image, (), call)?;
        let of_pixels = seg_gpt.read(&encoded, &examples, &params, call)?;
        match params.num_labels {
            Some(count) => classes(&of_pixels, count, encoded.size),
            None => bright(&of_pixels, params.threshold, encoded.size),
        }
    }
}

impl SegGpt {
    /// Of each pixel of the image, row by row, its class, or without classes its brightness.
    ///
    /// # Errors
    /// As [`Network::paint`].
    pub(crate) fn read(
        &self,
        image: &EncodedImage,
        examples: &[Example],
        params: &CallParams,
        call: &Call<'_>,
    ) -> Result<Vec<u8>> {
        let network = &self.network;
        let palette = params.num_labels.map(palette);
        let prompt = |example| network.prompt(example, palette.as_deref());
        let prompts = examples.iter().map(prompt).collect::<Result<Vec<_>>>()?;
        let painted = network.paint(image, &prompts, params.embedding_type, call)?;
        let painting = Painting {
            pixels: &numbers::of(&painted).map_err(torch_error)?,
            side: network.config.side() as u32,
        };
        Ok(match &palette {
            Some(palette) => painting.of_image(image.size, |color| class(palette, color)),
            None => painting.of_image(image.size, brightness),
        })
    }
}
