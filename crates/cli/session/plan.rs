//! What the flags ask for, resolved against what there is: whose each `KEY=VALUE` is, and whether
//! all of it fits.

use std::collections::BTreeMap;

use som_core::{Error, Layer, MarkOptions, Params, Result, Schema};
use som_engine::{Refinement, RegionSource, SegmenterChoice, compare::CompareRow};

use super::{
    catalog::{Catalog, Taker},
    wanted::Wanted,
};
use crate::flags::{Flags, ImageFlags, RefineArgument, RowArgument, assignment::Assignment};

/// What stands before the keys of what a refiner takes.
const OF_REFINER: &str = "refine.";

/// What is asked of every image.
pub(crate) struct Plan {
    /// How its file becomes pixels, where that is said.
    pub(super) images: ImageFlags,
    /// Who cuts it, and how.
    pub(super) segmenter: SegmenterChoice,
    /// Id of the segmenter that this comes to; `None` where regions are given.
    pub(super) cutter: Option<String>,
    /// How the regions are refined.
    pub(super) refine: Option<Refinement>,
    /// Options of instances, which an engine of this process makes, by the id of their segmenter.
    pub(super) options: BTreeMap<String, Params>,
    /// The layers of ink.
    pub(super) layers: Vec<Layer>,
    /// What is asked of the marks.
    pub(super) marks: MarkOptions,
    /// Who is asked; `None` for the usual model.
    pub(super) lmm: Option<String>,
    /// The ways in which a question is asked.
    pub(super) rows: Vec<CompareRow>,
}

impl Plan {
    /// What `flags` ask for; `hints` are those of the flags, read.
    ///
    /// # Errors
    /// NotFound for a segmenter, mark style or model that is not there; Invalid for a key nobody
    /// takes, or a value that does not fit; Unavailable, if nobody answers to a granularity.
    pub(super) fn new(flags: &Flags, hints: Params, catalog: &Catalog<'_>) -> Result<Self> {
        let wanted = Wanted::by(flags, &hints);
        let cutter = match flags.given.is_given() {
            true => None,
            false => Some(catalog.cutter(&wanted)?),
        };
        let segmenter = cutter.map(|(segmenter, _)| segmenter);
        let refine = flags.regions.refine.as_ref();
        let refiner = refine.map(|refine| catalog.refiner(refine)).transpose()?;
        let takers = Takers {
            segmenter,
            refiner,
            catalog,
        };
        let assigned = Assigned::of(&flags.regions.assignments(), &takers)?;
        let stack = flags.marks.styles.as_deref();
        let layers = assigned.layers(stack.unwrap_or(catalog.default_styles), catalog)?;
        if let Some(name) = &flags.lmm {
            catalog.check_lmm(name)?;
        }
        let mut params = assigned.params;
        params.extend(hints);
        let mut plan = Self {
            images: flags.images.clone(),
            segmenter: cutter.map_or_else(SegmenterChoice::default, |(segmenter, granularity)| {
                choice(&segmenter, granularity, params)
            }),
            cutter: segmenter.map(|segmenter| segmenter.id.to_owned()),
            refine: refine.map(|refine| refinement(refine, assigned.refine)),
            options: assigned.options,
            layers,
            marks: flags.marks.options(),
            lmm: flags.lmm.clone(),
            rows: Vec::new(),
        };
        let rows = flags.rows.iter();
        let rows = rows.map(|row| plan.row(row, &wanted, catalog));
        plan.rows = rows.collect::<Result<_>>()?;
        Ok(plan)
    }

    /// What is asked of every image, for comparison.
    pub(super) fn asked(&self) -> String {
        let Self {
            segmenter,
            options,
            layers,
            marks,
            ..
        } = self;
        format!("{segmenter:?} {options:?} {layers:?} {marks:?}")
    }

