//! `describe`: what is in each region?

use super::{
    grounded::{Finding, Named},
    json,
};
use crate::{
    Scene,
    ground::{Mention, Names, Setting, Status, list_at},
};

/// The marks that are described: those chosen, or all.
pub(super) fn targets(chosen: &[u32], scene: &Scene<'_>) -> Vec<u32> {
    if chosen.is_empty() {
        scene.marks.iter().map(|mark| mark.id).collect()
    } else {
        chosen.to_vec()
    }
}

/// One finding for each mark, in the order of `chosen`.
pub(super) fn read(
    answer: &str,
    mentions: &[Mention],
    chosen: &[u32],
    vocabulary: &[String],
    scene: &Scene<'_>,
) -> Vec<Finding> {
    let names = Names::new(scene);
    let targets = targets(chosen, scene);
    let mut labels = match json::value_in(answer) {
        Some(value) => json::entries(&value, &names)
            .into_iter()
            .map(|entry| (entry.named, entry.text))
            .collect(),
        None => Vec::new(),
    };
    if labels.is_empty() && !json::is_json(answer) {
        labels = written(answer, mentions);
        if labels.is_empty() {
            labels = enumerated(answer, &targets, &names);
        }
    }
    let label_of = |id: u32| {
        let mut labels = labels.iter().filter(|(named, _)| named.marks.contains(&id));
        labels.next()
    };
    targets
        .into_iter()
        .map(|id| {
            let Some((named, label)) = label_of(id) else {
                return of_mark(id, String::new(), Status::Unknown);
            };
            match chosen_from(vocabulary, label) {
                Some(label) => of_mark(id, label, named.status),
                None => of_mark(id, label.clone(), Status::Unknown),
            }
        })
        .collect()
}

fn of_mark(id: u32, label: String, status: Status) -> Finding {
    let marks = vec![id];
    Finding::new(label, Named { marks, status })
}

/// The name in `vocabulary` that `label` is, whatever its letter case; `label` itself if there
/// is nothing to choose from.
fn chosen_from(vocabulary: &[String], label: &str) -> Option<String> {
    if vocabulary.is_empty() {
        return Some(label.to_owned());
    }
    let same = |name: &&String| name.to_lowercase() == label.to_lowercase();
    vocabulary.iter().find(same).cloned()
}

/// Labels written behind the marks they belong to, or before them: `[3]: white cup`,
/// `| 3 | white cup |`, `the white cup [3]`.
fn written(answer: &str, mentions: &[Mention]) -> Vec<(Named, String)> {
    let mut labels = Vec::new();
    // Where the text ends that is a label already.
    let mut taken = 0;
    let mut previous = 0;
    for (index, mention) in mentions.iter().enumerate() {
        let next = mentions
            .get(index + 1)
            .map_or(answer.len(), |next| next.span.start);
        let after = &answer[mention.span.end..next];
        let after = after.split('\n').next().unwrap_or(after);
        let before = &answer[previous..mention.span.start];
        let before = before.rsplit('\n').next().unwrap_or(before);
        let free = taken <= mention.span.start - before.len();
        previous = mention.span.end;
        let ahead = match says_what(before) {
            Some(said) => label_in(said),
            None if free => label_in(first_cell(before)),
            None => String::new(),
        };
        let behind = label_in(after);
        let has_words = |label: &str| label.contains(char::is_alphabetic);
        let label =
            if (is_tied(after) || !has_words(&ahead)) && (has_words(&behind) || ahead.is_empty()) {
                taken = mention.span.end + after.len();
                behind
            } else {
                ahead
            };
        if let Some(named) = Named::by([mention])
            && !label.is_empty()
        {
            labels.push((named, label));
        }
    }
    labels
}

