//! What came of runs, told as pages and tables, and compared.

use std::{collections::HashSet, sync::Arc};

use serde_json::json;
use som_eval::{
    compare::{self, Side, compare},
    report, results, score,
};

use crate::{
    bench::{self, Drawn, Oracle, golden, row, run},
    schemas::{assert_valid, validator},
};

/// Two rows over 8 images: golden regions, of which three samples are answered wrong, and halves of the
/// image, of which no sample can be answered right.
async fn two_rows() -> (Drawn, report::RunReport) {
    let drawn = Drawn::of(8);
    let mut oracle = Oracle::new();
    oracle.errs = HashSet::from(["the red box 0".to_owned(), "the blue box 1".to_owned()]);
    oracle.instead.insert(
        "the blue box 3".to_owned(),
        "<script>alert(1)</script> [9]".to_owned(),
    );
    let oracle = Arc::new(oracle);
    let halves = drawn.path("halves");
    std::fs::create_dir(&halves).unwrap();
    let given = row(json!({"name": "halves <i>", "regions": halves}));
    let mut plan = drawn.plan(vec![golden(), given]);
    plan.keeps_images = true;
    let folder = drawn.path("out");
    run(&oracle, &plan, &folder).await.unwrap();
    let report = bench::report(&folder);
    (drawn, report)
}

#[tokio::test]
async fn reports_and_comparisons_follow_their_schemas() {
    let (drawn, run) = two_rows().await;
    let results = std::fs::read_to_string(drawn.path("out/rows/golden/results.jsonl")).unwrap();
    let schema = validator(results::SCHEMA);
    assert_eq!(results.lines().count(), 24);
    for line in results.lines() {
        assert_valid(&schema, &serde_json::from_str(line).unwrap());
    }
    let told = serde_json::to_value(&run).unwrap();
    assert_valid(&validator(report::SCHEMA), &told);
    for row in told["rows"].as_array().unwrap() {
        assert_valid(&validator(score::SCHEMA), &row["scores"]);
    }
    let side = |row: usize| Side {
        name: &run.rows[row].row,
        data: &run.dataset,
        scores: &run.rows[row].scores,
    };
    let compared = compare(side(1), side(0), &score::Options::default()).unwrap();
    assert_valid(
        &validator(compare::SCHEMA),
        &serde_json::to_value(&compared).unwrap(),
    );
    assert_eq!(compared.samples, 24);
    let of = |metric: &str| {
        compared
            .metrics
            .iter()
            .find(|m| m.metric == metric)
            .unwrap()
    };
    let acc = of("acc@0.5");
    assert!((acc.difference - 21.0 / 24.0).abs() < 1e-12, "{acc:?}");
    assert!(acc.low > 0.5 && acc.p < 0.01, "{acc:?}");
    let test = acc.mcnemar.unwrap();
    assert_eq!((test.only_first, test.only_second), (0, 21));
    assert!(test.p < 1e-5);
    assert_eq!(of("miou").mcnemar, None);
    let same = compare(side(0), side(0), &score::Options::default()).unwrap();
    assert!(
        same.metrics
            .iter()
            .all(|m| m.difference == 0.0 && m.p == 1.0)
    );
}

#[tokio::test]
async fn a_page_has_everything_in_it() {
    let (_drawn, run) = two_rows().await;
    let page = report::page(&[run], 5).unwrap();
    assert_eq!(page.matches("<article").count(), 10);
    assert!(page.matches("data:image/jpeg;base64,").count() >= 10);
    assert!(page.contains("class=\"expected\"") && page.contains("class=\"found\""));
    assert!(page.contains("Who lost what"));
    for outside in ["http://", "https://", "<link", " src=\"/"] {
        assert!(!page.contains(outside), "the page needs {outside}");
    }
    assert!(!page.contains("<script>alert"), "answers are text");
    assert!(page.contains("halves &lt;i&gt;"));
}

#[tokio::test]
async fn tables_have_a_line_for_every_score_and_sample() {
    let (_drawn, run) = two_rows().await;
    let scores = run
        .rows
        .iter()
        .map(|row| row.scores.scores.len())
        .sum::<usize>();
    let runs = [run];
    let table = String::from_utf8(report::scores(&runs).unwrap()).unwrap();
    assert_eq!(table.lines().count(), scores + 1);
    let samples = report::samples(&runs).unwrap();
    let mut reader = csv::Reader::from_reader(&samples[..]);
    let heads = reader.headers().unwrap().clone();
    let column = |name: &str| heads.iter().position(|head| head == name).unwrap();
    let lines: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(lines.len(), 48);
    let wrong = lines
        .iter()
        .find(|line| &line[column("sample")] == "0-red")
        .unwrap();
    assert_eq!(&wrong[column("verdict")], "model");
    assert_eq!(
        (&wrong[column("acc@0.5")], &wrong[column("model")]),
        ("0", "1")
    );
    assert_eq!(&wrong[column("cost")], "1");
}
