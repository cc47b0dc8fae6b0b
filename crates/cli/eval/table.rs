//! Reports in the terminal.

use som_eval::{
    paper,
    report::{RowReport, RunReport},
    score::Verdict,
};

/// A table of scores for each run, and who lost what.
pub(super) fn text(runs: &[RunReport]) -> String {
    runs.iter().map(of_run).collect::<Vec<_>>().join("\n")
}

fn of_run(run: &RunReport) -> String {
    let mut text = format!("{}: {}, {} samples\n\n", run.run, run.data, run.samples);
    for row in &run.rows {
        text += &of_row(row);
    }
    text += &losses(run);
    text += &published(run);
    let mut left_out: Vec<&String> = Vec::new();
    for row in &run.rows {
        for why in &row.scores.left_out {
            if !left_out.contains(&why) {
                left_out.push(why);
            }
        }
    }
    if let Some(first) = run.rows.first() {
        text.extend(
            first
                .scores
                .notes
                .iter()
                .map(|note| format!("note: {note}\n")),
        );
    }
    text.extend(left_out.iter().map(|why| format!("left out: {why}\n")));
    text
}

fn of_row(row: &RowReport) -> String {
    let scores = &row.scores;
    let mut text = format!("{}\n", row.row);
    for score in scores.scores.iter().filter(|score| score.kind.is_none()) {
        text += &format!(
            "  {:<28} {:.4}  [{:.4}, {:.4}]\n",
            score.metric, score.value, score.low, score.high
        );
    }
    for score in &scores.oracle {
        let name = format!("{}, oracle", score.metric);
        text += &format!(
            "  {name:<28} {:.4}  [{:.4}, {:.4}]\n",
            score.value, score.low, score.high
        );
    }
    if let Some(quality) = scores.panoptic {
        text += &format!("  {:<28} {:.4}\n", "pq", quality.pq);
    }
    let verdicts: Vec<String> = Verdict::ALL
        .iter()
        .filter_map(|verdict| {
            let count = row.verdicts.get(verdict)?;
            Some(format!("{count} {}", verdict.name()))
        })
        .collect();
    let took = &row.took;
    let cost = took.cost.map(|cost| format!(", ${cost:.4}"));
    text += &format!(
        "  {} answered, {} not run: {}\n  {} requests, {} + {} tokens{}; segment {:.0} ms, mark {:.0} ms, \
         answer {:.0} ms at the median\n",
        scores.answered,
        scores.not_run,
        verdicts.join(", "),
        took.rounds,
        took.input_tokens,
        took.output_tokens,
        cost.unwrap_or_default(),
        took.segment_ms.median,
        took.mark_ms.median,
        took.answer_ms.median
    );
    if took.invented > 0 {
        text += &format!("  {} names in answers that no mark has\n", took.invented);
    }
    for (what, count) in &scores.counts {
        text += &format!("  {count} {what}\n");
    }
    text + "\n"
}

/// Who lost what, a line a row.
fn losses(run: &RunReport) -> String {
    let mut metrics: Vec<&str> = Vec::new();
    for metric in run.rows.iter().flat_map(|row| row.scores.losses.keys()) {
        if !metrics.contains(metric) {
            metrics.push(metric);
        }
    }
    let width = run.rows.iter().map(|row| row.row.chars().count()).max();
    let width = width.unwrap_or_default().max(24);
    let mut text = String::new();
    for metric in metrics {
        text += &format!(
            "{:<width$}  reached  segmenter    marks    model  parsing\n",
            format!("who lost what of {metric}")
        );
        for row in &run.rows {
            if let Some(l) = row.scores.losses.get(metric) {
                let parts = [l.reached, l.segmenter, l.marks, l.model, l.parsing];
                let [reached, segmenter, marks, model, parsing] = parts;
                text += &format!(
                    "{:<width$}  {reached:>7.4}  {segmenter:>9.4}  {marks:>7.4}  {model:>7.4}  {parsing:>7.4}\n",
                    row.row
                );
            }
        }
        text += "\n";
    }
    text
}

/// What the paper has of this data set.
fn published(run: &RunReport) -> String {
    let figures = paper::beside(run.dataset.kind).map(|figure| {
        format!(
            "  {:<12} {:.3}  {}\n",
            figure.metric, figure.value, figure.who
        )
    });
    let figures: String = figures.collect();
    if figures.is_empty() {
        return figures;
    }
    format!("the paper's figures, on samples of its own (som eval paper)\n{figures}\n")
}
