//! The rows of a comparison as lines for people, and as CSV.

use som_core::{Error, Result, Timings, task::Task};
use som_engine::ask::AskOutcome;

use super::{
    agreement::{Agreement, with_others},
    rows::{Row, Spread},
};
use crate::{
    ask::{ending, finding_lines, label, missing_marks},
    exit, report,
    session::MarkedImage,
};

/// A row in one line: time, marks, tokens, cost, and the answer of its only trial, or the error.
pub(super) fn line(row: &Row<'_>, task: &Task) -> String {
    let seconds = row.took().map_or_else(String::new, |took| took.told(2));
    let failed = row.failures().count();
    let Some(last) = row.trials.last() else {
        return String::new();
    };
    if failed == row.trials.len()
        && let Err(error) = &last.outcome
    {
        return format!("{seconds:>7} s  failed: {}", exit::one_line(error));
    }
    let answer = match (row.trials.as_slice(), &last.outcome) {
        ([only], Ok(outcome)) => summary(outcome, task, &only.images),
        (trials, _) if failed > 0 => format!("{} of {} failed", failed, trials.len()),
        _ => String::new(),
    };
    let marks = row.marks().map_or_else(String::new, marks_told);
    let line = format!(
        "{seconds:>7} s  {marks:>3} marks  {:>12}  {:>8}  {answer}",
        tokens(row),
        cost(row)
    );
    line.trim_end().to_owned()
}

/// How far each two rows agree, under their numbers.
pub(super) fn agreement(rows: &[Row<'_>], agreements: &[Agreement]) -> String {
    if agreements.is_empty() {
        return String::new();
    }
    let width = rows.iter().map(|row| row.name.chars().count()).max();
    let width = width.unwrap_or_default();
    let mut text = "\nagreement (mask IoU)\n".to_owned();
    for (index, row) in rows.iter().enumerate() {
        let others = agreements.iter().filter(|pair| pair.rows[1] == index);
        let others: String = others
            .map(|pair| format!("  {:>4}", iou(pair.iou)))
            .collect();
        let line = format!("{:>2}  {:<width$}{others}", index + 1, row.name);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// How far rows agree, for people.
pub(super) fn iou(iou: Option<f64>) -> String {
    iou.map_or_else(|| "–".to_owned(), |iou| format!("{iou:.2}"))
}

/// How many marks there are: of several trials in the mean.
pub(super) fn marks_told(marks: Spread) -> String {
    match marks.deviation {
        None | Some(0.0) => format!("{:.0}", marks.mean),
        Some(_) => marks.told(1),
    }
}

/// Tokens of prompts and answers, for people.
pub(super) fn tokens(row: &Row<'_>) -> String {
    let tokens = row.tokens();
    tokens.map_or_else(
        || "–".to_owned(),
        |(input, output)| format!("{input} + {output}"),
    )
}

/// Dollars, for people.
pub(super) fn cost(row: &Row<'_>) -> String {
    let cost = row.cost();
    cost.map_or_else(|| "–".to_owned(), |cost| format!("${cost:.4}"))
}

/// The answer, shortened to a line, and why part of it is missing.
fn summary(outcome: &AskOutcome, task: &Task, images: &[MarkedImage]) -> String {
    const LONGEST: usize = 100;
    let text = match task {
        Task::Ask { .. } => outcome.text.clone(),
        _ => finding_lines(task, outcome, |id| label(images, id)).join("; "),
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut line = words.join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push('…');
    }
    if let Some(ending) = ending(&outcome.finish, &outcome.text) {
        line.push_str(&format!(" ({ending})"));
    }
    let missing = missing_marks(outcome);
    if !missing.is_empty() {
        line.push_str(&format!(
            " (names marks that are not there: {})",
            missing.join(", ")
        ));
    }
    line.trim_start().to_owned()
}

/// All rows as CSV, a line each: milliseconds in the mean over the trials that were answered, and their
/// sample standard deviation; tokens and dollars of all trials together.
///
/// # Errors
/// Internal, if that cannot be written.
pub(super) fn csv(rows: &[Row<'_>], agreements: &[Agreement]) -> Result<Vec<u8>> {
    const HEAD: [&str; 23] = [
        "row",
        "trials",
        "failed",
        "segmenter",
        "styles",
        "lmm",
        "model",
        "marks",
        "segment_ms",
        "segment_spread_ms",
        "mark_ms",
        "mark_spread_ms",
        "answer_ms",
        "answer_spread_ms",
        "wait_ms",
        "wait_spread_ms",
        "total_ms",
        "total_spread_ms",
        "input_tokens",
        "output_tokens",
        "cost_usd",
        "iou",
        "answer",
    ];
    let mut csv = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Error::internal("the CSV cannot be written").caused_by(error);
    csv.write_record(HEAD).map_err(failed)?;
    for (index, row) in rows.iter().enumerate() {
        let iou = with_others(agreements, index);
        csv.write_record(fields(row, iou)).map_err(failed)?;
    }
    csv.into_inner()
        .map_err(|error| Error::internal(format!("the CSV cannot be written: {error}")))
}

/// The line of a row that agrees so far with the others.
fn fields(row: &Row<'_>, iou: Option<f64>) -> Vec<String> {
    let number = |number: Option<f64>| number.map_or_else(String::new, |number| number.to_string());
    let count = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    let first = row.trials.first();
    let styles = first.and_then(|trial| trial.images.first());
    let styles = styles.map_or_else(String::new, |image| report::styles(&image.layers).join("+"));
    let lmm = row.outcomes().next().map(|outcome| &outcome.lmm);
    let of_lmm =
        |word: fn(&som_core::ProviderInfo) -> &String| lmm.map(word).cloned().unwrap_or_default();
    let mut fields = vec![
        row.name.to_owned(),
        row.trials.len().to_string(),
        row.failures().count().to_string(),
        first
            .map(|trial| trial.segmenter.clone())
            .unwrap_or_default(),
        styles,
        of_lmm(|lmm| &lmm.name),
        of_lmm(|lmm| &lmm.model),
        number(row.marks().map(|marks| marks.mean)),
    ];
    let stages = [
        row.seconds(|timings: &Timings| timings.segment),
        row.seconds(|timings| timings.mark),
        row.seconds(|timings| timings.answer),
        row.seconds(|timings| timings.wait),
        row.took(),
    ];
    for stage in stages {
        let milliseconds = |seconds: f64| (seconds * 1e6).round() / 1e3;
        fields.push(number(stage.map(|spread| milliseconds(spread.mean))));
        let deviation = stage.and_then(|spread| spread.deviation);
        fields.push(number(deviation.map(milliseconds)));
    }
    let tokens = row.tokens();
    fields.push(count(tokens.map(|(input, _)| input)));
    fields.push(count(tokens.map(|(_, output)| output)));
    fields.push(number(row.cost()));
    fields.push(number(iou));
    fields.push(match row.trials.as_slice() {
        [only] => only.outcome.as_ref().map_or_else(
            |error| exit::one_line(error),
            |outcome| outcome.text.clone(),
        ),
        _ => String::new(),
    });
    fields
}
