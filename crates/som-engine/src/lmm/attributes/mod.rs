//! The baseline without a model: words of the question are matched with what is measured of the
//! marked regions, their colour, size, position and label. It says so in every answer.

mod color;
mod wish;

use futures_util::{StreamExt, stream};
use som_core::{
    AnswerEvent, Cancellation, Error, Finish, ImagePolicy, LmmProvider, Prompt, ProviderInfo,
    Usage, View,
    encode::Encoding,
    lmm::{AnswerStream, Notes, Prices, RegionNote},
};

use self::{
    color::ColorName,
    wish::{Place, Wish, wishes},
};
use crate::settings::ProviderKind;

/// What every answer begins with.
const CONFESSION: &str = "This is a baseline without a model: it matches words of the question \
                          with the colour, size, position and label of the marked regions.";
/// Most regions that one answer lists.
const MOST_LISTED: usize = 20;

/// The baseline without a model.
pub(super) struct Attributes(ProviderInfo);

impl Attributes {
    /// Under this name in the settings.
    pub(super) fn new(name: &str) -> Self {
        let provider = ProviderKind::Attributes.name();
        Self(ProviderInfo {
            name: name.to_owned(),
            provider: provider.to_owned(),
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
    let named = |note: &&RegionNote| notes.question.contains(&format!("[{}]", note.name));
    let named: Vec<&RegionNote> = notes.regions.iter().filter(named).collect();
    let mut wishes = wishes(&notes.question, &notes.regions);
    wishes.sort_by_key(|(_, wish)| wish.is_superlative());
    let found = if !named.is_empty() {
        named
    } else if wishes.is_empty() {
        lines.push("No word of the question asks for any of these. The regions are:\n".to_owned());
        notes.regions.iter().collect()
    } else {
        let words: Vec<&str> = wishes.iter().map(|(word, _)| word.as_str()).collect();
        lines.push(format!("Words understood: {}.\n", words.join(", ")));
        let fulfil = |left, (_, wish): &(String, Wish)| wish.choose(left);
        wishes.iter().fold(notes.regions.iter().collect(), fulfil)
    };
    if found.is_empty() {
        lines.push("No marked region fits.\n".to_owned());
    }
    lines.extend(found.iter().take(MOST_LISTED).map(|note| described(note)));
    if found.len() > MOST_LISTED {
        let more = found.len() - MOST_LISTED;
        lines.push(format!("{more} more regions are not listed.\n"));
    }
    lines
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
            picture: 0,
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
        assert_eq!(lines.len(), 2 + MOST_LISTED + 1);
        assert_eq!(lines[lines.len() - 1], "14 more regions are not listed.\n");
        assert_eq!(answer(&Notes::default())[1], "No region is marked.\n");
    }
}
