//! A row of a grid: one choice of segmenter, styles, model, wording and votes.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use som_core::{
    Error, ErrorKind, Layer, MarkOptions, Params, Result,
    prompt::{Layout, Template, WORDINGS},
};
use som_engine::{
    SegmenterChoice,
    ask::{Budget, MAX_VOTES},
};

/// The word for the truth's own regions.
const GOLDEN: &str = "golden";

/// One choice of everything that a sample can be asked with, as grids write it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Row {
    /// What people call it; empty for what it says.
    pub name: String,
    /// Who cuts images: a segmenter's id; `None` for that of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segmenter: Option<String>,
    /// Parameters of the segmenter.
    #[serde(skip_serializing_if = "Params::is_empty")]
    pub params: Params,
    /// In place of a segmenter, the granularity that chooses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granularity: Option<f64>,
    /// In place of a segmenter, `golden` for the truth's own regions, or the file or folder that has
    /// them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regions: Option<String>,
    /// The layers of ink, the lowest first; `None` for those of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub styles: Option<Vec<Style>>,
    /// What is asked of the marks; what is not set is as in the settings.
    #[serde(skip_serializing_if = "is_usual")]
    pub marks: MarkOptions,
    /// Name of the model; `None` for that of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lmm: Option<String>,
    /// True if no model is asked: the segmenter is told the words itself, or names what it finds.
    #[serde(skip_serializing_if = "is_false")]
    pub specialist: bool,
    /// The words of the prompt by name; `None` for those of the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The words of the prompt themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// True if the model is shown each image without marks, too.
    #[serde(skip_serializing_if = "is_false")]
    pub clean: bool,
    /// True if the model is given the table of regions.
    #[serde(skip_serializing_if = "is_false")]
    pub table: bool,
    /// How often to ask, each time with other labels and colours; 0 for once.
    #[serde(skip_serializing_if = "is_zero")]
    pub votes: u32,
    /// True if every sample is asked about with the truth's own regions, too: the oracle of reading.
    #[serde(skip_serializing_if = "is_false")]
    pub oracle: bool,
    /// Most tokens of all answers to a sample; `None` for the provider's own limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
}

/// A layer of ink: a mark style, with or without parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Style {
    /// As it is.
    Plain(String),
    /// With parameters.
    With {
        /// Mark style id.
        style: String,
        /// Parameters of the style.
        params: Params,
    },
}

/// Where a row's regions come from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Regions {
    Segmenter(SegmenterChoice),
    Golden,
    Given(PathBuf),
}

const fn is_false(is_so: &bool) -> bool {
    !*is_so
}

const fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_usual(marks: &MarkOptions) -> bool {
    *marks == MarkOptions::default()
}

impl Row {
    /// What people call it.
    pub fn title(&self) -> String {
        if !self.name.is_empty() {
            return self.name.clone();
        }
        let mut parts = vec![self.regions_title()];
        parts.extend(self.styles.as_ref().map(|styles| {
            let names = styles.iter().map(Style::id);
            names.collect::<Vec<_>>().join("+")
        }));
        match self.specialist {
            true => parts.push("specialist".to_owned()),
            false => parts.push(self.lmm.clone().unwrap_or_else(|| "usual model".to_owned())),
        }
        parts.extend(self.template.clone());
        parts.extend(self.words.as_ref().map(|_| "own words".to_owned()));
        if self.votes > 1 {
            parts.push(format!("{} votes", self.votes));
        }
        parts.join(", ")
    }

    /// The same without what is asked of a model.
    pub(super) fn title_of_regions(&self) -> String {
        match self.name.as_str() {
            "" => self.regions_title(),
            name => name.to_owned(),
        }
    }

    /// The same with how images are marked, and no model.
    pub fn title_of_marks(&self) -> String {
        let styles = self.styles.iter().flatten().map(Style::id);
        let styles: Vec<&str> = styles.collect();
        match (self.name.as_str(), styles.as_slice()) {
            ("", []) => self.regions_title(),
            ("", styles) => format!("{}, {}", self.regions_title(), styles.join("+")),
            (name, _) => name.to_owned(),
        }
    }

