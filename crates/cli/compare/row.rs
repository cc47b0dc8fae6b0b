//! `--row segmenter=classic,level=4,styles=mask+number,lmm=gpt4o`

use std::str::FromStr;

use som_core::{Error, Layer, Params, Result};
use som_engine::{RegionSource, SegmenterChoice, ask::AskImage, compare::CompareRow};

use crate::session::Local;

/// One way to ask, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowArgument {
    text: String,
    settings: Vec<(String, String)>,
}

impl FromStr for RowArgument {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let setting = |part: &str| match part.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Ok((key.trim().to_owned(), value.trim().to_owned()))
            }
            _ => Err(Error::invalid("write it as KEY=VALUE,KEY=VALUE")),
        };
        Ok(Self {
            text: text.to_owned(),
            settings: text.split(',').map(setting).collect::<Result<_>>()?,
        })
    }
}

impl RowArgument {
    /// As written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The value of `key`; the later of two wins.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        let found = self.settings.iter().rev().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }

    /// What it changes of a question about `images`.
    ///
    /// # Errors
    /// NotFound for an unknown segmenter or mark style; Invalid for a parameter that the
    /// segmenter does not take.
    pub(super) async fn resolve(&self, images: &[AskImage], session: &Local) -> Result<CompareRow> {
        let owned = |key: &str| self.value(key).map(str::to_owned);
        let row = CompareRow {
            regions: self.regions(owned("segmenter"), images, session).await?,
            layers: self.value("styles").map(|styles| layers(styles, session)),
            lmm: owned("lmm"),
            ..CompareRow::default()
        };
        Ok(row)
    }

    async fn regions(
        &self,
        segmenter: Option<String>,
        images: &[AskImage],
        session: &Local,
    ) -> Result<Option<RegionSource>> {
        const OTHERS: [&str; 3] = ["segmenter", "styles", "lmm"];
        let own = self.settings.iter();
        let own: Vec<_> = own
            .filter(|(key, _)| !OTHERS.contains(&key.as_str()))
            .collect();
        if segmenter.is_none() && own.is_empty() {
            return Ok(None);
        }
        let engine = &session.engine;
        let usual = &engine.settings().mark.segmenter;
        let entry = engine
            .registry()
            .segmenter(segmenter.as_deref().unwrap_or(usual))?
            .reach()
            .await?;
        // What all rows share belongs to the usual segmenter.
        let mut params = match (&segmenter, images.first().map(|image| &image.regions)) {
            (None, Some(RegionSource::Segmenter(choice))) => choice.params.clone(),
            _ => Params::new(),
        };
        for (key, value) in own {
            let value = entry.params().parse_text(&entry.who(), key, value)?;
            params.insert(key.clone(), value);
        }
        Ok(Some(RegionSource::Segmenter(SegmenterChoice {
            id: segmenter,
            params,
        })))
    }
}

/// The layers of `A+B`, with the parameters that were set for those of them in use.
fn layers(styles: &str, session: &Local) -> Vec<Layer> {
    let layer = |style: &str| {
        let set = session.layers.iter().find(|layer| layer.style == style);
        set.cloned().unwrap_or_else(|| Layer {
            style: style.to_owned(),
            params: Params::new(),
        })
    };
    styles.split('+').map(|style| layer(style.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_key_by_key() {
        let row: RowArgument = "segmenter=classic, level=4,styles=mask+number"
            .parse()
            .unwrap();
        let pairs: Vec<_> = row
            .settings
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("segmenter", "classic"),
                ("level", "4"),
                ("styles", "mask+number")
            ]
        );
        for wrong in ["", "lmm", "=x", "lmm=a,"] {
            assert!(wrong.parse::<RowArgument>().is_err(), "{wrong}");
        }
    }
}
