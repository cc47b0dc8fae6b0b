//! Answers of models.
//!
//! Input: the texts of the marks in one line, with commas between them; then the answer.

#![no_main]

use libfuzzer_sys::fuzz_target;
use som_core::ground::{Nameable, ground};

fuzz_target!(|text: &str| {
    let (names, answer) = text.split_once('\n').unwrap_or(("1,2,3,A,B,AA", text));
    let name = |(id, text): (u32, &str)| Nameable {
        id,
        text: text.to_owned(),
    };
    let marks: Vec<Nameable> = (1..).zip(names.split(',')).map(name).collect();
    let mut end = 0;
    for mention in ground(answer, &marks) {
        assert!(mention.span.start >= end && !mention.span.is_empty());
        assert!(
            answer.get(mention.span.clone()).is_some(),
            "{:?}",
            mention.span
        );
        assert!(
            mention
                .marks
                .iter()
                .all(|id| marks.iter().any(|mark| mark.id == *id))
        );
        end = mention.span.end;
    }
});