    fn regions_title(&self) -> String {
        let mut title = match (&self.regions, &self.granularity, &self.segmenter) {
            (Some(regions), ..) if regions == GOLDEN => return regions.clone(),
            (Some(regions), ..) => {
                let name = Path::new(regions).file_name().unwrap_or_default();
                return format!("given {}", name.to_string_lossy());
            }
            (None, Some(granularity), _) => format!("granularity {granularity}"),
            (None, None, Some(segmenter)) => segmenter.clone(),
            (None, None, None) => "usual segmenter".to_owned(),
        };
        for (key, value) in &self.params {
            title += &format!(" {key}={value}");
        }
        title
    }

    /// Where its regions come from.
    pub(super) fn source(&self) -> Regions {
        match self.regions.as_deref() {
            Some(GOLDEN) => Regions::Golden,
            Some(path) => Regions::Given(path.into()),
            None => Regions::Segmenter(SegmenterChoice {
                id: self.segmenter.clone(),
                params: self.params.clone(),
                granularity: self.granularity,
            }),
        }
    }

    /// A path that the grid's file in `folder` names is from there.
    pub(super) fn below(mut self, folder: &Path) -> Self {
        let path = self.regions.as_deref().filter(|regions| *regions != GOLDEN);
        if let Some(path) = path {
            self.regions = Some(folder.join(path).to_string_lossy().into_owned());
        }
        self
    }

    /// The layers of ink; `None` for those of the settings.
    pub fn layers(&self) -> Option<Vec<Layer>> {
        let styles = self.styles.as_ref()?;
        Some(styles.iter().map(Style::layer).collect())
    }

    pub(super) const fn layout(&self) -> Layout {
        Layout {
            clean: self.clean,
            table: self.table,
        }
    }

    pub(super) fn votes(&self) -> u32 {
        self.votes.max(1)
    }

    pub(super) fn budget(&self) -> Budget {
        Budget {
            max_tokens: self.max_tokens,
            ..Budget::default()
        }
    }

    /// The words of the prompt; `None` for those of the task.
    ///
    /// # Errors
    /// NotFound for an unknown name; Invalid for words that make no template.
    pub(super) fn prompt(&self) -> Result<Option<Template>> {
        match (&self.template, &self.words) {
            (Some(name), _) => Template::named(name).map(Some),
            (None, Some(words)) => Template::parse(words).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Checks what a row says by itself.
    ///
    /// # Errors
    /// Invalid or NotFound, naming the key.
    pub(super) fn check(&self) -> Result<()> {
        let from = [
            self.segmenter.is_some(),
            self.granularity.is_some(),
            self.regions.is_some(),
        ];
        if from.iter().filter(|is_set| **is_set).count() > 1 {
            return Err(Error::invalid(
                "segmenter, granularity and regions: leave out all but one",
            ));
        }
        if self.regions.is_some() && !self.params.is_empty() {
            let message = "params are the segmenter's, but regions are given: leave out one";
            return Err(Error::invalid(message));
        }
        if self.specialist {
            let of_models = [
                ("lmm", self.lmm.is_some()),
                ("styles", self.styles.is_some()),
                ("template", self.template.is_some()),
                ("words", self.words.is_some()),
                ("votes", self.votes > 1),
                ("oracle", self.oracle),
                ("regions", self.regions.is_some()),
            ];
            if let Some((key, _)) = of_models.iter().find(|(_, is_set)| *is_set) {
                return Err(Error::invalid(format!(
                    "{key}: a specialist asks no model and marks nothing"
                )));
            }
        }
        if self.votes > MAX_VOTES {
            return Err(Error::invalid(format!(
                "votes is {} (at most {MAX_VOTES})",
                self.votes
            )));
        }
        if self.template.is_some() && self.words.is_some() {
            return Err(Error::invalid("template and words: leave out one"));
        }
        if let Some(name) = &self.template {
            let known = WORDINGS.iter().map(|(known, _)| *known);
            if !known.clone().any(|known| known == name) {
                return Err(Error::unknown(ErrorKind::NotFound, "template", name, known));
            }
        }
        self.prompt().map(drop)
    }
}

impl Style {
    /// Mark style id.
    pub fn id(&self) -> &str {
        match self {
            Self::Plain(style) | Self::With { style, .. } => style,
        }
    }

    fn layer(&self) -> Layer {
        let (style, params) = match self {
            Self::Plain(style) => (style.clone(), Params::new()),
            Self::With { style, params } => (style.clone(), params.clone()),
        };
        Layer { style, params }
    }
}
