//! Images through the encoder, and prompts against encoded images.

mod encoded;
mod points;
mod prompt;

use som_core::{BBox, Call, Image, Result, Size};
use som_torch::{
    Compute, Source, TorchResult,
    decoder::{Decoded, ImageSide, PromptToken},
    input::Normalization,
    masks::{MaskLogits, Upsampling},
    numbers, resize, threads, torch_error,
};
use tch::{Device, Kind, Tensor};

pub use self::encoded::EncodedImage;
use crate::network::Sam;

/// Of the training images.
const NORMALIZATION: Normalization = Normalization {
    mean: [123.675, 116.28, 103.53],
    deviation: [58.395, 57.12, 57.375],
};

/// How much memory the encoder was seen to take, of what its activations fill: the allocator keeps
/// some of what was freed, and products are made of rearranged weights.
const OVERHEAD: u64 = 2;

/// A network and where it runs. Clones share the weights.
#[derive(Debug)]
pub struct Predictor {
    pub(crate) sam: Sam,
    compute: Compute,
    /// The encodings of the embedding's places.
    places: Tensor,
}

impl Clone for Predictor {
    fn clone(&self) -> Self {
        Self {
            sam: self.sam.clone(),
            compute: self.compute,
            places: self.places.shallow_clone(),
        }
    }
}

/// Prompts that went through the decoder: what their masks are worth, before the masks are made.
#[derive(Debug)]
pub struct DecodedPrompts {
    decoded: Decoded,
    /// Per prompt, the predicted IoU of each mask the decoder can give: first of the one for
    /// unambiguous prompts, then of the others.
    pub(crate) ious: Vec<Vec<f32>>,
}

impl Predictor {
    /// Loads the network of `source`.
    ///
    /// # Errors
    /// As of [`Sam::load`].
    pub(crate) fn open(source: &Source) -> Result<Self> {
        let sam = Sam::load(source)?;
        let places = sam
            .prompt_encoder
            .grid_places(sam.config.grid)
            .map_err(torch_error)?;
        Ok(Self {
            sam,
            compute: source.compute,
            places,
        })
    }

    /// Runs the image encoder.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn run_encoder(&self, image: &Image<'_>, call: &Call<'_>) -> Result<EncodedImage> {
        let Sam {
            config,
            image_encoder,
            ..
        } = &self.sam;
        let needed = OVERHEAD * image_encoder.number_bytes() * config.encoding();
        self.compute
            .require(needed, "the image encoder's activations")?;
        threads::use_all();
        let size = Size::new(image.width(), image.height());
        let inside = resize::longest_side(size, self.side());
        let input = self.input(image, inside).map_err(torch_error)?;
        let encoder = &self.sam.image_encoder;
        let mut tokens = encoder.embed_patches(&input).map_err(torch_error)?;
        for block in &encoder.blocks {
            call.check()?;
            tokens = block.forward(&tokens).map_err(torch_error)?;
        }
        let prepare = || {
            let embedding = encoder.finish(&tokens)?.f_flatten(0, 1)?;
            let no_mask = &self.sam.prompt_encoder.no_mask;
            let side = self
                .sam
                .mask_decoder
                .prepare(&embedding, no_mask, &self.places, None)?;
            Ok(EncodedImage {
                side,
                embedding,
                size,
                inside,
            })
        };
        let encoded = prepare().map_err(torch_error)?;
        numbers::require(&encoded.embedding, "image encoder")?;
        Ok(encoded)
    }

    /// The image as prompts with a mask see it. `logits` are `[low, low]`.
    pub(crate) fn with_mask(
        &self,
        image: &EncodedImage,
        logits: &Tensor,
    ) -> TorchResult<ImageSide> {
        let mask = self
            .sam
            .prompt_encoder
            .embed_mask(&logits.f_to_device(self.compute.device)?)?;
        self.sam
            .mask_decoder
            .prepare(&image.embedding, &mask, &self.places, None)
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
        let decode = || {
            let embedded = self.sam.prompt_encoder.embed_tokens(prompts)?;
            let decoded = self.sam.mask_decoder.decode(side, &embedded)?;
            let ious = self.sam.mask_decoder.ious(&decoded)?;
            let ious = Vec::<Vec<f32>>::try_from(&ious.f_to_device(Device::Cpu)?)?;
            Ok(DecodedPrompts { decoded, ious })
        };
        let prompts = decode().map_err(torch_error)?;
        if prompts.ious.iter().flatten().all(|iou| iou.is_finite()) {
            Ok(prompts)
        } else {
            Err(numbers::none_of("mask decoder"))
        }
    }

    /// The logits of the chosen prompts: of the masks for ambiguous prompts, or of the one for
    /// unambiguous ones.
    pub(crate) fn logits(
        &self,
        prompts: &DecodedPrompts,
        chosen: &[usize],
        ambiguous: bool,
    ) -> TorchResult<MaskLogits> {
        let low = self.sam.config.decoder.low() as usize;
        let masks = self.sam.config.decoder.masks as usize;
        let (first, count) = if ambiguous { (1, masks - 1) } else { (0, 1) };
        let mut numbers = vec![0.0; chosen.len() * count * low * low];
        let step = self.enlarged_at_once();
        for (chosen, numbers) in chosen
            .chunks(step)
            .zip(numbers.chunks_mut(step * count * low * low))
        {
            let chosen: Vec<i64> = chosen.iter().map(|&index| index as i64).collect();
            let logits = self
                .sam
                .mask_decoder
                .masks(&prompts.decoded, &chosen, first, count)?;
            logits
                .f_to_device(Device::Cpu)?
                .f_to_kind(Kind::Float)?
                .f_copy_data(numbers, numbers.len())?;
        }
        Ok(MaskLogits::new(numbers, low * low))
    }

    /// How logits cover the image that `encoded` is, which is `crop` of an image of size `image`.
    pub(crate) fn upsampling_of(
        &self,
        encoded: &EncodedImage,
        crop: BBox,
        image: Size,
    ) -> Upsampling {
        let (low, side) = (self.low(), self.side());
        let (low, padded) = (Size::new(low, low), Size::new(side, side));
        Upsampling::new(low, padded, encoded.inside, crop, image)
    }

    /// How many prompts' masks to make at a time.
    fn enlarged_at_once(&self) -> usize {
        if self.compute.is_gpu() { 64 } else { 2 }
    }

    /// Side of the logits that mask prompts consist of.
    pub(crate) fn low(&self) -> u32 {
        self.sam.config.decoder.low() as u32
    }

    /// Side in pixels of the square input.
    pub(crate) fn side(&self) -> u32 {
        self.sam.config.side as u32
    }

    /// The network's input: the image at the size `inside`, normalised, then padded with zeros.
    fn input(&self, image: &Image<'_>, inside: Size) -> TorchResult<Tensor> {
        let padded = Size::new(self.side(), self.side());
        NORMALIZATION.apply(
            &resize::bilinear(image, inside),
            padded,
            self.compute.device,
        )
    }
}

#[cfg(test)]
mod tests;
