//! What was thought and what was said: tags, channels, and preambles before a closing tag.

use std::ops::Range;

use super::{harmony, parts::Parts};

/// Names of tags between which models think, as they write them: DeepSeek-R1, Qwen3, GLM and most
/// others `<think>`; Claude `<thinking>`; EXAONE `<thought>`; LLaVA-CoT `<REASONING>`; Seed-OSS
/// `<seed:think>`; LongCat `<longcat_think>`; MiniMax `<mm:think>`.
const TAGS: [&str; 24] = [
    "think",
    "thinking",
    "thought",
    "thoughts",
    "thought_process",
    "reasoning",
    "reason",
    "rationale",
    "analysis",
    "reflection",
    "scratchpad",
    "chain_of_thought",
    "cot",
    "plan",
    "planning",
    "inner_thoughts",
    "inner_monologue",
    "internal_monologue",
    "deliberation",
    "seed:think",
    "mm:think",
    "antthinking",
    "longcat_think",
    "internal",
];

/// Other openings of thoughts, and what closes them.
const PAIRS: [(&str, &str); 16] = [
    // Kimi-VL-Thinking, chat template.
    ("◁think▷", "◁/think▷"),
    // Magistral, chat template of Mistral.
    ("[THINK]", "[/THINK]"),
    // Gemma 4, chat template.
    ("<|channel>thought", "<channel|>"),
    // MedGemma, model card.
    ("<unused94>", "<unused95>"),
    ("<ctrl94>", "<ctrl95>"),
    // Sky-T1, system prompt.
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    // Command A Reasoning, chat template.
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|think_start|>", "<|think_end|>"),
    ("<|thinking|>", "<|/thinking|>"),
    ("<|think|>", "<|/think|>"),
    // Apertus, chat template.
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    // Open WebUI's wrapping of reasoning_content.
    ("<details type=\"reasoning\"", "</details>"),
    // GitHub's folded text, where its summary speaks of thoughts.
    ("<details>", "</details>"),
    // Ollama's command.
    ("Thinking...\n", "...done thinking."),
    // Granite 3.2, chat template.
    ("Here is my thought process:", "Here is my response:"),
    ("<!-- thinking", "-->"),
];

