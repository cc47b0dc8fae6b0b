//! Several answers to one question → how far they agree.

use serde::{Deserialize, Serialize};

use super::{Finding, Grounded};

/// How many of several answers speak of a region.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// The mark's id.
    pub mark: u32,
    /// Answers that mean it.
    pub votes: u32,
    /// The same as a share of all answers, in (0, 1].
    pub share: f64,
}

/// What several answers to one question, each over marks of other names and colours, add up to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Consensus {
    /// Index of the answer that agrees with the others most.
    pub best: usize,
    /// For every region that an answer means, the one with most votes first.
    pub regions: Vec<Agreement>,
    /// For every finding of the best answer, the share of all answers that say the same.
    pub findings: Vec<f64>,
}

/// Merges the votes for one question; `None` without any. `by_mark` tells that a finding answers
/// what is in a region (`describe`), so that its text is the vote, not its marks.
pub fn merge(answers: &[Grounded], by_mark: bool) -> Option<Consensus> {
    let all = answers.len() as f64;
    let mut regions: Vec<Agreement> = Vec::new();
    for answer in answers {
        for mark in meant(answer) {
            match regions.iter_mut().find(|region| region.mark == mark) {
                Some(region) => region.votes += 1,
                None => regions.push(Agreement {
                    mark,
                    votes: 1,
                    share: 0.0,
                }),
            }
        }
    }
    for region in &mut regions {
        region.share = f64::from(region.votes) / all;
    }
    regions.sort_by_key(|region| (std::cmp::Reverse(region.votes), region.mark));

    let agreed = |finding: &Finding| {
        let same = answers.iter().filter(|other| {
            other.findings.iter().any(|other| {
                finding.answers_as(other, by_mark) && finding.says_the_same(other, by_mark)
            })
        });
        same.count() as f64 / all
    };
    let votes_of = |mark: u32| {
        let region = regions.iter().find(|region| region.mark == mark);
        region.map_or(0.0, |region| region.share)
    };
    // A region counts for an answer as far as more than half of the answers mean it.
    let score = |answer: &Grounded| {
        let marks: f64 = meant(answer).iter().map(|&mark| votes_of(mark) - 0.5).sum();
        let findings: f64 = answer.findings.iter().map(agreed).sum();
        marks + findings
    };
    let mut best: Option<(usize, f64)> = None;
    for (index, answer) in answers.iter().enumerate() {
        let score = score(answer);
        if best.is_none_or(|(_, most)| score > most) {
            best = Some((index, score));
        }
    }
    let (best, _) = best?;
    Some(Consensus {
        best,
        findings: answers[best].findings.iter().map(agreed).collect(),
        regions,
    })
}

/// The marks that an answer means, without repeats: those of its findings, or of its mentions
/// where the task has none.
fn meant(answer: &Grounded) -> Vec<u32> {
    let mut marks: Vec<u32> = if answer.findings.is_empty() {
        answer.meant().collect()
    } else {
        answer
            .findings
            .iter()
            .flat_map(|f| &f.marks)
            .copied()
            .collect()
    };
    marks.sort_unstable();
    marks.dedup();
    marks
}

impl Finding {
    fn says_the_same(&self, other: &Self, by_mark: bool) -> bool {
        if by_mark {
            return self.text.to_lowercase() == other.text.to_lowercase();
        }
        let mut marks = [self.marks.clone(), other.marks.clone()];
        marks.iter_mut().for_each(|marks| marks.sort_unstable());
        marks[0] == marks[1]
    }
}
