//! `describe`: what is in each region?

use std::{collections::HashMap, ops::Range};

use super::{
    Match,
    grounded::{Finding, Named},
    json,
    label::{is_tied, label_in},
    matching::{plain_words, same, same_words},
    said::{is_conjunction, names_behind_tie},
    spoken::Spoken,
};
use crate::{
    Scene,
    ground::{Mention, Role, Setting, Status, enumerators, list_at, words},
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
            let counted = enumerated(spoken, &targets);
            let said = [
                counted,
                numbered_behind(spoken, &targets),
                behind_verbs(spoken, &targets),
            ];
            let mut said = said.into_iter().filter(|labels| !labels.is_empty());
            labels = said.next().unwrap_or(labels);
        }
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

fn of_mark(id: u32, label: String, status: Status, matched: Option<Match>) -> Finding {
    let marks = vec![id];
    Finding {
        matched,
        ..Finding::new(label, Named { marks, status })
    }
}

enum Choice<'a> {
    One(&'a str, Match),
    Several,
    None,
}

/// The name in `vocabulary` that `label` is; else the one that it holds.
fn chosen_from<'a>(vocabulary: &'a [String], label: &str) -> Choice<'a> {
    let whole = vocabulary
        .iter()
        .filter_map(|name| Some((same(label, name)?, name)));
    if let Some((matched, name)) = whole.min_by_key(|(matched, _)| *matched) {
        return Choice::One(name, matched);
    }
    /// A name is among the first words of what is said, in bytes.
    const NEAR: usize = 240;
    let clause = affirmed(label);
    let clause = &clause[..clause.floor_char_boundary(NEAR)];
    let plain = plain_words(clause);
    // Names that the label holds as a run of its words, the longest ones, from the first on.
    let mut held: Vec<(usize, usize, &String, Match)> = Vec::new();
    for name in vocabulary {
        let wanted = plain_words(name);
        for length in [
            wanted.len(),
            wanted.len() + 1,
            wanted.len().saturating_sub(1),
        ] {
            if length == 0 || length > plain.len() {
                continue;
            }
            let windows = plain.windows(length).enumerate();
            for (at, window) in windows {
                if let Some(matched) = same_words(window, &wanted) {
                    held.push((at, length, name, matched));
                }
            }
        }
    }
    let inside = |(at, length, ..): &(usize, usize, &String, Match)| {
        held.iter().any(|(other, longer, ..)| {
            longer > length && other <= at && at + length <= other + longer
        })
    };
    let outer: Vec<_> = held.iter().filter(|place| !inside(place)).collect();
    let Some(first) = outer
        .iter()
        .min_by_key(|(at, length, ..)| (*at, std::cmp::Reverse(*length)))
    else {
        return Choice::None;
    };
    let rival = outer.iter().any(|other| other.2 != first.2);
    let wavers = rival
        && words::words(clause).any(|word| {
            words::at(clause, word.start, Role::Hedges).is_some()
                && matches!(&clause[word], "or" | "oder" | "ou" | "o")
        });
    match first {
        _ if wavers => Choice::Several,
        (_, _, name, Match::Synonym) => Choice::One(name, Match::Synonym),
        (_, _, name, _) => Choice::One(name, Match::Normalised),
    }
}

