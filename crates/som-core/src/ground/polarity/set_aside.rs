//! Marks that an answer names and sets aside, where another one is meant: what is granted ("while
//! [7] is striped, too, it's a towel"), guessed at first ("I considered [2], but that is a coat"),
//! or said to be something else ("[5] is merely open").

use std::{collections::HashSet, ops::Range};

use super::{
    NEAR,
    place::{Place, is_function},
    sentence::{floor, sentence_end},
};
use crate::ground::{
    Mention, Polarity,
    words::{self, Cues, Role},
};

/// Sets aside what the words around it do, if something else is meant. What is `joined` goes on
/// with the list of the mention before.
pub(super) fn set_aside(text: &str, cues: &Cues, mentions: &mut [Mention], joined: &[bool]) {
    untick(text, mentions);
    deny_reasons(text, cues, mentions);
    let none = begins_with_none(text, cues, mentions);
    let none_first = none.is_some();
    let alone = alone(text, cues, mentions);
    let refused = refused(text, cues, mentions);
    let mut aside: Vec<Option<Polarity>> = (0..mentions.len())
        .map(|index| {
            let free = mentions[index].is_meant() && mentions[index].location.is_none();
            let place = free.then(|| Place::new(text, cues, mentions, index))?;
            let other = alone
                .as_ref()
                .is_some_and(|(only, _)| *only != mentions[index].marks);
            let begins = alone.as_ref().is_some_and(|(_, begins)| *begins);
            let called = none.as_ref().is_some_and(|none| {
                place.is_other_than(none) || place.is_reason_of(none) || place.is_behind_none(none)
            });
            let denied = none_first && place.is_turned_away()
                || called
                || other
                    && (begins && place.is_about() || place.is_candidate(mentions, index, &alone));
            let denied = denied || refused && index == 0;
            denied
                .then_some(Polarity::Denied)
                .or_else(|| place.polarity())
        })
        .collect();
    // "[4] and [5] are plates, not cups"
    for index in (1..mentions.len()).rev() {
        if joined.get(index) == Some(&true) && mentions[index - 1].is_meant() {
            aside[index - 1] = aside[index - 1].or(aside[index]);
        }
    }
    // What is meant whatever is set aside.
    let mut kept = mentions
        .iter()
        .zip(&aside)
        .filter(|(mention, aside)| mention.is_meant() && aside.is_none())
        .map(|(mention, _)| mention.marks.clone());
    let (first, other) = (kept.next(), kept.next_back());
    stay_denied(text, cues, mentions, &mut aside);
    let mut last: Option<(Vec<u32>, Polarity)> = None;
    for (mention, aside) in mentions.iter_mut().zip(aside) {
        let another = [&first, &other]
            .into_iter()
            .flatten()
            .any(|marks| *marks != mention.marks);
        let polarity = aside.filter(|_| another || none_first);
        match (polarity, &last) {
            (Some(polarity), _) => {
                mention.polarity = polarity;
                last = Some((mention.marks.clone(), polarity));
            }
            // "At first [3] … However, [3] is in front": it stays so.
            (None, Some((marks, polarity))) if *marks == mention.marks && mention.is_meant() => {
                mention.polarity = *polarity;
            }
            (None, Some((marks, _))) if *marks == mention.marks => {}
            _ => last = None,
        }
    }
}

/// "- [ ] Mark 3" beside "- [x] Mark 6": what is not ticked is denied.
fn untick(text: &str, mentions: &mut [Mention]) {
    /// What an item begins with is shorter, in bytes.
    const SHORT: usize = 32;
    let ticked = ["[x]", "[X]", "☑", "✅"]
        .iter()
        .any(|tick| text.contains(tick));
    if !ticked {
        return;
    }
    for mention in mentions {
        let near = floor(text, mention.span.start.saturating_sub(SHORT));
        let line = text[near..mention.span.start]
            .rsplit('\n')
            .next()
            .unwrap_or("");
        if line.contains("[ ]") || line.contains('☐') || line.contains('⬜') {
            mention.polarity = Polarity::Denied;
        }
    }
}

/// "It can't be [5], because [5] is blue": what is denied stays so in the reason for that.
fn deny_reasons(text: &str, cues: &Cues, mentions: &mut [Mention]) {
    for index in 1..mentions.len() {
        let (last, mention) = (&mentions[index - 1], &mentions[index]);
        let gap = last.span.end..mention.span.start;
        let said = text.get(gap.clone()).unwrap_or(".");
        let same = last.polarity == Polarity::Denied && last.marks == mention.marks;
        if same
            && mention.is_meant()
            && gap.len() < NEAR
            && !said.contains(['.', '\n', ';', '!', '?'])
            && cues.any(gap, Role::Because)
        {
            mentions[index].polarity = Polarity::Denied;
        }
    }
}

