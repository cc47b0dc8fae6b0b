//! Which marks stand beside the texts they belong to: `the laptop: 6`, `[6] is the laptop`.

use std::ops::Range;

use super::{
    grounded::Named,
    matching::plain_words,
    said::only_name,
    sentence::{Place, Said, Sentence},
    spoken::Spoken,
};
use crate::ground::{Mention, Role, words};

/// What the answer says of each of `texts`, if it says something of any. Sentence by sentence,
/// marks stand behind the texts or ahead of them; what is tied to a text goes before what is only
/// near.
pub(super) fn marks_of_each(spoken: &Spoken<'_>, texts: &[String]) -> Option<Vec<Option<Named>>> {
    let lower = words::lowered(spoken.text);
    let mut keys: Vec<String> = texts.iter().map(|text| key(text, &lower)).collect();
    let loose = loosened(&mut keys, &lower);
    let places = places(&lower, &keys, spoken.part.clone());
    let meant: Vec<Mention> = meant(spoken, &places);
    let mut said: Vec<Option<Said>> = vec![None; texts.len()];
    // Where it was said, and where it was taken back last.
    let mut said_at = vec![0; texts.len()];
    let mut taken_back = 0;
    let (mut places, mut mentions) = (&places[..], &meant[..]);
    // The text that the line spoke of last, if it has said nothing of it yet.
    let mut pending: Option<usize> = None;
    // The text that was spoken of last.
    let mut last: Option<usize> = None;
    for range in sentences(&lower, spoken.part.clone()) {
        let (own, later) = places.split_at(places.partition_point(|p| p.start < range.end));
        places = later;
        let (inside, later) =
            mentions.split_at(mentions.partition_point(|m| m.span.start < range.end));
        mentions = later;
        let sentence = Sentence {
            spoken,
            lower: &lower,
            places: own,
            mentions: inside,
            start: range.start,
            end: range.end,
        };
        // "Knife: 4. Sorry, that should be 5."
        if let Some(text) = last.filter(|_| own.is_empty())
            && let Some(named) = corrected(spoken, inside, range.clone())
        {
            said[text] = Some(Said { named, tied: true });
        }
        last = own.last().map(|place| place.text).or(last);
        let found = match (own, pending) {
            ([], Some(text)) => vec![(text, sentence.list(inside, false))],
            _ => sentence.read(),
        };
        let back = takes_back(spoken, range.clone());
        for (index, (text, found)) in found.into_iter().enumerate() {
            let at = own.get(index).map_or(range.start, |place| place.start);
            if let Some(back) = back.filter(|back| *back <= at) {
                taken_back = back;
            }
            let renewed = said_at[text] < taken_back;
            let kept = &mut said[text];
            if let (Some(kept), Some(found)) = (&*kept, &found)
                && loose[text]
                && kept.named.marks != found.named.marks
            {
                // One word of several does not say which of them is meant.
                return None;
            }
            // "There is no cup in [2]. The cup is [3]": what is named goes before none.
            let better = |found: &Said| {
                kept.as_ref().is_none_or(|kept| {
                    found.tied
                        && (!kept.tied || kept.named == Named::NONE && found.names() || renewed)
                })
            };
            pending = found.is_none().then_some(text);
            if let Some(found) = found.filter(better) {
                *kept = Some(found);
                said_at[text] = at;
            }
        }
        taken_back = back.unwrap_or(taken_back);
        if lower[range].ends_with('\n') {
            pending = None;
        }
    }
    let said = keys.iter().map(|key| {
        let first = keys.iter().position(|other| other == key)?;
        said[first].clone().map(|said| said.named)
    });
    let said: Vec<Option<Named>> = said.collect();
    said.iter().any(Option::is_some).then_some(said)
}

/// Where a clause of `sentence` begins with words that take back what was said, or goes on behind a
/// first guess: "I first thought the cup was [1], but …".
fn takes_back(spoken: &Spoken<'_>, sentence: Range<usize>) -> Option<usize> {
    let begins = |at: usize| {
        let before = spoken.get(spoken.part.start..at);
        let before = before.trim_end_matches([' ', '*', '_', '#']);
        before.is_empty()
            || before.ends_with(['.', '!', '?', '\n', '—', '–', ';', ':', ',', '…', '-'])
    };
    let mut corrects = spoken.cues.all(sentence.clone(), Role::Corrects);
    corrects
        .rfind(|cue| begins(cue.start))
        .or_else(|| {
            let guess = spoken.cues.all(sentence.clone(), Role::Tentative).next()?;
            let mut turns = spoken.cues.all(guess.end..sentence.end, Role::Contrasts);
            turns.find(|turn| !spoken.cues.any(turn.start..turn.start + 1, Role::Because))
        })
        .map(|cue| cue.start)
}

/// What a sentence that takes back what was said says instead.
fn corrected(spoken: &Spoken<'_>, mentions: &[Mention], sentence: Range<usize>) -> Option<Named> {
    let end = spoken
        .get(sentence.clone())
        .trim_end_matches([' ', '\n', '.', '!']);
    let end = sentence.start + end.len();
    let corrects = spoken.cues.all(sentence.start..end, Role::Corrects).next();
    corrects.and_then(|cue| {
        let last = mentions.last();
        let ends = last.is_some_and(|last| {
            let rest = spoken.get(last.span.end..end);
            !rest.contains(char::is_alphanumeric)
        });
        match last {
            Some(_) => Named::by(mentions).filter(|_| ends),
            None => only_name(&spoken.part(cue.end..end)),
        }
    })
}

