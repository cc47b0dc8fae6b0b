//! `describe`: what is in each region?

use super::{
    grounded::{Finding, Named},
    json,
};
use crate::{
    Scene,
    ground::{Mention, Names, Status},
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
    let mut labels = match json::value_in(answer) {
        Some(value) => json::entries(&value, &Names::new(scene))
            .into_iter()
            .map(|entry| (entry.named, entry.text))
            .collect(),
        None => Vec::new(),
    };
    if labels.is_empty() {
        labels = written(answer, mentions);
    }
    let label_of = |id: u32| {
        let mut labels = labels.iter().filter(|(named, _)| named.marks.contains(&id));
        labels.next()
    };
    targets(chosen, scene)
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
    for (index, mention) in mentions.iter().enumerate() {
        let line = answer[mention.span.end..].find('\n');
        let line_end = line.map_or(answer.len(), |end| mention.span.end + end);
        let next = mentions
            .get(index + 1)
            .map_or(answer.len(), |next| next.span.start);
        let after = &answer[mention.span.end..line_end.min(next)];
        let line = answer[..mention.span.start].rfind('\n');
        let previous = index
            .checked_sub(1)
            .map_or(0, |previous| mentions[previous].span.end);
        let start = line.map_or(0, |newline| newline + 1).max(previous);
        let before = label_in(&answer[start..mention.span.start]);
        let label = if is_tied(after) || before.is_empty() {
            label_in(after)
        } else {
            before
        };
        if let Some(named) = Named::by([mention])
            && !label.is_empty()
        {
            labels.push((named, label));
        }
    }
    labels
}

/// True if what follows a mark says what it is: `: white cup`, `is a white cup`.
fn is_tied(after: &str) -> bool {
    const TIES: [&str; 11] = [
        ":", "：", "=", "→", "->", "- ", "– ", "— ", "|", "is ", "shows ",
    ];
    let closing = |c: char| matches!(c, ' ' | '*' | '`' | '"' | ')' | ']');
    let after = after.trim_start_matches(closing);
    TIES.iter().any(|tie| after.starts_with(tie))
}

/// A label without what ties it to its mark.
fn label_in(text: &str) -> String {
    const MARKS: [char; 17] = [
        ' ', '\t', ',', '*', '`', ')', '(', ']', ':', '-', '–', '—', '=', '→', '>', '|', '"',
    ];
    const WORDS: [&str; 7] = ["is ", "are ", "shows ", "a ", "an ", "the ", "and "];
    let mut text = text.trim_start_matches(MARKS);
    while let Some(rest) = WORDS.iter().find_map(|word| {
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
    const LEADS: [&str; 4] = [" and", " mark", " region", " label"];
    loop {
        let shorter = text.trim_end_matches(closing);
        let lead = LEADS.iter().find_map(|lead| shorter.strip_suffix(lead));
        let shorter = lead.unwrap_or(shorter);
        if shorter.len() == text.len() {
            break;
        }
        text = shorter;
    }
    text.trim_end_matches([' ', '(', '[', ':', '-']).to_owned()
}
