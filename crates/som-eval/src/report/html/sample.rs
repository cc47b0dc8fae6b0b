//! Samples one by one: the marked image with what was expected and found, question and answer.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    fs,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use html_escape::encode_safe;
use som_core::Size;

use super::outline;
use crate::{
    Result, Sample, Truth,
    data::Dataset,
    report::{RowReport, RunReport},
    results::{self, Outcome, Trace},
    run::Manifest,
    score::SampleScore,
};

/// A card for each of the worst `samples` of a row, which is number `number`.
pub(super) fn cards(
    run: &RunReport,
    row: &RowReport,
    number: usize,
    samples: usize,
) -> Result<String> {
    let value = |score: &SampleScore| {
        let metric = score.leading();
        metric
            .and_then(|metric| score.value(metric))
            .unwrap_or_default()
    };
    let mut worst: Vec<&SampleScore> = row.scores.each.iter().collect();
    worst.sort_by(|a, b| value(a).total_cmp(&value(b)));
    worst.truncate(samples);
    let path = Manifest::results(run.run.as_ref(), &row.asked);
    let wanted: HashMap<&str, ()> = worst
        .iter()
        .map(|score| (run.dataset.samples[score.place].id.as_str(), ()))
        .collect();
    let outcomes = results::read(&path)?.filter_map(|(_, outcome)| outcome.ok());
    let outcomes: HashMap<String, Outcome> = outcomes
        .filter(|outcome| wanted.contains_key(outcome.sample.as_str()))
        .map(|outcome| (outcome.sample.clone(), outcome))
        .collect();
    let folder = path.parent().unwrap_or(&path);
    let cards = worst.into_iter().map(|score| {
        let sample = &run.dataset.samples[score.place];
        let outcome = outcomes.get(&sample.id);
        let verdict = score.verdict().name();
        let mut html = format!(
            "<article data-row=\"{number}\" data-verdict=\"{verdict}\">\n<h3>{} \
             <span class=\"tag {verdict}\">{verdict}</span></h3>\n",
            encode_safe(&sample.id)
        );
        html += &pictures(&run.dataset, sample, outcome, folder);
        html += &said(sample, outcome);
        html += "<p class=\"numbers\">";
        for (metric, ratio) in &score.metrics {
            if let Some(value) = ratio.value() {
                let _ = write!(html, "{} {value:.3} · ", encode_safe(metric));
            }
        }
        let _ = write!(html, "{}</p>\n</article>\n", encode_safe(&row.row));
        html
    });
    Ok(cards.collect())
}

/// The marked images, with what was expected and found over them.
fn pictures(
    data: &Dataset,
    sample: &Sample,
    outcome: Option<&Outcome>,
    folder: &std::path::Path,
) -> String {
    let trace = outcome.and_then(|outcome| outcome.trace.as_ref());
    let mut html = String::new();
    for name in trace.iter().flat_map(|trace| &trace.images) {
        // A picture that is gone is left out; the answer is still told.
        let Ok(bytes) = fs::read(folder.join(name)) else {
            continue;
        };
        let Some(size) = image_size(&bytes) else {
            continue;
        };
        let over = over(data, sample, outcome, size);
        let _ = writeln!(
            html,
            "<div class=\"picture\"><img loading=\"lazy\" width=\"{w}\" height=\"{h}\" alt=\"marked image\" \
             src=\"data:image/jpeg;base64,{}\"><svg viewBox=\"0 0 {w} {h}\">{over}</svg></div>",
            STANDARD.encode(&bytes),
            w = size.width,
            h = size.height,
        );
    }
    html
}

fn image_size(bytes: &[u8]) -> Option<Size> {
    let reader = image::ImageReader::new(std::io::Cursor::new(bytes));
    let (width, height) = reader.with_guessed_format().ok()?.into_dimensions().ok()?;
    Some(Size::new(width, height))
}

