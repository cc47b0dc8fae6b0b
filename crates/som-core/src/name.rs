//! What names are made of: one rule for each kind of thing that settings and requests name.

use crate::{Error, Result};

/// What has a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A segmenter or a mark style, whose name is its id: `[a-z0-9-]+`.
    Plugin,
    /// A large multimodal model, in the settings: `[a-z0-9.-]+`.
    Lmm,
    /// A checkpoint, whose name a file gets: `[A-Za-z0-9._-]+`, with no dot at its beginning.
    Checkpoint,
}

impl Named {
    /// True if `name` keeps to the rule.
    pub fn allows(self, name: &str) -> bool {
        let is_lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_allowed = |byte: u8| match self {
            Self::Plugin => is_lower(byte) || byte == b'-',
            Self::Lmm => is_lower(byte) || b"-.".contains(&byte),
            Self::Checkpoint => byte.is_ascii_alphanumeric() || b"._-".contains(&byte),
        };
        let is_hidden = self == Self::Checkpoint && name.starts_with('.');
        !name.is_empty() && name.bytes().all(is_allowed) && !is_hidden
    }

    /// Refuses a `name` that breaks the rule; `what` says whose it is.
    ///
    /// # Errors
    /// Invalid, telling the rule.
    pub fn check(self, what: &str, name: &str) -> Result<()> {
        if self.allows(name) {
            return Ok(());
        }
        let rule = match self {
            Self::Plugin => "a-z, 0-9 and -",
            Self::Lmm => "a-z, 0-9, - and .",
            Self::Checkpoint => "A-Z, a-z, 0-9, ., _ and -, and not begin with a dot",
        };
        Err(Error::invalid(format!(
            "{what} must be one or more of {rule}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_rule() {
        for (name, plugin, lmm, checkpoint) in [
            ("semantic-sam", true, true, true),
            ("gpt-4.1", false, true, true),
            ("sam_vit_b", false, false, true),
            ("SAM", false, false, true),
            (".sam", false, true, false),
            ("a b", false, false, false),
            ("größe", false, false, false),
            ("../sam", false, false, false),
            ("", false, false, false),
        ] {
            let allowed = [Named::Plugin, Named::Lmm, Named::Checkpoint];
            let allowed = allowed.map(|kind| kind.allows(name));
            assert_eq!(allowed, [plugin, lmm, checkpoint], "{name:?}");
        }
        let error = Named::Lmm.check("the name", "Big").unwrap_err();
        assert_eq!(
            error.message(),
            "the name must be one or more of a-z, 0-9, - and ."
        );
    }
}
