//! Sentences with phrases: `[/EN#6729/vehicles/scene the subway] is empty .`

/// A sentence, and the phrases that stand in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    /// Without mark-up.
    pub(super) text: String,
    pub(super) phrases: Vec<Marked>,
}

/// A phrase with what it belongs to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Marked {
    pub(super) text: String,
    /// What ties it to boxes and to the phrases of other sentences; `0` is not visual.
    pub(super) chain: String,
    pub(super) types: Vec<String>,
}

impl Sentence {
    /// Reads one line, or says what is wrong with it.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        const OPEN: &str = "[/EN#";
        let mut sentence = Self {
            text: String::new(),
            phrases: Vec::new(),
        };
        let mut rest = line.trim();
        while let Some((before, marked)) = rest.split_once(OPEN) {
            let (marked, after) = marked
                .split_once(']')
                .ok_or_else(|| format!("the phrase {OPEN}{marked} is not closed by ]"))?;
            let (tags, words) = marked
                .split_once(' ')
                .ok_or_else(|| format!("the phrase {OPEN}{marked}] has no words"))?;
            let mut tags = tags.split('/');
            let chain = tags.next().unwrap_or("").to_owned();
            let words = words.trim().to_owned();
            sentence.text.push_str(before);
            sentence.text.push_str(&words);
            sentence.phrases.push(Marked {
                text: words,
                chain,
                types: tags.map(str::to_owned).collect(),
            });
            rest = after;
        }
        sentence.text.push_str(rest);
        Ok(sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_have_chains_types_and_words() {
        let line = "[/EN#1/people Two young guys] on [/EN#6729/vehicles/scene the subway] . ";
        let sentence = Sentence::parse(line).unwrap();
        assert_eq!(sentence.text, "Two young guys on the subway .");
        assert_eq!(sentence.phrases[1].text, "the subway");
        assert_eq!(sentence.phrases[1].chain, "6729");
        assert_eq!(sentence.phrases[1].types, ["vehicles", "scene"]);
    }

    #[test]
    fn what_is_not_closed_is_told() {
        assert!(
            Sentence::parse("[/EN#1/people Two")
                .unwrap_err()
                .contains("closed")
        );
        assert!(
            Sentence::parse("[/EN#1/people]")
                .unwrap_err()
                .contains("words")
        );
    }
}
