//! What an answer comes down to: "Answer: [6]", `$\boxed{7}$`, "Therefore, it is [3]". What it named
//! on the way there is not meant, unless the conclusion names nothing.

use std::{collections::HashSet, ops::Range};

use super::{
    NEAR,
    sentence::{floor, sentence_start},
};
use crate::ground::{
    Mention, Polarity,
    words::{self, Cue, Cues, Role},
};

/// What stands around a conclusion, and around nothing else.
const FORMS: [(&str, &str); 5] = [
    ("\\boxed{", "}"),
    ("<answer>", "</answer>"),
    ("<final_answer>", "</final_answer>"),
    ("<conclusion>", "</conclusion>"),
    ("<|begin_of_box|>", "<|end_of_box|>"),
];

/// Takes back what the answer named on the way to its conclusion, and tells which mentions that
/// were. What ends it with a word such as "so" is `last`.
pub(in crate::ground) fn conclude(
    text: &str,
    cues: &Cues,
    mentions: &mut [Mention],
    last: Option<Range<usize>>,
) -> Vec<usize> {
    let Some(parts) = boxed(text, 0..text.len())
        .map(|part| vec![part])
        .or_else(|| announced(text, cues))
        .or_else(|| last.map(|part| vec![part]))
        .or_else(|| left(text, cues, mentions))
    else {
        return Vec::new();
    };
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return Vec::new();
    };
    let inside = |part: &Range<usize>| {
        let from = mentions.partition_point(|mention| mention.span.start < part.start);
        let to = mentions.partition_point(|mention| mention.span.start < part.end);
        from..to
    };
    let begin = inside(first).start;
    let named: Vec<&Mention> = parts
        .iter()
        .flat_map(|part| &mentions[inside(part)])
        .filter(|mention| mention.is_meant())
        .collect();
    let marks: HashSet<u32> = named
        .iter()
        .flat_map(|mention| mention.marks.clone())
        .collect();
    let none = inside(last).is_empty() && says_none(text, cues, last.clone());
    let counts = named.iter().any(|mention| is_figure(text, mention)) && {
        let before = mentions[..begin].iter();
        let known: HashSet<u32> = before.flat_map(|mention| mention.marks.clone()).collect();
        !marks.is_subset(&known)
    };
    if marks.is_empty() && !none || counts {
        return Vec::new();
    }
    let end = inside(last).start;
    let mut kept = vec![false; end];
    for index in parts.iter().flat_map(inside).filter(|index| *index < end) {
        kept[index] = true;
    }
    let passed = (0..end).filter(|&index| {
        let mention = &mentions[index];
        mention.is_meant()
            && mention.location.is_none()
            && !kept[index]
            && !mention.marks.iter().all(|id| marks.contains(id))
    });
    let passed: Vec<usize> = passed.collect();
    for &index in &passed {
        mentions[index].polarity = Polarity::Replaced;
    }
    passed
}

/// "[2] is a cup and [4] is a plate, which leaves [7]": the last of several marks that were named,
/// behind a word that says that it is left.
fn left(text: &str, cues: &Cues, mentions: &[Mention]) -> Option<Vec<Range<usize>>> {
    const LEADS: [Role; 4] = [Role::Announces, Role::Article, Role::Only, Role::Pronoun];
    let cue = cues.all(0..text.len(), Role::Remains).next_back()?;
    let next = mentions.partition_point(|mention| mention.span.start < cue.end);
    let (before, behind) = mentions.split_at(next);
    let kept = behind.first().filter(|kept| kept.is_meant())?;
    let between = text.get(cue.end..kept.span.start)?;
    let direct = between.len() < NEAR && words::is_made_of(between, &LEADS);
    let others: HashSet<&[u32]> = before.iter().map(|mention| &mention.marks[..]).collect();
    let mut others_behind = behind.iter().filter(|mention| mention.is_meant());
    let last = others_behind.all(|mention| mention.marks == kept.marks);
    (direct && last && others.len() > 1)
        .then(|| std::iter::once(cue.start..kept.span.end).collect())
}

