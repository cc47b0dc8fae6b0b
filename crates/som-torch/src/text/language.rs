//! Class names as embeddings.
//!
//! `openseed/language/vlpencoder.py` of OpenSeeD, which SEEM shares: `get_text_embeddings`,
//! `forward_language` and `compute_similarity`.

use som_core::{Call, Error, Result};
use tch::{Kind, Tensor};

use super::{ClipTokenizer, Prompt, PromptTree, TextTransformer, templates};
use crate::{Scope, TorchResult, nn::Weight, torch_error};

/// Tokens that CLIP's tokenizer knows.
const VOCABULARY: i64 = 49408;

/// Added to the length of what is divided by it.
const EPSILON: f64 = 1e-7;

/// Prompts that are read at once. More have more in common, but need more memory.
const AT_ONCE: usize = 1024;

/// How class names are put to the text encoder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wording {
    /// In each of the 81 [`templates`], whose embeddings are averaged: as the official projects
    /// evaluate.
    Average,
    /// Each class in one template of its own, where `{}` stands for its name: as the official
    /// demo of OpenSeeD does, which draws one of the 81 at random. Commas are left out of names, and
    /// a plus becomes a space.
    One(Vec<String>),
}

/// What a vocabulary means to a network.
#[derive(Debug)]
pub struct ClassEmbeddings {
    /// `[classes, channels]`, each of length 1.
    pub embeddings: Tensor,
    /// For each class the prompts whose ends the encoder did not see, since its context is too
    /// short for them.
    pub cut: Vec<usize>,
}

impl Clone for ClassEmbeddings {
    fn clone(&self) -> Self {
        Self {
            embeddings: self.embeddings.shallow_clone(),
            cut: self.cut.clone(),
        }
    }
}

/// A text encoder, and the way from what it reads to what the network compares with. Clones share
/// the weights.
#[derive(Clone, Debug)]
pub struct LanguageEncoder {
    /// What reads.
    pub transformer: TextTransformer,
    /// `[width, channels]`
    project: Weight,
    /// The logarithm of what similarities are multiplied with.
    logit_scale: Weight,
    tokenizer: ClipTokenizer,
}

impl LanguageEncoder {
    /// `lang_encoder`, `lang_proj` and `logit_scale` of `scope`. The number of heads is what no
    /// shape tells.
    ///
    /// # Errors
    /// Internal, if the bundled vocabulary is damaged.
    pub fn load(scope: &Scope<'_>, channels: i64, heads: i64) -> Result<Self> {
        let encoder = scope.at("lang_encoder");
        let width = match encoder.shape("positional_embedding") {
            Some(&[_, width]) => width,
            _ => 0,
        };
        Ok(Self {
            transformer: TextTransformer::load(&encoder, VOCABULARY, heads),
            project: scope.weight("lang_proj", &[width, channels]),
            logit_scale: scope.weight("logit_scale", &[]),
            tokenizer: ClipTokenizer::shared()?,
        })
    }

