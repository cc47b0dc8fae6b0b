//! The sizes of what videos need, read off the shapes of the tensors.

use som_core::Result;
use som_torch::checkpoint::Shapes;

use crate::network::told::Told;

/// Every size of the memory.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MemorySizes {
    /// Side in tokens of the frames' embedding.
    pub grid: i64,
    /// Channels of a memory.
    pub channels: i64,
    /// Channels of the embedding.
    pub hidden_channels: i64,
    /// Frames that are seen at once, with one that people pointed at.
    pub frames: i64,
    /// Of the attention to memories.
    pub layers: i64,
    pub heads: i64,
    /// Channels inside attention, of all heads together.
    pub inner: i64,
    /// Channels inside the layers' MLP.
    pub hidden: i64,
    /// The ratio of the longest wave to the shortest, by which attention tells places.
    pub theta: f64,
    /// Channels of a mask on its way to the embedding, from the whole mask on.
    pub shrinking: Vec<i64>,
    /// Blocks that merge mask and embedding.
    pub fusers: i64,
    /// Channels inside these.
    pub fuser_hidden: i64,
    /// Whether the age of a pointer has an encoding of its own: SAM 2.1.
    pub has_pointer_age: bool,
    /// Whether memories of frames without the object are marked: SAM 2.1.
    pub has_no_object: bool,
}

impl MemorySizes {
    /// # Errors
    /// Invalid, if the tensors are no SAM 2 network's.
    pub(crate) fn of(
        shapes: &Shapes<'_>,
        grid: i64,
        hidden_channels: i64,
        told: &Told,
    ) -> Result<Self> {
        let [frames, _, _, channels] = shapes.get("maskmem_tpos_enc")?;
        let layers = "memory_attention.layers.";
        let [inner, _] = shapes.get(&format!("{layers}0.self_attn.q_proj.weight"))?;
        let [hidden, _] = shapes.get(&format!("{layers}0.linear1.weight"))?;
        let fusers = "memory_encoder.fuser.layers.";
        let [fuser_hidden, _] = shapes.get(&format!("{fusers}0.pwconv1.weight"))?;
        let mut shrinking = vec![1];
        let convolution =
            |index: usize| format!("memory_encoder.mask_downsampler.encoder.{index}.weight");
        // Each with a norm and an activation behind it; the last one has neither.
        for index in (0..).step_by(3) {
            let [output, _, _, _] = shapes.get(&convolution(index))?;
            if !shapes.has(&convolution(index + 1)) {
                break;
            }
            shrinking.push(output);
        }
        Ok(Self {
            grid,
            channels,
            hidden_channels,
            frames,
            layers: shapes.count(layers, ".norm1.weight"),
            heads: told.memory_attention_heads.unwrap_or(1),
            inner,
            hidden,
            theta: told.rope_theta.unwrap_or(10_000.0),
            shrinking,
            fusers: shapes.count(fusers, ".gamma"),
            fuser_hidden,
            has_pointer_age: shapes.has("obj_ptr_tpos_proj.weight"),
            has_no_object: shapes.has("no_obj_embed_spatial"),
        })
    }

    /// What forbids to divide the sizes as the memory divides them, if anything does.
    pub(crate) fn contradiction(&self, channels: i64) -> Option<String> {
        let Self {
            channels: memory,
            heads,
            inner,
            ref shrinking,
            frames,
            ..
        } = *self;
        if memory < 1 || memory % 4 != 0 || channels % memory != 0 || channels % 4 != 0 {
            return Some(format!(
                "its {channels} channels make no whole tokens of a memory of {memory}"
            ));
        }
        if heads < 1 || inner % heads != 0 || inner / heads % 4 != 0 {
            return Some(format!(
                "{heads} heads do not share out the {inner} channels of its attention to memories (memory_attention_heads in a config.json beside it tells their number)"
            ));
        }
        if shrinking.len() != 5 || frames < 1 {
            return Some(format!(
                "its memory is of {frames} frames, of masks that are halved {} times",
                shrinking.len() - 1
            ));
        }
        None
    }
}
