//! Images through the encoder, and prompts against encoded images.

use som_core::{BBox, Call, Error, Image, Result, Size};
use som_torch::{TorchResult, logits::Upsampling, memory, resize, threads, torch_error};
use tch::{Device, Kind, Tensor};

use crate::network::{Decoded, ImageSide, Meaning, PromptToken, Sam};

/// Mean and deviation of the training images' channels, in 0..=255.
const MEAN: [f32; 3] = [123.675, 116.28, 103.53];
const DEVIATION: [f32; 3] = [58.395, 57.12, 57.375];

/// How much memory the encoder was seen to take, of what its activations fill: the allocator keeps
/// some of what was freed, and products are made of rearranged weights.
const OVERHEAD: u64 = 2;

/// A network and where it runs. Clones share the weights.
#[derive(Debug)]
pub(crate) struct Predictor {
    pub sam: Sam,
    device: Device,
    /// The encodings of the embedding's places.
    places: Tensor,
}

impl Clone for Predictor {
    fn clone(&self) -> Self {
        Self {
            sam: self.sam.clone(),
            device: self.device,
            places: self.places.shallow_clone(),
        }
    }
}

/// An image after the encoder, ready for prompts. Clones share the numbers.
#[derive(Debug)]
pub(crate) struct EncodedImage {
    /// For prompts without a mask.
    pub side: ImageSide,
    /// `[places, channels]`
    pub embedding: Tensor,
    /// Of the image.
    pub size: Size,
    /// Of the image in the square input, at its top left.
    pub inside: Size,
}

impl Clone for EncodedImage {
    fn clone(&self) -> Self {
        Self {
            side: self.side.clone(),
            embedding: self.embedding.shallow_clone(),
            ..*self
        }
    }
}

impl EncodedImage {
    /// Bytes of memory held.
    pub(crate) fn bytes(&self) -> u64 {
        self.side.bytes() + 4 * self.embedding.numel() as u64
    }

    /// The prompt of one click at (x, y) in pixels of the image, for a square input of `side`.
    ///
    /// In double precision to the end, as automatic generation of the official project computes.
    pub(crate) fn click(&self, [x, y]: [f64; 2], side: u32) -> Vec<PromptToken> {
        let place = |value: f64, inside: u32, size: u32| {
            ((value * (f64::from(inside) / f64::from(size)) + 0.5) / f64::from(side)) as f32
        };
        let token = PromptToken {
            x: place(x, self.inside.width, self.size.width),
            y: place(y, self.inside.height, self.size.height),
            meaning: Meaning::Foreground,
        };
        vec![token, PromptToken::PADDING]
    }

    /// A point at (x, y) in pixels of the image, for a square input of `side`.
    ///
    /// In single precision from the input's pixels on, as the official predictor computes.
    pub(crate) fn token(&self, x: f64, y: f64, meaning: Meaning, side: u32) -> PromptToken {
        let place = |value: f64, inside: u32, size: u32| {
            ((value * (f64::from(inside) / f64::from(size))) as f32 + 0.5) / side as f32
        };
        PromptToken {
            x: place(x, self.inside.width, self.size.width),
            y: place(y, self.inside.height, self.size.height),
            meaning,
        }
    }
}

/// Prompts that went through the decoder: what their masks are worth, before the masks are made.
#[derive(Debug)]
pub(crate) struct DecodedPrompts {
    decoded: Decoded,
    /// Per prompt, the predicted IoU of each mask the decoder can give.
    pub ious: Vec<Vec<f32>>,
}

/// The logits of some prompts' masks.
#[derive(Debug)]
pub(crate) struct MaskLogits {
    numbers: Vec<f32>,
    /// Masks of each prompt.
    count: usize,
    /// Numbers of each mask, `low * low`.
    numbers_each: usize,
}

impl MaskLogits {
    /// Prompt by prompt, mask by mask.
    pub(crate) fn of_prompts(&self) -> impl Iterator<Item = std::slice::ChunksExact<'_, f32>> {
        self.numbers
            .chunks_exact(self.count * self.numbers_each)
            .map(|masks| masks.chunks_exact(self.numbers_each))
    }
}

impl Predictor {
    pub(crate) fn new(sam: Sam, device: Device) -> Result<Self> {
        let places = sam
            .prompt_encoder
            .grid_places(sam.config.grid)
            .map_err(torch_error)?;
        Ok(Self {
            sam,
            device,
            places,
        })
    }

