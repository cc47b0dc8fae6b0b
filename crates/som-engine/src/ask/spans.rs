//! The mentions of an answer while it comes in.

use som_core::{
    Scene,
    ground::{Mention, ground, thoughts},
};

/// Reads an answer line by line: what a line names may depend on the lines above it in the same
/// paragraph, not on those that are still to come.
pub(super) struct Spans<'a> {
    scene: &'a Scene<'a>,
    text: String,
    /// Where the paragraph begins.
    paragraph: usize,
    /// Where the first line that was not read begins.
    read: usize,
    /// True while the model thinks: what it thinks is read again once it may have stopped.
    thinks: bool,
}

/// A paragraph longer than this, in bytes, is read in parts.
const LONGEST: usize = 2 << 10;

impl<'a> Spans<'a> {
    pub(super) fn new(scene: &'a Scene<'a>) -> Self {
        Self {
            scene,
            text: String::new(),
            paragraph: 0,
            read: 0,
            thinks: false,
        }
    }

    /// Takes in `text`; the mentions of the lines that it completes.
    pub(super) fn add(&mut self, text: &str) -> Vec<Mention> {
        self.text.push_str(text);
        let Some(end) = self.text[self.read..].rfind('\n') else {
            return Vec::new();
        };
        let end = self.read + end + 1;
        if self.thinks && !may_close(&self.text[self.read..end]) {
            self.read = end;
            return Vec::new();
        }
        let thoughts = thoughts(&self.text[self.paragraph..end]);
        self.thinks = thoughts.last().is_some_and(|thought| !thought.closed);
        let mentions = ground(&self.text[self.paragraph..end], self.scene);
        let new = mentions.into_iter().filter_map(|mut mention| {
            mention.span.start += self.paragraph;
            mention.span.end += self.paragraph;
            (mention.span.start >= self.read).then_some(mention)
        });
        let new = new.collect();
        self.read = end;
        if self.thinks {
            // Whether a thought is open is told by where it began.
            return new;
        }
        if let Some(blank) = self.text[self.paragraph..end].rfind("\n\n") {
            self.paragraph += blank + 2;
        }
        if end - self.paragraph > LONGEST {
            self.paragraph = end;
        }
        new
    }
}

/// True if `lines` may hold what closes a thought.
fn may_close(lines: &str) -> bool {
    [
        "</",
        "|>",
        "◁/",
        "[/",
        "<unused",
        "<ctrl",
        "done thinking",
        "response:",
        "Action:",
        "-->",
    ]
    .iter()
    .any(|close| lines.contains(close))
}

#[cfg(test)]
mod tests {
    use som_core::SceneMark;

    use super::*;

    #[test]
    fn mentions_come_with_their_lines() {
        let texts = ["1", "2", "3"];
        let marks = (1..).zip(texts).map(|(id, text)| SceneMark {
            id,
            text,
            image: 0,
            page: 1,
            region: None,
        });
        let scene = Scene {
            images: Vec::new(),
            marks: marks.collect(),
        };
        let answer = "It is [1], é\nnot [2].\n\n| Mark | Object |\n|---|---|\n| 3 | cup |\n| 2 | fork |\nend";
        let whole = ground(answer, &scene);
        assert_eq!(whole.len(), 4);
        for step in [1, 2, 3, 7, 200] {
            let mut spans = Spans::new(&scene);
            let mut mentions = Vec::new();
            let chars: Vec<char> = answer.chars().collect();
            for piece in chars.chunks(step) {
                mentions.extend(spans.add(&piece.iter().collect::<String>()));
            }
            assert_eq!(mentions, whole, "pieces of {step}");
        }
    }

    #[test]
    fn what_is_thought_is_not_told() {
        let texts = ["1", "2", "3"];
        let marks = (1..).zip(texts).map(|(id, text)| SceneMark {
            id,
            text,
            image: 0,
            page: 1,
            region: None,
        });
        let scene = Scene {
            images: Vec::new(),
            marks: marks.collect(),
        };
        let mut spans = Spans::new(&scene);
        for line in ["<think>\n", "It may be [1],\n\n", "or [2].\n", "\n"] {
            assert_eq!(spans.add(line), [], "{line}");
        }
        let told = spans.add("</think>\nIt is [3].\n");
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].marks, [3]);
    }
}
