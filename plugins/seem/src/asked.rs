//! What hints ask for: one region for each place, and one for each text.
//!
//! `modeling/architectures/seem_model_v1.py`: the first round of `evaluate_interactive`, and
//! `evaluate_grounding`. As SoM takes them, masks are those of the resized image; they are brought
//! back to the size of the image like Semantic-SAM's ([`Mask::resized`](som_core::Mask::resized)).

use serde_json::json;
use som_core::{Call, Mask, Region, Result, Size};
use som_plugin::{guest::Level, log};
use som_torch::{
    Learned as _, TorchResult, numbers,
    segments::{self, MaskMaps},
    stages::stage,
    text::Prompt,
    torch_error,
};
use tch::Tensor;

use crate::{
    hints::{Asked, pixels},
    maps,
    network::{Company, Draws, EncodedImage, Network, Pixels, unit},
    segmenter::Seem,
};

/// Similarities are not multiplied with more.
const MOST_SCALE: f64 = 100.0;

/// What words are found to be.
#[derive(Debug)]
pub(crate) struct Referred {
    /// For each text the query that is most like it.
    #[cfg(test)]
    pub queries: Vec<i64>,
    /// How alike they are, in -1..=1.
    pub likeness: Vec<f32>,
    /// What that is multiplied with where the official project compares.
    pub scale: f64,
    /// The mask embeddings of these queries, `[texts, channels]`.
    pub masks: Tensor,
    /// How alike all queries are to each text, `[queries, texts]`.
    #[cfg(test)]
    pub similarity: Tensor,
}

