//! The segmenter: what a call asks of the network, and how.

use som_core::{Call, Error, Image, Region, Result, Size};
use som_torch::{
    Candidate, Instance, Learned, Source,
    generate::{Automatic, generate},
    interactive::predict,
    stages::stage,
};

use crate::{
    params::CallParams,
    predictor::{Asked, EncodedImage, Predictor, SmallParts},
};

/// One instance. Instances with the same options share weights and encoded images.
pub type Sam2Segmenter = Instance<Predictor>;

impl Learned for Predictor {
    const ID: &'static str = "sam2";
    type Encoded = EncodedImage;
    type Setting = ();

    fn load(source: &Source) -> Result<Self> {
        Self::open(source)
    }

    fn summary(&self) -> String {
        let config = &self.sam2.config;
        format!(
            "images of {} pixels, a Hiera of {:?} blocks and {} channels",
            config.side,
            config.hiera.shapes.stages(),
            config.hiera.shapes.width
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
            let (asked, automatic) = automatic(predictor, params);
            let found = generate(&asked, encode, image, &automatic, call)?;
            return Ok(found.into_iter().map(region).collect());
        };
        if !hints.texts.is_empty() {
            return Err(Error::unsupported(
                "hints: sam2 takes points, boxes, strokes and masks, but no text",
            ));
        }
        hints.check(Size::new(image.width(), image.height()))?;
        let encoded = encode(image)?;
        let size = encoded.size;
        let upsampling = predictor.upsampling_of(size.bbox(), size);
        let CallParams {
            multimask_output: is_ambiguous,
            mask_threshold: threshold,
            ..
        } = params;
        let small = SmallParts {
            holes: params.max_hole_area,
            sprinkles: params.max_sprinkle_area,
        };
        let offset = params.automatic.stability_score_offset;
        let answer =
            |prompt: &_| predictor.answer(&encoded, prompt, is_ambiguous, small, threshold);
        predict(&hints, size, &upsampling, threshold, offset, call, answer)
    }
}

/// The network as a call asks it about points, and what the generator does with its answers.
pub(crate) fn automatic(predictor: &Predictor, params: CallParams) -> (Asked, Automatic) {
    let CallParams {
        automatic,
        multimask_output,
        mask_threshold,
        use_m2m,
        ..
    } = params;
    let area = automatic.min_mask_region_area;
    let asked = Asked {
        predictor: predictor.clone(),
        is_ambiguous: multimask_output,
        is_refined: use_m2m,
        small: SmallParts {
            holes: area,
            sprinkles: area,
        },
        threshold: mask_threshold,
    };
    // Small parts are changed in the logits; nothing is left to do behind them.
    let automatic = Automatic {
        min_mask_region_area: 0,
        ..automatic
    };
    (asked, automatic)
}

/// A mask of automatic generation, whose points are in single precision there.
pub(crate) fn region(mut found: Candidate) -> Region {
    for place in found.points.as_flattened_mut() {
        *place = f64::from(*place as f32);
    }
    found.into()
}