/// `1. cup`, `2) plate`, `**3**. spoon`: labels in a numbered list, if it numbers nothing but
/// marks that were asked for.
fn enumerated(answer: &str, targets: &[u32], names: &Names) -> Vec<(Named, String)> {
    let mut labels = Vec::new();
    for line in answer.lines() {
        let line = line.trim_start_matches([' ', '\t', '-', '*', '•', '(']);
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = line.split_at(digits);
        let rest = rest.trim_start_matches('*');
        let Some(rest) = rest.strip_prefix(['.', ')']) else {
            continue;
        };
        let Some((reading, _)) = list_at(number, 0, names, Setting::Enclosed) else {
            continue;
        };
        let mention = reading.mention(0..digits);
        if !mention.marks.iter().all(|id| targets.contains(id)) || mention.marks.is_empty() {
            return Vec::new();
        }
        labels.extend(Named::by([&mention]).map(|named| (named, label_in(rest))));
    }
    labels.retain(|(_, label)| !label.is_empty());
    labels
}

/// What a text before a mark says it is: "the plate" of "a cup, and the plate is".
fn says_what(before: &str) -> Option<&str> {
    let before = before.trim_end_matches([' ', '*', '(', '"', '`']);
    let said = [" is", " are", ":", "=", "→", " is mark", " is region"]
        .iter()
        .find_map(|tie| before.strip_suffix(tie))?;
    let said = said.trim_end_matches([' ', '*', '"', '`']);
    let clause = [". ", "; ", ", ", " and "]
        .iter()
        .filter_map(|end| said.rfind(end).map(|at| at + end.len()))
        .max();
    Some(&said[clause.unwrap_or(0)..]).filter(|said| said.contains(char::is_alphabetic))
}

/// The first cell of a row that has words; all of `text` if it is none.
fn first_cell(text: &str) -> &str {
    let mut cells = text.split('|');
    let filled = cells.find(|cell| cell.contains(char::is_alphabetic));
    filled.unwrap_or(text)
}

/// Verbs between a mark and what it is.
const VERBS: [&str; 8] = [
    "is ",
    "are ",
    "shows ",
    "contains ",
    "depicts ",
    "represents ",
    "appears to be ",
    "looks like ",
];

/// True if what follows a mark says what it is: `: white cup`, `is a white cup`.
fn is_tied(after: &str) -> bool {
    const SIGNS: [&str; 9] = [":", "：", "=", "→", "->", "- ", "– ", "— ", "|"];
    let closing = |c: char| matches!(c, ' ' | '*' | '`' | '"' | ')' | ']');
    let after = after.trim_start_matches(closing);
    let mut ties = SIGNS.iter().chain(&VERBS);
    ties.any(|tie| after.starts_with(tie))
}

/// A label without what ties it to its mark.
fn label_in(text: &str) -> String {
    const MARKS: [char; 17] = [
        ' ', '\t', ',', '*', '`', ')', '(', ']', ':', '-', '–', '—', '=', '→', '>', '|', '"',
    ];
    const FILLERS: [&str; 6] = ["a ", "an ", "the ", "and ", "there is ", "there are "];
    let mut text = text.trim_start_matches(MARKS);
    while let Some(rest) = VERBS.iter().chain(&FILLERS).find_map(|word| {
        let head = text.get(..word.len())?;
        head.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
    }) {
        text = rest.trim_start();
    }
    let end = [". ", "|", "; "]
        .iter()
        .filter_map(|end| text.find(end))
        .min();
    let mut text = &text[..end.unwrap_or(text.len())];
    let closing = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '.' | '*' | '"' | '`');
    // What leads on to the next mark.
    const LEADS: [&str; 10] = [
        " and",
        " mark",
        " region",
        " label",
        " object",
        " labeled",
        " labelled",
        " marked",
        " the",
        " number",
    ];
    loop {
        let shorter = text.trim_end_matches(closing);
        let lead = LEADS.iter().find_map(|lead| shorter.strip_suffix(lead));
        let shorter = lead.unwrap_or(shorter);
        if shorter.len() == text.len() {
            break;
        }
        text = shorter;
    }
    let text = text.trim_end_matches([' ', '(', '[', ':', '-']);
    // A keyword alone is the mark's.
    const KEYWORDS: [&str; 5] = ["mark", "region", "label", "object", "in"];
    if KEYWORDS.iter().any(|word| word.eq_ignore_ascii_case(text)) {
        return String::new();
    }
    text.replace(['*', '`'], "")
}
