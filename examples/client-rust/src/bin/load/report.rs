//! What is told about a run, in the form of ghz.

use std::{collections::BTreeMap, fmt, time::Duration};

/// Lines of the histogram, and the length of its longest bar.
const BINS: usize = 11;
const BAR: usize = 40;
const PERCENTILES: [u32; 7] = [10, 25, 50, 75, 90, 95, 99];

/// One call.
pub(crate) struct Sample {
    /// From when it was due to its answer.
    pub(crate) latency: Duration,
    /// "ok", or the kind of its error.
    pub(crate) status: &'static str,
    /// What the stages took, if it was answered.
    pub(crate) work: Option<Duration>,
}

/// All calls of a run.
pub(crate) struct Report {
    /// Milliseconds of the calls that were answered, in order of size: …
    latencies: Vec<f64>,
    /// … what lies beside the stages: transport, messages, and waiting for a place.
    overheads: Vec<f64>,
    statuses: BTreeMap<&'static str, usize>,
    took: Duration,
}

impl Report {
    pub(crate) fn new(samples: Vec<Sample>, took: Duration) -> Self {
        let mut report = Self {
            latencies: Vec::new(),
            overheads: Vec::new(),
            statuses: BTreeMap::new(),
            took,
        };
        for sample in samples {
            *report.statuses.entry(sample.status).or_default() += 1;
            if let Some(work) = sample.work {
                let overhead = sample.latency.saturating_sub(work);
                report.latencies.push(sample.latency.as_secs_f64() * 1e3);
                report.overheads.push(overhead.as_secs_f64() * 1e3);
            }
        }
        report.latencies.sort_by(f64::total_cmp);
        report.overheads.sort_by(f64::total_cmp);
        report
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count: usize = self.statuses.values().sum();
        writeln!(f, "Summary:")?;
        writeln!(f, "  Count:        {count}")?;
        writeln!(f, "  Total:        {:.2} s", self.took.as_secs_f64())?;
        if let [fastest, .., slowest] | [fastest @ slowest] = self.latencies[..] {
            let sum: f64 = self.latencies.iter().sum();
            let answered = self.latencies.len() as f64;
            writeln!(f, "  Slowest:      {slowest:.2} ms")?;
            writeln!(f, "  Fastest:      {fastest:.2} ms")?;
            writeln!(f, "  Average:      {:.2} ms", sum / answered)?;
            let rate = answered / self.took.as_secs_f64();
            writeln!(f, "  Requests/sec: {rate:.2}")?;
            histogram(f, &self.latencies)?;
            writeln!(f, "\nLatency distribution (beside the stages' own time):")?;
            for percent in PERCENTILES {
                let latency = percentile(&self.latencies, percent);
                let overhead = percentile(&self.overheads, percent);
                writeln!(f, "  {percent} % in {latency:.2} ms ({overhead:.2} ms)")?;
            }
        }
        writeln!(f, "\nStatus distribution:")?;
        for (status, count) in &self.statuses {
            writeln!(f, "  [{status}] {count} answers")?;
        }
        Ok(())
    }
}

/// Bars over the range of `sorted`, which is not empty.
fn histogram(f: &mut fmt::Formatter<'_>, sorted: &[f64]) -> fmt::Result {
    let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
    let width = (most - least) / BINS as f64;
    let mut counts = [0_usize; BINS];
    for value in sorted {
        let bin = ((value - least) / width.max(f64::MIN_POSITIVE)) as usize;
        counts[bin.min(BINS - 1)] += 1;
    }
    let tallest = counts.into_iter().max().unwrap_or(1).max(1);
    writeln!(f, "\nResponse time histogram:")?;
    for (bin, count) in counts.into_iter().enumerate() {
        let edge = least + width * (bin + 1) as f64;
        let bar = "∎".repeat((count * BAR).div_ceil(tallest));
        writeln!(f, "  {edge:>9.2} ms [{count:>5}] |{bar}")?;
    }
    Ok(())
}

/// The smallest value that `percent` of all do not exceed.
fn percentile(sorted: &[f64], percent: u32) -> f64 {
    let rank = (sorted.len() * percent as usize).div_ceil(100);
    sorted[rank.saturating_sub(1).min(sorted.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(latency: u64, work: u64) -> Sample {
        Sample {
            latency: Duration::from_millis(latency),
            status: "ok",
            work: Some(Duration::from_millis(work)),
        }
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let sorted: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(percentile(&sorted, 50), 100.0);
        assert_eq!(percentile(&sorted, 99), 198.0);
        assert_eq!(percentile(&[7.0], 10), 7.0);
    }

    #[test]
    fn a_report_tells_all_calls_and_times_those_that_were_answered() {
        let refused = Sample {
            latency: Duration::from_secs(9),
            status: "exhausted",
            work: None,
        };
        let samples = vec![answered(30, 20), refused, answered(10, 9)];
        let text = Report::new(samples, Duration::from_secs(2)).to_string();
        for line in [
            "  Count:        3\n",
            "  Slowest:      30.00 ms\n",
            "  Average:      20.00 ms\n",
            "  Requests/sec: 1.00\n",
            "  50 % in 10.00 ms (1.00 ms)\n",
            "  99 % in 30.00 ms (10.00 ms)\n",
            "  [exhausted] 1 answers\n",
            "  [ok] 2 answers\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        let bars: usize = text.lines().filter(|line| line.contains('∎')).count();
        assert_eq!(bars, 2);
    }

    #[test]
    fn a_run_without_an_answer_is_told_too() {
        let text = Report::new(Vec::new(), Duration::ZERO).to_string();
        assert!(text.starts_with("Summary:\n  Count:        0\n"), "{text}");
    }
}
