//! A text as the network reads it: as a whole, each token seeing all others.
//!
//! Official file `maskrcnn_benchmark/modeling/language_backbone/bert_model.py`. There, texts are filled
//! up to 256 tokens, at which no other looks; here they are as long as they are.

use std::ops::Range;

use som_core::{Call, Result};
use som_torch::{
    Loader, Source,
    stages::stage,
    text::{Bert, BertSizes, WordPieceTokenizer, WordPieces},
    torch_error,
};
use tch::{Device, Kind, Tensor};

/// Tokens that say nothing.
const MARKS: [&str; 4] = ["[CLS]", "[SEP]", ".", "?"];

/// Texts to tokens that the tower goes on with. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct TextEncoder {
    bert: Bert,
    tokenizer: WordPieceTokenizer,
    marks: Vec<u32>,
    device: Device,
    /// How many tokens a text may have.
    most: usize,
}

/// What a text is to the tower.
#[derive(Debug)]
pub(crate) struct ReadText {
    /// `[tokens, width]`
    pub tokens: Tensor,
    /// Added to the logits of attention among tokens: nothing, `[tokens, tokens]`.
    pub mask: Tensor,
}

impl TextEncoder {
    /// `language_backbone.body.model` of `loader`, with the vocabulary beside the checkpoint of `source`,
    /// or else that of `bert-base-uncased`.
    ///
    /// # Errors
    /// Unavailable, if the vocabulary cannot be read; Invalid, if it does not fit the network.
    pub(crate) fn load(
        loader: &Loader<'_>,
        source: &Source,
        sizes: &BertSizes,
        most: i64,
    ) -> Result<Self> {
        let root = loader.root(Kind::Float);
        let bert = Bert::load(&root.at("language_backbone.body.model"), sizes);
        let tokenizer = WordPieceTokenizer::beside(source, sizes.vocabulary)?;
        let marks = MARKS.into_iter().filter_map(|it| tokenizer.id(it));
        Ok(Self {
            bert,
            marks: marks.collect(),
            tokenizer,
            device: root.device(),
            most: usize::try_from(most).unwrap_or_default(),
        })
    }

    /// The tokens of `text`.
    ///
    /// # Errors
    /// Invalid, if there are too many, none but marks, or none that the vocabulary has.
    pub(crate) fn tokens(&self, text: &str) -> Result<WordPieces> {
        self.tokenizer.read(text, self.most, &self.marks)
    }

    /// What a text is to the tower.
    ///
    /// # Errors
    /// Cancelled, between layers; what libtorch reports.
    pub(crate) fn read(&self, text: &WordPieces, call: &Call<'_>) -> Result<ReadText> {
        stage("text encoder", || {
            let count = text.ids.len() as i64;
            let positions: Vec<i64> = (0..count).collect();
            let options = (Kind::Float, self.device);
            let mask = Tensor::f_zeros([count, count], options).map_err(torch_error)?;
            let tokens = self.bert.forward(&text.ids, &positions, &mask, call)?;
            Ok(ReadText { tokens, mask })
        })
    }
}

/// The tokens that the bytes `place` of `text` consist of; `None`, if there are no such. Where the first
/// or the last character has no token, its two neighbours are looked at, as in the official project
/// (`create_positive_map`).
pub(crate) fn tokens_at(
    pieces: &WordPieces,
    text: &str,
    place: Range<usize>,
) -> Option<Range<usize>> {
    let token = |byte: usize| pieces.places.iter().position(|it| it.contains(&byte));
    let behind = text.get(place.start..)?.char_indices().take(3);
    let first = behind
        .map(|(offset, _)| place.start + offset)
        .find_map(token)?;
    let before = text.get(..place.end)?.char_indices().rev().take(3);
    let last = before.map(|(byte, _)| byte).find_map(token)?;
    (first <= last).then_some(first..last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_tokens_from_their_first_to_their_last_character() {
        let bert = WordPieceTokenizer::shared().unwrap();
        // [CLS] two straw ##berries on a cup . [SEP]
        let text = "Two strawberries \u{200b} on a cup.";
        let pieces = bert.encode(text).unwrap();
        let tokens = |phrase: &str| {
            let start = text.find(phrase).unwrap();
            tokens_at(&pieces, text, start..start + phrase.len())
        };
        assert_eq!(tokens("Two"), Some(1..2));
        assert_eq!(tokens("strawberries"), Some(2..4));
        assert_eq!(tokens("berries"), Some(3..4));
        assert_eq!(tokens("wo straw"), Some(1..3));
        assert_eq!(tokens("a cup"), Some(5..7));
        assert_eq!(tokens("\u{200b} on"), Some(4..5));
        assert_eq!(tokens("strawberries \u{200b}"), Some(2..4));
        let nothing = bert.encode("  ").unwrap();
        assert_eq!(tokens_at(&nothing, "  ", 0..2), None);
    }
}
