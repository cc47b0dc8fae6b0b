//! `describe`: what is in each region?

use std::collections::HashMap;

use super::{
    Match,
    choice::{Choice, chosen_from},
    grounded::{Finding, Named},
    json,
    label::{is_tied, label_in},
    matching::same,
    numbered::{behind_verbs, counted_off, enumerated, numbered_behind},
    said::is_conjunction,
    spoken::Spoken,
    subject::{last_sentence, standing_by, subject},
};
use crate::{
    Scene,
    ground::{Mention, Polarity, Role, Status, words},
};

/// The marks that are described: those chosen, or all.
pub(super) fn targets(chosen: &[u32], scene: &Scene<'_>) -> Vec<u32> {
    if chosen.is_empty() {
        scene.marks.iter().map(|mark| mark.id).collect()
    } else {
        chosen.to_vec()
    }
}

/// A name that the answer gives marks.
#[derive(Clone, Debug)]
struct Label {
    named: Named,
    text: String,
    /// How surely it is the name of what is marked: a later one goes before an earlier one only if
    /// it is more so.
    weight: u8,
}

/// One finding for each mark, in the order of `chosen`.
pub(super) fn read(spoken: &Spoken<'_>, chosen: &[u32], vocabulary: &[String]) -> Vec<Finding> {
    let targets = targets(chosen, spoken.scene);
    let mut labels = structured(spoken);
    if labels.is_empty() && !is_json(spoken) {
        labels = written(spoken);
        if let Some(verdict) = spoken.verdict() {
            let part = spoken.part(verdict);
            let last = written(&part)
                .into_iter()
                .map(|label| Label { weight: 9, ..label });
            labels.extend(last);
        }
        if !labels.iter().any(|label| label.weight > 0) {
            let said = [
                enumerated(spoken, &targets),
                numbered_behind(spoken, &targets),
                behind_verbs(spoken, &targets),
            ];
            let mut said = said.into_iter().filter(|called| !called.is_empty());
            if let Some(called) = said.next() {
                let label = |(named, text)| Label {
                    named,
                    text,
                    weight: 1,
                };
                let said = called.into_iter().filter(|(_, text)| !says_nothing(text));
                labels = said.map(label).collect();
            }
        }
    }
    if labels.is_empty() {
        labels = chosen_in_order(spoken, &targets, vocabulary);
    }
    // Each with its number, in words of their own: what some are called stands behind no verb.
    let named = |id: &u32| labels.iter().any(|label| label.named.marks.contains(id));
    if !is_json(spoken) && targets.len() > 1 && !targets.iter().all(named) {
        let called = counted_off(spoken, &targets);
        let label = |(named, text)| Label {
            named,
            text,
            weight: 8,
        };
        labels.extend(
            called
                .into_iter()
                .filter(|(_, text)| !says_nothing(text))
                .map(label),
        );
    }
    // The surest name of each mark; of those to choose from, if one of the names is among them.
    let fits = |label: &Label| {
        vocabulary.is_empty() || !matches!(chosen_from(vocabulary, &label.text), Choice::None)
    };
    let mut of: HashMap<u32, (&Label, bool)> = HashMap::new();
    for label in &labels {
        let fits = fits(label);
        for &id in &label.named.marks {
            let kept = of.entry(id).or_insert((label, fits));
            if (fits, label.weight) > (kept.1, kept.0.weight) {
                *kept = (label, fits);
            }
        }
    }
    let finding = |id: u32| {
        let Some((label, _)) = of.get(&id) else {
            return of_mark(id, String::new(), Status::Unknown, None);
        };
        if vocabulary.is_empty() {
            return of_mark(id, label.text.clone(), label.named.status, None);
        }
        match chosen_from(vocabulary, &label.text) {
            Choice::One(name, matched) => {
                of_mark(id, name.to_owned(), label.named.status, Some(matched))
            }
            Choice::Several => of_mark(id, label.text.clone(), Status::Ambiguous, None),
            Choice::None => of_mark(id, label.text.clone(), Status::Unknown, None),
        }
    };
    targets.into_iter().map(finding).collect()
}

/// "Traffic light, person, dog": as many names to choose from as there are marks, and nothing else.
fn chosen_in_order(spoken: &Spoken<'_>, targets: &[u32], vocabulary: &[String]) -> Vec<Label> {
    let text = spoken.get(spoken.part.clone());
    if vocabulary.is_empty() || !spoken.mentions.is_empty() {
        return Vec::new();
    }
    let names: Vec<&str> = text
        .split([',', ';', '\n'])
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .take(targets.len() + 1)
        .collect();
    let known = |name: &&str| vocabulary.iter().any(|known| same(name, known).is_some());
    if names.len() != targets.len() || !names.iter().all(known) {
        return Vec::new();
    }
    let each = targets.iter().zip(names);
    each.map(|(&id, name)| Label {
        named: Named {
            marks: vec![id],
            status: Status::Resolved,
        },
        text: label_in(name),
        weight: 1,
    })
    .collect()
}

