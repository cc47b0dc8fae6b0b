//! Who lost what as stacked bars; cost and time against quality as scatters. All SVG.

use std::fmt::Write as _;

use html_escape::encode_safe;

use super::rows;
use crate::{
    report::{RowReport, RunReport},
    score::Losses,
};

/// Width of a chart in its own units.
const WIDTH: f64 = 640.0;

/// The parts of [`Losses`] in the order in which they are stacked.
fn parts(losses: &Losses) -> [(&'static str, f64); 5] {
    [
        ("reached", losses.reached),
        ("parsing", losses.parsing),
        ("model", losses.model),
        ("marks", losses.marks),
        ("segmenter", losses.segmenter),
    ]
}

/// For each metric whose losses are told a bar a row, from what was reached to what the segmenter lost.
pub(super) fn losses(runs: &[RunReport]) -> String {
    let mut metrics: Vec<&str> = Vec::new();
    for (_, row) in rows(runs) {
        for metric in row.scores.losses.keys() {
            if !metrics.contains(metric) {
                metrics.push(metric);
            }
        }
    }
    if metrics.is_empty() {
        return String::new();
    }
    let mut html = "<h2>Who lost what</h2>\n<p class=\"legend\">".to_owned();
    for (name, _) in parts(&Losses::default()) {
        let _ = write!(html, "<span class=\"{name}\"></span>{name} ");
    }
    html += "</p>\n";
    for metric in metrics {
        let _ = writeln!(
            html,
            "<figure><figcaption>{}</figcaption>",
            encode_safe(metric)
        );
        for (_, row) in rows(runs) {
            if let Some(losses) = row.scores.losses.get(metric) {
                html += &bar(&row.row, losses);
            }
        }
        html += "</figure>\n";
    }
    html
}

fn bar(name: &str, losses: &Losses) -> String {
    let mut html = format!("<div class=\"bar\"><b>{}</b><i>", encode_safe(name));
    for (part, share) in parts(losses) {
        if share > 0.0 {
            let percent = 100.0 * share;
            let told = if percent >= 5.0 {
                format!("{percent:.0}")
            } else {
                String::new()
            };
            let _ = write!(
                html,
                "<span class=\"{part}\" style=\"width:{percent:.3}%\" title=\"{part} {percent:.1} %\">\
                 {told}</span>"
            );
        }
    }
    html + "</i></div>\n"
}

/// Quality against what it costs and how long it takes.
pub(super) fn scatters(runs: &[RunReport]) -> String {
    let cost = |row: &RowReport| {
        let samples = row.scores.answered.max(1) as f64;
        row.took.cost.map(|cost| 100.0 * cost / samples)
    };
    let time = |row: &RowReport| {
        let took = &row.took;
        Some((took.segment_ms.median + took.mark_ms.median + took.answer_ms.median) / 1e3)
    };
    let charts = [
        scatter(runs, "cents a sample", cost),
        scatter(runs, "seconds a sample, at the median", time),
    ];
    let charts = charts.concat();
    if charts.is_empty() {
        return charts;
    }
    format!("<h2>Quality against cost and time</h2>\n<div class=\"charts\">\n{charts}</div>\n")
}

fn scatter(runs: &[RunReport], what: &str, x: impl Fn(&RowReport) -> Option<f64>) -> String {
    const HEIGHT: f64 = 320.0;
    const MARGIN: f64 = 40.0;
    let dots = rows(runs).filter_map(|(_, row)| {
        let metric = row.leading()?;
        let score = row.scores.score(metric)?;
        Some((row.row.as_str(), metric, x(row)?, score.value))
    });
    let dots: Vec<_> = dots.collect();
    let Some((_, metric, ..)) = dots.first() else {
        return String::new();
    };
    let most = dots.iter().map(|(_, _, x, _)| *x).fold(0.0, f64::max);
    let scale = if most > 0.0 { most * 1.05 } else { 1.0 };
    let (width, height) = (WIDTH - 2.0 * MARGIN, HEIGHT - 2.0 * MARGIN);
    let mut svg = format!(
        "<figure><figcaption>{} against {what}</figcaption>\n\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n",
        encode_safe(metric)
    );
    for tick in 0..=4 {
        let share = f64::from(tick) / 4.0;
        let y = MARGIN + height * (1.0 - share);
        let left = MARGIN + width * share;
        let _ = writeln!(
            svg,
            "<line x1=\"{MARGIN}\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{share}</text>\
             <text x=\"{left}\" y=\"{}\" text-anchor=\"middle\">{:.3}</text>",
            WIDTH - MARGIN,
            MARGIN - 6.0,
            y + 4.0,
            HEIGHT - MARGIN + 18.0,
            scale * share
        );
    }
    for (number, (name, _, x, y)) in (1..).zip(&dots) {
        let (x, y) = (MARGIN + width * x / scale, MARGIN + height * (1.0 - y));
        let name = encode_safe(name);
        let _ = writeln!(
            svg,
            "<g><title>{name}</title><circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"9\"/>\
             <text class=\"dot\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{number}</text></g>",
            y + 4.0
        );
    }
    svg += "</svg>\n<ol>";
    for (name, ..) in &dots {
        let _ = write!(svg, "<li>{}", encode_safe(name));
    }
    svg + "</ol></figure>\n"
}
