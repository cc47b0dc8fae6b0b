//! The baseline without a model: words of the question are matched with what is measured of the
//! marked regions, their colour, size, position and label. It says so in every answer.

mod color;
mod wish;

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use som_core::{
    AnswerEvent, AnswerStream, Cancellation, Error, Finish, ImagePolicy, LmmProvider, Notes,
    Prices, Prompt, ProviderInfo, RegionNote, Usage, View, encode::Encoding,
};

use self::{
    color::ColorName,
    wish::{Place, Wish, wishes},
};
use super::row::{Provider, Reach};

pub(super) static ATTRIBUTES: Provider = Provider {
    name: "attributes",
    reach: Reach::Embedded(|name| Arc::new(Attributes::new(name))),
};

/// What every answer begins with.
const CONFESSION: &str = "This is a baseline without a model: it matches words of the question \
                          with the colour, size, position and label of the marked regions.";
/// Most regions that one answer lists.
const MAX_LISTED: usize = 20;

/// The baseline without a model.
struct Attributes(ProviderInfo);

impl Attributes {
    /// Under this name in the settings.
    fn new(name: &str) -> Self {
        Self(ProviderInfo {
            name: name.to_owned(),
            provider: ATTRIBUTES.name.to_owned(),
            model: "none".to_owned(),
            vision: true,
            structured: false,
            images: ImagePolicy {
                view: View::UNLIMITED,
                formats: vec![Encoding::Png, Encoding::Jpeg, Encoding::WebP],
                ..ImagePolicy::default()
            },
            context_tokens: None,
            prices: Some(Prices::default()),
        })
    }
}

impl LmmProvider for Attributes {
    fn info(&self) -> &ProviderInfo {
        &self.0
    }

    fn ask<'a>(&'a self, prompt: &'a Prompt, cancellation: &'a Cancellation) -> AnswerStream<'a> {
        let events = match self.0.check(prompt) {
            Err(error) => vec![Err(error)],
            Ok(()) if cancellation.is_cancelled() => vec![Err(Error::cancelled())],
            Ok(()) => {
                let lines = answer(&prompt.notes);
                let deltas = lines.into_iter().map(AnswerEvent::Delta);
                let end = [
                    AnswerEvent::Usage(Usage::default()),
                    AnswerEvent::Done(Finish::Stop),
                ];
                deltas.chain(end).map(Ok).collect()
            }
        };
        stream::iter(events).boxed()
    }
}

/// The answer, line by line.
fn answer(notes: &Notes) -> Vec<String> {
    let mut lines = vec![format!("{CONFESSION}\n")];
    if notes.regions.is_empty() {
        lines.push("No region is marked.\n".to_owned());
        return lines;
    }
    if notes.question.lines().nth(1).is_some() {
        let expressions = notes.question.lines();
        lines.extend(expressions.map(|expression| meant(expression, &notes.regions)));
        return lines;
    }
    let Match { words, found } = Match::of(&notes.question, &notes.regions);
    let listed = match found {
        None => {
            lines.push(
                "No word of the question asks for any of these. The regions are:\n".to_owned(),
            );
            notes.regions.iter().collect()
        }
        Some(found) => {
            if !words.is_empty() {
                lines.push(format!("Words understood: {}.\n", words.join(", ")));
            }
            if found.is_empty() {
                lines.push("No marked region fits.\n".to_owned());
            }
            found
        }
    };
    lines.extend(listed.iter().take(MAX_LISTED).map(|note| described(note)));
    if listed.len() > MAX_LISTED {
        let more = listed.len() - MAX_LISTED;
        lines.push(format!("{more} more regions are not listed.\n"));
    }
    lines
}

/// What a text asks for.
struct Match<'a> {
    /// Its words that were understood.
    words: Vec<String>,
    /// The regions that fit; `None` if the text asks for nothing.
    found: Option<Vec<&'a RegionNote>>,
}

impl<'a> Match<'a> {
    fn of(text: &str, regions: &'a [RegionNote]) -> Self {
        let named = |note: &&RegionNote| text.contains(&format!("[{}]", note.name));
        let named: Vec<&RegionNote> = regions.iter().filter(named).collect();
        if !named.is_empty() {
            return Self {
                words: Vec::new(),
                found: Some(named),
            };
        }
        let mut wishes = wishes(text, regions);
        wishes.sort_by_key(|(_, wish)| wish.is_superlative());
        let fulfil = |left, (_, wish): &(String, Wish)| wish.choose(left);
        let found = wishes.iter().fold(regions.iter().collect(), fulfil);
        let words: Vec<String> = wishes.into_iter().map(|(word, _)| word).collect();
        Self {
            found: (!words.is_empty()).then_some(found),
            words,
        }
    }
}

