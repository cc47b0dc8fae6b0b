//! Grounding against a corpus of answers, and under arbitrary text.

#![allow(clippy::unwrap_used)]
use proptest::prelude::*;
use som_core::ground::{Mention, Nameable, Status, ground};

const CORPUS: &str = include_str!("answers.txt");

#[derive(Default)]
struct Case {
    line: usize,
    answer: Vec<&'static str>,
    mentions: Vec<&'static str>,
}

fn nameables(texts: impl Iterator<Item = String>) -> Vec<Nameable> {
    texts
        .zip(1..)
        .map(|(text, id)| Nameable { id, text })
        .collect()
}

fn marks(spec: &str) -> Vec<Nameable> {
    if let Some((first, last)) = spec.split_once('-') {
        let (first, last): (u32, u32) = (first.parse().unwrap(), last.parse().unwrap());
        return nameables((first..=last).map(|number| number.to_string()));
    }
    nameables(
        spec.split(' ')
            .filter(|text| *text != "none")
            .map(str::to_owned),
    )
}

fn show(answer: &str, mention: &Mention) -> String {
    let ids: Vec<String> = mention.marks.iter().map(u32::to_string).collect();
    let status = match mention.status {
        Status::Resolved => "",
        Status::Ambiguous => " | ambiguous",
        Status::OutOfRange => " | out_of_range",
        Status::Unknown => " | unknown",
    };
    format!(
        "{} | {}{status}",
        &answer[mention.span.clone()],
        ids.join(" ")
    )
}

#[test]
fn answers_are_read_as_a_person_reads_them() {
    let mut named = Vec::new();
    let mut case = Case::default();
    let (mut total, mut wrong) = (0, Vec::new());
    for (index, line) in CORPUS.lines().chain(["marks none"]).enumerate() {
        let starts_case = line.starts_with('>')
            && (!case.mentions.is_empty() || case.answer.is_empty())
            || line.is_empty()
            || line.starts_with("marks ");
        if starts_case && !case.answer.is_empty() {
            let answer = case.answer.join("\n");
            let read: Vec<String> = ground(&answer, &named)
                .iter()
                .map(|mention| show(&answer, mention))
                .collect();
            total += 1;
            if read != case.mentions {
                wrong.push(format!(
                    "line {}: {answer}\n  expected {:?}\n  read     {read:?}",
                    case.line, case.mentions
                ));
            }
            case = Case::default();
        }
        if let Some(spec) = line.strip_prefix("marks ") {
            named = marks(spec);
        } else if let Some(answer) = line.strip_prefix('>') {
            if case.answer.is_empty() {
                case.line = index + 1;
            }
            case.answer.push(answer.strip_prefix(' ').unwrap_or(answer));
        } else if let Some(mention) = line.strip_prefix("= ") {
            case.mentions.push(mention);
        }
    }
    assert!(total >= 200, "only {total} answers");
    assert!(
        wrong.is_empty(),
        "{} of {total} answers:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

proptest! {
    /// Whatever a model writes: spans lie on character boundaries, in order, without overlap, and
    /// name only marks that exist.
    #[test]
    fn any_text_grounds(answer in "[\\[\\]0-9A-Ca-c ,\\-–|#*(){}\":\\\\\nmark é【】]{0,60}") {
        let marks = marks("1-12");
        let mut end = 0;
        for mention in ground(&answer, &marks) {
            prop_assert!(mention.span.start >= end && mention.span.start < mention.span.end);
            prop_assert!(answer.get(mention.span.clone()).is_some());
            prop_assert!(mention.marks.iter().all(|id| (1..=12).contains(id)));
            prop_assert_eq!(mention.status == Status::Resolved, mention.unresolved.is_empty());
            end = mention.span.end;
        }
    }

    /// A bracketed list reads back as the list that was written.
    #[test]
    fn bracketed_lists_read_back(ids in proptest::collection::vec(1_u32..=30, 1..8)) {
        let list: Vec<String> = ids.iter().map(u32::to_string).collect();
        let answer = format!("It is [{}] here.", list.join(", "));
        let read = ground(&answer, &marks("1-30"));
        let mut distinct = Vec::new();
        for id in ids {
            if !distinct.contains(&id) {
                distinct.push(id);
            }
        }
        prop_assert_eq!(read.len(), 1);
        prop_assert_eq!(&read[0].marks, &distinct);
    }
}
