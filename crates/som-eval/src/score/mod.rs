//! Results of a run, held against the truth: scores with their intervals, and who lost what.

mod losses;
mod tally;
mod each;
mod refer;
mod naming;
mod phrases;
mod video;
mod clicks;
mod report;

use std::{collections::HashMap, path::Path};

pub use self::{
    each::{SampleScore, Verdict},
    losses::Losses,
    report::{Report, SCHEMA, Score},
};
use self::{naming::Naming, tally::Tally};
use crate::{
    Error, Result, Sample, Truth,
    data::Dataset,
    metrics::{DRAWS, naming::Synonyms},
    results::{self, Answer, Outcome},
};

/// How results are scored.
#[derive(Clone, Debug)]
pub struct Options {
    /// Names that are right as well.
    pub synonyms: Synonyms,
    /// True if samples that the results do not have are left out, as after a run over a part of
    /// the data set; else they are wrong.
    pub only_run: bool,
    /// How often images are drawn for an interval.
    pub draws: usize,
    /// What the draws begin with.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            synonyms: Synonyms::default(),
            only_run: false,
            draws: DRAWS,
            seed: 0,
        }
    }
}

/// Why a sample could not be scored.
enum Fault {
    /// Its truth is wrong: it is left out.
    Truth(Error),
    /// What was answered is wrong: it counts as not answered.
    Answer(String),
}

impl Fault {
    #[allow(clippy::needless_pass_by_value, reason = "for map_err")]
    fn answer(error: impl ToString) -> Self {
        Self::Answer(error.to_string())
    }
}

/// Scores the results in a file of JSON lines against a data set.
///
/// # Errors
/// [`Error::Unreadable`], if the file cannot be read; [`Error::Invalid`], if the data set's truth
/// was never published, or no sample of it is left.
pub fn score(data: &Dataset, path: &Path, options: &Options) -> Result<Report> {
    let places: HashMap<&str, usize> = data
        .samples
        .iter()
        .map(|sample| sample.id.as_str())
        .zip(0..)
        .collect();
    let mut scorer = Scorer::new(data, options);
    for (number, outcome) in results::read(path)? {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                scorer.left_out.push(error);
                continue;
            }
        };
        let mut wrong = |why: &str| {
            let entry = format!("line {number}, sample {}", outcome.sample);
            scorer.left_out.push(Error::malformed(path, entry, why));
        };
        let Some(&place) = places.get(outcome.sample.as_str()) else {
            wrong("the data set has no such sample (is it the right split?)");
            continue;
        };
        if std::mem::replace(&mut scorer.is_seen[place], true) {
            wrong("the sample occurs twice; the first one counts");
            continue;
        }
        if let Some(why) = scorer.add(place, Some(&outcome))? {
            let entry = format!("line {number}, sample {}", outcome.sample);
            scorer.left_out.push(Error::malformed(path, entry, why));
        }
    }
    scorer.finish(path)
}

/// What is scored so far.
struct Scorer<'a> {
    data: &'a Dataset,
    options: &'a Options,
    is_seen: Vec<bool>,
    answered: usize,
    naming: Naming<'a>,
    tally: Tally,
    each: Vec<SampleScore>,
    left_out: Vec<Error>,
}

impl<'a> Scorer<'a> {
    fn new(data: &'a Dataset, options: &'a Options) -> Self {
        Self {
            data,
            options,
            is_seen: vec![false; data.samples.len()],
            answered: 0,
            naming: Naming::new(&options.synonyms),
            tally: Tally::default(),
            each: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Scores a sample. What is wrong with the answer is returned, and the sample counts as not
    /// answered.
    fn add(&mut self, place: usize, outcome: Option<&Outcome>) -> Result<Option<String>> {
        let sample = &self.data.samples[place];
        let mut tally = Tally::default();
        let result = match outcome.and_then(unsound) {
            Some(why) => Err(Fault::Answer(why)),
            None => self.measure(sample, outcome, &mut tally),
        };
        match result {
            Ok(()) => {
                self.answered += usize::from(outcome.is_some());
                let failed = outcome.is_none_or(Outcome::has_failed);
                self.each.push(SampleScore::new(place, &tally, failed));
                self.tally.merge(tally);
                Ok(None)
            }
            Err(Fault::Truth(error @ Error::Invalid(_))) => Err(error),
            Err(Fault::Truth(error)) => {
                self.left_out.push(error);
                Ok(None)
            }
            Err(Fault::Answer(why)) => {
                // Without an answer none can be wrong.
                self.add(place, None)?;
                Ok(Some(why))
            }
        }
    }

    fn measure(
        &mut self,
        sample: &Sample,
        outcome: Option<&Outcome>,
        tally: &mut Tally,
    ) -> Result<(), Fault> {
        match &sample.truth {
            Truth::Segments(segments) => {
                let cut = segments.cut(sample, self.data.kind).map_err(Fault::Truth)?;
                self.naming.score(sample, &cut, outcome, tally)
            }
            Truth::Targets {
                targets,
                void,
                protocol,
            } => {
                let truth = refer::Expected::new(sample, targets, void.as_ref(), *protocol)?;
                refer::score(sample, &truth, outcome, tally)
            }
            Truth::Phrases(expected) => phrases::score(sample, expected, outcome, tally),
            Truth::Video(video) => {
                let maps = video.maps(self.data.kind).map_err(Fault::Truth)?;
                video::score(sample, video, &maps, outcome, tally)
            }
            Truth::Click(expected) => clicks::score(sample, *expected, outcome, tally),
            Truth::Unpublished(why) => Err(Fault::Truth(Error::Invalid((*why).to_owned()))),
        }
    }

    fn finish(mut self, path: &Path) -> Result<Report> {
        let not_run: Vec<usize> = (0..self.is_seen.len())
            .filter(|&at| !self.is_seen[at])
            .collect();
        if !self.options.only_run {
            for &place in &not_run {
                self.add(place, None)?;
            }
        }
        let report = Report::new(
            self.data,
            path,
            self.options,
            report::Counted {
                answered: self.answered,
                not_run: not_run.len(),
                left_out: self.left_out,
            },
            &self.tally,
            &self.naming,
            self.each,
        );
        if report.scores.is_empty() {
            let first = report.left_out.first();
            let why = first.map_or(String::new(), |first| format!(": {first}"));
            return Err(Error::Invalid(format!(
                "{}: no sample could be scored{why}",
                path.display()
            )));
        }
        Ok(report)
    }
}

/// What is wrong with the numbers of an outcome.
fn unsound(outcome: &Outcome) -> Option<String> {
    let answers = [Some(&outcome.answer), outcome.oracle.as_ref()];
    let of_answers = answers.into_iter().flatten().find_map(Answer::unsound_box);
    let regions = outcome
        .regions
        .iter()
        .flatten()
        .filter_map(|region| region.bbox);
    let rect = of_answers.or_else(|| regions.into_iter().find(|rect| !rect.is_sound()))?;
    Some(format!(
        "{:?} is no box x, y, width, height",
        <[f64; 4]>::from(rect)
    ))
}