    /// What similarities to the classes are multiplied with.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn scale(&self) -> TorchResult<f64> {
        self.logit_scale.f_exp()?.f_double_value(&[])
    }

    /// The embeddings of `names`.
    ///
    /// # Errors
    /// Invalid, if the names and their templates are not equally many, a template has no `{}`, or
    /// a name alone is longer than the context; Cancelled; Exhausted, if memory runs out.
    pub fn embed_classes(
        &self,
        names: &[String],
        wording: &Wording,
        call: &Call<'_>,
    ) -> Result<ClassEmbeddings> {
        let prompts = self.prompts(names, wording)?;
        let each = prompts.first().map_or(1, Vec::len);
        let cut = prompts
            .iter()
            .map(|prompts| prompts.iter().filter(|prompt| prompt.cut > 0).count())
            .collect();
        let mut embeddings = Vec::new();
        for prompts in prompts.chunks((AT_ONCE / each.max(1)).max(1)) {
            let embedded = self.embed_prompts(&prompts.concat(), call)?;
            let averaged = match wording {
                Wording::One(_) => Ok(embedded),
                Wording::Average => average(&embedded, each as i64),
            };
            embeddings.push(averaged.map_err(torch_error)?);
        }
        Ok(ClassEmbeddings {
            embeddings: Tensor::f_cat(&embeddings, 0).map_err(torch_error)?,
            cut,
        })
    }

    /// The prompts of each class.
    ///
    /// # Errors
    /// As [`embed_classes`](Self::embed_classes).
    pub fn prompts(&self, names: &[String], wording: &Wording) -> Result<Vec<Vec<Prompt>>> {
        let context = self.transformer.context();
        let prompt = |template: &str, name: &str| {
            self.tokenizer
                .prompt(&template.replace("{}", name), context)
        };
        let room = context.saturating_sub(2);
        for name in names {
            let length = self.tokenizer.encode(&bare(name))?.len();
            if length > room {
                return Err(Error::invalid(format!(
                    "class name {name:?} has {length} tokens, more than the {room} that the text encoder reads: shorten it"
                )));
            }
        }
        match wording {
            Wording::Average => {
                let of_name = |name: &String| {
                    let name = bare(name);
                    templates()
                        .map(|template| prompt(template, &name))
                        .collect()
                };
                names.iter().map(of_name).collect()
            }
            Wording::One(templates) if templates.len() != names.len() => {
                Err(Error::invalid(format!(
                    "{} templates were given for {} classes: each needs its own",
                    templates.len(),
                    names.len()
                )))
            }
            Wording::One(templates) => {
                let of_name = |(name, template): (&String, &String)| {
                    if !template.contains("{}") {
                        return Err(Error::invalid(format!(
                            "template {template:?} has no {{}}, where the class name stands"
                        )));
                    }
                    let name = bare(name).replace(',', "").replace('+', " ");
                    Ok(vec![prompt(template, &name)?])
                };
                names.iter().zip(templates).map(of_name).collect()
            }
        }
    }

    /// `[prompts, channels]`, each of length 1.
    ///
    /// # Errors
    /// Cancelled; Exhausted, if memory runs out.
    pub fn embed_prompts(&self, prompts: &[Prompt], call: &Call<'_>) -> Result<Tensor> {
        let (x, tree) = self.read(prompts, call)?;
        let project = || {
            let embedded = self.project(&x, &tree.ends()?)?;
            let length = length(&embedded)?.f_add_scalar(EPSILON)?;
            embedded.f_div(&length)
        };
        project().map_err(torch_error)
    }

    /// What becomes of every token of these prompts, one prompt after the other: `[tokens, channels]`
    /// of any length. The last of each prompt stands for the whole.
    ///
    /// # Errors
    /// Cancelled; Exhausted, if memory runs out.
    pub fn embed_tokens(&self, prompts: &[Prompt], call: &Call<'_>) -> Result<Tensor> {
        let (x, tree) = self.read(prompts, call)?;
        let tokens: Vec<i64> = tree.paths().concat();
        let project = || {
            let tokens = Tensor::f_from_slice(&tokens)?.f_to_device(x.device())?;
            self.project(&x, &tokens)
        };
        project().map_err(torch_error)
    }

    /// `text` as the encoder reads it: what its context has no room for is cut off.
    ///
    /// # Errors
    /// Internal, if the tokenizer fails.
    pub fn prompt(&self, text: &str) -> Result<Prompt> {
        self.tokenizer.prompt(text, self.transformer.context())
    }

    /// What the last block gives for the beginnings of prompts, and their tree.
    fn read(&self, prompts: &[Prompt], call: &Call<'_>) -> Result<(Tensor, PromptTree)> {
        let device = self.project.device();
        let tree = PromptTree::new(prompts, device).map_err(torch_error)?;
        let mut x = self.transformer.embed(&tree).map_err(torch_error)?;
        for block in &self.transformer.blocks {
            call.check()?;
            x = block.forward(&x, &tree).map_err(torch_error)?;
        }
        Ok((x, tree))
    }

    /// Some nodes of what was read, as the network compares with them.
    fn project(&self, x: &Tensor, nodes: &Tensor) -> TorchResult<Tensor> {
        let x = x.f_index_select(0, nodes)?;
        self.transformer.finish(&x)?.f_mm(&self.project)
    }
}

/// The mean of every `each` rows, of length 1.
fn average(embedded: &Tensor, each: i64) -> TorchResult<Tensor> {
    let mean = embedded
        .f_unflatten(0, [-1, each])?
        .f_mean_dim(1, false, Kind::Float)?;
    mean.f_div(&length(&mean)?)
}

fn length(x: &Tensor) -> TorchResult<Tensor> {
    x.f_norm_scalaropt_dim(2, [-1], true)
}

/// A name without what data sets add to keep classes apart.
fn bare(name: &str) -> String {
    let name = name.replace("-other", "").replace("-merged", "");
    name.replace("-stuff", "")
}
