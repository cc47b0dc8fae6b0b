//! Who cut an image, and how long each stage took.

use std::time::Duration;

use som_core::{Error, Origin, Result, Segmentation, Timings};

use crate::{granularity, params, pb::v1 as pb};

/// To the wire.
pub fn segmentation_to_wire(segmentation: &Segmentation) -> pb::Segmentation {
    pb::Segmentation {
        segmenter: segmentation.segmenter.clone(),
        version: segmentation.version.clone(),
        params: Some(params::to_wire(&segmentation.params)),
        granularity: segmentation.granularity.as_ref().map(granularity::to_wire),
    }
}

/// From the wire.
///
/// # Errors
/// Invalid, if a parameter is no JSON.
pub fn segmentation_from_wire(wire: pb::Segmentation) -> Result<Segmentation> {
    Ok(Segmentation {
        segmenter: wire.segmenter,
        version: wire.version,
        params: params::from_wire(wire.params).map_err(|error| error.at("segmentation"))?,
        granularity: wire.granularity.map(granularity::from_wire),
    })
}

/// To the wire: nothing for regions that came with the request.
pub fn origin_to_wire(origin: &Origin) -> Option<pb::Segmentation> {
    match origin {
        Origin::Segmented(segmentation) => Some(segmentation_to_wire(segmentation)),
        Origin::Given => None,
    }
}

/// From the wire.
///
/// # Errors
/// As [`segmentation_from_wire`].
pub fn origin_from_wire(wire: Option<pb::Segmentation>) -> Result<Origin> {
    wire.map_or(Ok(Origin::Given), |wire| {
        segmentation_from_wire(wire).map(Origin::Segmented)
    })
}

/// To the wire: the stages of a marked image.
pub fn timings_to_wire(timings: &Timings) -> pb::Timings {
    pb::Timings {
        decode: milliseconds(timings.decode),
        segment: milliseconds(timings.segment),
        allocate: milliseconds(timings.allocate),
        draw: milliseconds(timings.draw),
        encode: milliseconds(timings.encode),
        detect: milliseconds(timings.detect),
        refine: milliseconds(timings.refine),
    }
}

/// From the wire: the stages of a marked image.
///
/// # Errors
/// Invalid, if one took no time that there is.
pub fn timings_from_wire(wire: Option<pb::Timings>) -> Result<Timings> {
    let wire = wire.unwrap_or_default();
    Ok(Timings {
        decode: took("decode", wire.decode)?,
        segment: took("segment", wire.segment)?,
        allocate: took("allocate", wire.allocate)?,
        draw: took("draw", wire.draw)?,
        encode: took("encode", wire.encode)?,
        detect: took("detect", wire.detect)?,
        refine: took("refine", wire.refine)?,
        ..Timings::default()
    })
}

/// To the wire: the stages of an answer.
pub fn ask_timings_to_wire(timings: &Timings) -> pb::AskTimings {
    pb::AskTimings {
        segment: milliseconds(timings.segment),
        mark: milliseconds(timings.mark),
        answer: milliseconds(timings.answer),
        wait: milliseconds(timings.wait),
    }
}

/// From the wire: the stages of an answer.
///
/// # Errors
/// As [`timings_from_wire`].
pub fn ask_timings_from_wire(wire: Option<pb::AskTimings>) -> Result<Timings> {
    let wire = wire.unwrap_or_default();
    Ok(Timings {
        segment: took("segment", wire.segment)?,
        mark: took("mark", wire.mark)?,
        answer: took("answer", wire.answer)?,
        wait: took("wait", wire.wait)?,
        ..Timings::default()
    })
}

/// As all timings are on the wire: 0 for a stage that was not run.
pub fn milliseconds(took: Option<Duration>) -> f64 {
    took.unwrap_or_default().as_secs_f64() * 1e3
}

fn took(stage: &str, milliseconds: f64) -> Result<Option<Duration>> {
    if milliseconds == 0.0 {
        return Ok(None);
    }
    let took = Duration::try_from_secs_f64(milliseconds / 1e3);
    took.map(Some)
        .map_err(|_| Error::invalid(format!("timings: {stage} is {milliseconds} ms")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_comes_back_as_it_was() {
        let cut = Segmentation {
            segmenter: "classic".into(),
            version: "1.2.3".into(),
            params: som_core::Params::from_iter([("level".into(), 3.into())]),
            granularity: None,
        };
        let chosen = Segmentation {
            granularity: Some(som_core::granularity::Granularity {
                value: 1.5,
                reason: "1.5 is from 1.33: classic, level 2".into(),
            }),
            ..cut.clone()
        };
        for origin in [
            Origin::Segmented(cut),
            Origin::Segmented(chosen),
            Origin::Given,
        ] {
            assert_eq!(origin_from_wire(origin_to_wire(&origin)).unwrap(), origin);
        }
    }

    #[test]
    fn timings_come_back_as_they_were() {
        let marked = Timings {
            decode: Some(Duration::from_millis(2)),
            draw: Some(Duration::from_micros(1500)),
            detect: Some(Duration::from_millis(70)),
            refine: Some(Duration::from_millis(9)),
            ..Timings::default()
        };
        let back = timings_from_wire(Some(timings_to_wire(&marked)));
        assert_eq!(back.unwrap(), marked);
        let answered = Timings {
            mark: Some(Duration::from_millis(40)),
            answer: Some(Duration::from_secs(3)),
            wait: Some(Duration::from_millis(5)),
            ..Timings::default()
        };
        let back = ask_timings_from_wire(Some(ask_timings_to_wire(&answered)));
        assert_eq!(back.unwrap(), answered);
        for absurd in [-1.0, f64::NAN, f64::INFINITY] {
            let wire = pb::Timings {
                draw: absurd,
                ..pb::Timings::default()
            };
            let error = timings_from_wire(Some(wire)).unwrap_err();
            assert!(error.message().starts_with("timings: draw is"), "{error}");
        }
    }
}
