//! Who is to cut: a segmenter by name, one that a granularity chooses, or the usual one.

use som_core::{
    Params, Result,
    granularity::{self, Step},
};

use crate::flags::{Flags, RowArgument, assignment::Assignment};

/// What flags, or a row of them, say of who cuts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// The segmenter that is named.
    id: Option<&'a str>,
    /// The granularity that is given, which is not beside a name.
    granularity: Option<f64>,
    /// There are hints.
    is_hinted: bool,
}

/// Who cuts if nobody is named, and who answers to which granularity.
#[derive(Clone)]
pub(super) struct Usual {
    pub(super) segmenter: String,
    /// A granularity in place of the segmenter.
    pub(super) granularity: Option<f64>,
    /// Empty, where nobody has a granularity.
    pub(super) steps: Vec<Step>,
}

impl<'a> Wanted<'a> {
    /// What `flags` say beside rows; `hints` are those of the flags.
    pub(super) fn by(flags: &'a Flags, hints: &Params) -> Self {
        let assignments = flags.regions.assignments();
        Self {
            id: flags.regions.segmenter.as_deref(),
            granularity: flags.regions.granularity,
            is_hinted: !hints.is_empty() || assignments.iter().any(is_of_hints),
        }
    }

    /// What a row says where the flags say `main`; `None`, if it says nothing of who cuts.
    ///
    /// # Errors
    /// As [`RowArgument::granularity`].
    pub(super) fn by_row(row: &'a RowArgument, main: &Wanted<'_>) -> Result<Option<Self>> {
        let (id, granularity) = (row.segmenter(), row.granularity()?);
        if id.is_none() && granularity.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            id,
            granularity,
            is_hinted: main.is_hinted || row.params().any(is_of_hints),
        }))
    }

    /// What `flags` say, unless regions are given, and then each row that says something else.
    ///
    /// # Errors
    /// As [`by_row`](Self::by_row).
    pub(super) fn all(flags: &'a Flags, hints: &Params) -> Result<Vec<Self>> {
        let main = Self::by(flags, hints);
        let mut all = match flags.given.is_given() {
            true => Vec::new(),
            false => vec![main],
        };
        for row in &flags.rows {
            all.extend(Self::by_row(row, &main)?);
        }
        Ok(all)
    }

    /// The granularity that chooses, where `usual` does if nothing is said.
    fn granularity_or(&self, usual: Option<f64>) -> Option<f64> {
        match self.id {
            Some(_) => None,
            None => self.granularity.or(usual),
        }
    }
}

impl Usual {
    /// Id of the segmenter that cuts as `wanted`, and the granularity that chose it.
    ///
    /// # Errors
    /// As [`granularity::choose`].
    pub(super) fn cutter<'b>(&'b self, wanted: &Wanted<'b>) -> Result<(&'b str, Option<f64>)> {
        let Some(value) = wanted.granularity_or(self.granularity) else {
            return Ok((wanted.id.unwrap_or(&self.segmenter), None));
        };
        let (pick, _) = granularity::choose(&self.steps, value, wanted.is_hinted)?;
        Ok((pick.segmenter.as_str(), Some(value)))
    }
}

/// True if a granularity chooses for one of `wanted`, where `usual` does if nothing is said.
pub(super) fn is_granularity_in(wanted: &[Wanted<'_>], usual: Option<f64>) -> bool {
    let mut wanted = wanted.iter();
    wanted.any(|wanted| wanted.granularity_or(usual).is_some())
}

fn is_of_hints(assignment: &Assignment) -> bool {
    assignment.key == "hints"
}
