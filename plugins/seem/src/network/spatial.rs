//! What pixels of an image that hints point at mean to the decoder.
//!
//! `modeling/interface/seem_v1.py` and `modeling/utils/interactive.py`: of all pixels of all prompts
//! some are drawn at random, for the mean of what lies there and for each level; and each prompt gets
//! copies of learned queries, drawn at random, too.

use std::sync::{Mutex, PoisonError};

use som_torch::{Scope, TorchResult, nn::Weight};
use tch::{Device, Kind, Tensor};

use super::{
    Company, Level,
    config::{Config, DecoderSizes},
};

/// Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Spatial {
    /// To the tokens of each level, `[channels, channels]`.
    embeds: Vec<Weight>,
    /// What being wanted, and being unwanted, adds to a token: `[2, channels]`.
    indicator: Weight,
    /// How many queries a prompt gets.
    pub copies: usize,
}

/// The pixels of prompts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pixels {
    /// Prompt, row and column in the network's input, in this order.
    pub pixels: Vec<[u32; 3]>,
    /// How many prompts there are, each with pixels.
    pub prompts: usize,
    /// Of the network's input, whose pixels these are.
    pub height: u32,
    pub width: u32,
}

/// What is drawn at random.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draws {
    /// The pixels for the mean, rising.
    pub mean: Vec<i64>,
    /// The pixels for each level, rising.
    pub levels: Vec<Vec<i64>>,
    /// The learned query of each copy, prompt by prompt.
    pub queries: Vec<i64>,
}

/// libtorch has one source of random numbers for all threads.
static RANDOM: Mutex<()> = Mutex::new(());

impl Draws {
    /// Draws as the official project would with this seed on the CPU. Each prompt has the same share
    /// of the pixels that are drawn, and a pixel is drawn once at most.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn new(
        pixels: &Pixels,
        sizes: &DecoderSizes,
        copies: usize,
        seed: i64,
    ) -> TorchResult<Self> {
        let chances = Tensor::f_from_slice(&pixels.chances())?;
        let draw = |most: i64| {
            let count = most.min(pixels.pixels.len() as i64);
            let (drawn, _) = chances.f_multinomial(count, false)?.f_sort(-1, false)?;
            Vec::<i64>::try_from(drawn)
        };
        let _mine = RANDOM.lock().unwrap_or_else(PoisonError::into_inner);
        tch::manual_seed(seed);
        let [levels @ .., of_mean] = sizes.most_points;
        let mean = draw(of_mean)?;
        let levels = levels.into_iter().map(draw).collect::<TorchResult<_>>()?;
        let count = (copies * pixels.prompts) as i64;
        let queries = Tensor::f_randint(sizes.queries, [count], (Kind::Int64, Device::Cpu))?;
        Ok(Self {
            mean,
            levels,
            queries: Vec::try_from(queries)?,
        })
    }
}

impl Pixels {
    /// How likely each is to be drawn.
    fn chances(&self) -> Vec<f32> {
        let mut counts = vec![0_u64; self.prompts];
        for &[prompt, ..] in &self.pixels {
            counts[prompt as usize] += 1;
        }
        let chance =
            |&[prompt, ..]: &[u32; 3]| 1.0 / (self.prompts as u64 * counts[prompt as usize]) as f32;
        self.pixels.iter().map(chance).collect()
    }

    /// What `map` `[height, width, channels]` has at the drawn pixels, `[drawn, channels]`.
    fn sample(&self, map: &Tensor, drawn: &[i64]) -> TorchResult<Tensor> {
        let place = |at: u32, whole: u32| 2.0 * (at as f32 / whole as f32) - 1.0;
        let places = drawn.iter().flat_map(|&index| {
            let [_, y, x] = self.pixels[index as usize];
            [place(x, self.width), place(y, self.height)]
        });
        let places: Vec<f32> = places.collect();
        let places = Tensor::f_from_slice(&places)?.f_view([1, drawn.len() as i64, 1, 2])?;
        let map = map.f_permute([2, 0, 1])?.f_unsqueeze(0)?;
        // Bilinear, with zeros beyond; the outermost cells lie on the borders, as there.
        let found = map.f_grid_sampler(&places.f_to_device(map.device())?, 0, 0, true)?;
        found.f_squeeze_dim(3)?.f_squeeze_dim(0)?.f_tr()
    }

    /// The prompt of each drawn pixel.
    fn prompts_of(&self, drawn: &[i64]) -> Vec<usize> {
        let prompt = |&index: &i64| self.pixels[index as usize][0] as usize;
        drawn.iter().map(prompt).collect()
    }
}

