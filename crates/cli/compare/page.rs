//! The report of `som compare`: one HTML file with everything in it.

use std::{collections::HashMap, fmt::Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use som_core::{
    Color, Result,
    encode::{Encoding, encode},
    ground::Mention,
    task::Task,
};
use som_engine::{Marking, ask::AskOutcome, compare::Compared};

use super::{cost, tokens};
use crate::{
    ask::{ending, finding_lines, label},
    exit,
    input::Input,
};

const STYLE: &str = include_str!("page.css");

/// The page about all rows; `names` are those of the rows.
///
/// # Errors
/// As [`encode`].
pub(super) fn page(
    task: &Task,
    images: &[Input],
    names: &[&str],
    rows: &[Compared],
) -> Result<String> {
    let paths: Vec<String> = images
        .iter()
        .map(|image| escaped(&image.to_string()))
        .collect();
    let question = match task.texts() {
        [] => task.name().to_owned(),
        texts => texts.join("; "),
    };
    let question = escaped(&question);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{question} – som compare</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>{question}</h1>\n<p class=\"images\">{}</p>\n",
        paths.join(", ")
    );
    html.push_str(
        "<table>\n<thead><tr><th>row<th>segmenter<th>styles<th>model<th>marks<th>segment<th>mark\
         <th>answer<th>total<th>tokens<th>cost</tr></thead>\n<tbody>\n",
    );
    for row in rows {
        html.push_str(&summary(names[row.row], row));
    }
    html.push_str("</tbody>\n</table>\n<main>\n");
    for row in rows {
        html.push_str(&card(names[row.row], task, row)?);
    }
    html.push_str("</main>\n</body>\n</html>\n");
    Ok(html)
}

/// A row of the table.
fn summary(name: &str, row: &Compared) -> String {
    let styles = row.markings.first().map_or_else(String::new, |marking| {
        let styles = marking.layers.iter().map(|layer| layer.style.as_str());
        styles.collect::<Vec<_>>().join(" + ")
    });
    let seconds = |time: std::time::Duration| format!("{:.2} s", time.as_secs_f64());
    let cells = match &row.outcome {
        Ok(outcome) => {
            let timings = &outcome.timings;
            [
                escaped(&row.segmenter),
                escaped(&styles),
                format!(
                    "{} <small>{}</small>",
                    escaped(&outcome.lmm.name),
                    escaped(&outcome.lmm.model)
                ),
                marks(row).to_string(),
                seconds(timings.segment.unwrap_or_default()),
                seconds(timings.mark.unwrap_or_default()),
                seconds(timings.answer.unwrap_or_default()),
                seconds(row.took),
                tokens(outcome),
                cost(outcome),
            ]
        }
        Err(_) => {
            let none = || "–".to_owned();
            let (styles, marks) = (escaped(&styles), marks(row).to_string());
            let took = seconds(row.took);
            let segmenter = escaped(&row.segmenter);
            [
                segmenter,
                styles,
                none(),
                marks,
                none(),
                none(),
                none(),
                took,
                none(),
                none(),
            ]
        }
    };
    let mut html = format!("<tr><th>{}", escaped(name));
    for cell in cells {
        let _ = write!(html, "<td>{cell}");
    }
    html + "</tr>\n"
}

fn marks(row: &Compared) -> usize {
    let marks = row.markings.iter();
    marks
        .map(|marking| marking.marked.allocation.marks.len())
        .sum()
}

/// A row's images and its answer.
fn card(name: &str, task: &Task, row: &Compared) -> Result<String> {
    let mut html = format!("<section>\n<h2>{}</h2>\n", escaped(name));
    for page in row
        .markings
        .iter()
        .flat_map(|marking| &marking.marked.pages)
    {
        let data = STANDARD.encode(encode(page, Encoding::Jpeg)?);
        let (width, height) = page.dimensions();
        let _ = writeln!(
            html,
            "<img src=\"data:image/jpeg;base64,{data}\" width=\"{width}\" height=\"{height}\" alt=\"marked image\">"
        );
    }
    match &row.outcome {
        Ok(outcome) => html.push_str(&answer(task, outcome, &row.markings)),
        Err(error) => {
            let _ = writeln!(
                html,
                "<p class=\"failed\">{}</p>",
                escaped(&exit::one_line(error))
            );
        }
    }
    Ok(html + "</section>\n")
}

/// The answer with the marks it names in their colours, and what the task asked for.
fn answer(task: &Task, outcome: &AskOutcome, markings: &[std::sync::Arc<Marking>]) -> String {
    let marks = markings
        .iter()
        .flat_map(|marking| &marking.marked.allocation.marks);
    let colors: HashMap<u32, Color> = marks.map(|mark| (mark.id, mark.mark.color)).collect();
    let findings = finding_lines(task, outcome, |id| label(markings, id));
    let mut html = String::new();
    if !findings.is_empty() {
        html.push_str("<ul>\n");
        for line in findings {
            let _ = writeln!(html, "<li>{}", escaped(&line));
        }
        html.push_str("</ul>\n");
    }
    let text = painted(&outcome.text, &outcome.grounded.mentions, &colors);
    let _ = writeln!(html, "<p class=\"answer\">{text}</p>");
    if let Some(ending) = ending(&outcome.finish, &outcome.text) {
        let _ = writeln!(html, "<p class=\"failed\">{}</p>", escaped(&ending));
    }
    html
}

fn painted(text: &str, mentions: &[Mention], colors: &HashMap<u32, Color>) -> String {
    let mut html = String::new();
    let mut end = 0;
    for mention in mentions {
        let span = &mention.span;
        html.push_str(&escaped(&text[end..span.start]));
        let inside = escaped(&text[span.clone()]);
        match mention.marks.first().and_then(|id| colors.get(id)) {
            Some(color) => {
                let ink = color.ink();
                let _ = write!(
                    html,
                    "<mark style=\"background:{color};color:{ink}\">{inside}</mark>"
                );
            }
            None => {
                let _ = write!(html, "<mark class=\"unknown\">{inside}</mark>");
            }
        }
        end = span.end;
    }
    html.push_str(&escaped(&text[end..]));
    html
}

/// Text that means itself in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use som_core::ground::Status;

    use super::*;

    #[test]
    fn answers_are_text_not_markup() {
        let mention = Mention {
            span: 3..6,
            status: Status::Resolved,
            marks: vec![1],
            unresolved: Vec::new(),
            location: None,
        };
        let colors = HashMap::from([(1, Color([255, 255, 0]))]);
        assert_eq!(
            painted("<b>[1]</b> & \"x\"", &[mention], &colors),
            "&lt;b&gt;<mark style=\"background:#ffff00;color:#000000\">[1]</mark>&lt;/b&gt; &amp; &quot;x&quot;"
        );
    }
}
