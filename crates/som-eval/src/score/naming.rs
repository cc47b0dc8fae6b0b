//! Names of marks: precision, and panoptic quality where the truth is a partition.

use std::collections::HashMap;

use som_core::Mask;

use super::{
    Fault, Losses,
    tally::{Measured, Scope, Tally},
};
use crate::{
    Question, Sample, Segments, Truth,
    data::{Cut, CutSegments},
    metrics::{
        Ratio,
        naming::{Synonyms, matched},
        panoptic::{Labelled, Panoptic},
    },
    results::{Answer, Found, Outcome, Reading},
};

const PRECISION: &str = "precision";

/// What is known of names so far.
pub(super) struct Naming<'a> {
    synonyms: &'a Synonyms,
    /// The class that a name means, as far as it was asked.
    classes: HashMap<String, Option<String>>,
    panoptic: Panoptic,
    has_regions: bool,
}

impl<'a> Naming<'a> {
    pub(super) fn new(synonyms: &'a Synonyms) -> Self {
        Self {
            synonyms,
            classes: HashMap::new(),
            panoptic: Panoptic::default(),
            has_regions: false,
        }
    }

    /// Panoptic quality, if the run tells regions.
    pub(super) fn panoptic(&self) -> Option<&Panoptic> {
        self.has_regions.then_some(&self.panoptic)
    }

    /// Scores the names given to the marks of an image.
    pub(super) fn score(
        &mut self,
        sample: &Sample,
        truth: &CutSegments,
        outcome: Option<&Outcome>,
        tally: &mut Tally,
    ) -> Result<(), Fault> {
        let none = Outcome::default();
        let regions = outcome.and_then(|outcome| outcome.regions.as_deref());
        if let Some(regions) = regions {
            self.has_regions = true;
            let masks = masks(truth, regions)?;
            self.score_regions(
                sample,
                truth,
                regions,
                &masks,
                outcome.unwrap_or(&none),
                tally,
            );
            self.add_panoptic(sample, truth, regions, &masks, tally);
        } else {
            let outcome = outcome.unwrap_or(&none);
            let measured = self.named(truth, &outcome.answer, Some(outcome), tally);
            tally.add(sample, &sample.kinds, &measured);
            self.add_panoptic(sample, truth, &[], &[], tally);
        }
        if let Some(oracle) = outcome.and_then(|outcome| outcome.oracle.as_ref()) {
            let measured = self.named(truth, oracle, None, tally);
            tally.add_to(&Scope::Oracle, sample, &measured);
        }
        Ok(())
    }

    /// The truth's own segments were marked, and named by their ids. Losses are told of the
    /// `outcome`, if it is the run's own.
    fn named(
        &self,
        truth: &CutSegments,
        answer: &Answer,
        outcome: Option<&Outcome>,
        tally: &mut Tally,
    ) -> Measured {
        let mut names = answer.names.clone();
        let (mut right, mut answered, mut marks) = (0.0, 0.0, 0.0);
        for segment in truth.segments.iter().filter(|segment| !segment.is_crowd) {
            let said = names.remove(&segment.id.to_string()).flatten();
            let is_right = self.is_right(segment, said.as_deref());
            marks += 1.0;
            right += f64::from(u8::from(is_right));
            answered += f64::from(u8::from(said.is_some()));
            if let Some(outcome) = outcome {
                let is_marked = !outcome.unmarked.contains(&segment.id);
                let reading = reading(outcome, said.is_some());
                tally.lose(PRECISION, lost(is_right, true, is_marked, reading));
            }
        }
        if outcome.is_some() {
            let crowds = truth.segments.iter().filter(|segment| segment.is_crowd);
            let ids: Vec<String> = crowds.map(|segment| segment.id.to_string()).collect();
            let invented = names.keys().filter(|id| !ids.contains(id)).count();
            tally.count("names for marks that do not exist", invented);
        }
        vec![
            (PRECISION, Ratio::new(right, marks)),
            ("precision_of_answered", Ratio::new(right, answered)),
        ]
    }

