//! Rows without a model: a segmenter that is told the words itself, or names what it finds.

use serde_json::json;
use som_core::{Error, Params, Region, Result};

use super::question::may_mean_any;
use crate::{
    Question, Rect, Sample, Truth,
    results::{Answer, Found, Outcome, PhraseAnswer, Reading},
};

/// What a specialist is asked of a sample: the parameters of each call.
///
/// # Errors
/// Unsupported for the objects of a sequence.
pub(super) fn calls(sample: &Sample, params: &Params) -> Result<Vec<Params>> {
    let told = |text: &str| {
        let mut params = params.clone();
        params.insert("hints".to_owned(), json!({"text": text}));
        params
    };
    match (&sample.question, &sample.truth) {
        (Question::Names { .. }, _) => Ok(vec![params.clone()]),
        (Question::Refer(text) | Question::Click(text), _) => Ok(vec![told(text)]),
        (Question::Phrases { .. }, Truth::Phrases(phrases)) => {
            Ok(phrases.iter().map(|phrase| told(&phrase.text)).collect())
        }
        _ => Err(Error::unsupported(
            "a specialist is not asked about sequences of frames",
        )),
    }
}

/// What the regions of each call say of a sample.
pub(super) fn outcome(sample: &Sample, calls: &[&[Region]]) -> Outcome {
    let mut outcome = Outcome {
        sample: sample.id.clone(),
        ..Outcome::default()
    };
    let all = calls.iter().flat_map(|regions| regions.iter());
    match (&sample.question, &sample.truth) {
        (Question::Names { .. }, _) => {
            outcome.regions = Some(
                all.map(|region| Found::named(region, region.label.clone()))
                    .collect(),
            );
        }
        (Question::Phrases { .. }, Truth::Phrases(phrases)) => {
            let answers = phrases
                .iter()
                .zip(calls)
                .map(|(phrase, regions)| PhraseAnswer {
                    phrase: phrase.text.clone(),
                    boxes: best(regions).map(Rect::from).into_iter().collect(),
                });
            outcome.answer.phrases = answers.collect();
            outcome.regions = Some(all.map(Found::of).collect());
        }
        _ => {
            let meant: Vec<&Region> = match may_mean_any(sample) {
                true => all.clone().collect(),
                false => calls.iter().filter_map(|regions| best(regions)).collect(),
            };
            outcome.answer = Answer::of(meant.iter().copied());
            if meant.is_empty() && !may_mean_any(sample) {
                outcome.reading = Reading::Nothing;
            }
            outcome.regions = Some(all.map(Found::of).collect());
        }
    }
    outcome
}

/// The region of the highest score; of equal ones the first.
fn best(regions: &[Region]) -> Option<&Region> {
    let score = |region: &Region| region.score.unwrap_or_default();
    regions.iter().reduce(|best, region| {
        if score(region) > score(best) {
            region
        } else {
            best
        }
    })
}
