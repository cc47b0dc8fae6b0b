//! `--row segmenter=classic,level=4,styles=mask+number,lmm=gpt4o`

use std::{collections::HashSet, str::FromStr};

use serde_json::Value;
use som_core::{Error, MarkOptions, Result, prompt::Template};
use som_engine::ask::MAX_VOTES;

use super::{assignment::Assignment, refine::RefineArgument, regions::parse_granularity};

/// One way to ask, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowArgument {
    text: String,
    assignments: Vec<Assignment>,
}

impl FromStr for RowArgument {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let assignments = Assignment::list(text)?;
        let mut keys = HashSet::new();
        let mut all = assignments.iter();
        match all.find(|assignment| !keys.insert(assignment.key.as_str())) {
            Some(Assignment { key, .. }) => Err(Error::invalid(format!("{key} is given twice"))),
            None => Ok(Self {
                text: text.to_owned(),
                assignments,
            }),
        }
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

    /// The granularity that chooses the segmenter, if it is given.
    ///
    /// # Errors
    /// Invalid for what is none, and beside a segmenter.
    pub(crate) fn granularity(&self) -> Result<Option<f64>> {
        let Some(text) = self.value("granularity") else {
            return Ok(None);
        };
        let at = |error: Error| self.wrong(error);
        if self.segmenter().is_some() {
            let message = "granularity chooses the segmenter: leave out one of them";
            return Err(at(Error::invalid(message)));
        }
        let value = parse_granularity(text).map_err(|error| at(error.at("granularity")))?;
        Ok(Some(value))
    }