    /// What a row changes, where all rows share `main`.
    fn row(
        &self,
        row: &RowArgument,
        main: &Wanted<'_>,
        catalog: &Catalog<'_>,
    ) -> Result<CompareRow> {
        let layer = |style: &str| {
            // With the parameters that were set for it, if it is in use.
            let set = self.layers.iter().find(|layer| layer.style == style);
            set.cloned().unwrap_or_else(|| Layer {
                style: style.to_owned(),
                params: Params::new(),
            })
        };
        let layers = row.styles();
        let refine = self.row_refine(row, catalog)?;
        let is_refined = refine.is_some() || self.refine.is_some();
        Ok(CompareRow {
            regions: self.row_regions(row, main, is_refined, catalog)?,
            refine,
            layers: layers.map(|styles| styles.into_iter().map(layer).collect()),
            options: row.marks()?,
            lmm: row.lmm().map(str::to_owned),
            template: row.template()?,
            clean: row.clean()?,
            table: row.table()?,
            votes: row.votes()?,
        })
    }

    /// How a row has regions refined, if it says something of that.
    fn row_refine(&self, row: &RowArgument, catalog: &Catalog<'_>) -> Result<Option<Refinement>> {
        let named = row.refine()?;
        let mut told = row
            .params()
            .filter(|param| param.key.starts_with(OF_REFINER));
        let mut refine = match (&named, &self.refine) {
            (Some(named), _) => refinement(named, Params::new()),
            (None, Some(main)) if told.next().is_some() => main.clone(),
            (None, _) => return Ok(None),
        };
        let refiner = catalog.segmenter(&refine.segmenter)?;
        for Assignment { key, value } in row.params() {
            if let Some(key) = key.strip_prefix(OF_REFINER) {
                let (params, who) = (&mut refine.params, refiner.who());
                refiner.params.assign(&who, params, key, value)?;
            }
        }
        Ok(Some(refine))
    }

    fn row_regions(
        &self,
        row: &RowArgument,
        main: &Wanted<'_>,
        is_refined: bool,
        catalog: &Catalog<'_>,
    ) -> Result<Option<RegionSource>> {
        let wanted = Wanted::by_row(row, main)?;
        let params = row.params();
        let params = params.filter(|param| !(is_refined && param.key.starts_with(OF_REFINER)));
        let params: Vec<&Assignment> = params.collect();
        if wanted.is_none() && params.is_empty() {
            return Ok(None);
        }
        let (segmenter, mut choice) = match wanted {
            // What all rows share belongs to the usual segmenter.
            None => match &self.cutter {
                Some(cutter) => (catalog.segmenter(cutter)?, self.segmenter.clone()),
                None => {
                    return Err(Error::invalid(format!(
                        "--row {}: regions are given (name a segmenter that takes the parameters)",
                        row.text()
                    )));
                }
            },
            Some(wanted) => {
                let (segmenter, granularity) = catalog.cutter(&wanted)?;
                // But what is pointed at is so for every granularity.
                let hints = self.segmenter.params.get_key_value("hints");
                let hints = hints.filter(|_| granularity.is_some());
                let params = hints.map(|(key, value)| (key.clone(), value.clone()));
                let params = params.into_iter().collect();
                (segmenter, choice(&segmenter, granularity, params))
            }
        };
        for Assignment { key, value } in params {
            let (params, who) = (&mut choice.params, segmenter.who());
            segmenter.params.assign(&who, params, key, value)?;
        }
        Ok(Some(RegionSource::Segmenter(choice)))
    }
}

/// Who cuts, as a request says it: by name, or by the granularity that chose it.
fn choice(segmenter: &Taker<'_>, granularity: Option<f64>, params: Params) -> SegmenterChoice {
    let is_named = granularity.is_none();
    SegmenterChoice {
        id: is_named.then(|| segmenter.id.to_owned()),
        params,
        granularity,
    }
}

/// Who refines, and how, as a request says it.
fn refinement(refine: &RefineArgument, params: Params) -> Refinement {
    Refinement {
        segmenter: refine.segmenter.clone(),
        hint: refine.hint,
        params,
    }
}

/// Who may take what is assigned.
struct Takers<'a> {
    /// `None` where regions are given.
    segmenter: Option<Taker<'a>>,
    refiner: Option<Taker<'a>>,
    /// Of mark styles.
    catalog: &'a Catalog<'a>,
}