impl Seem {
    /// The regions that are asked for; the places' first, each with the number of its hint in its
    /// extras, as `prompt`.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn asked(
        &self,
        image: &EncodedImage,
        asked: &Asked,
        seed: i64,
        call: &Call<'_>,
    ) -> Result<Vec<Region>> {
        let mut regions = Vec::new();
        if !asked.places.is_empty() {
            let pixels = pixels(&asked.places, &image.frame, call)?;
            let masks = self.at(image, &pixels, seed, call)?;
            let masks = self.cut_out(image, &masks, call)?;
            for (mask, &number) in masks.into_iter().zip(&asked.numbers) {
                let mut region = Region::new(mask);
                region.extra.insert("prompt".to_owned(), json!(number));
                regions.push(region);
            }
        }
        if !asked.texts.is_empty() {
            regions.extend(self.called(image, &asked.texts, call)?);
        }
        Ok(regions)
    }

    /// The mask embeddings of what lies at the pixels of each prompt, `[prompts, channels]`.
    ///
    /// # Errors
    /// As [`asked`](Self::asked).
    pub(crate) fn at(
        &self,
        image: &EncodedImage,
        pixels: &Pixels,
        seed: i64,
        call: &Call<'_>,
    ) -> Result<Tensor> {
        let Network {
            config,
            spatial,
            compute,
            ..
        } = &self.network;
        let mut sizes = config.decoder;
        let draws = Draws::new(pixels, &sizes, spatial.copies, seed).map_err(torch_error)?;
        // What was there for the image is there for as many queries as are learned.
        sizes.queries = draws.queries.len() as i64;
        let Size { width, height } = image.frame.padded;
        let numbers = sizes.activations(height.into(), width.into());
        let bytes = size_of::<f32>() as u64 * numbers;
        compute.require(bytes, "the queries for so many places")?;
        self.at_drawn(image, pixels, &draws, call)
    }

    /// The same with what was drawn at random.
    ///
    /// # Errors
    /// As [`asked`](Self::asked).
    pub(crate) fn at_drawn(
        &self,
        image: &EncodedImage,
        pixels: &Pixels,
        draws: &Draws,
        call: &Call<'_>,
    ) -> Result<Tensor> {
        let (decoder, spatial) = (&self.network.decoder, &self.network.spatial);
        let decode = || -> Result<Tensor> {
            let queries = decoder.copies(&draws.queries).map_err(torch_error)?;
            let company = spatial.company(&image.levels, pixels, draws);
            let company = company.map_err(torch_error)?;
            let found = decoder.forward(queries, &image.levels, company, call)?;
            let select = || {
                let means = spatial.means(&image.mask_features, pixels, draws)?;
                spatial.select(&decoder.masks(&found)?, &means)
            };
            select().map_err(torch_error)
        };
        stage("decoder", decode)
    }

    /// What texts call for, one region each: as in the official project, they are read together.
    fn called(
        &self,
        image: &EncodedImage,
        texts: &[String],
        call: &Call<'_>,
    ) -> Result<Vec<Region>> {
        let prompts = texts.iter().map(|text| self.network.language.prompt(text));
        let prompts = prompts.collect::<Result<Vec<Prompt>>>()?;
        for (text, Prompt { cut, .. }) in texts.iter().zip(&prompts).filter(|(_, it)| it.cut > 0) {
            let start: String = text.chars().take(40).collect();
            log!(
                Level::Warn,
                "{}: the text hint \"{start}…\" is long: the text encoder sees it without its last {cut} tokens",
                Self::ID
            );
        }
        let referred = self.refer(image, &prompts, call)?;
        let masks = self.cut_out(image, &referred.masks, call)?;
        let found = masks.into_iter().zip(&referred.likeness);
        let of_text = |((mask, &likeness), (text, prompt)): ((Mask, &f32), (&String, &Prompt))| {
            let mut region = Region::new(mask);
            region.label = Some(text.clone());
            region.score = Some(likeness.clamp(0.0, 1.0));
            let mut extra = |key: &str, value| region.extra.insert(key.to_owned(), value);
            extra("match_logit", json!(f64::from(likeness) * referred.scale));
            if prompt.cut > 0 {
                extra("cut_tokens", json!(prompt.cut));
            }
            region
        };
        Ok(found.zip(texts.iter().zip(&prompts)).map(of_text).collect())
    }

    /// What texts, which are read together, refer to.
    ///
    /// # Errors
    /// As [`asked`](Self::asked).
    pub(crate) fn refer(
        &self,
        image: &EncodedImage,
        texts: &[Prompt],
        call: &Call<'_>,
    ) -> Result<Referred> {
        let language = &self.network.language;
        let words = stage("text encoder", || language.embed_tokens(texts, call))?;
        stage("decoder", || self.refer_by(image, texts, &words, call))
    }

    /// The same, with what became of every token of the texts: `[tokens, channels]`.
    fn refer_by(
        &self,
        image: &EncodedImage,
        texts: &[Prompt],
        words: &Tensor,
        call: &Call<'_>,
    ) -> Result<Referred> {
        let decoder = &self.network.decoder;
        let company = Company::Words {
            content: words.shallow_clone(),
            place: words.shallow_clone(),
        };
        let found = decoder.forward(decoder.queries(), &image.levels, company, call)?;
        numbers::require(&found, "decoder")?;
        let refer = || -> TorchResult<Referred> {
            let ends = texts.iter().scan(0, |end, text| {
                *end += text.ids.len() as i64;
                Some(*end - 1)
            });
            let ends = Tensor::f_from_slice(&ends.collect::<Vec<i64>>())?;
            let texts = words.f_index_select(0, &ends.f_to_device(words.device())?)?;
            let queries = unit(&decoder.texts(&found)?)?;
            let similarity = queries.f_mm(&unit(&texts)?.f_tr()?)?;
            let (likeness, best) = similarity.f_max_dim(0, false)?;
            Ok(Referred {
                masks: decoder.masks(&found.f_index_select(0, &best)?)?,
                #[cfg(test)]
                queries: Vec::try_from(best.f_to_device(tch::Device::Cpu)?)?,
                likeness: maps::numbers(&likeness)?,
                scale: self.network.language.scale()?.min(MOST_SCALE),
                #[cfg(test)]
                similarity,
            })
        };
        refer().map_err(torch_error)
    }

    /// The masks of embeddings `[masks, channels]`, at the size of the image.
    fn cut_out(&self, image: &EncodedImage, masks: &Tensor, call: &Call<'_>) -> Result<Vec<Mask>> {
        numbers::require(masks, "decoder")?;
        let logits = maps::logits(image, masks).map_err(torch_error)?;
        let resampling = maps::of_input(image);
        let found = segments::instances(&MaskMaps::new(&logits, &resampling), call)?;
        let size = image.frame.size;
        Ok(found
            .into_iter()
            .map(|inside| inside.mask.resized(size))
            .collect())
    }
}