impl Spatial {
    /// What of the decoder at `scope` concerns prompts.
    pub(crate) fn load(scope: &Scope<'_>, config: &Config) -> Self {
        let sizes = &config.decoder;
        let channels = sizes.channels;
        // What earlier masks of the same prompts leave behind, which nothing here reads.
        for memory in ["spatial_embed.weight", "spatial_featured.weight"] {
            scope.leave(memory);
        }
        // As the official project spells it.
        let embed = |level: i64| {
            let shape = [channels, channels];
            scope.weight(&format!("mask_sptial_embed.{level}"), &shape)
        };
        Self {
            embeds: (0..sizes.levels).map(embed).collect(),
            indicator: scope.weight("pn_indicator.weight", &[2, channels]),
            copies: config.settings.copies,
        }
    }

    /// The mean of `mask_features` `[height, width, channels]` at the pixels of each prompt:
    /// `[prompts, channels]`.
    pub(crate) fn means(
        &self,
        mask_features: &Tensor,
        pixels: &Pixels,
        draws: &Draws,
    ) -> TorchResult<Tensor> {
        let found = pixels.sample(mask_features, &draws.mean)?;
        let prompts = pixels.prompts_of(&draws.mean);
        let mut counts = vec![0_u32; pixels.prompts];
        prompts.iter().for_each(|&prompt| counts[prompt] += 1);
        let mut shares = vec![0.0_f32; pixels.prompts * prompts.len()];
        for (index, &prompt) in prompts.iter().enumerate() {
            shares[prompt * prompts.len() + index] = 1.0 / counts[prompt] as f32;
        }
        let shape = [pixels.prompts as i64, prompts.len() as i64];
        let shares = Tensor::f_from_slice(&shares)?.f_view(shape)?;
        let means = shares.f_to_device(found.device())?.f_mm(&found)?;
        // Where nothing was drawn, the official project has this.
        let none: Vec<bool> = counts.iter().map(|&count| count == 0).collect();
        let none = Tensor::f_from_slice(&none)?.f_unsqueeze(1)?;
        means.f_masked_fill(&none.f_to_device(means.device())?, -1.0)
    }

    /// The tokens of what was drawn on a level, `[drawn, channels]`.
    pub(crate) fn tokens(
        &self,
        index: usize,
        level: &Level,
        pixels: &Pixels,
        draws: &Draws,
    ) -> TorchResult<Tensor> {
        let map = level.values.f_view([level.height, level.width, -1])?;
        let found = pixels.sample(&map, &draws.levels[index])?;
        let wanted = self.indicator.f_select(0, 0)?;
        found.f_mm(&self.embeds[index])?.f_add(&wanted)
    }

    /// Which queries and points each copy sees: those of its own prompt.
    pub(crate) fn visible(
        &self,
        index: usize,
        pixels: &Pixels,
        draws: &Draws,
    ) -> TorchResult<Tensor> {
        let points = pixels.prompts_of(&draws.levels[index]);
        let queries = (0..pixels.prompts).flat_map(|prompt| vec![prompt; self.copies]);
        let queries: Vec<usize> = queries.collect();
        let row = |query: &usize| {
            let others = queries.iter().chain(&points);
            others.map(|other| other == query).collect::<Vec<bool>>()
        };
        let rows: Vec<bool> = queries.iter().flat_map(row).collect();
        let shape = [queries.len() as i64, (queries.len() + points.len()) as i64];
        Tensor::f_from_slice(&rows)?.f_view(shape)
    }

    /// Whom the copies of all prompts confer with.
    pub(crate) fn company(
        &self,
        levels: &[Level],
        pixels: &Pixels,
        draws: &Draws,
    ) -> TorchResult<Company> {
        let (mut tokens, mut visible) = (Vec::new(), Vec::new());
        for (index, level) in levels.iter().enumerate() {
            let device = level.values.device();
            tokens.push(self.tokens(index, level, pixels, draws)?);
            visible.push(self.visible(index, pixels, draws)?.f_to_device(device)?);
        }
        Ok(Company::Points { tokens, visible })
    }

    /// Of the copies of each prompt the one whose mask is most like what lies at its pixels, by mask
    /// embeddings `[copies of all prompts, channels]` and `means`: `[prompts, channels]`.
    pub(crate) fn select(&self, masks: &Tensor, means: &Tensor) -> TorchResult<Tensor> {
        let (prompts, channels) = means.size2()?;
        let masks = masks.f_view([prompts, self.copies as i64, channels])?;
        let likeness = masks.f_mul(&means.f_unsqueeze(1)?)?;
        let likeness = likeness.f_sum_dim_intlist([-1_i64].as_slice(), false, Kind::Float)?;
        let best = likeness.f_argmax(1, true)?.f_unsqueeze(-1)?;
        let best = best.f_expand([prompts, 1, channels], false)?;
        masks.f_gather(1, &best, false)?.f_squeeze_dim(1)
    }
}
