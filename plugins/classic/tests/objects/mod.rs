//! How well regions fit hand-drawn objects: the score of the whole.
//!
//! A change that makes regions better or worse shows here: run with `--nocapture` for the table.
//! Where a change is for the better, raise the floors.

mod score;

use score::{Photograph, score};

use crate::support::photograph;

/// Mean scores may not fall below these.
const DEFAULT_IOU: f64 = 0.64;
const ANY_IOU: f64 = 0.78;
const BOUNDARY: f64 = 0.63;

/// Objects anybody would name: some region has to fit each at least so well.
const OBVIOUS: [(&str, f64); 3] = [("hair", 0.9), ("face", 0.9), ("left tower", 0.9)];

#[test]
fn regions_fit_what_a_person_sees() {
    let tracings = [
        include_str!("astronaut.json"),
        include_str!("chelsea.json"),
        include_str!("coffee.json"),
        include_str!("rocket.json"),
    ];
    let mut scores = Vec::new();
    for tracing in tracings {
        let tracing: Photograph = serde_json::from_str(tracing).unwrap();
        println!("\n{:28} default level  any level  boundary", tracing.image);
        for score in score(&tracing, &photograph(&tracing.image)) {
            let (default, any, boundary) = (score.default_iou, score.any_iou, score.boundary);
            println!(
                "  {:26} {default:13.3}  {any:9.3}  {boundary:8.3}",
                score.name
            );
            scores.push(score);
        }
    }
    let mean = |value: fn(&score::Score) -> f64| {
        scores.iter().map(value).sum::<f64>() / scores.len() as f64
    };
    let means = [
        mean(|s| s.default_iou),
        mean(|s| s.any_iou),
        mean(|s| s.boundary),
    ];
    let [default, any, boundary] = means;
    println!("\n{:28} {default:13.3}  {any:9.3}  {boundary:8.3}", "mean");
    assert!(
        default >= DEFAULT_IOU && any >= ANY_IOU && boundary >= BOUNDARY,
        "{means:?}"
    );
    for (name, floor) in OBVIOUS {
        let score = scores.iter().find(|score| score.name == name).expect(name);
        assert!(score.any_iou >= floor, "{name}: {}", score.any_iou);
    }
}
