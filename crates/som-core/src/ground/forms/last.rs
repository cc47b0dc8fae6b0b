//! The name that the words before it come down to, at the end of an answer: "…, so A.", "… -> 5", "…, the
//! leftmost is 3.".

use crate::ground::{
    Mention,
    names::{Names, Setting, list_at},
    words::{self, Role},
};

/// The name that ends `text` behind a word or sign that concludes, and where that begins, or behind a
/// verb, if it was named before; `mentions` are those before it.
pub(in crate::ground) fn concluding(
    text: &str,
    names: &Names,
    mentions: &[Mention],
) -> Option<(Mention, Option<usize>)> {
    /// What leads to it, with the word that concludes, is not longer, in bytes.
    const LONGEST: usize = 48;
    const LEADS: [Role; 7] = [
        Role::Answers,
        Role::Contrasts,
        Role::Pronoun,
        Role::Copula,
        Role::Article,
        Role::Announces,
        Role::Opinion,
    ];
    let end = without_denial(text)
        .trim_end_matches([' ', '\n', '.', '!', '*', ']', ')', '"'])
        .len();
    let near = text.ceil_char_boundary(end.saturating_sub(LONGEST));
    let sign = text[near..end]
        .char_indices()
        .rfind(|(_, c)| !c.is_ascii_alphanumeric());
    let start = near + sign.map(|(at, c)| at + c.len_utf8())?;
    let (reading, stop) = list_at(&text[..end], start, names, Setting::Open)?;
    let known = stop == end && reading.resolves() && reading.misses() == 0;
    let before = text[near..start].trim_end_matches([' ', '*', '[', '(', '"']);
    let sign = ["->", "→", "=>", "⇒"]
        .iter()
        .find_map(|sign| before.strip_suffix(sign));
    let word = words::words(before).find(|word| {
        let said = &before[word.start..];
        words::at(before, word.start, Role::Answers).is_some()
            && (words::is_made_of(said, &LEADS) || names_something(said))
    });
    let verb = || {
        names_something(
            before
                .rsplit([',', '.', ';', '\n'])
                .next()
                .unwrap_or(before),
        )
    };
    let begin = match (&word, sign) {
        (Some(word), _) => near + word.start,
        (None, Some(lead)) => near + lead.len(),
        (None, None) => verb().then_some(start)?,
    };
    let mut earlier = mentions.iter().filter(|mention| mention.span.end <= begin);
    let line = !text[begin..end].contains('\n');
    let mention = reading.mention(start..end);
    // "1 → 5" is a mapping: what was not named before is no conclusion.
    let said = match &word {
        Some(_) => earlier.next().is_some(),
        None => earlier.any(|other| mention.marks.iter().all(|id| other.marks.contains(id))),
    };
    (known && said && line).then_some((mention, (begin < start).then_some(begin)))
}

/// `text` without a last sentence that denies something else: "It is not [4]."
fn without_denial(text: &str) -> &str {
    /// Such a sentence begins with no more words.
    const MOST: usize = 3;
    let said = text.trim_end_matches([' ', '\n', '.', '!']);
    let begin = said.rfind(['.', '\n', '!']).map_or(0, |end| end + 1);
    let denies = words::words(&said[begin..])
        .take(MOST)
        .any(|word| words::at(&said[begin..], word.start, Role::Denies).is_some());
    if denies && begin > 0 {
        &text[..begin]
    } else {
        text
    }
}

/// "So the mug is", "the leftmost is": a few words, and a verb.
fn names_something(said: &str) -> bool {
    const MOST: usize = 6;
    let verb = words::words(said)
        .any(|word| words::at(said, word.start, Role::Copula) == Some(said.len()));
    verb && words::words(said).take(MOST + 1).count() <= MOST && !said.contains([',', '.', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scene, scene::SceneMark};

    #[test]
    fn the_last_name_concludes() {
        let marks = (1..).zip(["1", "2", "3"]).map(|(id, text)| SceneMark {
            id,
            text,
            image: 0,
            region: None,
        });
        let scene = Scene {
            images: Vec::new(),
            marks: marks.collect(),
        };
        let names = Names::new(&scene);
        let found = |text: &str| {
            let (first, _) = list_at("1", 0, &names, Setting::Open).unwrap();
            concluding(text, &names, &[first.mention(0..1)]).map(|(mention, _)| mention.marks)
        };
        assert_eq!(found("1 is a bowl, so 3."), Some(vec![3]));
        assert_eq!(found("1 is a bowl, so it's [3]."), Some(vec![3]));
        assert_eq!(found("1 is white, 2 is red -> 1"), Some(vec![1]));
        assert_eq!(found("1 -> 2"), None);
        assert_eq!(found("1 is a bowl and 3"), None);
    }
}