/// A tag or token that begins or ends a thought.
struct Edge {
    span: Range<usize>,
    opens: bool,
    name: Name,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Tag(&'static str),
    Pair(usize),
    /// `<answer>`: whoever answers has stopped to think.
    Answer,
}

/// Takes the thoughts out of `answer`. A closing tag without an opening one, which a chat template
/// may have written, ends a thought that began with the answer; a thought that nothing closes goes
/// on to the end.
pub(super) fn apart(answer: &str) -> Parts {
    if let Some(parts) = harmony::channels(answer) {
        return parts;
    }
    let edges = edges(answer);
    let mut parts = Parts::default();
    let mut said_from = 0;
    if let Some(end) = spoken_thought(answer, &edges) {
        parts.think(0..end, true);
        said_from = end;
    }
    // The tags that are open, and where the outermost one began.
    let mut open: Vec<Name> = Vec::new();
    let mut began = 0;
    let later_closes = closes_after(&edges);
    for (index, edge) in edges.iter().enumerate() {
        if edge.span.start < said_from && open.is_empty() {
            continue;
        }
        match (edge.name, edge.opens) {
            (Name::Answer, true) if !open.is_empty() && later_closes[index] == 0 => {
                parts.think(began..edge.span.start, true);
                open.clear();
                said_from = edge.span.start;
            }
            (Name::Answer, _) => {}
            (name, true) => {
                if open.is_empty() {
                    parts.said.push(said_from..edge.span.start);
                    began = edge.span.end;
                }
                open.push(name);
            }
            (name, false) if open.is_empty() => {
                // What was taken for said was the end of a thought.
                if matches!(name, Name::Pair(pair) if PAIRS[pair].1 == "-->" || PAIRS[pair].1 == "</details>")
                {
                    continue;
                }
                if parts.thoughts.is_empty() {
                    parts.said.clear();
                }
                parts.think(said_from..edge.span.start, true);
                said_from = edge.span.end;
            }
            (name, false) => {
                // Twice opened and once closed is closed.
                let nested = open.len() > 1 && later_closes[index] > 0;
                match open.iter().rposition(|other| *other == name) {
                    Some(inner) if nested => open.truncate(inner),
                    _ => open.clear(),
                }
                if open.is_empty() {
                    parts.think(began..edge.span.start, true);
                    said_from = edge.span.end;
                }
            }
        }
    }
    if open.is_empty() {
        parts.said.push(said_from..answer.len());
    } else {
        parts.think(began..answer.len(), false);
    }
    parts.said.retain(|part| !part.is_empty());
    parts
}

/// For each edge, how many closing ones follow it before the next thought begins outside.
fn closes_after(edges: &[Edge]) -> Vec<usize> {
    let mut counts = vec![0; edges.len()];
    let mut closes = 0_usize;
    for (index, edge) in edges.iter().enumerate().rev() {
        counts[index] = closes;
        match (edge.name, edge.opens) {
            (Name::Answer, _) => {}
            (_, true) => closes = closes.saturating_sub(1),
            (_, false) => closes += 1,
        }
    }
    counts
}

/// Every beginning and end of a thought, in order.
fn edges(answer: &str) -> Vec<Edge> {
    let mut edges = Vec::new();
    let staged = answer.contains("<CONCLUSION>") || answer.contains("<conclusion>");
    let mut from = 0;
    while let Some(found) = answer[from..].find(['<', '◁', '[', 'T', '.', 'H', '-']) {
        let at = from + found;
        let rest = &answer[at..];
        let edge = pair_at(rest, at).or_else(|| tag_at(rest, at, staged));
        from = match &edge {
            Some(edge) => edge.span.end,
            None => at + rest.chars().next().map_or(1, char::len_utf8),
        };
        edges.extend(edge);
    }
    edges
}

fn pair_at(rest: &str, at: usize) -> Option<Edge> {
    PAIRS.iter().enumerate().find_map(|(index, (open, close))| {
        let starts = |token: &str| {
            let head = rest.get(..token.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(token))
        };
        let words = open.starts_with(|c: char| c.is_ascii_alphabetic());
        let (token, opens) = if starts(open) && !(words && at > 0) {
            (open, true)
        } else if starts(close) {
            (close, false)
        } else {
            return None;
        };
        let mut end = token.len();
        if token.starts_with("<details type") {
            end = rest.find('>').map_or(end, |close| close + 1);
        } else if opens && *open == "<details>" {
            end = summary_of_thought(rest)?;
        }
        Some(Edge {
            span: at..at + end,
            opens,
            name: Name::Pair(index),
        })
    })
}

/// The length of `<details><summary>Thought process</summary>`, if that is what `rest` begins with.
fn summary_of_thought(rest: &str) -> Option<usize> {
    /// A longer summary, in bytes, is something else.
    const LONGEST: usize = 96;
    let near = &rest[..rest.floor_char_boundary(LONGEST)];
    let (head, _) = near.split_once("</summary>")?;
    let lower = head.to_lowercase();
    let thinks = ["thought", "think", "reason"]
        .iter()
        .any(|word| lower.contains(word));
    (thinks && lower.contains("<summary>")).then(|| head.len() + "</summary>".len())
}

/// `<think>`, `</think>`, `<think time="3">`, `< Think >`.
///
/// LLaVA-CoT comes to its `<CONCLUSION>` in stages, all of which are thoughts.
fn tag_at(rest: &str, at: usize, staged: bool) -> Option<Edge> {
    /// Longer ones, in bytes, are no such tag.
    const LONGEST: usize = 120;
    let inside = rest.strip_prefix('<')?;
    let near = &inside.as_bytes()[..inside.len().min(LONGEST)];
    let close = near.iter().position(|&byte| byte == b'>')?;
    let inside = inside.get(..close)?.trim();
    let (name, opens) = match inside.strip_prefix('/') {
        Some(name) => (name.trim(), false),
        None => (inside, true),
    };
    let name = name.split([' ', '\n', '=']).next().unwrap_or("");
    let stages: &[&str] = if staged { &["summary", "caption"] } else { &[] };
    let mut tags = TAGS.iter().chain(stages);
    let tag = tags.find(|tag| name.eq_ignore_ascii_case(tag));
    let name = match tag {
        Some(tag) => Name::Tag(tag),
        None if name.eq_ignore_ascii_case("answer") => Name::Answer,
        None => return None,
    };
    Some(Edge {
        span: at..at + close + 2,
        opens,
        name,
    })
}

/// The end of a thought that is announced in words, as agents have it: `Thought: …` up to the line
/// that begins with `Action:` or `Answer:` (UI-TARS, ReAct); `*Thinking…*` and the quoted lines
/// behind it.
fn spoken_thought(answer: &str, edges: &[Edge]) -> Option<usize> {
    const ENDS: [&str; 5] = [
        "action:",
        "answer:",
        "final answer:",
        "response:",
        "output:",
    ];
    if edges.iter().any(|edge| edge.name != Name::Answer) {
        return None;
    }
    let begins = |line: &str, word: &str| {
        let line = line.trim_start_matches([' ', '*', '#', '_']);
        let head = line.get(..word.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(word))
    };
    let mut at = 0;
    let mut lines = answer.split_inclusive('\n');
    let first = lines.find(|line| {
        at += line.len();
        !line.trim().is_empty()
    })?;
    if ["thought:", "thoughts:", "thinking:"]
        .iter()
        .any(|word| begins(first, word))
    {
        for line in lines {
            if ENDS.iter().any(|word| begins(line, word)) {
                return Some(at);
            }
            at += line.len();
        }
        return None;
    }
    if !begins(first, "thinking...") && !begins(first, "thinking…") && !begins(first, "thought for")
    {
        return None;
    }
    let quoted = at;
    for line in lines {
        if !line.starts_with('>') && !line.trim().is_empty() {
            break;
        }
        at += line.len();
    }
    (at > quoted).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was said, and how many thoughts there were; "…" if the last one is open.
    fn said(answer: &str) -> (String, String) {
        let parts = apart(answer);
        let said = parts.said.iter().map(|part| &answer[part.clone()]);
        let thoughts = parts.thoughts.iter().map(|thought| {
            let text = answer[thought.span.clone()].trim();
            format!("{text}{}", if thought.closed { "" } else { "…" })
        });
        let thoughts: Vec<String> = thoughts.filter(|text| !text.is_empty()).collect();
        (
            said.collect::<String>().trim().to_owned(),
            thoughts.join("|"),
        )
    }

    #[test]
    fn thoughts_of_every_kind_are_set_apart() {
        for (answer, expected, thought) in [
            ("<think>a</think>b", "b", "a"),
            ("Looking.<think>a</think>b", "Looking.b", "a"),
            ("a</think>b", "b", "a"),
            ("<think>a", "", "a…"),
            ("x<thinking>a", "x", "a…"),
            (
                "<think>a<think>b</think>c</think>d",
                "d",
                "a<think>b</think>c",
            ),
            ("<think>a<think>b</think>c", "c", "a<think>b"),
            ("<think>a</think>b<think>c</think>d", "bd", "a|c"),
            ("<think>a</thinking>b", "b", "a"),
            ("<Reasoning>a</Reasoning> b", "b", "a"),
            ("◁think▷a◁/think▷b", "b", "a"),
            ("[THINK]a[/THINK]b", "b", "a"),
            ("<seed:think>a</seed:think>b", "b", "a"),
            ("<|channel>thought\na<channel|>b", "b", "a"),
            ("Thinking...\na\n...done thinking.\n\nb", "b", "a"),
            ("<think>a <answer>b</answer>", "<answer>b</answer>", "a"),
            (
                "<details type=\"reasoning\" done=\"true\">a</details>b",
                "b",
                "a",
            ),
            ("Thought: a\nAction: b", "Action: b", "Thought: a"),
            ("no thought at all", "no thought at all", ""),
            ("<think></think>b", "b", ""),
            ("a <b>c</b>", "a <b>c</b>", ""),
        ] {
            assert_eq!(
                said(answer),
                (expected.to_owned(), thought.to_owned()),
                "{answer}"
            );
        }
    }
}
