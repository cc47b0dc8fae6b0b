//! What a question asks for, word by word.

use std::cmp::Reverse;

use som_core::RegionNote;

use super::color::ColorName;

/// What one word of a question asks of a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// This colour.
    Color(ColorName),
    /// A class name with this word in it.
    Label(String),
    /// This part of its image.
    At(Place),
    /// The region that lies furthest there.
    Most(Place),
    /// Larger than half of the regions, or not.
    Large(bool),
    /// The largest region, or the smallest.
    Largest(bool),
}

/// A part of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Left,
    Right,
    Top,
    Bottom,
    Middle,
}

/// The words of `question` that ask for something, with what they ask for. A word of a class name
/// asks for that class, even if it is a colour too.
pub(super) fn wishes(question: &str, regions: &[RegionNote]) -> Vec<(String, Wish)> {
    let labels = regions.iter().filter_map(|note| note.label.as_deref());
    let labels: Vec<String> = labels.flat_map(words).collect();
    let mut wishes: Vec<(String, Wish)> = Vec::new();
    for word in words(question) {
        let wish = match labels.contains(&word) {
            true => Some(Wish::Label(word.clone())),
            false => Wish::from_word(&word),
        };
        if let Some(wish) = wish
            && !wishes.iter().any(|(_, known)| *known == wish)
        {
            wishes.push((word, wish));
        }
    }
    wishes
}

/// In lower case and in the singular, roughly.
fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(|word| {
        let word = word.to_lowercase();
        match word.strip_suffix('s') {
            Some(singular) if singular.len() > 2 && !singular.ends_with('s') => singular.to_owned(),
            _ => word,
        }
    })
}

impl Wish {
    fn from_word(word: &str) -> Option<Self> {
        if let Some(color) = ColorName::from_word(word) {
            return Some(Self::Color(color));
        }
        Some(match word {
            "left" => Self::At(Place::Left),
            "right" => Self::At(Place::Right),
            "top" | "upper" => Self::At(Place::Top),
            "bottom" | "lower" => Self::At(Place::Bottom),
            "middle" | "center" | "centre" | "central" => Self::At(Place::Middle),
            "leftmost" => Self::Most(Place::Left),
            "rightmost" => Self::Most(Place::Right),
            "topmost" | "highest" | "uppermost" => Self::Most(Place::Top),
            "bottommost" | "lowest" => Self::Most(Place::Bottom),
            "large" | "big" | "huge" => Self::Large(true),
            "small" | "little" | "tiny" => Self::Large(false),
            "largest" | "biggest" => Self::Largest(true),
            "smallest" | "tiniest" => Self::Largest(false),
            _ => return None,
        })
    }

    /// Those of `regions` that fulfil the wish.
    pub(super) fn choose<'a>(&self, mut regions: Vec<&'a RegionNote>) -> Vec<&'a RegionNote> {
        match self {
            Self::Color(color) => {
                regions.retain(|note| note.color.map(ColorName::of) == Some(*color));
            }
            Self::Label(word) => regions.retain(|note| {
                let label = note.label.as_deref().unwrap_or_default();
                words(label).any(|known| known == *word)
            }),
            Self::At(place) => regions.retain(|note| place.holds(note)),
            Self::Most(place) => {
                let furthest = regions.into_iter().max_by(|a, b| {
                    let order = place.reach(a).total_cmp(&place.reach(b));
                    order.then(Reverse(&a.name).cmp(&Reverse(&b.name)))
                });
                return furthest.into_iter().collect();
            }
            Self::Large(large) => {
                let mut areas: Vec<u64> = regions.iter().map(|note| note.area).collect();
                areas.sort_unstable();
                let median = areas.get(areas.len() / 2).copied().unwrap_or(0);
                regions.retain(|note| (note.area >= median) == *large);
            }
            Self::Largest(largest) => {
                let extreme = match largest {
                    true => regions.into_iter().max_by_key(|note| note.area),
                    false => regions.into_iter().min_by_key(|note| note.area),
                };
                return extreme.into_iter().collect();
            }
        }
        regions
    }

    /// True for the words that leave one region: they come after the others.
    pub(super) const fn is_superlative(&self) -> bool {
        matches!(self, Self::Most(_) | Self::Largest(_))
    }
}

impl Place {
    /// In words.
    pub(super) fn of(note: &RegionNote) -> &'static str {
        let (x, y) = middle(note);
        let third = |share: f64| (share * 3.0).floor().clamp(0.0, 2.0) as usize;
        const WORDS: [[&str; 3]; 3] = [
            ["at the top left", "at the top", "at the top right"],
            ["at the left", "in the middle", "at the right"],
            ["at the bottom left", "at the bottom", "at the bottom right"],
        ];
        WORDS[third(y)][third(x)]
    }

    fn holds(self, note: &RegionNote) -> bool {
        let (x, y) = middle(note);
        match self {
            Self::Middle => [x, y].iter().all(|share| (0.25..=0.75).contains(share)),
            _ => self.reach(note) >= 0.5,
        }
    }

    /// How far the region lies in this direction, in [0, 1].
    fn reach(self, note: &RegionNote) -> f64 {
        let (x, y) = middle(note);
        match self {
            Self::Left => 1.0 - x,
            Self::Right => x,
            Self::Top => 1.0 - y,
            Self::Bottom => y,
            Self::Middle => 1.0 - (x - 0.5).abs().max((y - 0.5).abs()),
        }
    }
}

/// The middle of a region's box, in shares of its image.
fn middle(note: &RegionNote) -> (f64, f64) {
    let share = |start: u32, length: u32, whole: u32| {
        (f64::from(start) + f64::from(length) / 2.0) / f64::from(whole.max(1))
    };
    let (bbox, image) = (note.bbox, note.image);
    (
        share(bbox.x, bbox.width, image.width),
        share(bbox.y, bbox.height, image.height),
    )
}