    /// The refiner, if it is named.
    ///
    /// # Errors
    /// Invalid for what is none.
    pub(crate) fn refine(&self) -> Result<Option<RefineArgument>> {
        let refine = self.value("refine").map(str::parse).transpose();
        refine.map_err(|error: Error| error.at(format!("--row {}: refine", self.text)))
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

    /// The name of the template, if it is given.
    pub(crate) fn template_name(&self) -> Option<&str> {
        self.value("template")
    }

    /// The words of the prompt, if a template is named.
    ///
    /// # Errors
    /// NotFound for a name that none has.
    pub(crate) fn template(&self) -> Result<Option<Template>> {
        let template = self.template_name().map(Template::named).transpose();
        template.map_err(|error| self.wrong(error))
    }

    /// Whether images without marks are shown, too, if that is said.
    ///
    /// # Errors
    /// Invalid for anything but true and false.
    pub(crate) fn clean(&self) -> Result<Option<bool>> {
        self.is_so("clean")
    }

    /// Whether the table of regions is given, if that is said.
    ///
    /// # Errors
    /// Invalid for anything but true and false.
    pub(crate) fn table(&self) -> Result<Option<bool>> {
        self.is_so("table")
    }

    /// How often to ask, if that is said.
    ///
    /// # Errors
    /// Invalid for what is no such number.
    pub(crate) fn votes(&self) -> Result<Option<u32>> {
        let votes = self.value("votes").map(|text| match text.parse() {
            Ok(votes) if (1..=MAX_VOTES).contains(&votes) => Ok(votes),
            _ => Err(Error::invalid(format!(
                "votes is {text} (write a number from 1 to {MAX_VOTES})"
            ))),
        });
        votes.transpose().map_err(|error| self.wrong(error))
    }

    fn is_so(&self, key: &str) -> Result<Option<bool>> {
        let is_so = self.value(key).map(|text| {
            let is_so = text.parse();
            is_so.map_err(|_| Error::invalid(format!("{key} is {text} (write true or false)")))
        });
        is_so.transpose().map_err(|error| self.wrong(error))
    }

    /// `error` as one of this row.
    fn wrong(&self, error: Error) -> Error {
        error.at(format!("--row {}", self.text))
    }

    /// What is asked of the marks.
    ///
    /// # Errors
    /// Invalid for a value that is none of its option.
    pub(crate) fn marks(&self) -> Result<MarkOptions> {
        let asked = self.assignments.iter();
        let asked = asked.filter(|assignment| is_of_marks(&assignment.key));
        let values = asked.map(|Assignment { key, value }| {
            let value = serde_json::from_str(value).unwrap_or_else(|_| value.as_str().into());
            (key.clone(), value)
        });
        serde_json::from_value(Value::Object(values.collect()))
            .map_err(|error| Error::invalid(format!("--row {}: {error}", self.text)))
    }

    /// The parameters of the segmenter, and as `refine.…` those of the refiner.
    pub(crate) fn params(&self) -> impl Iterator<Item = &Assignment> {
        const OTHERS: [&str; 9] = [
            "segmenter",
            "granularity",
            "refine",
            "styles",
            "lmm",
            "template",
            "clean",
            "table",
            "votes",
        ];
        let is_other = |key: &str| OTHERS.contains(&key) || is_of_marks(key);
        let all = self.assignments.iter();
        all.filter(move |assignment| !is_other(&assignment.key))
    }

    /// The value of `key`.
    fn value(&self, key: &str) -> Option<&str> {
        let mut all = self.assignments.iter();
        let found = all.find(|assignment| assignment.key == key);
        found.map(|assignment| assignment.value.as_str())
    }
}

/// Whether `key` names one of the options of marks.
fn is_of_marks(key: &str) -> bool {
    let options = serde_json::to_value(MarkOptions::default());
    options.is_ok_and(|options| options.get(key).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_key_by_key() {
        let row: RowArgument = "segmenter=far, level=4,styles=mask + number"
            .parse()
            .unwrap();
        assert_eq!(row.segmenter(), Some("far"));
        assert_eq!(row.styles(), Some(vec!["mask", "number"]));
        assert_eq!(row.lmm(), None);
        let params: Vec<_> = row.params().collect();
        assert_eq!(params, [&Assignment::new("level", "4")]);
        assert_eq!(row.marks().unwrap(), MarkOptions::default());
        for wrong in ["", "lmm", "=x", "lmm=a,", "level=2, level=4"] {
            assert!(wrong.parse::<RowArgument>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_granularity_stands_in_place_of_a_segmenter() {
        let row: RowArgument = "granularity=1.7,level=2".parse().unwrap();
        assert_eq!(row.granularity().unwrap(), Some(1.7));
        let params: Vec<_> = row.params().collect();
        assert_eq!(params, [&Assignment::new("level", "2")]);
        let row: RowArgument = "level=2".parse().unwrap();
        assert_eq!(row.granularity().unwrap(), None);
        for (wrong, why) in [
            (
                "granularity=9",
                "--row granularity=9: granularity: write a number from 1 to 3",
            ),
            (
                "granularity=2,segmenter=sam",
                "--row granularity=2,segmenter=sam: granularity chooses the segmenter: leave out one of them",
            ),
        ] {
            let error = wrong.parse::<RowArgument>().unwrap().granularity();
            assert_eq!(error.unwrap_err().message(), why);
        }
    }

    #[test]
    fn a_row_says_how_to_ask() {
        let row: RowArgument = "template=reason,clean=true,table=false,votes=3,level=2"
            .parse()
            .unwrap();
        assert_eq!(row.template().unwrap(), Template::named("reason").ok());
        assert_eq!(row.clean().unwrap(), Some(true));
        assert_eq!(row.table().unwrap(), Some(false));
        assert_eq!(row.votes().unwrap(), Some(3));
        let params: Vec<_> = row.params().collect();
        assert_eq!(params, [&Assignment::new("level", "2")]);
        let row: RowArgument = "level=2".parse().unwrap();
        assert_eq!((row.clean().unwrap(), row.votes().unwrap()), (None, None));
        let row: RowArgument = "template=x,clean=maybe,votes=65".parse().unwrap();
        let at = "--row template=x,clean=maybe,votes=65: ";
        for (error, why) in [
            (row.template().unwrap_err(), "unknown template \"x\""),
            (
                row.clean().unwrap_err(),
                "clean is maybe (write true or false)",
            ),
            (
                row.votes().unwrap_err(),
                "votes is 65 (write a number from 1 to 64)",
            ),
        ] {
            let message = error.message();
            assert!(message.starts_with(&format!("{at}{why}")), "{message}");
        }
    }

    #[test]
    fn options_of_marks_are_no_parameters_of_the_segmenter() {
        let row: RowArgument = "level=2,page_size=5,min_glyph=7.5".parse().unwrap();
        let params: Vec<_> = row.params().collect();
        assert_eq!(params, [&Assignment::new("level", "2")]);
        let marks = row.marks().unwrap();
        assert_eq!((marks.page_size, marks.min_glyph), (Some(5), Some(7.5)));
        let row: RowArgument = "max_marks=many".parse().unwrap();
        let error = row.marks().unwrap_err();
        assert!(error.message().contains("max_marks=many"), "{error}");
    }
}
