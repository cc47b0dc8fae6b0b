//! The segmenter: what a call asks of the network, and how.

use som_core::{Call, Error, Image, Region, Result, Size};
use som_torch::{
    Instance, Learned, Source, generate::generate, interactive::predict, masks::MASK_THRESHOLD,
    stages::stage,
};

use crate::{
    params::CallParams,
    predictor::{EncodedImage, Predictor},
};

/// One instance. Instances with the same options share weights and encoded images.
pub type SamSegmenter = Instance<Predictor>;

impl Learned for Predictor {
    const ID: &'static str = "sam";
    type Encoded = EncodedImage;
    type Setting = ();

    fn load(source: &Source) -> Result<Self> {
        Self::open(source)
    }

    fn summary(&self) -> String {
        let config = &self.sam.config;
        format!(
            "images of {} pixels, {} blocks, {} heads in the decoder",
            config.side,
            config.blocks.len(),
            config.decoder.heads
        )
    }

    fn encode(&self, image: &Image<'_>, (): (), call: &Call<'_>) -> Result<EncodedImage> {
        stage("image encoder", || self.run_encoder(image, call))
    }

    fn segment(
        instance: &Instance<Self>,
        image: &Image<'_>,
        call: &Call<'_>,
    ) -> Result<Vec<Region>> {
        let params: CallParams = call.parse()?;
        let predictor = instance.network();
        let encode = |image: &Image<'_>| instance.encode(image, (), call);
        let Some(hints) = call.hints()? else {
            let found = generate(predictor, encode, image, &params.automatic, call)?;
            return Ok(found.into_iter().map(Region::from).collect());
        };
        if !hints.texts.is_empty() {
            return Err(Error::unsupported(
                "hints: sam takes points, boxes, strokes and masks, but no text",
            ));
        }
        if !hints.examples.is_empty() {
            return Err(Error::unsupported(
                "hints: sam takes points, boxes, strokes and masks, but no examples",
            ));
        }
        hints.check(Size::new(image.width(), image.height()))?;
        let encoded = encode(image)?;
        let upsampling = predictor.upsampling_of(&encoded, encoded.size.bbox(), encoded.size);
        let offset = params.automatic.stability_score_offset;
        let answer = |prompt: &_| predictor.answer(&encoded, prompt, params.multimask_output);
        predict(
            &hints,
            encoded.size,
            &upsampling,
            MASK_THRESHOLD,
            offset,
            call,
            answer,
        )
    }
}
