//! Phrases of a sentence: recall@1 by both protocols.

use super::{
    Fault, Losses,
    tally::{Measured, Scope, Tally},
};
use crate::{
    Phrase, Rect, Sample,
    metrics::{
        Ratio,
        phrases::{is_any_box_hit, is_merged_box_hit},
    },
    results::{Answer, Outcome, Reading},
};

const ANY_BOX: &str = "recall@1 any-box";
const MERGED_BOX: &str = "recall@1 merged-box";

/// Scores what each phrase was answered to mean.
pub(super) fn score(
    sample: &Sample,
    truth: &[Phrase],
    outcome: Option<&Outcome>,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let none = Answer::default();
    let mut answered = Answered::new(outcome.map_or(&none, |outcome| &outcome.answer));
    let oracle = outcome.and_then(|outcome| outcome.oracle.as_ref());
    let mut of_oracle = oracle.map(Answered::new);
    let mut regions = Vec::new();
    for region in outcome
        .and_then(|outcome| outcome.regions.as_ref())
        .into_iter()
        .flatten()
    {
        let rect = region.rect(sample.size).map_err(Fault::answer)?;
        regions.extend(rect.map(|rect| (region.marked, rect)));
    }
    for phrase in truth {
        let found = answered.take(&phrase.text);
        tally.add(sample, &phrase.types, &measure(phrase, found));
        if let Some(oracle) = &mut of_oracle {
            tally.add_to(
                &Scope::Oracle,
                sample,
                &measure(phrase, oracle.take(&phrase.text)),
            );
        }
        let Some(outcome) = outcome.filter(|outcome| outcome.regions.is_some()) else {
            continue;
        };
        let number = |is_so: bool| f64::from(u8::from(is_so));
        let is_met = |only_marked: bool| {
            let mut regions = regions.iter().filter(|(marked, _)| *marked || !only_marked);
            number(regions.any(|(_, rect)| is_any_box_hit(&phrase.boxes, &[*rect])))
        };
        let reading = match outcome.reading {
            Reading::Read if found.is_empty() => Reading::Nothing,
            other => other,
        };
        let reached = number(is_any_box_hit(&phrase.boxes, found));
        tally.lose(
            ANY_BOX,
            Losses::new(reached, is_met(false), is_met(true), reading),
        );
    }
    tally.count(
        "answers to phrases that are not asked for or have no box",
        answered.rest(),
    );
    Ok(())
}

fn measure(phrase: &Phrase, found: &[Rect]) -> Measured {
    vec![
        (ANY_BOX, Ratio::hit(is_any_box_hit(&phrase.boxes, found))),
        (
            MERGED_BOX,
            Ratio::hit(is_merged_box_hit(&phrase.boxes, found)),
        ),
    ]
}

/// Answers by the words of their phrases: each is taken once, so that a phrase which occurs twice
/// has two.
struct Answered<'a> {
    phrases: Vec<(&'a str, &'a [Rect])>,
}

impl<'a> Answered<'a> {
    fn new(answer: &'a Answer) -> Self {
        let phrases = answer.phrases.iter();
        Self {
            phrases: phrases
                .map(|p| (p.phrase.trim(), p.boxes.as_slice()))
                .collect(),
        }
    }

    fn take(&mut self, text: &str) -> &'a [Rect] {
        let place = self.phrases.iter().position(|(phrase, _)| *phrase == text);
        place.map_or(&[], |place| self.phrases.remove(place).1)
    }

    fn rest(&self) -> usize {
        self.phrases.len()
    }
}
