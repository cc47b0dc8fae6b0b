//! A grounded answer → what it says of a sample, and how it could be read.

use std::collections::BTreeMap;

use som_core::{
    AllocatedMark, Region,
    ground::Status,
    task::{Finding, Grounded},
};

use super::question::may_mean_any;
use crate::{
    Question, Rect, Sample,
    results::{Answer, Found, Outcome, PhraseAnswer, Reading},
};

/// What a model was shown: regions, and the marks on them.
pub(super) struct Shown<'a> {
    pub(super) regions: &'a [Region],
    pub(super) marks: &'a [AllocatedMark],
    /// Ids of the truth's segments that the regions are; empty if they are others.
    pub(super) ids: &'a [u64],
}

impl Shown<'_> {
    fn region(&self, id: u32) -> Option<&Region> {
        let mark = self.marks.iter().find(|mark| mark.id == id)?;
        self.regions.get(mark.index)
    }

    /// The mark of each region, as far as it has one.
    fn mark_of(&self, index: usize) -> Option<u32> {
        let mark = self.marks.iter().find(|mark| mark.index == index)?;
        Some(mark.id)
    }

    /// The regions as results have them.
    fn found(&self) -> Vec<Found> {
        let found = |(index, region): (usize, &Region)| Found {
            marked: self.mark_of(index).is_some(),
            ..Found::of(region)
        };
        self.regions.iter().enumerate().map(found).collect()
    }

    /// The regions with the names that their marks got.
    fn named(&self, names: &BTreeMap<u32, &str>) -> Vec<Found> {
        let named = |(index, region): (usize, &Region)| {
            let mark = self.mark_of(index);
            let name = mark.and_then(|id| names.get(&id).map(|name| (*name).to_owned()));
            Found {
                marked: mark.is_some(),
                ..Found::named(region, name)
            }
        };
        self.regions.iter().enumerate().map(named).collect()
    }
}

/// What `grounded`, an answer with this `text` about what was `shown`, says of `sample`.
pub(super) fn outcome(
    sample: &Sample,
    shown: &Shown<'_>,
    text: &str,
    grounded: &Grounded,
) -> Outcome {
    let is_unreadable = text.trim().is_empty() || grounded.broke_off_in_thought();
    let findings = &grounded.findings;
    let mut outcome = Outcome {
        sample: sample.id.clone(),
        ..Outcome::default()
    };
    match &sample.question {
        Question::Names { .. } => {
            let names = names(findings);
            if shown.ids.is_empty() {
                outcome.regions = Some(shown.named(&names));
            } else {
                name_segments(&mut outcome, shown, &names);
            }
            if names.is_empty() {
                outcome.reading = Reading::Unreadable;
            }
        }
        Question::Phrases { .. } => {
            let phrases = findings.iter().map(|finding| PhraseAnswer {
                phrase: finding.text.clone(),
                boxes: boxes(shown, finding),
            });
            outcome.answer.phrases = phrases.collect();
            outcome.regions = Some(shown.found());
        }
        Question::Refer(_) | Question::Click(_) | Question::Track => {
            outcome.regions = Some(shown.found());
            outcome.reading = Reading::Nothing;
            if let Some(finding) = findings.first() {
                outcome.answer = meant(shown, finding);
                outcome.reading = reading(finding, may_mean_any(sample));
            }
        }
    }
    if is_unreadable {
        outcome.reading = Reading::Unreadable;
    }
    outcome
}

/// The name of each mark that got one.
fn names(findings: &[Finding]) -> BTreeMap<u32, &str> {
    let named = findings
        .iter()
        .filter(|finding| !finding.text.trim().is_empty() && finding.status != Status::Ambiguous);
    named
        .flat_map(|finding| finding.marks.iter().map(|id| (*id, finding.text.as_str())))
        .collect()
}

/// The names of the truth's own segments, and which of them have no mark.
fn name_segments(outcome: &mut Outcome, shown: &Shown<'_>, names: &BTreeMap<u32, &str>) {
    for (index, id) in shown.ids.iter().enumerate() {
        match shown.mark_of(index) {
            Some(mark) => {
                let name = names.get(&mark).map(|name| (*name).to_owned());
                outcome.answer.names.insert(id.to_string(), name);
            }
            None => outcome.unmarked.push(*id),
        }
    }
}

/// What a finding means, as boxes and masks.
fn meant(shown: &Shown<'_>, finding: &Finding) -> Answer {
    Answer::of(finding.marks.iter().filter_map(|id| shown.region(*id)))
}

fn boxes(shown: &Shown<'_>, finding: &Finding) -> Vec<Rect> {
    let regions = finding.marks.iter().filter_map(|id| shown.region(*id));
    regions.map(Rect::from).collect()
}

/// How what an answer says of one expression could be read. A mark that does not exist was read: it is
/// the model that is wrong.
fn reading(finding: &Finding, may_mean_any: bool) -> Reading {
    match (finding.marks.len(), finding.status) {
        (_, Status::Ambiguous) => Reading::TooMuch,
        (0, Status::OutOfRange) => Reading::Read,
        (0, Status::Resolved) if may_mean_any => Reading::Read,
        (0, _) => Reading::Nothing,
        (2.., _) if !may_mean_any => Reading::TooMuch,
        _ => Reading::Read,
    }
}
