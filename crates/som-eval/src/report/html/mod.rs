//! Runs on one page: a file of HTML with everything in it.

mod chart;
mod outline;
mod sample;

use std::fmt::Write as _;

use html_escape::encode_safe;

use super::{RowReport, RunReport};
use crate::{
    Result,
    score::{Score, Verdict},
};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page about `runs`, with the worst `samples` of each row.
///
/// # Errors
/// [`Error::Unreadable`](crate::Error::Unreadable), if results are gone.
pub fn page(runs: &[RunReport], samples: usize) -> Result<String> {
    let names: Vec<&str> = runs.iter().map(|run| run.run.as_str()).collect();
    let title = encode_safe(&names.join(", ")).into_owned();
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} – som eval</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>{title}</h1>\n"
    );
    for run in runs {
        let _ = writeln!(
            html,
            "<p class=\"what\">{}: {} samples</p>",
            encode_safe(run.data),
            run.samples
        );
    }
    html += &scores(runs);
    html += &chart::losses(runs);
    html += &chart::scatters(runs);
    html += &browser(runs, samples)?;
    let _ = write!(html, "<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    Ok(html)
}

fn rows(runs: &[RunReport]) -> impl Iterator<Item = (&RunReport, &RowReport)> {
    runs.iter()
        .flat_map(|run| run.rows.iter().map(move |row| (run, row)))
}

/// The scores over all samples, and what each row took.
fn scores(runs: &[RunReport]) -> String {
    let mut metrics: Vec<&str> = Vec::new();
    for (_, row) in rows(runs) {
        for score in of_all(row) {
            if !metrics.contains(&score.metric) {
                metrics.push(score.metric);
            }
        }
    }
    let mut html =
        "<h2>Scores</h2>\n<p class=\"note\">Beneath each value its interval of 95 %, over \
                    images.</p>\n<div class=\"wide\"><table>\n<thead><tr><th>row"
            .to_owned();
    for head in metrics
        .iter()
        .copied()
        .chain(["samples", "failed", "tokens", "cost", "answer"])
    {
        let _ = write!(html, "<th>{}", encode_safe(head));
    }
    html += "</tr></thead>\n<tbody>\n";
    for (_, row) in rows(runs) {
        let _ = write!(html, "<tr><th>{}", encode_safe(&row.row));
        for metric in &metrics {
            html += &match of_all(row).find(|score| score.metric == *metric) {
                Some(score) => format!(
                    "<td>{:.3}<small>{:.3}–{:.3}</small>",
                    score.value, score.low, score.high
                ),
                None => "<td>–".to_owned(),
            };
        }
        let took = &row.took;
        let cost = took
            .cost
            .map_or_else(|| "–".to_owned(), |cost| format!("${cost:.4}"));
        let _ = writeln!(
            html,
            "<td>{}<td>{}<td>{} + {}<td>{cost}<td>{:.2} s<small>{:.2} s of 95 %</small></tr>",
            row.scores.answered,
            took.failed,
            took.input_tokens,
            took.output_tokens,
            took.answer_ms.median / 1e3,
            took.answer_ms.p95 / 1e3
        );
    }
    html + "</tbody>\n</table></div>\n"
}

fn of_all(row: &RowReport) -> impl Iterator<Item = &Score> {
    row.scores
        .scores
        .iter()
        .filter(|score| score.kind.is_none())
}

/// The worst samples of each row, with what chooses among them.
fn browser(runs: &[RunReport], samples: usize) -> Result<String> {
    let mut html = "<h2>Samples, the worst first</h2>\n<p class=\"note\">Dashed green is what was \
                    expected, pink what was found.</p>\n<form class=\"filter\">\n<label>row <select name=\"row\"><option value=\"\">all"
        .to_owned();
    for (number, (_, row)) in rows(runs).enumerate() {
        let _ = write!(html, "<option value=\"{number}\">{}", encode_safe(&row.row));
    }
    html += "</select></label>\n<label>lost by <select name=\"verdict\"><option value=\"\">anybody";
    for verdict in Verdict::ALL {
        let count: usize = rows(runs)
            .filter_map(|(_, row)| row.verdicts.get(&verdict))
            .sum();
        if count > 0 {
            let name = verdict.name();
            let _ = write!(html, "<option value=\"{name}\">{name} ({count})");
        }
    }
    html += "</select></label>\n<output></output>\n</form>\n<main>\n";
    for (number, (run, row)) in rows(runs).enumerate() {
        html += &sample::cards(run, row, number, samples)?;
    }
    Ok(html + "</main>\n")
}
