//! A text as the network reads it: several phrases at once, none of which sees another.
//!
//! Liu et al., *Grounding DINO*, 2023 (arXiv 2303.05499), section 3.4; official file
//! `groundingdino/models/GroundingDINO/bertwarper.py`,
//! `generate_masks_with_special_tokens_and_transfer_map`.

use std::ops::Range;

use som_core::{Call, Result};
use som_torch::{
    Loader, Source, TorchResult,
    nn::{Linear, sine_code_of},
    stages::stage,
    text::{Bert, BertSizes, WordPieceTokenizer, WordPieces},
    torch_error,
};
use tch::{Device, Kind, Tensor};

/// Where phrases end. `[CLS]` and `[SEP]`, too, end one.
const DELIMITERS: [&str; 4] = ["[CLS]", "[SEP]", ".", "?"];

/// Tokens of a vocabulary as a network reads them. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct TextEncoder {
    bert: Bert,
    /// To the channels of the rest of the network.
    project: Linear,
    pub tokenizer: WordPieceTokenizer,
    delimiters: Vec<u32>,
    channels: i64,
    device: Device,
    /// How many tokens a text may have.
    pub most: usize,
}

/// The tokens of a text, in phrases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// From `[CLS]` to `[SEP]`.
    pub ids: Vec<u32>,
    /// The bytes of the text that each stands for.
    pub places: Vec<Range<usize>>,
    /// Where each stands in its phrase.
    positions: Vec<i64>,
    /// Which tokens each sees.
    seen: Vec<Range<usize>>,
}

/// What a text is to the rest of the network.
#[derive(Debug)]
pub(crate) struct ReadText {
    /// `[tokens, channels]`
    pub tokens: Tensor,
    /// Where each token stands in its phrase, `[tokens, channels]`.
    pub places: Tensor,
    /// Added to the logits of attention among tokens, `[tokens, tokens]`.
    pub mask: Tensor,
    /// What BERT gives, `[tokens, width]`.
    #[cfg(test)]
    pub bert: Tensor,
}

impl TextEncoder {
    /// `bert` and `feat_map` of `loader`, with the vocabulary beside the checkpoint of `source`, or else
    /// that of `bert-base-uncased`.
    ///
    /// # Errors
    /// Unavailable, if the vocabulary cannot be read; Invalid, if it does not fit the network.
    pub(crate) fn load(
        loader: &Loader<'_>,
        source: &Source,
        sizes: &BertSizes,
        channels: i64,
        most: i64,
    ) -> Result<Self> {
        let root = loader.root(Kind::Float);
        let bert = Bert::load(&root.at("bert"), sizes);
        let project = Linear::load(&root.at("feat_map"), sizes.width, channels);
        let tokenizer = WordPieceTokenizer::beside(source, sizes.vocabulary)?;
        let delimiters = DELIMITERS.into_iter().filter_map(|it| tokenizer.id(it));
        Ok(Self {
            bert,
            project,
            delimiters: delimiters.collect(),
            tokenizer,
            channels,
            device: root.device(),
            most: usize::try_from(most).unwrap_or_default(),
        })
    }

    /// The tokens of `text`.
    ///
    /// # Errors
    /// Invalid, if there are too many, none but delimiters, or none that the vocabulary has.
    pub(crate) fn tokens(&self, text: &str) -> Result<Tokens> {
        let pieces = self.tokenizer.read(text, self.most, &self.delimiters)?;
        Ok(Tokens::new(pieces, &self.delimiters))
    }

    /// What a text is to the rest of the network.
    ///
    /// # Errors
    /// Cancelled, between layers; what libtorch reports.
    pub(crate) fn read(&self, text: &Tokens, call: &Call<'_>) -> Result<ReadText> {
        stage("text encoder", || {
            let mask = text.mask(self.device).map_err(torch_error)?;
            let bert = self.bert.forward(&text.ids, &text.positions, &mask, call)?;
            let read = || {
                TorchResult::Ok(ReadText {
                    tokens: self.project.forward(&bert)?,
                    places: sine_code_of(&text.positions, self.channels, self.device)?,
                    mask,
                    #[cfg(test)]
                    bert,
                })
            };
            read().map_err(torch_error)
        })
    }
}

impl Tokens {
    /// Tokens in phrases that end with `delimiters`.
    pub(crate) fn new(pieces: WordPieces, delimiters: &[u32]) -> Self {
        let WordPieces { ids, places } = pieces;
        let (positions, seen) = phrases(&ids, delimiters);
        Self {
            ids,
            places,
            positions,
            seen,
        }
    }

    /// 0 where a token (row) sees another, minus infinity elsewhere: `[tokens, tokens]`.
    fn mask(&self, device: Device) -> TorchResult<Tensor> {
        let count = self.ids.len();
        let row = |seen: &Range<usize>| {
            let seen = seen.clone();
            (0..count).map(move |token| match seen.contains(&token) {
                true => 0.0,
                false => f32::NEG_INFINITY,
            })
        };
        let mask: Vec<f32> = self.seen.iter().flat_map(row).collect();
        Tensor::f_from_slice(&mask)?
            .f_view([count as i64, -1])?
            .f_to_device(device)
    }
}

/// Where each token stands in its phrase, and the tokens of that. A phrase ends with its delimiter; what
/// has none behind it but the last token is no phrase, and sees nothing but itself.
fn phrases(ids: &[u32], delimiters: &[u32]) -> (Vec<i64>, Vec<Range<usize>>) {
    let mut positions = vec![0; ids.len()];
    let mut seen: Vec<Range<usize>> = (0..ids.len()).map(|token| token..token + 1).collect();
    let mut before = 0;
    for (end, id) in ids.iter().enumerate() {
        if !delimiters.contains(id) {
            continue;
        }
        if end > 0 && end + 1 < ids.len() {
            let phrase = before + 1..end + 1;
            for (position, token) in (0..).zip(phrase.clone()) {
                positions[token] = position;
                seen[token] = phrase.clone();
            }
        }
        before = end;
    }
    (positions, seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_see_their_phrase_and_its_end() {
        // [CLS] a cup . spoon ? . [SEP], and the same with a phrase that does not end.
        let delimiters = [101, 102, 1012, 1029];
        let (positions, seen) = phrases(&[101, 7, 8, 1012, 9, 1029, 1012, 102], &delimiters);
        assert_eq!(positions, [0, 0, 1, 2, 0, 1, 0, 0]);
        assert_eq!(seen, [0..1, 1..4, 1..4, 1..4, 4..6, 4..6, 6..7, 7..8]);
        let (positions, seen) = phrases(&[101, 7, 8, 102], &delimiters);
        assert_eq!(positions, [0; 4]);
        assert_eq!(seen, [0..1, 1..2, 2..3, 3..4]);
    }
}
