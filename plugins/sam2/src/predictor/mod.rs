//! Images through the encoder, and prompts against encoded images.

mod encoded;
mod input;
mod points;
mod prompt;
mod small_parts;

use som_core::{BBox, Call, Image, Result, Size};
use som_torch::{
    Compute, Source, TorchResult,
    decoder::{Decoded, ImageSide, PromptToken},
    masks::{MaskLogits, Upsampling},
    numbers, threads, torch_error,
};
use tch::{Device, Tensor};

pub use self::encoded::EncodedImage;
pub(crate) use self::{
    points::Asked,
    prompt::tokens,
    small_parts::{SmallParts, fill_barely},
};
use crate::network::{Features, Sam2, SingleMask};

/// How much memory the encoder was seen to take, of what its activations fill: the allocator keeps
/// some of what was freed, and products are made of rearranged weights.
const OVERHEAD: u64 = 2;

/// Logits that a mask prompt may have.
pub(crate) const MOST_LOGIT: f32 = 32.0;

/// A network and where it runs. Clones share the weights.
#[derive(Debug)]
pub struct Predictor {
    pub(crate) sam2: Sam2,
    pub(crate) compute: Compute,
    /// The encodings of the embedding's places.
    pub(crate) places: Tensor,
}

impl Clone for Predictor {
    fn clone(&self) -> Self {
        Self {
            sam2: self.sam2.clone(),
            compute: self.compute,
            places: self.places.shallow_clone(),
        }
    }
}

/// Prompts that went through the decoder: what their masks are worth, before the masks are made.
#[derive(Debug)]
pub(crate) struct DecodedPrompts {
    pub decoded: Decoded,
    /// Per prompt, the predicted IoU of each mask the decoder can give: first of the one for
    /// unambiguous prompts, then of the others.
    pub ious: Vec<Vec<f32>>,
}

/// The one mask of an unambiguous prompt.
#[derive(Clone, Debug)]
pub(crate) struct Single {
    pub iou: f32,
    pub logits: Vec<f32>,
}

impl Predictor {
    /// Loads the network of `source`.
    ///
    /// # Errors
    /// As of [`Sam2::load`].
    pub(crate) fn open(source: &Source) -> Result<Self> {
        let sam2 = Sam2::load(source)?;
        let places = sam2
            .prompt_encoder
            .grid_places(sam2.config.decoder.grid)
            .map_err(torch_error)?;
        Ok(Self {
            sam2,
            compute: source.compute,
            places,
        })
    }

