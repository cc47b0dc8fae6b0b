//! What the network makes of an image before anything is asked.

use som_core::{Call, Error, Image, Result, Size};
use som_torch::{
    Encoded, attention::DeformableValues, masks::Upsampling, numbers, resize, stages::stage,
    threads, torch_error,
};
use tch::{Kind, Tensor};

use crate::network::SemanticSam;

/// How much memory the network was seen to take, of what its activations fill: the allocator keeps
/// some of what was freed, and products are made of rearranged weights.
const OVERHEAD: u64 = 2;

/// More pixels than any network of this kind was ever run on.
const MOST_PIXELS: u64 = 1 << 28;

/// An image after backbone and pixel decoder, ready for prompts. Clones share the numbers.
#[derive(Debug)]
pub struct EncodedImage {
    /// `[cells, channels]`: a mask's logits are the product of its embedding with each of these.
    pub(crate) mask_features: Tensor,
    /// Columns and rows of the mask features.
    pub(crate) low: Size,
    /// What the layers of the decoder see.
    pub(crate) values: Vec<DeformableValues>,
    /// Of the image as the network sees it, in which the official project gives its results.
    pub(crate) inside: Size,
    /// Of the network's input: the same, filled up with zeros at the right and at the bottom.
    pub(crate) padded: Size,
}

impl Clone for EncodedImage {
    fn clone(&self) -> Self {
        Self {
            mask_features: self.mask_features.shallow_clone(),
            values: self.values.clone(),
            ..*self
        }
    }
}

impl Encoded for EncodedImage {
    fn bytes(&self) -> u64 {
        let values = self.values.iter().map(DeformableValues::bytes);
        4 * self.mask_features.numel() as u64 + values.sum::<u64>()
    }
}

impl EncodedImage {
    /// How logits cover the image as the network sees it.
    pub(crate) fn upsampling(&self) -> Upsampling {
        let Self {
            low,
            inside,
            padded,
            ..
        } = *self;
        Upsampling::new(low, padded, inside, inside.bbox(), inside)
    }
}

impl SemanticSam {
    /// Runs backbone and pixel decoder on `image`, whose shorter side becomes `text_size`.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn encode_image(
        &self,
        image: &Image<'_>,
        text_size: u32,
        call: &Call<'_>,
    ) -> Result<EncodedImage> {
        let size = Size::new(image.width(), image.height());
        let inside = resize::shortest_side(size, text_size);
        let padded = self.config.padded(inside);
        self.require(padded)?;
        threads::use_all();
        let resized = resize::bicubic(image, inside);
        let normalization = self.config.normalization;
        let input = normalization.apply(&resized, padded, self.compute.device);
        let maps = self.backbone.forward(&input.map_err(torch_error)?, call)?;
        let maps = maps.iter().map(|map| map.f_to_kind(Kind::Float));
        let maps: Vec<Tensor> = maps.collect::<Result<_, _>>().map_err(torch_error)?;
        let features = self.pixel_decoder.forward(&maps, call)?;
        numbers::require(&features.mask_features, "pixel decoder")?;
        numbers::require(&features.memory, "pixel decoder")?;
        let prepare = || {
            let (rows, columns, _) = features.mask_features.size3()?;
            Ok(EncodedImage {
                mask_features: features.mask_features.f_flatten(0, 1)?,
                low: Size::new(columns as u32, rows as u32),
                values: self
                    .prompt_decoder
                    .values(&features.memory, &features.levels)?,
                inside,
                padded,
            })
        };
        // A part of each of its layers, and the same for all prompts.
        stage("decoder", prepare).map_err(torch_error)
    }

    /// Checks that memory suffices for an input of the size `padded`.
    fn require(&self, padded: Size) -> Result<()> {
        let what = format!(
            "the activations of an input of {}x{} pixels",
            padded.width, padded.height
        );
        if padded.pixels() > MOST_PIXELS {
            return Err(Error::exhausted(format!(
                "{what} fit no memory: the image is too narrow for its shorter side to become so long (set a smaller text_size)"
            )));
        }
        let (height, width) = (i64::from(padded.height), i64::from(padded.width));
        let bytes = self.compute.kind().elt_size_in_bytes() as u64;
        let backbone = bytes * self.config.swin.activations(height, width);
        let decoder = 4 * self.config.pixel_decoder.activations(height, width);
        let needed = OVERHEAD * backbone.max(decoder);
        self.compute.require(needed, &what)
    }
}
