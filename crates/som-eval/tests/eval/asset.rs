//! Files of the tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use som_eval::{
    data::{Dataset, Place},
    score::{self, Options, Report},
};
use tempfile::TempDir;

/// A file or folder of `tests/assets`.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/assets")
        .join(name)
}

/// A part of the worked examples.
pub(crate) fn worked(name: &str) -> Value {
    let text = fs::read_to_string(path("worked_examples.json")).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    all[name].take()
}

/// The data set at `KIND:FOLDER`, of `tests/assets`.
pub(crate) fn open(kind: &str, folder: &str, split: Option<&str>) -> Dataset {
    try_open(kind, &path(folder), split).unwrap()
}

/// As [`open`], of any folder.
pub(crate) fn try_open(
    kind: &str,
    folder: &Path,
    split: Option<&str>,
) -> som_eval::Result<Dataset> {
    let mut place: Place = format!("{kind}:{}", folder.display()).parse().unwrap();
    place.split = split.map(str::to_owned);
    Dataset::open(&place)
}

/// ReasonSeg's miniature, with images of the right size.
pub(crate) fn reasonseg() -> (TempDir, Dataset) {
    let folder = tempfile::tempdir().unwrap();
    let val = folder.path().join("val");
    fs::create_dir(&val).unwrap();
    for (stem, width, height) in [("9001_coffee", 600, 400), ("9004_rocket", 640, 427)] {
        let name = format!("reasonseg/val/{stem}.json");
        fs::copy(path(&name), val.join(format!("{stem}.json"))).unwrap();
        let image = image::RgbImage::new(width, height);
        image.save(val.join(format!("{stem}.jpg"))).unwrap();
    }
    let data = try_open("reasonseg", folder.path(), None).unwrap();
    (folder, data)
}

/// The report on these lines of results, without long intervals.
pub(crate) fn scored(data: &Dataset, lines: &[Value]) -> Report {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    scored_text(data, &text, false).unwrap()
}

/// The report on a file of this text.
pub(crate) fn scored_text(data: &Dataset, text: &str, only_run: bool) -> som_eval::Result<Report> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("results.jsonl");
    fs::write(&file, text).unwrap();
    let options = Options {
        draws: 50,
        only_run,
        ..Options::default()
    };
    score::score(data, &file, &options)
}

/// The value of a metric over all samples.
pub(crate) fn value(report: &Report, metric: &str) -> f64 {
    report
        .score(metric)
        .unwrap_or_else(|| panic!("no {metric}: {report:#?}"))
        .value
}

/// Equal to six places, as the worked examples are written.
pub(crate) fn assert_near(found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (found - expected).abs() < 1.5e-6,
        "{found} instead of {expected}"
    );
}
