//! Points of automatic generation: batches of clicks, each answered as the call asks for it.
//!
//! The official `SAM2AutomaticMaskGenerator` (`sam2/automatic_mask_generator.py`) is SAM's, but for
//! three things: a point may have one mask instead of three; masks may be told back to the network as
//! prompts, and its answers taken (`use_m2m`); and small parts are changed in the low-resolution logits
//! instead of at the end.

use som_core::{BBox, Result, Size};
use som_torch::{
    decoder::{Meaning, PromptToken},
    generate::Promptable,
    masks::{MaskLogits, Upsampling},
    torch_error,
};
use tch::Tensor;

use super::{
    DecodedPrompts, EncodedImage, MOST_LOGIT, Predictor, Single, SmallParts, encoded::token,
};

/// The network, asked in the way of one call.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub predictor: Predictor,
    /// Three masks for each point, instead of one.
    pub is_ambiguous: bool,
    /// Whether masks are told back to the network.
    pub is_refined: bool,
    pub small: SmallParts,
    pub threshold: f32,
}

/// Points after the decoder.
#[derive(Debug)]
pub(crate) struct DecodedPoints {
    decoded: DecodedPrompts,
    /// Point by point, the predicted IoU of each of its masks.
    ious: Vec<Vec<f32>>,
    /// Point by point, its masks, where they had to be made to know their IoUs.
    made: Option<Vec<Vec<Single>>>,
}

impl Asked {
    /// The masks of each point.
    fn made(&self, decoded: &DecodedPrompts) -> Result<Vec<Vec<Single>>> {
        let predictor = &self.predictor;
        if !self.is_ambiguous {
            let singles = predictor.singles(decoded).map_err(torch_error)?;
            return Ok(singles.into_iter().map(|single| vec![single]).collect());
        }
        let all: Vec<usize> = (0..decoded.ious.len()).collect();
        let each = predictor.ambiguous();
        let logits = predictor.logits(decoded, &all, 1, each);
        let logits = logits.map_err(torch_error)?;
        let masks: Vec<&[f32]> = logits.masks().collect();
        let points = masks.chunks(each).zip(&decoded.ious);
        let point = |(masks, ious): (&[&[f32]], &Vec<f32>)| {
            let masks = masks.iter().zip(ious.iter().skip(1));
            let masks = masks.map(|(logits, &iou)| Single {
                iou,
                logits: logits.to_vec(),
            });
            masks.collect()
        };
        Ok(points.map(point).collect())
    }

    /// What the network makes of a mask of the point that `click` is.
    fn refined(
        &self,
        image: &EncodedImage,
        click: &[PromptToken],
        mask: &Single,
    ) -> Result<Option<Single>> {
        let predictor = &self.predictor;
        let low = i64::from(predictor.low());
        let side = || {
            let logits = Tensor::f_from_slice(&mask.logits)?.f_view([low, low])?;
            let most = f64::from(MOST_LOGIT);
            predictor.with_mask(image, &logits.f_clamp(-most, most)?)
        };
        let side = side().map_err(torch_error)?;
        let decoded = predictor.run_decoder(&side, &[click.to_vec()])?;
        Ok(predictor.singles(&decoded).map_err(torch_error)?.pop())
    }
}

impl Promptable for Asked {
    type Encoded = EncodedImage;
    type Decoded = DecodedPoints;

    fn is_on_cpu(&self) -> bool {
        !self.predictor.compute.is_gpu()
    }

    /// On the CPU as many as its cache holds. Points do not see each other.
    fn batch(&self, most: usize) -> usize {
        most.min(if self.is_on_cpu() { 8 } else { 64 })
    }

    fn decoding_bytes(&self, points: usize) -> u64 {
        let each = self.predictor.sam2.config.decoder.activations();
        size_of::<f32>() as u64 * points as u64 * each
    }

    fn mask_threshold(&self) -> f32 {
        self.threshold
    }

    fn decode(&self, image: &EncodedImage, points: &[[f64; 2]]) -> Result<DecodedPoints> {
        let predictor = &self.predictor;
        let click = |&[x, y]: &[f64; 2]| {
            let click = token(x, y, Meaning::Foreground, image.size, predictor.side());
            vec![click, PromptToken::PADDING]
        };
        let clicks: Vec<_> = points.iter().map(click).collect();
        let decoded = predictor.run_decoder(&image.side, &clicks)?;
        if self.is_ambiguous && !self.is_refined {
            let ious = decoded.ious.iter();
            return Ok(DecodedPoints {
                ious: ious
                    .map(|ious| ious.iter().skip(1).copied().collect())
                    .collect(),
                made: None,
                decoded,
            });
        }
        let mut made = self.made(&decoded)?;
        if self.is_refined {
            for (click, masks) in clicks.iter().zip(&mut made) {
                for mask in masks {
                    if let Some(refined) = self.refined(image, click, mask)? {
                        *mask = refined;
                    }
                }
            }
        }
        let ious = made.iter();
        let ious = ious.map(|masks| masks.iter().map(|mask| mask.iou).collect());
        Ok(DecodedPoints {
            ious: ious.collect(),
            made: Some(made),
            decoded,
        })
    }

    fn ious<'a>(&self, decoded: &'a DecodedPoints) -> Vec<&'a [f32]> {
        decoded.ious.iter().map(Vec::as_slice).collect()
    }

    /// Masks of one point are made together.
    fn masks(&self, decoded: &DecodedPoints, chosen: &[(usize, usize)]) -> Result<MaskLogits> {
        let low = self.predictor.low();
        let low = Size::new(low, low);
        let each = low.width as usize * low.height as usize;
        let mut numbers = Vec::with_capacity(chosen.len() * each);
        if let Some(made) = &decoded.made {
            for &(point, mask) in chosen {
                numbers.extend_from_slice(&made[point][mask].logits);
            }
        } else {
            let mut points: Vec<usize> = chosen.iter().map(|&(point, _)| point).collect();
            points.dedup();
            let count = self.predictor.ambiguous();
            let all = self.predictor.logits(&decoded.decoded, &points, 1, count);
            let all = all.map_err(torch_error)?;
            let masks: Vec<&[f32]> = all.masks().collect();
            for (place, of_point) in chosen.chunk_by(|a, b| a.0 == b.0).enumerate() {
                for &(_, mask) in of_point {
                    numbers.extend_from_slice(masks[place * count + mask]);
                }
            }
        }
        for logits in numbers.chunks_exact_mut(each) {
            // Small parts are those of the mask above 0, whatever the threshold.
            self.small.change(logits, low, 0.0)?;
        }
        Ok(MaskLogits::new(numbers, each))
    }

    fn upsampling(&self, _: &EncodedImage, crop: BBox, size: Size) -> Upsampling {
        self.predictor.upsampling_of(crop, size)
    }
}