    /// Runs the image encoder.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn encode(&self, image: &Image<'_>, call: &Call<'_>) -> Result<EncodedImage> {
        let Sam {
            config,
            image_encoder,
            ..
        } = &self.sam;
        let needed = OVERHEAD * image_encoder.number_bytes() * config.encoding();
        self.require(needed, "the image encoder's activations")?;
        threads::use_all();
        let size = Size::new(image.width(), image.height());
        let inside = resize::longest_side(size, self.side());
        let resized = resize::bilinear(image, inside);
        let input = self
            .normalize(resized.as_raw(), inside)
            .map_err(torch_error)?;
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
                .prepare(&embedding, no_mask, &self.places)?;
            Ok(EncodedImage {
                side,
                embedding,
                size,
                inside,
            })
        };
        let encoded = prepare().map_err(torch_error)?;
        let finite = encoded.embedding.f_isfinite().and_then(|x| x.f_all());
        let finite = finite.and_then(|x| x.f_int64_value(&[]));
        match finite.map_err(torch_error)? {
            0 => Err(no_numbers("image encoder")),
            _ => Ok(encoded),
        }
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
            .embed_mask(&logits.f_to_device(self.device)?)?;
        self.sam
            .mask_decoder
            .prepare(&image.embedding, &mask, &self.places)
    }

    /// Checks that so many threads can decode a [`batch`](Self::batch) of prompts at a time.
    ///
    /// # Errors
    /// Exhausted, if memory is too short.
    pub(crate) fn require_decoding(&self, threads: usize) -> Result<()> {
        let prompts = (threads * self.batch()) as u64;
        let needed = size_of::<f32>() as u64 * prompts * self.sam.config.decoding();
        self.require(needed, "the mask decoder's activations")
    }

    /// On a GPU the allocation itself reports that memory is short.
    fn require(&self, bytes: u64, what: &str) -> Result<()> {
        if self.is_on_cpu() {
            memory::require(bytes, what)?;
        }
        Ok(())
    }

    /// Runs prompts of equally many tokens against an image.
    ///
    /// # Errors
    /// Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn decode(
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
            Err(no_numbers("mask decoder"))
        }
    }

    /// The logits of the chosen prompts: of the masks for ambiguous prompts, or of the one for
    /// unambiguous ones.
    pub(crate) fn masks(
        &self,
        prompts: &DecodedPrompts,
        chosen: &[usize],
        ambiguous: bool,
    ) -> TorchResult<MaskLogits> {
        let low = self.sam.config.low() as usize;
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
        Ok(MaskLogits {
            numbers,
            count,
            numbers_each: low * low,
        })
    }

    /// How logits cover the image that `encoded` is, which is `crop` of an image of size `image`.
    pub(crate) fn upsampling(&self, encoded: &EncodedImage, crop: BBox, image: Size) -> Upsampling {
        Upsampling::new(self.low(), self.side(), encoded.inside, crop, image)
    }

    /// How many prompts to decode at a time: on the CPU as many as the cache holds.
    pub(crate) fn batch(&self) -> usize {
        if self.is_on_cpu() { 8 } else { 64 }
    }

    /// True without a GPU.
    pub(crate) fn is_on_cpu(&self) -> bool {
        self.device == Device::Cpu
    }

    /// How many prompts' masks to make at a time.
    fn enlarged_at_once(&self) -> usize {
        if self.is_on_cpu() { 2 } else { 64 }
    }

    /// Side of the logits that mask prompts consist of.
    pub(crate) fn low(&self) -> u32 {
        self.sam.config.low() as u32
    }

    /// Side in pixels of the square input.
    pub(crate) fn side(&self) -> u32 {
        self.sam.config.side as u32
    }

    /// Pixels `[height, width, 3]` to the network's input: normalised, then padded with zeros.
    fn normalize(&self, pixels: &[u8], size: Size) -> TorchResult<Tensor> {
        let side = self.side() as usize;
        let mut input = vec![0.0_f32; 3 * side * side];
        let rows = input
            .chunks_exact_mut(3 * side)
            .zip(pixels.chunks_exact(3 * size.width as usize));
        for (input, pixels) in rows {
            for (input, pixel) in input.chunks_exact_mut(3).zip(pixels.chunks_exact(3)) {
                for (channel, value) in input.iter_mut().enumerate() {
                    *value = (f32::from(pixel[channel]) - MEAN[channel]) / DEVIATION[channel];
                }
            }
        }
        let side = side as i64;
        Tensor::f_from_slice(&input)?
            .f_view([side, side, 3])?
            .f_to_device(self.device)
    }
}

/// Without this, nothing would pass the filters, and the image would seem to hold nothing.
fn no_numbers(part: &str) -> Error {
    Error::invalid(format!(
        "the {part} gives infinities or no numbers: the weights are damaged, or too large for precision fp16 (use fp32 or bf16)"
    ))
}

#[cfg(test)]
mod tests;
