//! How long the stages of a request took.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// How long each stage of a request took; `None` for one that was not run. As JSON milliseconds, to
/// the microsecond, of the stages that were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// bytes → image.
    pub decode: Option<Duration>,
    /// image → regions, hints → masks included where regions are refined.
    pub segment: Option<Duration>,
    /// Of that, image → regions, where they are refined.
    pub detect: Option<Duration>,
    /// Of that, hints → masks.
    pub refine: Option<Duration>,
    /// regions → marks.
    pub allocate: Option<Duration>,
    /// marks → marked image.
    pub draw: Option<Duration>,
    /// marked image → bytes.
    pub encode: Option<Duration>,
    /// regions → bytes, where the three stages before are not told apart.
    pub mark: Option<Duration>,
    /// prompt → answer, all rounds of it.
    pub answer: Option<Duration>,
    /// None of these: until an instance of a segmenter or a core was free, and until the model could
    /// be asked again.
    pub wait: Option<Duration>,
}

impl Timings {
    /// The stages that were run, by name.
    pub fn stages(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let stages = [
            ("decode", self.decode),
            ("segment", self.segment),
            ("detect", self.detect),
            ("refine", self.refine),
            ("allocate", self.allocate),
            ("draw", self.draw),
            ("encode", self.encode),
            ("mark", self.mark),
            ("answer", self.answer),
            ("wait", self.wait),
        ];
        stages
            .into_iter()
            .filter_map(|(stage, took)| Some((stage, took?)))
    }
}

impl Serialize for Timings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let milliseconds = |took: Duration| (took.as_secs_f64() * 1e6).round() / 1e3;
        serializer.collect_map(
            self.stages()
                .map(|(stage, took)| (stage, milliseconds(took))),
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stages_that_were_run_are_told_to_the_microsecond() {
        let timings = Timings {
            segment: Some(Duration::from_nanos(1_234_567)),
            draw: Some(Duration::ZERO),
            ..Timings::default()
        };
        let json = serde_json::to_value(timings).unwrap();
        assert_eq!(json, json!({"segment": 1.235, "draw": 0.0}));
    }
}
