//! The sizes of a network: read off the shapes of its tensors, and, where these do not tell, of the
//! released networks or of a config file.
//!
//! So the four released sizes, in SAM 2 and in SAM 2.1, and any other network of this design load
//! through the same code.

use som_core::{Error, Result};
use som_torch::{
    Source,
    backbone::{HieraSettings, HieraShapes, HieraSizes},
    checkpoint::Shapes,
    decoder::{MaskDecoderSizes, PromptEncoderSizes},
};

use super::{
    NAME,
    memory::MemorySizes,
    released,
    told::{TOLD, Told},
};

/// Every size of a SAM 2 network, and how it is meant to be used.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Side in pixels of the square input.
    pub side: i64,
    pub hiera: HieraSizes,
    pub neck: NeckSizes,
    pub prompts: PromptEncoderSizes,
    pub decoder: MaskDecoderSizes,
    pub memory: MemorySizes,
    pub single: SingleMask,
    pub mean: [f32; 3],
    pub deviation: [f32; 3],
    /// What a config file says of videos.
    pub told: Told,
}

/// The maps that are made of the backbone's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NeckSizes {
    /// Channels of each map that goes in, from the finest to the coarsest.
    pub inputs: Vec<i64>,
    /// Channels of the maps that come out.
    pub channels: i64,
    /// Which of them, numbered from the finest, get what the coarser ones found.
    pub top_down: Vec<i64>,
}

/// Which mask is the one for an unambiguous prompt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SingleMask {
    /// Whether one that depends on the threshold too much gives way to the best of the others.
    pub is_dynamic: bool,
    /// By how much the threshold is moved to see that.
    pub delta: f32,
    /// How stable it has to be.
    pub least: f32,
}

impl Config {
    /// The sizes of the network in the files of `source`.
    ///
    /// # Errors
    /// Invalid, if that is no SAM 2 network, if no network can be as its config file says, or if there
    /// is none where one is needed.
    pub(crate) fn of(source: &Source) -> Result<Self> {
        let told = source.told::<Told>(NAME, TOLD)?.unwrap_or_default();
        let shapes = Shapes::of(&source.checkpoint, NAME);
        let hiera = HieraShapes::of(&shapes, "image_encoder.trunk")?;
        let settings = settings(&hiera, &told, source)?;
        let side = settings.side;
        let hiera = HieraSizes::new(hiera, &settings).map_err(|why| misfit(source, &why))?;
        let neck = neck(&shapes, &hiera, &told)?;
        let grid = hiera.grid(2);
        let heads = told.decoder_num_heads.unwrap_or(8);
        let sigmoid = told.iou_prediction_use_sigmoid.unwrap_or(true);
        let prompts = PromptEncoderSizes::of(&shapes, "sam_prompt_encoder")?;
        let decoder = MaskDecoderSizes::of(&shapes, "sam_mask_decoder", grid, heads, sigmoid)?;
        let memory = MemorySizes::of(&shapes, grid, neck.channels, &told)?;
        let config = Self {
            side,
            hiera,
            neck,
            prompts,
            decoder,
            memory,
            single: SingleMask {
                is_dynamic: told.dynamic_multimask_via_stability.unwrap_or(true),
                delta: told.dynamic_multimask_stability_delta.unwrap_or(0.05),
                least: told.dynamic_multimask_stability_thresh.unwrap_or(0.98),
            },
            mean: told.pixel_mean.unwrap_or([0.485, 0.456, 0.406]),
            deviation: told.pixel_std.unwrap_or([0.229, 0.224, 0.225]),
            told,
        };
        match config.contradiction() {
            None => Ok(config),
            Some(why) => Err(misfit(source, &why)),
        }
    }

    /// What forbids to put the parts together. All else shows when the tensors' shapes are compared.
    fn contradiction(&self) -> Option<String> {
        let Self {
            neck,
            prompts,
            decoder,
            ..
        } = self;
        if self.hiera.channels().len() != 4 || neck.inputs != self.hiera.channels() {
            return Some(format!(
                "its backbone has stages of {:?} channels, its neck takes {:?}",
                self.hiera.channels(),
                neck.inputs
            ));
        }
        if prompts.mask_channels < 4 {
            return Some(format!(
                "it has {} channels for masks",
                prompts.mask_channels
            ));
        }
        let channels = [neck.channels, prompts.channels, decoder.channels];
        if channels.iter().any(|it| *it != neck.channels) {
            return Some(format!(
                "its neck, prompts and masks have {channels:?} channels"
            ));
        }
        decoder
            .contradiction("decoder_num_heads in a config.json beside it tells their number")
            .or_else(|| self.memory.contradiction(neck.channels))
    }
}

/// What no shape of the backbone tells.
fn settings(shapes: &HieraShapes, told: &Told, source: &Source) -> Result<HieraSettings> {
    let known = released::of(shapes);
    let missing = |key: &str| {
        Error::invalid(format!(
            "checkpoint {}: a Hiera of {} channels and {:?} blocks is none of the released ones, and no tensor tells its {key} (a config.json beside it, or the option config, may)",
            source.checkpoint.path().display(),
            shapes.width,
            shapes.stages()
        ))
    };
    let image_size = told.image_size.or(known.map(|_| released::SIDE));
    let heads = told.num_heads.or(known.map(|it| it.heads));
    let windows = told.window_spec.clone();
    let windows = windows.or_else(|| known.map(|it| it.windows.to_vec()));
    let global = told.global_att_blocks.clone();
    let global = global.or_else(|| known.map(|it| it.global.to_vec()));
    Ok(HieraSettings {
        side: image_size.ok_or_else(|| missing("image_size"))?,
        heads: heads.ok_or_else(|| missing("num_heads"))?,
        windows: windows.ok_or_else(|| missing("window_spec"))?,
        global: global.ok_or_else(|| missing("global_att_blocks"))?,
    })
}

fn neck(shapes: &Shapes<'_>, hiera: &HieraSizes, told: &Told) -> Result<NeckSizes> {
    let levels = hiera.channels().len() as i64;
    // The first one is that of the coarsest map.
    let convolution = |level: i64| -> Result<[i64; 2]> {
        let index = levels - 1 - level;
        let name = format!("image_encoder.neck.convs.{index}.conv.weight");
        let [output, input, _, _] = shapes.get(&name)?;
        Ok([output, input])
    };
    let all = (0..levels).map(convolution).collect::<Result<Vec<_>>>()?;
    Ok(NeckSizes {
        inputs: all.iter().map(|[_, input]| *input).collect(),
        channels: all.first().map_or(0, |[output, _]| *output),
        top_down: told.fpn_top_down_levels.clone().unwrap_or(vec![2, 3]),
    })
}

/// The config file is what can be changed, where there is one.
fn misfit(source: &Source, why: &str) -> Error {
    match source.config.text() {
        Some(_) => source.misfit(why),
        None => Shapes::of(&source.checkpoint, NAME).foreign(why),
    }
}
