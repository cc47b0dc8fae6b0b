//! An expression as the network reads it: within a question, by BERT.
//!
//! Official files `data/refcoco_dataset.py`, `__getitem__`, and `models/polyformer/unify_transformer.py`,
//! `forward_embedding`.

use som_core::{Call, Error, Result};
use som_torch::{
    Loader, Source,
    stages::stage,
    text::{Bert, WordPieceTokenizer},
    torch_error,
};
use tch::{Device, Kind, Tensor};

use super::config::Config;
use crate::asked::Expression;

/// What stands before an expression and behind it.
const BEFORE: &str = " which region does the text \" ";
const BEHIND: &str = " \" describe?";

/// Reads prompts. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct TextEncoder {
    bert: Bert,
    tokenizer: WordPieceTokenizer,
    device: Device,
    /// How many words an expression may have, and how many tokens a prompt.
    words: usize,
    tokens: usize,
}

/// The tokens of a prompt, from `[CLS]` to `[SEP]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub ids: Vec<u32>,
}

impl TextEncoder {
    /// `encoder.bert` of `loader`, with the vocabulary beside the checkpoint of `source`, or else that of
    /// `bert-base-uncased`.
    ///
    /// # Errors
    /// Unavailable, if the vocabulary cannot be read; Invalid, if it does not fit the network.
    pub(crate) fn load(loader: &Loader<'_>, source: &Source, config: &Config) -> Result<Self> {
        let scope = loader.root(Kind::Float).at("encoder.bert");
        Ok(Self {
            bert: Bert::load(&scope, &config.text),
            tokenizer: WordPieceTokenizer::beside(source, config.text.vocabulary)?,
            device: scope.device(),
            words: config.settings.words,
            tokens: usize::try_from(config.prompt()).unwrap_or_default(),
        })
    }

    /// The prompt about an expression. (The official project cuts off what is too long.)
    ///
    /// # Errors
    /// Invalid, if the expression is too long, or the vocabulary has none of its words.
    pub(crate) fn prompt(&self, expression: &Expression) -> Result<Prompt> {
        let Expression { given, words } = expression;
        let too_long = |count: usize, what: &str, most: usize| {
            Error::invalid(format!(
                "hints: the text that begins with {:?} has {count} {what}, more than the {most} that the network reads (shorten it)",
                given.chars().take(40).collect::<String>()
            ))
        };
        let count = words.split(' ').count();
        if count > self.words {
            return Err(too_long(count, "words", self.words));
        }
        let pieces = self.tokenizer.encode(&format!("{BEFORE}{words}{BEHIND}"))?;
        if pieces.ids.len() > self.tokens {
            let around = self.tokenizer.encode(&format!("{BEFORE}{BEHIND}"))?.ids;
            let (count, around) = (pieces.ids.len(), around.len());
            let most = self.tokens.saturating_sub(around);
            return Err(too_long(count - around.min(count), "tokens", most));
        }
        let inside = BEFORE.len()..BEFORE.len() + words.len();
        let tokens = pieces.ids.iter().zip(&pieces.places);
        let mut tokens = tokens.filter(|(_, place)| inside.contains(&place.start));
        if tokens.all(|(&id, _)| id == self.tokenizer.unknown()) {
            return Err(Error::invalid(format!(
                "hints: the network's vocabulary has no token for {given:?} (it knows English words)"
            )));
        }
        Ok(Prompt { ids: pieces.ids })
    }

    /// What BERT makes of a prompt, `[tokens, channels]`.
    ///
    /// # Errors
    /// Cancelled, between layers; what libtorch reports.
    pub(crate) fn read(&self, prompt: &Prompt, call: &Call<'_>) -> Result<Tensor> {
        let count = prompt.ids.len() as i64;
        let positions: Vec<i64> = (0..count).collect();
        stage("text encoder", || {
            let options = (Kind::Float, self.device);
            // All tokens see each other.
            let mask = Tensor::f_zeros([count, count], options).map_err(torch_error)?;
            self.bert.forward(&prompt.ids, &positions, &mask, call)
        })
    }
}