fn of_mark(id: u32, label: String, status: Status, matched: Option<Match>) -> Finding {
    let marks = vec![id];
    Finding {
        matched,
        ..Finding::new(label, Named { marks, status })
    }
}

/// What the answer's JSON says.
fn structured(spoken: &Spoken<'_>) -> Vec<Label> {
    json::pairs(spoken)
        .into_iter()
        .filter(|pair| !pair.named.marks.is_empty())
        .map(|pair| Label {
            named: pair.named,
            text: pair.text.trim().to_owned(),
            weight: 8,
        })
        .collect()
}

/// True if the answer is JSON from its start on, whole or not.
fn is_json(spoken: &Spoken<'_>) -> bool {
    let text = spoken.text.trim_start();
    let mut inside = text.chars().filter(|c| !c.is_whitespace());
    match (inside.next(), inside.next()) {
        (Some('{'), second) => matches!(second, None | Some('"' | '}')),
        (Some('['), second) => second == Some('{'),
        _ => false,
    }
}

/// Names written behind the marks they belong to, or before them: `[3]: white cup`,
/// `| 3 | white cup |`, `the white cup [3]`, `[1], [2]: cups`, `### Mark 3` and the line below.
fn written(spoken: &Spoken<'_>) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    let mentions = spoken.mentions;
    // Where the text ends that is a name already.
    let mut taken = spoken.part.start;
    let mut previous = spoken.part.start;
    let mut index = 0;
    // True if the last name stands before its mark, and may be that of the next, too.
    let mut carries = false;
    while let Some(first) = mentions.get(index) {
        let group = group_at(spoken, index);
        let last = &mentions[index + group - 1];
        let next = mentions.get(index + group);
        let next = next.map_or(spoken.part.end, |next| next.span.start);
        let group_of = &mentions[index..index + group];
        let named = of_group(group_of);
        index += group;
        let between = spoken.get(previous..first.span.start);
        let (broken, before) = match between.rsplit_once('\n') {
            Some((_, line)) => (true, without_tag(line)),
            None => (previous == spoken.part.start, without_tag(between)),
        };
        let free = taken <= first.span.start - before.len();
        let line_start = spoken.get(0..first.span.start).ends_with('\n') || is_indent(before);
        let rest = spoken.get(last.span.end..next);
        let after = rest.split('\n').next().unwrap_or(rest);
        let after = match after.strip_prefix("</") {
            Some(tag) => tag.split_once('>').map_or(after, |(_, after)| after),
            None => after,
        };
        let after = behind_counter(after);
        previous = last.span.end;
        let said = says_what(before);
        let subject = subject(before, broken, after);
        let ahead = match said.or(subject) {
            Some(said) => label_in(said),
            None if free => {
                let said = standing_by(last_sentence(first_cell(before)));
                let caption = spoken.get(first.span.clone()).starts_with('(');
                let listed = caption || speaks_of_marks(said);
                without_at(label_in(
                    behind_verb(said).filter(|_| listed).unwrap_or(said),
                ))
            }
            None => String::new(),
        };
        let behind = label_in(after);
        let has_words = |label: &str| label.contains(char::is_alphabetic);
        let corrected = labels.last().is_some()
            && spoken.cues.any(
                first.span.start - before.len()..first.span.start,
                Role::Corrects,
            );
        let tied = is_tied(after);
        let caption = after.trim_start().starts_with('(');
        let named_before = subject.is_some() || said.is_some() && has_words(&ahead) && caption;
        let sequel = carried(&labels, between).filter(|_| caption && carries);
        carries = sequel.is_some();
        let (text, mut weight) = if let Some(label) = sequel {
            (label, 1)
        } else if (tied || !has_words(&ahead) || line_start && said.is_none())
            && (has_words(&behind) || ahead.is_empty())
            && !named_before
        {
            taken = last.span.end + after.len();
            (
                behind,
                1 + u8::from(tied) + 2 * u8::from(tied && line_start),
            )
        } else {
            carries = true;
            (ahead, 1 + u8::from(said.is_some()))
        };
        if corrected {
            weight += 4;
        }
        let text = if text.is_empty() && !has_words(after) {
            below(rest)
        } else {
            text
        };
        if let Some(named) = named
            && !text.is_empty()
            && !says_nothing(&text)
            && !(tied && is_denied(spoken, group_of, before))
        {
            labels.push(Label {
                named,
                text,
                weight,
            });
        }
    }
    labels
}

