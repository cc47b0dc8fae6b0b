//! Harmony, the form in which gpt-oss answers: messages in the channels `analysis`, `commentary`
//! and `final` (OpenAI, *Harmony response format*), whole or with its tokens stripped.

use std::ops::Range;

use super::parts::Parts;

const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";
const ENDS: [&str; 5] = ["<|end|>", "<|return|>", "<|call|>", "<|start|>", CHANNEL];

/// The parts of an answer in channels; `None` if it has none.
pub(super) fn channels(answer: &str) -> Option<Parts> {
    if !answer.contains(CHANNEL) && !answer.starts_with("analysis<|message|>") {
        return stripped(answer);
    }
    let mut parts = Parts::default();
    let mut at = match answer.find(CHANNEL) {
        Some(first) if !answer.starts_with("analysis<|message|>") => {
            let before = answer[..first].trim_end_matches("assistant");
            parts
                .said
                .push(0..before.trim_end_matches("<|start|>").len());
            first + CHANNEL.len()
        }
        _ => 0,
    };
    loop {
        let header = header_at(answer, at);
        let header_end = at + header.len();
        let tail = &answer[header_end..];
        let body = answer.len() - tail.strip_prefix(MESSAGE).unwrap_or(tail).len();
        let end = end_of(answer, body);
        let closed = end < answer.len();
        // A tool call is said; so is what stands in no known channel.
        if header.trim_start().starts_with("analysis") {
            parts.think(body..end, closed);
        } else {
            parts.said.push(body..end);
        }
        match answer[end..].find(CHANNEL) {
            Some(next) => at = end + next + CHANNEL.len(),
            None => break,
        }
    }
    parts.said.retain(|part: &Range<usize>| !part.is_empty());
    Some(parts)
}

/// What stands between a channel and its message.
fn header_at(answer: &str, at: usize) -> &str {
    /// A longer header, in bytes, is none.
    const LONGEST: usize = 200;
    let near = &answer.as_bytes()[at..answer.len().min(at + LONGEST)];
    let end = near
        .windows(MESSAGE.len())
        .position(|window| window == MESSAGE.as_bytes());
    // A channel that breaks off in its header says nothing yet.
    let end = end.unwrap_or(if at + LONGEST > answer.len() {
        near.len()
    } else {
        0
    });
    answer.get(at..at + end).unwrap_or("")
}

/// Where the message that starts at `body` ends.
fn end_of(answer: &str, body: usize) -> usize {
    let mut from = body;
    while let Some(found) = answer[from..].find("<|") {
        let at = from + found;
        if ENDS.iter().any(|end| answer[at..].starts_with(end)) {
            return at;
        }
        from = at + 2;
    }
    answer.len()
}

/// `analysisLet me see…assistantfinalIt is [3].`: what is left where the tokens were stripped.
fn stripped(answer: &str) -> Option<Parts> {
    const FINAL: &str = "assistantfinal";
    let thought = answer.trim_start().strip_prefix("analysis")?;
    let start = answer.len() - thought.len();
    let mut parts = Parts::default();
    match thought.find(FINAL) {
        Some(end) => {
            parts.think(start..start + end, true);
            parts.said.push(start + end + FINAL.len()..answer.len());
        }
        // The word is the channel's only if the thought begins right behind it.
        None if thought.starts_with(|c: char| c.is_uppercase()) => {
            parts.think(start..answer.len(), false);
        }
        None => return None,
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_final_channel_is_what_is_said() {
        let said = |answer: &str| {
            let parts = channels(answer).unwrap();
            let said: String = parts
                .said
                .iter()
                .map(|part| &answer[part.clone()])
                .collect();
            (said, parts.thoughts.len())
        };
        for (answer, expected, thoughts) in [
            (
                "<|channel|>analysis<|message|>maybe [2]<|end|><|start|>assistant<|channel|>final<|message|>It is [3].<|return|>",
                "It is [3].",
                1,
            ),
            ("<|channel|>analysis<|message|>maybe [2]", "", 1),
            ("<|channel|>final<|message|>[3]", "[3]", 0),
            (
                "<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>commentary to=functions.select <|constrain|>json<|message|>{\"marks\":[3]}<|call|>",
                "{\"marks\":[3]}",
                1,
            ),
            (
                "analysisWe look at [2].assistantfinalIt is [3].",
                "It is [3].",
                1,
            ),
            ("analysisWe look at [2]", "", 1),
        ] {
            assert_eq!(said(answer), (expected.to_owned(), thoughts), "{answer}");
        }
        assert!(channels("analysis shows that it is [3]").is_none());
    }
}