/// What stands in the last box or tag for an answer in a part of `text`.
pub(crate) fn boxed(text: &str, part: Range<usize>) -> Option<Range<usize>> {
    let inside = text.get(part.clone())?;
    FORMS.iter().find_map(|(open, close)| {
        let found = inside
            .rfind(open)
            .or_else(|| inside.rfind(&open.to_uppercase()))?;
        let start = found + open.len();
        let rest = &inside[start..];
        let close = rest
            .find(close)
            .or_else(|| rest.find(&close.to_uppercase()));
        let end = start + close.unwrap_or(rest.len());
        Some(part.start + start..part.start + end)
    })
}

/// The last conclusion that words announce; with it those that the same words do, which answer
/// several questions.
fn announced(text: &str, cues: &Cues) -> Option<Vec<Range<usize>>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut word = String::new();
    for cue in cues.all(0..text.len(), Role::Answers).rev() {
        let said = words::lowered(&text[cue.start..cue.end]);
        if !(parts.is_empty() || said == word) || !opens(text, cues, cue) {
            continue;
        }
        match parts.last_mut() {
            // In the same line as the next one, it is a part of it.
            Some(next) if !text[cue.end.min(next.start)..next.start].contains('\n') => {
                next.start = cue.start;
            }
            Some(next) => {
                let end = part_behind(text, cue.end..next.start);
                parts.push(cue.start..end);
            }
            None => {
                parts.push(cue.start..part_behind(text, cue.end..text.len()));
                word = said;
            }
        }
    }
    parts.reverse();
    (!parts.is_empty()).then_some(parts)
}

/// Where the line behind an announcement ends; where that is empty, those below.
fn part_behind(text: &str, rest: Range<usize>) -> usize {
    let said = &text[rest.clone()];
    let line = said.find('\n').unwrap_or(said.len());
    if said[..line].contains(char::is_alphanumeric) {
        rest.start + line
    } else {
        rest.end
    }
}

/// True if a sentence begins with the announcement `cue`: "Answer:", "So the answer is",
/// "Therefore, …".
fn opens(text: &str, cues: &Cues, cue: Cue) -> bool {
    const LEADS: [Role; 6] = [
        Role::Article,
        Role::Answers,
        Role::Contrasts,
        Role::Joins,
        Role::Pronoun,
        Role::Corrects,
    ];
    let near = floor(text, cue.start.saturating_sub(NEAR));
    let begin = sentence_start(text, near..cue.start);
    let lead = text.get(begin..cue.start).unwrap_or("x");
    if near > 0 && begin == near {
        return false;
    }
    let leads = words::is_made_of(lead, &LEADS);
    let rest = text[cue.end..].trim_start_matches(['*', '_', ' ', '`']);
    let tied = rest.starts_with([':', '–', '—', '=', '→', '\n', ','])
        || rest.starts_with("->")
        || [Role::Is, Role::Copula]
            .iter()
            .any(|role| words::at(rest, 0, *role).is_some());
    let noun = cues.any(cue.start..cue.start + 1, Role::Announces);
    leads
        && !lead.contains([':', '|', '"', '['])
        && (tied || !noun && words::words(lead).next().is_none())
}

/// True if a short conclusion says that there is none.
fn says_none(text: &str, cues: &Cues, part: Range<usize>) -> bool {
    /// What is longer, in bytes, says more.
    const LONGEST: usize = 80;
    let said = text.get(part.clone()).unwrap_or("");
    let kept = [Role::Keeps, Role::Excepts, Role::Contrasts];
    part.len() < LONGEST
        && !said.contains(|c: char| c.is_ascii_digit())
        && cues.any(part.clone(), Role::None)
        && !kept.iter().any(|role| cues.any(part.clone(), *role))
}

/// True for a number without brackets, which may count what was named: "Answer: 3".
fn is_figure(text: &str, mention: &Mention) -> bool {
    text.get(mention.span.clone())
        .is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
}