    /// Runs the image encoder.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn run_encoder(&self, image: &Image<'_>, call: &Call<'_>) -> Result<EncodedImage> {
        let size = Size::new(image.width(), image.height());
        // Before it is resized, the image is there as numbers of its own size.
        let numbers = 3 * u64::from(size.width) * u64::from(size.height);
        self.require(2 * numbers)?;
        let input = self.image_input(image).map_err(torch_error)?;
        let Features { embedding, fine } = self.features(&input, call)?;
        let prepare = || {
            let embedding = embedding.f_add(&self.sam2.no_memory)?;
            let no_mask = &self.sam2.prompt_encoder.no_mask;
            let decoder = &self.sam2.mask_decoder;
            let side = decoder.prepare(&embedding, no_mask, &self.places, fine.clone())?;
            Ok(EncodedImage {
                side,
                embedding,
                fine,
                size,
            })
        };
        prepare().map_err(torch_error)
    }

    /// A normalised image `[side, side, 3]` through the image encoder.
    ///
    /// # Errors
    /// As of [`run_encoder`](Self::run_encoder).
    pub(crate) fn features(&self, input: &Tensor, call: &Call<'_>) -> Result<Features> {
        self.require(0)?;
        threads::use_all();
        let features = self.sam2.encode(input, call)?;
        numbers::require(&features.embedding, "image encoder")?;
        Ok(features)
    }

    /// Checks that there is memory for the encoder, and for some numbers besides.
    fn require(&self, besides: u64) -> Result<()> {
        let Sam2 { config, hiera, .. } = &self.sam2;
        let encoding = OVERHEAD * hiera.number_bytes() * config.hiera.activations();
        let besides = size_of::<f32>() as u64 * besides;
        self.compute
            .require(encoding + besides, "the image encoder's activations")
    }

    /// The image as prompts with a mask see it. `logits` are `[low, low]`.
    pub(crate) fn with_mask(
        &self,
        image: &EncodedImage,
        logits: &Tensor,
    ) -> TorchResult<ImageSide> {
        let logits = logits.f_to_device(self.compute.device)?;
        let mask = self.sam2.prompt_encoder.embed_mask(&logits)?;
        let decoder = &self.sam2.mask_decoder;
        decoder.prepare(&image.embedding, &mask, &self.places, image.fine.clone())
    }

    /// Runs prompts of equally many tokens against an image.
    ///
    /// # Errors
    /// Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn run_decoder(
        &self,
        side: &ImageSide,
        prompts: &[Vec<PromptToken>],
    ) -> Result<DecodedPrompts> {
        let decoder = &self.sam2.mask_decoder;
        let decode = || {
            let embedded = self.sam2.prompt_encoder.embed_tokens(prompts)?;
            let decoded = decoder.decode(side, &embedded)?;
            let ious = decoder.ious(&decoded)?.f_to_device(Device::Cpu)?;
            let ious = Vec::<Vec<f32>>::try_from(&ious)?;
            Ok(DecodedPrompts { decoded, ious })
        };
        let prompts = decode().map_err(torch_error)?;
        if prompts.ious.iter().flatten().all(|iou| iou.is_finite()) {
            Ok(prompts)
        } else {
            Err(numbers::none_of("mask decoder"))
        }
    }

    /// The logits of `count` masks from mask `first` on, of the chosen prompts.
    pub(crate) fn logits(
        &self,
        prompts: &DecodedPrompts,
        chosen: &[usize],
        first: usize,
        count: usize,
    ) -> TorchResult<MaskLogits> {
        let low = self.low() as usize;
        let mut all = Vec::with_capacity(chosen.len() * count * low * low);
        for chosen in chosen.chunks(self.enlarged_at_once()) {
            let chosen: Vec<i64> = chosen.iter().map(|&index| index as i64).collect();
            let decoder = &self.sam2.mask_decoder;
            let logits = decoder.masks(&prompts.decoded, &chosen, first, count)?;
            all.extend(numbers::of(&logits)?);
        }
        Ok(MaskLogits::new(all, low * low))
    }

    /// How many masks a prompt may have that is ambiguous.
    pub(crate) fn ambiguous(&self) -> usize {
        self.sam2.config.decoder.masks as usize - 1
    }

    /// The one mask of each prompt: the first of the decoder's, or, where that depends on the threshold
    /// too much, what the decoder thinks best of the others.
    pub(crate) fn singles(&self, prompts: &DecodedPrompts) -> TorchResult<Vec<Single>> {
        let all: Vec<usize> = (0..prompts.ious.len()).collect();
        let firsts = self.logits(prompts, &all, 0, 1)?;
        let mut singles = Vec::with_capacity(all.len());
        for ((prompt, ious), logits) in all.iter().zip(&prompts.ious).zip(firsts.masks()) {
            let single = match best_of_others(ious) {
                Some((mask, iou)) if !self.sam2.config.single.keeps(logits) => {
                    let logits = self.logits(prompts, &[*prompt], mask, 1)?;
                    let logits = logits.numbers().to_vec();
                    Single { iou, logits }
                }
                _ => Single {
                    iou: ious.first().copied().unwrap_or_default(),
                    logits: logits.to_vec(),
                },
            };
            singles.push(single);
        }
        Ok(singles)
    }

    /// How logits cover the image that `encoded` is, which is `crop` of an image of size `image`.
    pub(crate) fn upsampling_of(&self, crop: BBox, image: Size) -> Upsampling {
        // The whole square shows the image.
        let low = Size::new(self.low(), self.low());
        Upsampling::new(low, low, low, crop, image)
    }

    /// How many prompts' masks to make at a time.
    fn enlarged_at_once(&self) -> usize {
        if self.compute.is_gpu() { 64 } else { 2 }
    }

    /// Side of the logits that mask prompts consist of.
    pub(crate) fn low(&self) -> u32 {
        self.sam2.config.decoder.low() as u32
    }

    /// Side in pixels of the square input.
    pub(crate) fn side(&self) -> u32 {
        self.sam2.config.side as u32
    }
}

impl SingleMask {
    /// Whether the first mask stays, whatever the others are.
    pub(crate) fn keeps(&self, logits: &[f32]) -> bool {
        let above = |threshold: f32| logits.iter().filter(|&&logit| logit > threshold).count();
        let (higher, lower) = (above(self.delta), above(-self.delta));
        let stability = match lower {
            0 => 1.0,
            _ => higher as f32 / lower as f32,
        };
        !self.is_dynamic || stability >= self.least
    }
}

/// Of all masks but the first, which has the highest predicted IoU, and that.
pub(crate) fn best_of_others(ious: &[f32]) -> Option<(usize, f32)> {
    let others = ious.iter().copied().enumerate().skip(1);
    others.reduce(|best, other| if other.1 > best.1 { other } else { best })
}

#[cfg(test)]
mod tests;
