//! The report of `som compare`: one HTML file with everything in it.

use std::{collections::HashMap, fmt::Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use som_core::{Color, ground::Mention, task::Task};
use som_engine::ask::AskOutcome;

use super::{
    agreement::Agreement,
    rows::{Row, Spread},
    table::{cost, iou, marks_told, tokens},
};
use crate::{
    ask::{ending, finding_lines, label},
    exit,
    input::Input,
    report,
    session::{ComparedRow, MarkedImage},
};

const STYLE: &str = include_str!("page.css");
const COLUMNS: [&str; 12] = [
    "row",
    "segmenter",
    "styles",
    "model",
    "marks",
    "segment",
    "mark",
    "answer",
    "total",
    "wait",
    "tokens",
    "cost",
];

/// What the page is about; the marked images are JPEG.
pub(super) struct Page<'a> {
    pub(super) task: &'a Task,
    pub(super) images: &'a [Input],
    pub(super) rows: &'a [Row<'a>],
    pub(super) agreements: &'a [Agreement],
}

impl Page<'_> {
    /// The page.
    pub(super) fn html(&self) -> String {
        let Self {
            task, images, rows, ..
        } = self;
        let paths = images.iter().map(|image| escaped(&image.to_string()));
        let paths: Vec<String> = paths.collect();
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
        let _ = writeln!(
            html,
            "<table>\n<thead><tr><th>{}</tr></thead>\n<tbody>",
            COLUMNS.join("<th>")
        );
        for row in *rows {
            html.push_str(&summary(row));
        }
        html.push_str("</tbody>\n</table>\n");
        html.push_str(&self.agreement());
        html.push_str("<main>\n");
        for row in *rows {
            for trial in &row.trials {
                html.push_str(&card(row.name, task, trial));
            }
        }
        html.push_str("</main>\n</body>\n</html>\n");
        html
    }

    /// How far each two rows agree.
    fn agreement(&self) -> String {
        if self.agreements.is_empty() {
            return String::new();
        }
        let numbers = (1..self.rows.len()).map(|number| format!("<th>{number}"));
        let numbers: String = numbers.collect();
        let mut html = format!(
            "<table class=\"agreement\">\n<thead><tr><th>agreement (mask IoU){numbers}</tr></thead>\n\
             <tbody>\n"
        );
        for (index, row) in self.rows.iter().enumerate() {
            let _ = write!(html, "<tr><th>{} {}", index + 1, escaped(row.name));
            let others = self.agreements.iter();
            for pair in others.filter(|pair| pair.rows[1] == index) {
                let _ = write!(html, "<td>{}", iou(pair.iou));
            }
            html.push_str("</tr>\n");
        }
        html + "</tbody>\n</table>\n"
    }
}

/// A row of the table.
fn summary(row: &Row<'_>) -> String {
    let first = row.trials.first();
    let styles = first.and_then(|trial| trial.images.first());
    let styles = styles.map_or_else(String::new, |image| {
        report::styles(&image.layers).join(" + ")
    });
    let none = || "–".to_owned();
    let model = row.outcomes().next().map_or_else(none, |outcome| {
        format!(
            "{} <small>{}</small>",
            escaped(&outcome.lmm.name),
            escaped(&outcome.lmm.model)
        )
    });
    let seconds = |took: Option<Spread>| took.map_or_else(none, |took| took.told(2) + " s");
    let cells = [
        escaped(first.map_or("", |trial| &trial.segmenter)),
        escaped(&styles),
        model,
        row.marks().map_or_else(none, marks_told),
        seconds(row.seconds(|timings| timings.segment)),
        seconds(row.seconds(|timings| timings.mark)),
        seconds(row.seconds(|timings| timings.answer)),
        seconds(row.took()),
        seconds(row.seconds(|timings| timings.wait)),
        tokens(row),
        cost(row),
    ];
    let mut html = format!("<tr><th>{}", escaped(row.name));
    for cell in cells {
        let _ = write!(html, "<td>{cell}");
    }
    html + "</tr>\n"
}

/// The images of a row in one trial, and its answer.
fn card(name: &str, task: &Task, row: &ComparedRow) -> String {
    let mut html = format!("<section>\n<h2>{}</h2>\n", escaped(name));
    for image in &row.images {
        let (width, height) = (image.size.width, image.size.height);
        for page in &image.pages {
            let data = STANDARD.encode(page);
            let _ = writeln!(
                html,
                "<img src=\"data:image/jpeg;base64,{data}\" width=\"{width}\" height=\"{height}\" alt=\"marked image\">"
            );
        }
    }
    match &row.outcome {
        Ok(outcome) => html.push_str(&answer(task, outcome, &row.images)),
        Err(error) => {
            let _ = writeln!(
                html,
                "<p class=\"failed\">{}</p>",
                escaped(&exit::one_line(error))
            );
        }
    }
    html + "</section>\n"
}

/// The answer with the marks it names in their colours, and what the task asked for.
fn answer(task: &Task, outcome: &AskOutcome, images: &[MarkedImage]) -> String {
    let marks = images.iter().flat_map(|image| &image.allocation.marks);
    let colors: HashMap<u32, Color> = marks.map(|mark| (mark.id, mark.mark.color)).collect();
    let findings = finding_lines(task, outcome, |id| label(images, id));
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
        let first = mention.marks.first().filter(|_| mention.is_meant());
        match first.and_then(|id| colors.get(id)) {
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
    use som_core::ground::{Polarity, Status};

    use super::*;

    #[test]
    fn answers_are_text_not_markup() {
        let mention = Mention {
            span: 3..6,
            status: Status::Resolved,
            polarity: Polarity::Asserted,
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