/// `after` behind the word that tells that the number is a name: ": 우산" of "번: 우산".
fn behind_counter(after: &str) -> &str {
    let counts = words::at(after, 0, Role::Counts).filter(|end| {
        let word = &after[..*end];
        word.starts_with(words::is_unspaced)
    });
    counts.map_or(after, |end| &after[end..])
}

/// "Neither 1 nor 2 is an apple": what stands behind the marks is not what they are.
fn is_denied(spoken: &Spoken<'_>, group: &[Mention], before: &str) -> bool {
    let Some(first) = group.first() else {
        return false;
    };
    let lead = first.span.start - before.len()..first.span.start;
    let denies = spoken.cues.all(lead.clone(), Role::Denies).any(|cue| {
        let between = spoken.get(cue.end..lead.end);
        is_conjunction(between)
    });
    denies
        && group
            .iter()
            .all(|mention| mention.polarity == Polarity::Denied)
}

/// "The cars are [2] (red) and [4] (blue)": the name that was said before the last mark, where no
/// more than a remark in parentheses and "and" stand between.
fn carried(labels: &[Label], between: &str) -> Option<String> {
    let inside = between.trim_start().strip_prefix('(')?;
    let (_, rest) = inside.split_once(')')?;
    let last = labels.last().filter(|_| is_conjunction(rest))?;
    Some(last.text.clone())
}

/// "A bus" of "the objects are a bus (1)": what a verb with an article behind it says there is.
fn behind_verb(said: &str) -> Option<&str> {
    let verb = words::words(said)
        .filter(|word| word.start > 0)
        .filter_map(|word| words::at(said, word.start, Role::Copula))
        .last()?;
    let name = said.get(verb..)?.trim_start();
    words::at(name, 0, Role::Article).map(|_| name)
}

/// "A taxi" of "a taxi at [1]".
fn without_at(label: String) -> String {
    match label.rsplit_once(' ') {
        Some((name, last)) if words::at(last, 0, Role::At) == Some(last.len()) => name.to_owned(),
        _ => label,
    }
}

/// True for "the marked objects are a laptop".
fn speaks_of_marks(said: &str) -> bool {
    words::words(said).any(|word| words::at(said, word.start, Role::Announces).is_some())
}

/// `text` without the tag that it ends with.
fn without_tag(text: &str) -> &str {
    match text.strip_suffix('>').and_then(|text| text.rfind('<')) {
        Some(open) => &text[..open],
        None => text,
    }
}

fn is_indent(text: &str) -> bool {
    text.len() < 24 && !text.contains(char::is_alphabetic)
}

/// How many mentions from `index` on are named together: `[1], [2] and [3]`.
fn group_at(spoken: &Spoken<'_>, index: usize) -> usize {
    let mentions = &spoken.mentions[index..];
    let joined = mentions.windows(2).take_while(|pair| {
        let between = spoken.get(pair[0].span.end..pair[1].span.start);
        between.contains(|c: char| c != ' ') && is_conjunction(between)
    });
    1 + joined.count()
}

/// What the mentions of a group name, whatever the answer denies of them.
fn of_group(mentions: &[Mention]) -> Option<Named> {
    let each = mentions.iter().map(|mention| Named {
        marks: mention.marks.clone(),
        status: mention.status,
    });
    each.reduce(Named::and)
}

/// The first line with words below a heading that is a mark.
fn below(rest: &str) -> String {
    let mut lines = rest.split('\n').skip(1);
    let line = lines.find(|line| line.contains(char::is_alphabetic));
    line.map(label_in).unwrap_or_default()
}

/// True for what is no name: "unknown", "not visible".
fn says_nothing(text: &str) -> bool {
    let named = text.contains(char::is_alphanumeric);
    !named || words::at(text, 0, Role::Blank) == Some(text.len())
}

/// What a text before a mark says it is: "the plate" of "a cup, and the plate is".
fn says_what(before: &str) -> Option<&str> {
    let before = before.trim_end_matches([' ', '*', '(', '"', '`']);
    let said = [
        " is",
        " are",
        ":",
        "=",
        "→",
        " is mark",
        " is region",
        " is labeled",
        " is labelled",
        " is number",
    ]
    .iter()
    .find_map(|tie| before.strip_suffix(tie))?;
    let said = said.trim_end_matches([' ', '*', '"', '`']);
    // "The marked objects are:"
    let last = said.rsplit(' ').next().unwrap_or(said);
    if before.ends_with(':') && words::at(last, 0, Role::Is) == Some(last.len()) {
        return None;
    }
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
