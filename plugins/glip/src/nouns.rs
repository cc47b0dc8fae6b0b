//! The noun phrases of an English caption: what in it can be looked for.
//!
//! The official project has NLTK tag the words and takes what fits `<DT>?<JJ.*>*<NN.*>+`: an article,
//! adjectives, nouns (`predictor_glip.py`, `find_noun_phrases`). Here, no model tags: the words of a
//! language that are neither nouns nor adjectives, and are used over and over, are known by heart, and
//! what stands between them is a phrase. Verbs are told by their endings and by what comes next.

use std::ops::Range;

/// Words that may begin a phrase, and are none alone.
const DETERMINERS: &str = "a an the this that these those some any each every no another both all";

/// Words at which a phrase ends. Numbers are not in the grammar either.
const OTHERS: &str = "
    about above across after against along alongside amid among around as at before behind below beneath
    beside besides between beyond by despite down during except for from in inside into like near next of
    off on onto opposite out outside over past per through throughout to toward towards under underneath
    until up upon via with within without
    and or but nor so yet if because while when where whereas whether than then though although unless since
    i you he she it we they me him her us them my your his its our their mine yours hers ours theirs myself
    yourself himself herself itself ourselves themselves who whom whose which what there here someone
    somebody something anyone anybody anything everyone everybody everything nobody nothing one ones
    am is are was were be been being do does did doing done has have had having can could may might must
    shall should will would get gets got go goes went come comes came make makes made take takes took
    see sees saw look looks looked show shows showed shown sit sits sat stand stands stood lie lies lay laid
    lean leans leaned hold holds held wear wears wore worn carry carries carried walk walks walked run runs
    ran eat eats ate drink drinks drank ride rides rode hang hangs hung contain contains contained
    not very too also just only quite rather almost nearly together away back forward apart alone again
    still already always never often sometimes now today maybe perhaps please find locate detect
    two three four five six seven eight nine ten eleven twelve several many few much more most other others
    such own same";

/// Words on -ing that are nouns, or describe one.
const THINGS: &str = "
    awning beijing building bring ceiling clothing crossing dining drawing dressing dumpling dwelling
    earring evening frying herring icing ironing king landing lightning lining living morning outing
    painting parking pudding railing ring sailing serving sewing siding skiing spring sterling sting string
    swimming swing thing topping training vending viking washing wedding wing wrapping writing";

/// One word, and where it stands.
struct Word<'a> {
    text: &'a str,
    place: Range<usize>,
    /// Whether nothing but space is between it and the word before.
    follows: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Determiner,
    Noun,
    Other,
}

/// Where the noun phrases of `caption` stand, in bytes, from the first to the last.
pub(crate) fn noun_phrases(caption: &str) -> Vec<Range<usize>> {
    let lower = caption.to_ascii_lowercase();
    let words = words(&lower);
    let mut phrases: Vec<Range<usize>> = Vec::new();
    let mut article: Option<usize> = None;
    let mut open = false;
    let mut before = None;
    for (index, word) in words.iter().enumerate() {
        if !word.follows {
            (article, open, before) = (None, false, None);
        }
        let kind = kind(word, before, words.get(index + 1));
        match kind {
            Kind::Determiner => (article, open) = (Some(word.place.start), false),
            Kind::Noun if open => {
                if let Some(phrase) = phrases.last_mut() {
                    phrase.end = word.place.end;
                }
            }
            Kind::Noun => {
                let start = article.take().unwrap_or(word.place.start);
                phrases.push(start..word.place.end);
                open = true;
            }
            Kind::Other => (article, open) = (None, false),
        }
        before = Some(kind);
    }
    phrases
}

/// What a word is, by those beside it.
fn kind(word: &Word<'_>, before: Option<Kind>, next: Option<&Word<'_>>) -> Kind {
    let is_in = |list: &str| list.split_whitespace().any(|known| known == word.text);
    if is_in(DETERMINERS) {
        return Kind::Determiner;
    }
    if is_in(OTHERS) || !word.text.starts_with(char::is_alphabetic) {
        return Kind::Other;
    }
    let is_after_noun = before == Some(Kind::Noun);
    let next = next.filter(|next| next.follows);
    let is_before = |list: &str| {
        next.is_some_and(|next| list.split_whitespace().any(|known| known == next.text))
    };
    // "a man chases the dog", "a cat sleeping on a bed", but "the running water", "a dining table".
    let is_verb = is_after_noun && is_before(DETERMINERS)
        || word.text.ends_with("ly") && next.is_some()
        || word.text.ends_with("ing")
            && word.text.len() > 4
            && !is_in(THINGS)
            && (is_after_noun || next.is_none() || is_before(DETERMINERS) || is_before(OTHERS));
    match is_verb {
        true => Kind::Other,
        false => Kind::Noun,
    }
}

/// Letters and digits, with hyphens and apostrophes between them.
fn words(text: &str) -> Vec<Word<'_>> {
    let mut words: Vec<Word<'_>> = Vec::new();
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '-' | '\'' | '’');
    let mut end = 0;
    while let Some(start) = text[end..].find(char::is_alphanumeric) {
        let start = end + start;
        let length = text[start..].find(|c| !inside(c));
        let stop = length.map_or(text.len(), |length| start + length);
        let word = text[start..stop].trim_end_matches(|c: char| !c.is_alphanumeric());
        let follows = !words.is_empty() && text[end..start].trim().is_empty();
        end = start + word.len();
        words.push(Word {
            text: word,
            place: start..end,
            follows,
        });
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_looked_for_is_found() {
        for (caption, expected) in [
            (
                "a white cup of coffee on the wooden table next to a small spoon",
                &["a white cup", "coffee", "the wooden table", "a small spoon"][..],
            ),
            (
                "Two dogs chase a Ball, while the man is running.",
                &["dogs", "a Ball", "the man"],
            ),
            (
                "bobble heads on top of the shelf",
                &["bobble heads", "top", "the shelf"],
            ),
            (
                "A woman wearing a red hat rides her brand-new bicycle",
                &["A woman", "a red hat", "brand-new bicycle"],
            ),
            (
                "a dining table, running water and a very brightly lit building",
                &["a dining table", "running water", "lit building"],
            ),
            ("the cat sleeping on the bed", &["the cat", "the bed"]),
            ("the dog's bowl", &["the dog's bowl"]),
            ("cup", &["cup"]),
            ("a big red", &["a big red"]),
            ("eine Tasse über Ä", &["eine Tasse über Ä"]),
            ("of the and with it", &[]),
            ("☕ 12 - '", &[]),
            ("", &[]),
        ] {
            let found = noun_phrases(caption);
            let found: Vec<&str> = found.into_iter().map(|place| &caption[place]).collect();
            assert_eq!(found, expected, "{caption}");
        }
    }
}
