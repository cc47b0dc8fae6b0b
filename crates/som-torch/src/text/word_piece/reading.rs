//! Texts as a network reads them: with its own vocabulary, and within its limits.

use std::str;

use som_core::{Error, Result};

use super::{WordPieceTokenizer, WordPieces};
use crate::Source;

/// The file beside a checkpoint in which Hugging Face's form has its vocabulary.
const VOCABULARY: &str = "vocab.txt";

impl WordPieceTokenizer {
    /// The tokenizer for the network of `source`, which knows `count` tokens: with the `vocab.txt` beside
    /// its checkpoint or config, or else that of `bert-base-uncased`.
    ///
    /// # Errors
    /// Unavailable, if the vocabulary cannot be read; Invalid, if it is none, or has another size.
    pub fn beside(source: &Source, count: i64) -> Result<Self> {
        let file = source.config.beside(source.checkpoint.path(), VOCABULARY)?;
        let (tokenizer, from) = match file.text() {
            None => {
                let bundled = "the bundled vocabulary of bert-base-uncased".to_owned();
                (Self::shared()?, bundled)
            }
            Some(text) => {
                let from = format!("the vocabulary {}", file.path().display());
                let text = str::from_utf8(text)
                    .map_err(|error| Error::invalid(format!("{from}: {error}")))?;
                let tokenizer = Self::of(text).map_err(|error| error.at(from.clone()))?;
                (tokenizer, from)
            }
        };
        if tokenizer.count() as i64 != count {
            return Err(Error::invalid(format!(
                "checkpoint {} knows {count} tokens, but {from} has {} (its own is {VOCABULARY}, beside it)",
                source.checkpoint.path().display(),
                tokenizer.count()
            )));
        }
        Ok(tokenizer)
    }

    /// The tokens of a text that says something: not `marks` alone, such as full stops.
    ///
    /// # Errors
    /// Invalid, if there are more than `most` tokens, none but `marks`, or none that the vocabulary has.
    pub fn read(&self, text: &str, most: usize, marks: &[u32]) -> Result<WordPieces> {
        let pieces = self.encode(text)?;
        if pieces.ids.len() > most {
            return Err(Error::invalid(format!(
                "the text has {} tokens, more than the {most} that the network reads (give fewer names at once)",
                pieces.ids.len()
            )));
        }
        let mut words = pieces
            .ids
            .iter()
            .filter(|id| !marks.contains(id))
            .peekable();
        if words.peek().is_none() {
            return Err(Error::invalid("the text has no words"));
        }
        if words.all(|&id| id == self.unknown()) {
            return Err(Error::invalid(format!(
                "the network's vocabulary has no token for {text:?} (it knows English words)"
            )));
        }
        Ok(pieces)
    }
}

#[cfg(test)]
mod tests {
    use som_core::ErrorKind;

    use super::*;

    #[test]
    fn texts_that_say_nothing_or_too_much_are_refused() {
        let bert = WordPieceTokenizer::shared().unwrap();
        let marks = [101, 102, 1012];
        assert_eq!(bert.read("☕ cup.", 5, &marks).unwrap().ids.len(), 5);
        for (text, told) in [
            ("a small cup.", "6 tokens, more than the 5"),
            (". . .", "no words"),
            ("", "no words"),
            ("☕ .", "no token for"),
        ] {
            let error = bert.read(text, 5, &marks).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains(told), "{error}");
        }
    }
}