/// The first sentence, if it says that there is none, and names no mark: "None of these. Mark 3 comes
/// close, but it is a stool".
fn begins_with_none(text: &str, cues: &Cues, mentions: &[Mention]) -> Option<Range<usize>> {
    let first = mentions.first()?;
    let start = text.len() - text.trim_start().len();
    let end = sentence_end(text, start.min(first.span.start)..first.span.start);
    // "It isn't marked: the closest one, [2], is pink"
    let colon = text[start.min(end)..end].find(": ");
    let end = colon.map_or(end, |colon| start + colon);
    let kept = [Role::Keeps, Role::Excepts]
        .iter()
        .any(|role| cues.any(0..end, *role));
    let no = text.get(start..end).is_some_and(|said| {
        words::at(said, 0, Role::Denies).is_some_and(|denied| denied == said.trim_end().len())
    });
    let none = end < first.span.start && end < start + NEAR;
    (none && (no || cues.any(0..end, Role::None)) && !kept).then_some(start..end)
}

/// "[7], not [8]. Mark [8] is the saucer underneath": what is denied stays so when it is described.
fn stay_denied(text: &str, cues: &Cues, mentions: &[Mention], aside: &mut [Option<Polarity>]) {
    let mut denied: HashSet<&[u32]> = HashSet::new();
    let mut meant = false;
    for (index, mention) in mentions.iter().enumerate() {
        match mention.polarity {
            // What is asked or looked for may be denied first: "Not [3]? [3] is the cup".
            Polarity::Denied if meant => {
                denied.insert(&mention.marks);
            }
            Polarity::Asserted if denied.contains(&mention.marks[..]) => {
                let place = Place::new(text, cues, mentions, index);
                if place.is_about() && place.copula_behind().is_some() && !place.is_followed {
                    aside[index] = aside[index].or(Some(Polarity::Denied));
                }
            }
            Polarity::Asserted => meant = true,
            _ => {}
        }
    }
}

/// "No, [3] is a lamp post. It's [6]": the first mark is what was supposed, and is said to be something
/// else; the next one is said of the thing itself.
fn refused(text: &str, cues: &Cues, mentions: &[Mention]) -> bool {
    let [first, second, ..] = mentions else {
        return false;
    };
    let place = Place::new(text, cues, mentions, 0);
    let lead = place
        .get(place.before.clone())
        .trim_end_matches([' ', '*', '[']);
    // "No, mark 4 is a shadow"
    let noun =
        words::words(lead).find(|word| words::at(lead, word.start, Role::Mark) == Some(lead.len()));
    let lead = noun.map_or(lead, |word| lead[..word.start].trim_end());
    let no = lead.strip_suffix([',', '，']).is_some_and(|lead| {
        words::words(lead).last().is_some_and(|word| {
            let says = |role| words::at(lead, word.start, role) == Some(lead.len());
            says(Role::Denies) || says(Role::Corrects)
        })
    });
    let after = place.get(place.after.clone());
    let other = place.names_something(after.trim_start_matches([' ', '*', ']']));
    let next = Place::new(text, cues, mentions, 1);
    let said = next.get(next.before.clone()).trim_start();
    // "The actual bird is mark 1"
    let genuine = words::at(said, 0, Role::Article).is_some_and(|end| {
        let rest = said[end..].trim_start();
        words::at(rest, 0, Role::Genuine).is_some()
    });
    let itself = genuine
        || words::at(said, 0, Role::Pronoun).is_some_and(|end| {
            let rest = said[end..].trim_start_matches([' ', '\'', '’']);
            let verb = words::at(rest, 0, Role::Copula).map(|end| &rest[end..]);
            let glued = said[..end].ends_with("'s").then_some(rest);
            let rest = verb.or(glued).or_else(|| rest.strip_prefix("s "));
            rest.is_some_and(is_function)
        });
    // "No — that's [8], the decoy. The real key is [3]"
    let supposed = genuine
        && words::made_of(
            lead,
            &[Role::Denies, Role::Corrects, Role::Pronoun, Role::Copula],
        )
        .is_some_and(|led| led.contains(&Role::Denies) && led.contains(&Role::Pronoun));
    (no && other || supposed)
        && !place.is_followed
        && itself
        && second.is_meant()
        && first.marks != second.marks
}

/// "Only [3] is empty": the marks that are said so to be meant alone, and whether a sentence begins so.
fn alone(text: &str, cues: &Cues, mentions: &[Mention]) -> Option<(Vec<u32>, bool)> {
    let only = mentions.iter().enumerate().find(|(index, mention)| {
        let place = Place::new(text, cues, mentions, *index);
        let lead = text.get(place.before.clone()).unwrap_or("");
        let lead = lead.rsplit(',').next().unwrap_or(lead);
        let lead = lead.trim_start_matches([' ', '*']);
        let begins = words::at(lead, 0, Role::Only).is_some_and(|end| is_function(&lead[end..]));
        mention.is_meant() && (begins && place.is_told_of() || place.is_chosen())
    });
    only.map(|(index, mention)| {
        let place = Place::new(text, cues, mentions, index);
        let lead = text.get(place.before.clone()).unwrap_or("").trim_start();
        (mention.marks.clone(), !lead.contains(','))
    })
}