    /// The segmenter's regions were marked: each has the class of the segment that it meets.
    fn score_regions(
        &self,
        sample: &Sample,
        truth: &CutSegments,
        regions: &[Found],
        masks: &[Mask],
        outcome: &Outcome,
        tally: &mut Tally,
    ) {
        let segments: Vec<&Mask> = truth.segments.iter().map(|segment| &segment.mask).collect();
        let met = matched(&segments, masks);
        let (mut right, mut answered, mut marks) = (0.0, 0.0, 0.0);
        let mut unmatched = 0;
        for (region, met) in regions.iter().zip(&met).filter(|(region, _)| region.marked) {
            let segment = met.and_then(|place| truth.segments.get(place));
            match segment.filter(|segment| !segment.is_crowd) {
                Some(segment) => {
                    let said = region.name.as_deref();
                    marks += 1.0;
                    right += f64::from(u8::from(self.is_right(segment, said)));
                    answered += f64::from(u8::from(said.is_some()));
                }
                None => unmatched += 1,
            }
        }
        tally.count("marks on regions that meet no segment, left out", unmatched);
        for (place, segment) in truth
            .segments
            .iter()
            .enumerate()
            .filter(|(_, s)| !s.is_crowd)
        {
            let met = regions
                .iter()
                .zip(&met)
                .filter(|(_, met)| **met == Some(place));
            let met: Vec<&Found> = met.map(|(region, _)| region).collect();
            let marked = || met.iter().filter(|region| region.marked);
            let is_right = marked().any(|region| self.is_right(segment, region.name.as_deref()));
            let is_named = marked().any(|region| region.name.is_some());
            let reading = reading(outcome, is_named);
            let losses = lost(
                is_right,
                !met.is_empty(),
                marked().next().is_some(),
                reading,
            );
            tally.lose(PRECISION, losses);
        }
        let measured = vec![
            (PRECISION, Ratio::new(right, marks)),
            ("precision_of_answered", Ratio::new(right, answered)),
        ];
        tally.add(sample, &sample.kinds, &measured);
    }

    /// Adds an image to panoptic quality, if its truth is a partition and the regions are one.
    fn add_panoptic(
        &mut self,
        sample: &Sample,
        truth: &CutSegments,
        regions: &[Found],
        masks: &[Mask],
        tally: &mut Tally,
    ) {
        let (Truth::Segments(Segments::Panoptic { .. }), Some(void)) = (&sample.truth, &truth.void)
        else {
            return;
        };
        let mut found = Vec::new();
        for (region, mask) in regions
            .iter()
            .zip(masks)
            .filter(|(_, mask)| !mask.is_empty())
        {
            let class = region
                .name
                .as_deref()
                .and_then(|name| self.class(sample, name));
            found.extend(class.map(|class| (class, mask)));
        }
        let overlaps = |(at, (_, mask)): (usize, &(String, &Mask))| {
            found[..at]
                .iter()
                .any(|(_, other)| other.intersection_area(mask) > 0)
        };
        if found.iter().enumerate().any(overlaps) {
            tally.count(
                "images whose regions overlap, left out of panoptic quality",
                1,
            );
            return;
        }
        let labelled = |segment: &'_ Cut| (segment.names.first().cloned(), segment.is_crowd);
        let names: Vec<_> = truth.segments.iter().map(labelled).collect();
        let expected: Vec<Labelled<'_>> = truth
            .segments
            .iter()
            .zip(&names)
            .map(|(segment, (class, is_crowd))| Labelled {
                class: class.as_deref().unwrap_or(""),
                mask: &segment.mask,
                is_crowd: *is_crowd,
            })
            .collect();
        let found: Vec<Labelled<'_>> = found
            .iter()
            .map(|(class, mask)| Labelled {
                class,
                mask,
                is_crowd: false,
            })
            .collect();
        self.panoptic.add(&expected, &found, void);
    }

    fn is_right(&self, segment: &Cut, said: Option<&str>) -> bool {
        said.is_some_and(|said| self.synonyms.is_right(&segment.names, said))
    }

    /// The class of the vocabulary that a name means.
    fn class(&mut self, sample: &Sample, said: &str) -> Option<String> {
        if let Some(class) = self.classes.get(said) {
            return class.clone();
        }
        let Question::Names { vocabulary } = &sample.question else {
            return None;
        };
        let mut classes = vocabulary.iter();
        let is_meant = |class: &&String| self.synonyms.is_right(std::slice::from_ref(*class), said);
        let class = classes.find(is_meant).cloned();
        self.classes.insert(said.to_owned(), class.clone());
        class
    }
}

/// The pixels of regions; those without a mask are their boxes.
fn masks(truth: &CutSegments, regions: &[Found]) -> Result<Vec<Mask>, Fault> {
    let missing = || Fault::Answer("a region has no mask, which names of regions need".to_owned());
    regions
        .iter()
        .map(|region| {
            let shape = region.mask.as_ref().ok_or_else(missing)?;
            let mask = shape.mask(truth.size).map_err(Fault::answer)?;
            Ok(mask.into_owned())
        })
        .collect()
}

/// What no name was read for, was not read.
const fn reading(outcome: &Outcome, is_named: bool) -> Reading {
    match outcome.reading {
        Reading::Read if !is_named => Reading::Nothing,
        other => other,
    }
}

/// Who lost a segment.
fn lost(is_right: bool, is_cut: bool, is_marked: bool, reading: Reading) -> Losses {
    let number = |is_so: bool| f64::from(u8::from(is_so));
    Losses::new(
        number(is_right),
        number(is_cut),
        number(is_cut && is_marked),
        reading,
    )
}
