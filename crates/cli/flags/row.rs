//! `--row segmenter=classic,level=4,styles=mask+number,lmm=gpt4o`

use std::str::FromStr;

use som_core::{Error, Result};

use super::assignment::Assignment;

/// One way to ask, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowArgument {
    text: String,
    assignments: Vec<Assignment>,
}

impl FromStr for RowArgument {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(Self {
            text: text.to_owned(),
            assignments: Assignment::list(text)?,
        })
    }
}

impl RowArgument {
    /// As written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The segmenter, if it is named.
    pub(crate) fn segmenter(&self) -> Option<&str> {
        self.value("segmenter")
    }

    /// The layers of ink, if they are named.
    pub(crate) fn styles(&self) -> Option<Vec<&str>> {
        let styles = self.value("styles")?;
        Some(styles.split('+').map(str::trim).collect())
    }

    /// The model, if it is named.
    pub(crate) fn lmm(&self) -> Option<&str> {
        self.value("lmm")
    }

    /// The parameters of the segmenter.
    pub(crate) fn params(&self) -> impl Iterator<Item = &Assignment> {
        const OTHERS: [&str; 3] = ["segmenter", "styles", "lmm"];
        let all = self.assignments.iter();
        all.filter(|assignment| !OTHERS.contains(&assignment.key.as_str()))
    }

    /// The value of `key`; the later of two wins.
    fn value(&self, key: &str) -> Option<&str> {
        let mut latest = self.assignments.iter().rev();
        let found = latest.find(|assignment| assignment.key == key);
        found.map(|assignment| assignment.value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_key_by_key() {
        let row: RowArgument = "segmenter=classic, level=4,styles=mask + number,segmenter=far"
            .parse()
            .unwrap();
        assert_eq!(row.segmenter(), Some("far"));
        assert_eq!(row.styles(), Some(vec!["mask", "number"]));
        assert_eq!(row.lmm(), None);
        let params: Vec<_> = row.params().collect();
        assert_eq!(params, [&Assignment::new("level", "4")]);
        for wrong in ["", "lmm", "=x", "lmm=a,"] {
            assert!(wrong.parse::<RowArgument>().is_err(), "{wrong}");
        }
    }
}
