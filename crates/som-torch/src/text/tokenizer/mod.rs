//! CLIP's byte-pair encoding.
//!
//! Radford et al., *Learning Transferable Visual Models From Natural Language Supervision*, 2021
//! (arXiv 2103.00020), section 2.4; official project `openai/CLIP`, `clip/simple_tokenizer.py`.
//! `merges.txt.gz` holds the 48894 merges that the vocabulary is made of: lines 2 to 48895 of
//! `bpe_simple_vocab_16e6.txt.gz`, as the package open_clip_torch 3.3.0 brings it under the MIT
//! licence beside it.

mod clean;

use std::{
    io::Read as _,
    sync::{Mutex, PoisonError},
};

use flate2::read::GzDecoder;
use som_core::{Error, Result};
use tokenizers::{
    AddedToken, Tokenizer,
    models::bpe::{BPE, Vocab},
    normalizers::unicode::NFC,
    pre_tokenizers::{
        byte_level::ByteLevel,
        sequence::Sequence,
        split::{Split, SplitPattern},
    },
    tokenizer::SplitDelimiterBehavior,
};

const MERGES: &[u8] = include_bytes!("merges.txt.gz");

/// What is one word to the encoding; what lies between is left out.
const WORD: &str = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// Closes the last token of a word.
const END_OF_WORD: &str = "</w>";

const START: &str = "<|startoftext|>";
const END: &str = "<|endoftext|>";

/// The tokenizer of CLIP and of the networks whose text encoders are like CLIP's. Clones share the
/// vocabulary.
#[derive(Clone, Debug)]
pub struct ClipTokenizer {
    tokenizer: std::sync::Arc<Tokenizer>,
    start: u32,
    end: u32,
}

/// The tokens of one text, from the start token to the first end token. What follows in a context
/// that is not full cannot be seen from there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Prompt {
    /// At most as many as the context holds.
    pub ids: Vec<u32>,
    /// How many tokens of the text the context had no room for.
    pub cut: usize,
}

static SHARED: Mutex<Option<ClipTokenizer>> = Mutex::new(None);

impl ClipTokenizer {
    /// The tokenizer, whose vocabulary is read at the first call.
    ///
    /// # Errors
    /// Internal, if the bundled vocabulary is damaged.
    pub fn shared() -> Result<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tokenizer) = &*shared {
            return Ok(tokenizer.clone());
        }
        let tokenizer = Self::new()?;
        Ok(shared.insert(tokenizer).clone())
    }

    fn new() -> Result<Self> {
        let broken = |error: &dyn std::fmt::Display| {
            Error::internal(format!("the bundled vocabulary of CLIP: {error}"))
        };
        let mut text = String::new();
        GzDecoder::new(MERGES)
            .read_to_string(&mut text)
            .map_err(|error| broken(&error))?;
        let merges: Vec<(String, String)> = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(left, right)| (left.to_owned(), right.to_owned()))
            .collect();
        let words = bytes().chain(bytes().map(|byte| byte + END_OF_WORD));
        let words = words.chain(merges.iter().map(|(left, right)| format!("{left}{right}")));
        let words = words.chain([START, END].map(str::to_owned));
        let vocabulary: Vocab = words.zip(0..).collect();
        let model = BPE::builder()
            .vocab_and_merges(vocabulary, merges)
            .end_of_word_suffix(END_OF_WORD.to_owned())
            .build()
            .map_err(|error| broken(&error))?;
        let word = SplitPattern::Regex(WORD.to_owned());
        let words = Split::new(word, SplitDelimiterBehavior::Removed, true);
        let words = words.map_err(|error| broken(&error))?;
        let mut tokenizer = Tokenizer::new(model);
        let bytes = ByteLevel::new(false, false, false);
        tokenizer
            .with_normalizer(Some(NFC))
            .map_err(|error| broken(&error))?
            .with_pre_tokenizer(Some(Sequence::new(vec![words.into(), bytes.into()])));
        let special = [START, END].map(|token| AddedToken::from(token, true));
        let _ = tokenizer.add_special_tokens(special);
        let id = |token: &str| {
            let id = tokenizer.token_to_id(token);
            id.ok_or_else(|| broken(&format!("it has no {token}")))
        };
        Ok(Self {
            start: id(START)?,
            end: id(END)?,
            tokenizer: tokenizer.into(),
        })
    }

    /// The tokens of `text`, without those of start and end.
    ///
    /// Upper case counts as lower, as it did in training; so do curly quotes as straight ones, and
    /// whatever else is odd about characters is put right as by the official tokenizers.
    ///
    /// # Errors
    /// Internal, if the tokenizer fails.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let text = clean::cleaned(text).to_lowercase();
        let encoding = self.tokenizer.encode_fast(text, false);
        let encoding =
            encoding.map_err(|error| Error::internal(format!("CLIP's tokenizer: {error}")))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// `text` as a text encoder reads it that takes `context` tokens at once.
    ///
    /// # Errors
    /// Internal, if the tokenizer fails.
    pub fn prompt(&self, text: &str, context: usize) -> Result<Prompt> {
        let mut ids = self.encode(text)?;
        let room = context.saturating_sub(2);
        let cut = ids.len().saturating_sub(room);
        ids.truncate(room);
        ids.insert(0, self.start);
        ids.push(self.end);
        // A text may itself say that it ends.
        let end = ids.iter().position(|&id| id == self.end);
        ids.truncate(end.map_or(ids.len(), |end| end + 1));
        Ok(Prompt { ids, cut })
    }

    /// The token that ends a text and fills up its context.
    pub const fn end(&self) -> u32 {
        self.end
    }
}

/// The letters that stand for the 256 bytes, in the order of their tokens: those that can be
/// printed stand for themselves, the others are numbered from 256 on.
fn bytes() -> impl Iterator<Item = String> {
    let printed = ('!'..='~').chain('¡'..='¬').chain('®'..='ÿ');
    let others = ('\u{100}'..).take(68);
    printed.chain(others).map(String::from)
}
