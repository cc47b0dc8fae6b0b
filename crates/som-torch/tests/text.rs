//! CLIP's tokenizer against the ids that the official projects' tokenizer gives.
//!
//! `text/checksums.json` has, for every class of three vocabularies, a checksum over the ids of its
//! prompts in all 81 templates: what OpenSeeD and SEEM read, recorded from transformers 4.46.3.

use std::collections::BTreeMap;

use serde::Deserialize;
use som_torch::text::{ClipTokenizer, templates};

#[derive(Deserialize)]
struct Vocabulary {
    context: usize,
    checksums: BTreeMap<String, u64>,
}

/// The sum of all ids, each by its place; contexts are filled up with the end token.
fn checksum(prompts: impl Iterator<Item = Vec<u32>>, context: usize, end: u32) -> u64 {
    let mut place = 0;
    let mut sum = 0;
    for ids in prompts {
        let filled = ids.into_iter().chain(std::iter::repeat(end));
        for id in filled.take(context) {
            sum += u64::from(id) * (place % 9973 + 1);
            place += 1;
        }
    }
    sum
}

#[test]
fn every_class_in_every_template_has_the_official_tokens() {
    let text = include_str!("text/checksums.json");
    let vocabularies: Vec<Vocabulary> = serde_json::from_str(text).unwrap();
    let tokenizer = ClipTokenizer::shared().unwrap();
    for Vocabulary { context, checksums } in vocabularies {
        assert!(!checksums.is_empty());
        for (class, expected) in checksums {
            let name = ["-other", "-merged", "-stuff"]
                .iter()
                .fold(class.clone(), |name, addition| name.replace(addition, ""));
            let prompt = |template: &str| {
                let prompt = template.replace("{}", &name);
                tokenizer.prompt(&prompt, context).unwrap().ids
            };
            let found = checksum(templates().map(prompt), context, tokenizer.end());
            assert_eq!(found, expected, "{class} in {context} tokens");
        }
    }
}

#[test]
fn words_are_split_as_in_training() {
    let tokenizer = ClipTokenizer::shared().unwrap();
    // Ids of transformers 4.46.3, with ftfy.
    let cases: &[(&str, &[u32])] = &[
        ("cup", &[1937]),
        ("Dining Table", &[8658, 2175]),
        ("wine-glass's", &[2604, 268, 3313, 568]),
        ("café", &[15304]),
        ("3rd rail 1984", &[274, 1973, 6879, 272, 280, 279, 275]),
        ("it's what they've", &[585, 568, 768, 889, 1200]),
        ("don't_stop", &[847, 713, 318, 1691]),
        (
            "a+b (c) & d/e",
            &[320, 266, 321, 263, 322, 264, 261, 323, 270, 324],
        ),
        ("stop-sign, red", &[1691, 268, 2292, 267, 736]),
        (
            "Ünïcode Straße",
            &[6522, 77, 35689, 3217, 1894, 127, 253, 324],
        ),
        ("  two   spaces ", &[1237, 9006]),
        ("日本語", &[39121, 44353, 34002, 508]),
        ("人 tree", &[21078, 374, 2677]),
        ("naïve façade", &[1097, 35689, 563, 778, 10067, 1928]),
        ("emoji 🙂 cat", &[16327, 14860, 2368]),
        ("’curly’ s", &[262, 20795, 262, 338]),
        ("x²", &[343, 41175]),
        ("<|endoftext|> cup", &[49407, 1937]),
        (
            "Σίσυφος",
            &[
                139, 225, 138, 107, 139, 225, 139, 227, 139, 228, 138, 123, 139, 480,
            ],
        ),
        ("ΣΟΦΟΣ", &[139, 225, 138, 123, 139, 228, 138, 123, 139, 480]),
        ("école", &[3459, 8166]),
        ("cup\tsaucer", &[1937, 42272]),
        ("A.B.C.", &[320, 269, 321, 269, 322, 269]),
        ("tv/monitor", &[1583, 270, 10198]),
        (
            "women's 1.5L bottle",
            &[1507, 568, 272, 269, 276, 331, 5392],
        ),
        ("ЁЖ", &[141, 239, 140, 370]),
    ];
    for (text, ids) in cases {
        assert_eq!(tokenizer.encode(text).unwrap(), *ids, "{text}");
    }
}

#[test]
fn a_text_that_is_too_long_is_cut_and_says_so() {
    let tokenizer = ClipTokenizer::shared().unwrap();
    let prompt = tokenizer.prompt("one two three four five six", 5).unwrap();
    let whole = tokenizer.prompt("one two three", 5).unwrap();
    assert_eq!(prompt.ids, whole.ids);
    assert_eq!((prompt.cut, whole.cut), (3, 0));
    assert_eq!(prompt.ids.last(), Some(&tokenizer.end()));
}