fn over(data: &Dataset, sample: &Sample, outcome: Option<&Outcome>, size: Size) -> String {
    let mut svg = String::new();
    match &sample.truth {
        Truth::Targets { targets, .. } => {
            for target in targets.iter() {
                svg += &match (&target.shape, target.bbox) {
                    (Some(shape), _) => outline::shape(shape, size, "expected"),
                    (None, Some(rect)) => outline::rect(rect, "expected"),
                    (None, None) => String::new(),
                };
            }
        }
        Truth::Phrases(phrases) => {
            let boxes = phrases.iter().flat_map(|phrase| &phrase.boxes);
            svg.extend(boxes.map(|rect| outline::rect(*rect, "expected")));
        }
        Truth::Click(rect) => svg += &outline::rect(*rect, "expected"),
        Truth::Segments(segments) => {
            let cut = segments.cut(sample, data.kind);
            let segments = cut.map(|cut| cut.segments).unwrap_or_default();
            let shapes = segments
                .into_iter()
                .map(|segment| crate::Shape::Pixels(segment.mask));
            svg.extend(shapes.map(|shape| outline::shape(&shape, size, "expected")));
        }
        Truth::Video(_) | Truth::Unpublished(_) => {}
    }
    if let Some(answer) = outcome.map(|outcome| &outcome.answer) {
        svg.extend(
            answer
                .masks
                .iter()
                .map(|shape| outline::shape(shape, size, "found")),
        );
        if answer.masks.is_empty() {
            svg.extend(
                answer
                    .boxes
                    .iter()
                    .map(|rect| outline::rect(*rect, "found")),
            );
        }
        svg.extend(
            answer
                .points
                .iter()
                .map(|point| outline::point(*point, "found")),
        );
        let boxes = answer.phrases.iter().flat_map(|phrase| &phrase.boxes);
        svg.extend(boxes.map(|rect| outline::rect(*rect, "found")));
    }
    svg
}

/// Question and answer, or why there is none.
fn said(sample: &Sample, outcome: Option<&Outcome>) -> String {
    let mut html = String::new();
    if let Some(text) = sample.question.text() {
        let _ = writeln!(html, "<p class=\"question\">{}</p>", encode_safe(text));
    }
    let Some(outcome) = outcome else {
        return html + "<p class=\"failed\">There is no result.</p>\n";
    };
    if let Truth::Segments(_) = sample.truth {
        html += &names(sample, outcome);
    }
    let Some(trace) = &outcome.trace else {
        return html;
    };
    if let Some(failure) = &trace.failure {
        let _ = writeln!(html, "<p class=\"failed\">{}</p>", encode_safe(failure));
    } else if !trace.text.is_empty() {
        let _ = writeln!(html, "<p class=\"answer\">{}</p>", painted(trace));
    }
    html
}

/// What each of the truth's own segments was named.
fn names(sample: &Sample, outcome: &Outcome) -> String {
    let Truth::Segments(
        crate::Segments::Listed(segments)
        | crate::Segments::Panoptic {
            listed: segments, ..
        },
    ) = &sample.truth
    else {
        return String::new();
    };
    if outcome.answer.names.is_empty() {
        return String::new();
    }
    let expected: BTreeMap<String, &str> = segments
        .iter()
        .filter_map(|segment| Some((segment.id.to_string(), segment.names.first()?.as_str())))
        .collect();
    let mut html = "<table class=\"names\">".to_owned();
    for (id, said) in &outcome.answer.names {
        let expected = expected.get(id).copied().unwrap_or("?");
        let said = said.as_deref().unwrap_or("–");
        let _ = write!(
            html,
            "<tr><td>{}<td>{}</tr>",
            encode_safe(expected),
            encode_safe(said)
        );
    }
    html + "</table>\n"
}

/// The answer with the places that name marks in their colours.
fn painted(trace: &Trace) -> String {
    let (mut html, mut end) = (String::new(), 0);
    for named in &trace.mentions {
        // A file that was written by somebody else may say anything.
        let (Some(before), Some(inside)) = (
            trace.text.get(end..named.start),
            trace.text.get(named.start..named.end),
        ) else {
            continue;
        };
        let inside = encode_safe(inside);
        let color = named
            .color
            .as_deref()
            .and_then(|color| color.parse::<som_core::Color>().ok());
        let _ = match color {
            Some(color) => write!(
                html,
                "{}<mark style=\"background:{color};color:{}\">{inside}</mark>",
                encode_safe(before),
                color.ink()
            ),
            None => write!(
                html,
                "{}<mark class=\"unknown\">{inside}</mark>",
                encode_safe(before)
            ),
        };
        end = named.end;
    }
    html += &encode_safe(trace.text.get(end..).unwrap_or_default());
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Named;

    #[test]
    fn answers_are_text_with_marks_in_their_colours() {
        let named = |start, end, color: Option<&str>| Named {
            start,
            end,
            color: color.map(str::to_owned),
        };
        let trace = Trace {
            text: "<b>[1] & [9]".to_owned(),
            mentions: vec![
                named(3, 6, Some("#ffff00")),
                named(9, 12, Some("red\" onload=\"x")),
                named(50, 60, None),
            ],
            ..Trace::default()
        };
        assert_eq!(
            painted(&trace),
            "&lt;b&gt;<mark style=\"background:#ffff00;color:#000000\">[1]</mark> &amp; \
             <mark class=\"unknown\">[9]</mark>"
        );
    }
}