/// `label` without what it denies: "cup" of "cup, not a bowl".
fn affirmed(label: &str) -> &str {
    let lower_at = |needle: &str| words::lowered(label).find(needle);
    let end = [
        ", not ",
        " (not ",
        " and not ",
        " rather than ",
        " instead of ",
        " nicht ",
    ]
    .iter()
    .filter_map(|not| lower_at(not))
    .min();
    &label[..end.unwrap_or(label.len())]
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
    while let Some(first) = mentions.get(index) {
        let group = group_at(spoken, index);
        let last = &mentions[index + group - 1];
        let next = mentions.get(index + group);
        let next = next.map_or(spoken.part.end, |next| next.span.start);
        let named = of_group(&mentions[index..index + group]);
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
        previous = last.span.end;
        let said = says_what(before);
        let subject = subject(before, broken, after);
        let ahead = match said.or(subject) {
            Some(said) => label_in(said),
            None if free => label_in(standing_by(last_sentence(first_cell(before)))),
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
        let sequel = carried(&labels, between).filter(|_| caption);
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

/// "The cup [1] is white": the noun that a line or sentence begins with, right before its mark;
/// one without an article only where what follows is no noun.
fn subject<'a>(before: &'a str, begins_line: bool, after: &str) -> Option<&'a str> {
    /// A longer subject, in words, is more than a name.
    const MOST: usize = 4;
    let before = before.trim_end_matches([' ', '(', '*']);
    let text = last_sentence(before);
    if text.len() == before.len() && !begins_line {
        return None;
    }
    let text = text.trim_start_matches([' ', '*', '-', '•', '"']);
    let article = words::at(text, 0, Role::Article).filter(|end| {
        // "L'assiette", but not "I'd say".
        let (article, rest) = text.split_at(*end);
        let short = matches!(article, "l" | "L" | "d" | "un" | "Un");
        rest.starts_with(' ') && article != "I" || short && rest.starts_with('\'')
    });
    let noun = &text[article.unwrap_or(0)..];
    let mut count = 0;
    let plain = words::words(noun).all(|word| {
        count += 1;
        let other = matches!(
            &noun[word.clone()],
            "one" | "thing" | "first" | "last" | "other"
        );
        let does = [
            Role::Announces,
            Role::Beside,
            Role::Is,
            Role::Contrasts,
            Role::None,
        ];
        !other
            && !does
                .iter()
                .any(|role| words::at(noun, word.start, *role).is_some())
    });
    let says = words::at(after, after.len() - after.trim_start().len(), Role::Is);
    let is_noun = says.is_some_and(|end| {
        let rest = after[end..].trim_start();
        words::at(rest, 0, Role::Article).is_some()
    });
    let alone = count == 1 && noun.starts_with(char::is_uppercase) && says.is_some() && !is_noun
        || noun.starts_with(words::is_unspaced) && count <= 2 * MOST && says.is_some();
    let short = (1..=MOST).contains(&count) && article.is_some();
    (plain && (short || alone)).then_some(text)
}

fn last_sentence(text: &str) -> &str {
    let ends = [". ", "! ", "? ", "; "];
    let end = ends.iter().filter_map(|end| text.rfind(end)).max();
    end.map_or(text, |end| &text[end + 2..])
}

/// "lies on the table": what something is said to be on or beside.
fn standing_by(before: &str) -> &str {
    /// Before the word for the place stands no more than a verb.
    const MOST: usize = 2;
    let mut passed = 0;
    for word in words::words(before) {
        if let Some(end) = words::at(before, word.start, Role::Beside) {
            let of = matches!(
                &before[word],
                "of" | "with" | "de" | "von" | "mit" | "di" | "con"
            );
            let rest = before.get(end..).unwrap_or("");
            return if of || rest.trim().is_empty() {
                before
            } else {
                rest
            };
        }
        passed += 1;
        let joins = words::at(before, word.start, Role::Joins).is_some();
        let article = words::at(before, word.start, Role::Article).is_some();
        if joins || article || passed > MOST {
            break;
        }
    }
    before
}

/// "The cars are [2] (red) and [4] (blue)": the name that was said before the last mark, where no
/// more than a remark in parentheses and "and" stand between.
fn carried(labels: &[Label], between: &str) -> Option<String> {
    let inside = between.trim_start().strip_prefix('(')?;
    let (_, rest) = inside.split_once(')')?;
    let last = labels.last().filter(|_| is_conjunction(rest))?;
    Some(last.text.clone())
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
    const NOTHING: [&str; 17] = [
        "can't tell",
        "cannot be determined",
        "not clear",
        "cannot identify",
        "can't identify",
        "not identifiable",
        "hard to tell",
        "unknown",
        "unclear",
        "n/a",
        "none",
        "not sure",
        "unidentifiable",
        "unidentified",
        "cannot tell",
        "not visible",
        "i don't know",
    ];
    let text = text.to_lowercase();
    NOTHING.contains(&text.as_str())
}

/// `1. cup`, `2) plate`, `**3**. spoon`: names in a numbered list, if it numbers nothing but marks
/// that were asked for.
fn enumerated(spoken: &Spoken<'_>, targets: &[u32]) -> Vec<Label> {
    let mut labels = Vec::new();
    let text = spoken.get(spoken.part.clone());
    let items: Vec<(String, Range<usize>)> = match enumerators(text) {
        items if items.len() > 1 => items
            .into_iter()
            .map(|item| (item.number.to_string(), item.inside))
            .collect(),
        _ => lines(text),
    };
    for (number, inside) in items {
        let Some((reading, _)) = list_at(&number, 0, spoken.names, Setting::Enclosed) else {
            continue;
        };
        let mention = reading.mention(0..number.len());
        if !mention.marks.iter().all(|id| targets.contains(id)) || mention.marks.is_empty() {
            return Vec::new();
        }
        let inside = text.get(inside).unwrap_or("");
        let label = label_in(inside.split('\n').next().unwrap_or(""));
        labels.extend(Named::by([&mention]).map(|named| Label {
            named,
            text: label,
            weight: 1,
        }));
    }
    labels.retain(|label| !label.text.is_empty());
    labels
}

/// `Cup: 1`, `saucer – 2`: lines that end with the number of what they name, and nothing else.
fn numbered_behind(spoken: &Spoken<'_>, targets: &[u32]) -> Vec<Label> {
    let text = spoken.get(spoken.part.clone());
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let labels = lines.map(|line| {
        let (name, number) = [": ", " – ", " - ", " = ", " → "]
            .iter()
            .find_map(|tie| line.rsplit_once(tie))?;
        let number = number.trim_matches([' ', '*', '.', '`']);
        let (reading, end) = list_at(number, 0, spoken.names, Setting::Enclosed)?;
        let mention = reading.mention(0..end);
        let known =
            !mention.marks.is_empty() && mention.marks.iter().all(|id| targets.contains(id));
        let named = Named::by([&mention]).filter(|_| known && end == number.len())?;
        let text = label_in(name);
        (!text.is_empty()).then_some(Label {
            named,
            text,
            weight: 1,
        })
    });
    labels.collect::<Option<Vec<Label>>>().unwrap_or_default()
}

/// "The cup is 1, the saucer is 2": names before a verb and numbers behind it.
fn behind_verbs(spoken: &Spoken<'_>, targets: &[u32]) -> Vec<Label> {
    let mut labels = Vec::new();
    let mut from = spoken.part.start;
    for verb in spoken.cues.all(spoken.part.clone(), Role::Is) {
        let Some(named) = names_behind_tie(&spoken.part(verb.start..spoken.part.end)) else {
            continue;
        };
        let before = spoken.get(from..verb.start);
        from = verb.end;
        let name = before.trim_start_matches(|c: char| !c.is_alphabetic());
        let name = words::at(name, 0, Role::Joins).map_or(name, |end| &name[end..]);
        let text = label_in(last_sentence(name));
        if named.marks.iter().all(|id| targets.contains(id)) && !text.is_empty() {
            labels.push(Label {
                named,
                text,
                weight: 1,
            });
        }
    }
    labels
}

/// Lines that begin with a number, in any order.
fn lines(text: &str) -> Vec<(String, Range<usize>)> {
    let mut items = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let inner = line.trim_start_matches([' ', '\t', '-', '*', '•', '(']);
        let digits = inner.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = inner.split_at(digits);
        let rest = rest.trim_start_matches('*');
        if let Some(rest) = rest.strip_prefix(['.', ')', ' '])
            && digits > 0
        {
            let end = start + line.len();
            items.push((number.to_owned(), end - rest.len()..end));
        }
        start += line.len();
    }
    items
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
