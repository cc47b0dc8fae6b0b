//! What is kept of a video's frames, and how further frames see it.

mod attention;
mod encoder;
mod sizes;

use som_core::Result;
use som_torch::{
    Scope, TorchResult,
    nn::{Linear, Mlp, PatchConv, Weight, sine_positions},
    torch_error,
};
use tch::{Device, Tensor};

pub(crate) use self::{
    attention::{Bank, MemoryAttention},
    encoder::MemoryEncoder,
    sizes::MemorySizes,
};

/// The part of the network that videos need. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub attention: MemoryAttention,
    pub encoder: MemoryEncoder,
    /// How long ago something was, `[frames, 1, channels]`: 1, 2, … frames, and last of all what people
    /// pointed at, whenever that was.
    pub ages: Weight,
    /// Where a cell of a memory lies, `[places, channels]`.
    pub places: Weight,
    /// Where a cell of the image lies, `[places, hidden]`.
    pub image_places: Weight,
    /// What a mask decoder's token is to further frames.
    pub pointer: Mlp,
    /// From how long ago a pointer is to what is added to it; `None` for networks that do not say.
    pub pointer_age: Option<Linear>,
    /// The pointer of frames without the object, `[1, hidden]`.
    pub no_object_pointer: Weight,
    /// What is added to memories of frames without the object, `[channels]`.
    pub no_object: Option<Weight>,
    /// A whole mask `[side, side]` to logits at a quarter of its size.
    pub shrink_mask: PatchConv,
    pub sizes: MemorySizes,
}

impl Memory {
    /// The tensors that `root` has for videos, beside those of the image.
    pub(super) fn load(root: &Scope<'_>, sizes: &MemorySizes) -> TorchResult<Self> {
        let MemorySizes {
            channels,
            hidden_channels: hidden,
            frames,
            grid,
            ..
        } = *sizes;
        let device = root.device();
        let ages = root.weight("maskmem_tpos_enc", &[frames, 1, 1, channels]);
        // Only a network that runs its transformer on frames without memory needs it.
        root.spare("no_mem_pos_enc", &[1, 1, hidden]);
        let no_object = sizes
            .has_no_object
            .then(|| root.weight("no_obj_embed_spatial", &[1, channels]));
        Ok(Self {
            attention: MemoryAttention::load(&root.at("memory_attention"), sizes)?,
            encoder: MemoryEncoder::load(&root.at("memory_encoder"), sizes)?,
            ages: ages.map(|ages| ages.f_squeeze_dim(1))?,
            places: map_places(grid, channels, device)?,
            image_places: map_places(grid, hidden, device)?,
            pointer: Mlp::load(&root.at("obj_ptr_proj"), &[hidden; 4]),
            pointer_age: sizes
                .has_pointer_age
                .then(|| Linear::load(&root.at("obj_ptr_tpos_proj"), hidden, channels)),
            no_object_pointer: root.weight("no_obj_ptr", &[1, hidden]),
            no_object: no_object
                .map(|no_object| no_object.map(|no_object| no_object.f_squeeze_dim(0)))
                .transpose()?,
            shrink_mask: PatchConv::load(&root.at("mask_downsample"), 1, 1, 4)?,
            sizes: sizes.clone(),
        })
    }

    /// What is kept of a frame `[places, hidden]` and of a mask of it, as `[places, channels]`. The mask
    /// `[side, side]` is scaled for the encoder already; `is_there` tells whether it shows the object.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn remember(&self, image: &Tensor, mask: &Tensor, is_there: bool) -> Result<Tensor> {
        let remember = || {
            let memory = self.encoder.forward(image, mask)?;
            match &self.no_object {
                Some(no_object) if !is_there => memory.f_add(no_object),
                _ => Ok(memory),
            }
        };
        remember().map_err(torch_error)
    }
}

fn map_places(grid: i64, channels: i64, device: Device) -> TorchResult<Weight> {
    let places = sine_positions(grid, grid, channels, device)?;
    Ok(Weight::new(places.f_flatten(0, 1)?))
}