/// The regions that one of several expressions means, in one line.
fn meant(expression: &str, regions: &[RegionNote]) -> String {
    let found = Match::of(expression, regions).found.unwrap_or_default();
    let names: Vec<String> = found
        .iter()
        .map(|note| format!("[{}]", note.name))
        .collect();
    match names.as_slice() {
        [] => format!("{expression}: none\n"),
        names => format!("{expression}: {}\n", names.join(", ")),
    }
}

/// A region in one line.
fn described(note: &RegionNote) -> String {
    let share = 100.0 * note.area as f64 / note.image.pixels().max(1) as f64;
    let place = Place::of(note);
    let color = note.color.map_or("", |color| ColorName::of(color).word());
    let label = note.label.as_deref().unwrap_or("region");
    let what = [color, label].join(" ");
    format!(
        "[{}] {} {place}, {share:.1} % of the image\n",
        note.name,
        what.trim()
    )
}

#[cfg(test)]
mod tests {
    use som_core::{BBox, Color, Size};

    use super::*;

    /// A street: a large blue sky, a red car at the bottom left, a red hydrant at the right, an
    /// orange (the fruit) in the middle.
    fn notes(question: &str) -> Notes {
        let note = |name: &str, label: Option<&str>, bbox: BBox, rgb: u32| RegionNote {
            image_index: 0,
            name: name.into(),
            label: label.map(str::to_owned),
            bbox,
            area: bbox.area(),
            color: Some(Color::from_u32(rgb)),
            image: Size::new(100, 100),
        };
        Notes {
            question: question.into(),
            regions: vec![
                note("1", Some("sky"), BBox::new(0, 0, 100, 40), 0x3060e0),
                note("2", Some("car"), BBox::new(5, 70, 30, 20), 0xd02020),
                note("3", None, BBox::new(85, 60, 10, 20), 0xc01818),
                note("4", Some("orange"), BBox::new(45, 45, 8, 8), 0x40a040),
            ],
        }
    }

    /// The marks that an answer lists.
    fn listed(question: &str) -> String {
        let lines = answer(&notes(question));
        assert!(lines[0].contains("baseline without a model"), "{lines:?}");
        let names = lines.iter().filter_map(|line| {
            let (name, _) = line.strip_prefix('[')?.split_once(']')?;
            Some(name.to_owned())
        });
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_are_matched_with_what_is_measured() {
        assert_eq!(listed("Where is the red thing?"), "2 3");
        assert_eq!(listed("the red thing on the right"), "3");
        assert_eq!(listed("Which are the cars?"), "2");
        assert_eq!(listed("the largest red region"), "2");
        assert_eq!(listed("largest"), "1");
        assert_eq!(listed("the smallest"), "4");
        assert_eq!(listed("the lowest"), "2");
        assert_eq!(listed("What is in the centre?"), "4");
        // A class name, not a colour, though nothing of that colour is there.
        assert_eq!(listed("the orange"), "4");
        assert_eq!(listed("a purple one"), "");
        assert_eq!(listed("What is [3] next to [2]?"), "2 3");
        assert_eq!(listed("What do you see?"), "1 2 3 4");
    }

    #[test]
    fn each_of_several_expressions_is_answered() {
        let lines = answer(&notes("the red car\nsomething purple\nthe thing"));
        assert_eq!(
            lines[1..],
            [
                "the red car: [2]\n",
                "something purple: none\n",
                "the thing: none\n"
            ]
        );
    }

    #[test]
    fn regions_are_described() {
        let lines = answer(&notes("[2] and [3]"));
        assert_eq!(
            lines[1..],
            [
                "[2] red car at the bottom left, 6.0 % of the image\n",
                "[3] red region at the bottom right, 2.0 % of the image\n"
            ]
        );
    }

    #[test]
    fn long_lists_are_cut() {
        let mut many = notes("anything");
        let last = many.regions[3].clone();
        many.regions.extend(vec![last; 30]);
        let lines = answer(&many);
        assert_eq!(lines.len(), 2 + MAX_LISTED + 1);
        assert_eq!(lines[lines.len() - 1], "14 more regions are not listed.\n");
        assert_eq!(answer(&Notes::default())[1], "No region is marked.\n");
    }
}
