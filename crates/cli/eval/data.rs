//! `som eval data`: what is there of a data set.

use std::{collections::HashSet, process::ExitCode};

use clap::Args;
use serde::Serialize;
use som_core::Result;
use som_eval::data::Dataset;

use super::Part;
use crate::{output::Output, report};

/// List what is there of a data set: samples, images, and what is wrong with it
///
/// KIND is one of coco-instances, coco-panoptic, ade20k, refcoco, refcoco+, refcocog, grefcoco,
/// flickr30k, davis2017, davis2017-unsupervised, reasonseg, screenspot-pro, som-bench and lines
/// (samples of your own as JSON lines). Nothing is downloaded.
#[derive(Args)]
pub(crate) struct Options {
    /// Which data set, and the folder that holds it
    #[arg(value_name = "KIND:FOLDER")]
    data: String,
    #[command(flatten)]
    part: Part,
    /// Read the truth of every sample too, which takes longer
    #[arg(long)]
    check: bool,
    /// Print JSON, with every sample
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Found<'a> {
    data: &'a str,
    from: &'a str,
    licence: &'a str,
    groups: usize,
    missing_images: usize,
    /// One of them, to see where they are looked for.
    first_missing: Option<String>,
    /// Segments, targets, phrases, frames or boxes; only if they were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    things: Option<usize>,
    left_out: Vec<String>,
    notes: &'a [String],
    samples: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    image: String,
    task: &'a str,
    text: Option<&'a str>,
}

/// Lists the data set.
pub(super) fn run(options: Options) -> Result<ExitCode> {
    let Options {
        data,
        part,
        check,
        json,
    } = options;
    let data = part.open(&data)?;
    let found = Found::new(&data, check);
    if json {
        Output::Stdout.write(&report::to_lines(&found)?)?;
    } else {
        Output::Stdout.write(found.text().as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

impl<'a> Found<'a> {
    fn new(data: &'a Dataset, check: bool) -> Self {
        let origin = data.kind.origin();
        let missing = data.missing_images();
        let groups: HashSet<&str> = data.samples.iter().map(|s| s.group.as_str()).collect();
        let mut left_out: Vec<String> = data.problems.iter().map(ToString::to_string).collect();
        let things = check.then(|| {
            let mut things = 0;
            for sample in &data.samples {
                match data.check(sample) {
                    Ok(count) => things += count,
                    Err(error) => left_out.push(error.to_string()),
                }
            }
            things
        });
        Self {
            data: origin.name,
            from: origin.from,
            licence: origin.licence,
            groups: groups.len(),
            missing_images: missing.len(),
            first_missing: missing.first().map(|image| image.display().to_string()),
            things,
            left_out,
            notes: &data.notes,
            samples: data
                .samples
                .iter()
                .map(|sample| Row {
                    id: &sample.id,
                    image: sample.image.display().to_string(),
                    task: sample.question.task(),
                    text: sample.question.text(),
                })
                .collect(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{} ({}; {})\n", self.data, self.from, self.licence);
        text += &format!("samples         {:>8}\n", self.samples.len());
        text += &format!("images, videos  {:>8}\n", self.groups);
        text += &format!("images missing  {:>8}\n", self.missing_images);
        if let Some(first) = &self.first_missing {
            text += &format!("the first of them is {first} (say where they are with --images)\n");
        }
        if let Some(things) = self.things {
            text += &format!("things          {things:>8}\n");
        }
        for note in self.notes {
            text += &format!("note: {note}\n");
        }
        for left_out in &self.left_out {
            text += &format!("left out: {left_out}\n");
        }
        text
    }
}
