//! `KEY=VALUE`, as `--set` and the rows of `som compare` are written.

use std::str::FromStr;

use som_core::{Error, Result};

/// One assignment, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl Assignment {
    /// The assignment that a flag of its own stands for.
    pub(crate) fn new(key: &str, value: impl Into<String>) -> Self {
        Self {
            key: key.to_owned(),
            value: value.into(),
        }
    }

    /// Several, with commas between them.
    ///
    /// # Errors
    /// Invalid, if one of them is none.
    pub(crate) fn list(text: &str) -> Result<Vec<Self>> {
        let trimmed = |part: &str| {
            let Self { key, value } = part.parse()?;
            Ok(Self::new(&key, value.trim()))
        };
        let all: Result<_> = text.split(',').map(trimmed).collect();
        all.map_err(|_: Error| Error::invalid("write it as KEY=VALUE,KEY=VALUE"))
    }
}

impl FromStr for Assignment {
    type Err = Error;

    /// The value is what follows the first `=`, spaces included.
    fn from_str(text: &str) -> Result<Self> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok(Self::new(key.trim(), value)),
            _ => Err(Error::invalid("write it as KEY=VALUE")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sign_divides() {
        let one = |text: &str| text.parse::<Assignment>();
        assert_eq!(one(" a = b=c ").unwrap(), Assignment::new("a", " b=c "));
        assert_eq!(one("a=").unwrap(), Assignment::new("a", ""));
        for wrong in ["", "a", "=b", " =b"] {
            let error = one(wrong).unwrap_err();
            assert_eq!(error.to_string(), "write it as KEY=VALUE", "{wrong}");
        }
    }

    #[test]
    fn commas_divide_a_list() {
        assert_eq!(
            Assignment::list("segmenter=classic, level = 4 ,styles=mask+number").unwrap(),
            [
                Assignment::new("segmenter", "classic"),
                Assignment::new("level", "4"),
                Assignment::new("styles", "mask+number"),
            ]
        );
        for wrong in ["", "lmm", "=x", "lmm=a,"] {
            let error = Assignment::list(wrong).unwrap_err();
            assert_eq!(
                error.to_string(),
                "write it as KEY=VALUE,KEY=VALUE",
                "{wrong}"
            );
        }
    }
}