/// What the assignments mean, once it is known who takes them.
#[derive(Default)]
struct Assigned {
    /// Parameters of the call.
    params: Params,
    /// Parameters of the refiner.
    refine: Params,
    /// Options of instances, by the id of their segmenter.
    options: BTreeMap<String, Params>,
    /// Parameters of mark styles, by the style's id.
    styles: BTreeMap<String, Params>,
}

impl Assigned {
    /// Gives each assignment to whom its key belongs.
    fn of(assignments: &[Assignment], takers: &Takers<'_>) -> Result<Self> {
        let Takers {
            segmenter,
            refiner,
            catalog,
        } = takers;
        let mut assigned = Self::default();
        for Assignment { key, value } in assignments {
            let of_style = key
                .split_once('.')
                .and_then(|(id, param)| Some((catalog.style(id).ok()?, param)));
            if let Some((style, param)) = of_style {
                let params = assigned.styles.entry(style.id.to_owned()).or_default();
                style.params.assign(&style.who(), params, param, value)?;
                continue;
            }
            let of_refiner = refiner.zip(key.strip_prefix(OF_REFINER));
            let (taker, own, params) = match (of_refiner, segmenter) {
                (Some((refiner, own)), _) => (refiner, own, &mut assigned.refine),
                (None, Some(segmenter)) => (*segmenter, key.as_str(), &mut assigned.params),
                (None, None) => {
                    return Err(Error::invalid(format!(
                        "--set {key}: regions are given, so no segmenter takes it"
                    )));
                }
            };
            let of_part = own.split_once('.');
            if taker.params.knows(own) {
                taker.params.assign(&taker.who(), params, own, value)?;
            } else if let Some((known, option)) = taker.option(own) {
                let options = assigned.options.entry(known.descriptor().id.clone());
                let options = options.or_default();
                known
                    .options()
                    .assign(&known.who(), options, option, value)?;
            } else if of_part.is_some_and(|(part, _)| taker.params.knows(part)) {
                // Says what there is.
                taker.params.assign(&taker.who(), params, own, value)?;
            } else {
                return Err(nobody_takes(key, &taker, catalog));
            }
        }
        // Each image's call checks them again, with its hints; but once is enough to be told.
        if let Some(segmenter) = segmenter {
            segmenter
                .params
                .resolve(&segmenter.who(), &assigned.params)?;
        }
        if let Some(refiner) = refiner {
            refiner.params.resolve(&refiner.who(), &assigned.refine)?;
        }
        Ok(assigned)
    }

    /// The layers of `stack`, each with the parameters that were set for its style.
    fn layers(&self, stack: &[String], catalog: &Catalog<'_>) -> Result<Vec<Layer>> {
        if let Some(id) = self.styles.keys().find(|id| !stack.contains(id)) {
            return Err(Error::invalid(format!(
                "--set {id}.…: this mark style is not drawn (there are: {}; add it with --styles)",
                stack.join(", ")
            )));
        }
        let layer = |id: &String| {
            let params = self.styles.get(id).cloned().unwrap_or_default();
            let style = catalog.style(id)?;
            style.params.resolve(&style.who(), &params)?;
            Ok(Layer {
                style: id.clone(),
                params,
            })
        };
        stack.iter().map(layer).collect()
    }
}

fn nobody_takes(key: &str, segmenter: &Taker<'_>, catalog: &Catalog<'_>) -> Error {
    let own = |schema: &Schema| match schema.known().collect::<Vec<_>>() {
        known if known.is_empty() => "none".to_owned(),
        known => known.join(", "),
    };
    let of_styles = catalog.styles.iter().flat_map(|style| {
        let params = style.params.known();
        params.map(|param| format!("{}.{param}", style.id))
    });
    Error::invalid(format!(
        "--set {key}: nothing takes this key (parameters of {}: {}; its options: {}; of mark styles: {})",
        segmenter.who(),
        own(segmenter.params),
        segmenter
            .known
            .map_or("none".to_owned(), |known| own(known.options())),
        of_styles.collect::<Vec<_>>().join(", "),
    ))
}