/// The mentions that are meant. One that is named to say where something else is counts only where
/// it is the mark of a text: "left of the spoon [3]".
fn meant(spoken: &Spoken<'_>, places: &[Place]) -> Vec<Mention> {
    /// A text ends no further from its mark, in bytes.
    const NEAR: usize = 12;
    let belongs = |mention: &Mention| {
        let next = places.partition_point(|place| place.start < mention.span.start);
        let last = next.checked_sub(1).and_then(|last| places.get(last));
        last.is_some_and(|place| {
            let between = place.end.min(mention.span.start)..mention.span.start;
            between.len() <= NEAR && !is_beside(spoken, between)
        })
    };
    let mentions = spoken.mentions.iter().zip(spoken.beside);
    let meant =
        mentions.filter(|(mention, beside)| mention.is_meant() && (!**beside || belongs(mention)));
    let meant: Vec<Mention> = meant.map(|(mention, _)| mention.clone()).collect();
    if meant.is_empty() {
        return spoken.meant().cloned().collect();
    }
    meant
}

/// True for "leaning on", and not for "marked with", "is at".
fn is_beside(spoken: &Spoken<'_>, between: Range<usize>) -> bool {
    spoken.cues.all(between, Role::Beside).any(|cue| {
        let ties = |role: &Role| spoken.cues.any(cue.start..cue.start + 1, *role);
        ![Role::At, Role::Fills].iter().any(ties)
    })
}

/// What is looked for: `text` in lower case, without its article where the answer has another;
/// where its words stand in another form, what the answer has.
fn key(text: &str, lower: &str) -> String {
    let text = words::lowered(text);
    let bare = without_article(&text);
    if bare.is_empty() || stands_in(lower, &text) {
        return text;
    }
    if stands_in(lower, bare) {
        return bare.to_owned();
    }
    in_other_words(bare, lower).unwrap_or_else(|| bare.to_owned())
}

/// Where the words of a text do not stand in the answer, the one that tells it from the others, or
/// of a single text its last one, which names the thing; and which keys became so short.
fn loosened(keys: &mut [String], lower: &str) -> Vec<bool> {
    let all: Vec<Vec<String>> = keys.iter().map(|key| plain_words(key)).collect();
    let mut loose = vec![false; keys.len()];
    for (index, own) in all.iter().enumerate() {
        if stands_in(lower, &keys[index]) || own.len() < 2 {
            continue;
        }
        let telling = |word: &&String| {
            let others = all.iter().enumerate().filter(|(other, _)| *other != index);
            let mut others = others.map(|(_, words)| words);
            word.chars().count() > 2
                && stands_in(lower, word)
                && others.all(|words| !words.contains(word))
        };
        let word = match keys.len() {
            1 => own.last().filter(telling),
            _ => own.iter().find(telling),
        };
        if let Some(word) = word {
            keys[index].clone_from(word);
            loose[index] = true;
        }
    }
    loose
}

/// True if `key` stands in `lower`, and not only within other words.
fn stands_in(lower: &str, key: &str) -> bool {
    let letter = key.starts_with(char::is_alphanumeric);
    lower
        .match_indices(key)
        .any(|(start, _)| !(letter && lower[..start].ends_with(|c: char| c.is_ascii_alphabetic())))
}

pub(super) fn without_article(text: &str) -> &str {
    // "Two ducks"
    let counted = || words::number_at(text, 0).map(|(_, end)| end);
    let end = words::at(text, 0, Role::Article)
        .or_else(counted)
        .filter(|end| text[*end..].starts_with(' '));
    end.map_or(text, |end| text[end..].trim())
}

/// The words of the answer that say what `text` does: the same ones in another number or case, or
/// the last of them, which names the thing.
fn in_other_words(text: &str, lower: &str) -> Option<String> {
    let wanted = plain_words(text);
    if wanted.is_empty() {
        return None;
    }
    let spans: Vec<Range<usize>> = words::words(lower).collect();
    let plain: Vec<String> = spans
        .iter()
        .map(|span| plain_words(&lower[span.clone()]).concat())
        .collect();
    let place = plain
        .windows(wanted.len())
        .position(|window| window == wanted.as_slice());
    place.map(|place| lower[spans[place].start..spans[place + wanted.len() - 1].end].to_owned())
}

/// Where the texts stand, in order; where some overlap, the longer one.
fn places(lower: &str, keys: &[String], part: Range<usize>) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for (text, key) in keys.iter().enumerate() {
        if key.is_empty() || keys[..text].contains(key) {
            continue;
        }
        let letter = key.starts_with(char::is_alphanumeric);
        let inside = lower.get(part.clone()).unwrap_or("");
        places.extend(inside.match_indices(key.as_str()).filter_map(|(start, _)| {
            let start = part.start + start;
            let inside_word = letter && lower[..start].ends_with(|c: char| c.is_ascii_alphabetic());
            let end = start + key.len();
            (!inside_word).then_some(Place { start, end, text })
        }));
    }
    places.sort_unstable_by_key(|place| (place.start, std::cmp::Reverse(place.end)));
    places.dedup_by(|next, kept| next.start < kept.end);
    places
}

/// The sentences of `text`; a line ends one, and so does a semicolon.
fn sentences(text: &str, part: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut start = part.start;
    std::iter::from_fn(move || {
        let rest = text.get(start..part.end).filter(|rest| !rest.is_empty())?;
        let mut marks = rest.match_indices(['.', '!', '?', ';', '\n', '。', '；']);
        let end = marks.find_map(|(at, mark)| {
            let next = &rest[at + mark.len()..];
            let word = rest[..at].rsplit(|c: char| !c.is_alphanumeric()).next();
            let number = mark == "." && word == Some("no");
            let ends = mark == "\n" || !mark.is_ascii() || next.starts_with(' ') && !number;
            ends.then_some(at + mark.len())
        });
        let range = start..start + end.unwrap_or(rest.len());
        start = range.end;
        Some(range)
    })
}
