//! Text that speaks of marks and of places: `what is [3] next to {box:10,20,50,60}?`

use std::ops::Range;

use super::names::in_brackets;
use crate::{
    BBox, Error, Result, Scene, Size,
    ground::{Mention, Status, ground},
};

/// A text of the user's, with references to marks and boxes in it:
///
/// - `[3]`, `marks 3 and 5`: marks, in any form in which answers name them;
/// - `{mark:3}`: a mark that must be there;
/// - `{box:10,20,50,60}`: x, y, width and height in pixels of the original image; becomes a mark.
///   `{box:10,20,50,60@2}` lies on the second image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interleaved {
    runs: Vec<Run>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Run {
    Text(String),
    /// By its text.
    Mark(String),
    Box(BoxReference),
}

/// A box that a text speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoxReference {
    /// Index of the image, from 0.
    pub image: usize,
    /// In pixels of the original image.
    pub bbox: BBox,
}

/// How names in a user's text become those that are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Renaming<'a> {
    /// The marks under the names that the user knows.
    pub known: &'a Scene<'a>,
    /// The same marks under the names that are drawn.
    pub drawn: &'a Scene<'a>,
    /// The ids of the marks that boxes became, in the order of the boxes in the text.
    pub boxes: &'a [u32],
}

impl Interleaved {
    /// Reads `text`. Braces that hold neither a mark nor a box stay as they are.
    ///
    /// # Errors
    /// Invalid, if a box is malformed or empty.
    pub fn parse(text: &str) -> Result<Self> {
        let mut runs = Vec::new();
        let mut words = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            words.push_str(&rest[..start]);
            let reference = braced(&rest[start + 1..]);
            let run = match reference {
                Some((inside, _)) => reference_in(inside)?,
                None => None,
            };
            match (run, reference) {
                (Some(run), Some((_, after))) => {
                    if !words.is_empty() {
                        runs.push(Run::Text(std::mem::take(&mut words)));
                    }
                    runs.push(run);
                    rest = after;
                }
                _ => {
                    words.push('{');
                    rest = &rest[start + 1..];
                }
            }
        }
        words.push_str(rest);
        if !words.is_empty() {
            runs.push(Run::Text(words));
        }
        Ok(Self { runs })
    }

    /// The boxes, in order.
    pub fn boxes(&self) -> impl Iterator<Item = BoxReference> {
        self.runs.iter().filter_map(|run| match run {
            Run::Box(reference) => Some(*reference),
            _ => None,
        })
    }

    /// Checks that every box lies on an image of these `sizes`.
    ///
    /// # Errors
    /// Invalid, naming the box that does not.
    pub fn check(&self, sizes: &[Size]) -> Result<()> {
        for BoxReference { image, bbox } in self.boxes() {
            let Some(size) = sizes.get(image) else {
                return Err(Error::invalid(format!(
                    "{{box:{bbox}@{}}}: there is no image {0} (there are {})",
                    image + 1,
                    sizes.len()
                )));
            };
            if !size.bbox().encloses(bbox) {
                return Err(Error::invalid(format!(
                    "{{box:{bbox}}}: the box does not lie in the image of {size} pixels"
                )));
            }
        }
        Ok(())
    }

    /// Checks that every mark which the text names by a number is one of `known`, those that the
    /// user knows.
    ///
    /// # Errors
    /// Invalid, naming the marks that are not there and those that are.
    pub fn check_marks(&self, known: &Scene<'_>) -> Result<()> {
        if !known.has_names() {
            return Ok(());
        }
        let names = names_of(known);
        for run in &self.runs {
            let Run::Text(words) = run else { continue };
            let beyond = ground(words, &names);
            let mut beyond = beyond
                .iter()
                .filter(|mention| mention.status == Status::OutOfRange);
            if let Some(mention) = beyond.next() {
                return Err(Error::invalid(format!(
                    "{:?}: there is no mark {} (the marks are {})",
                    &words[mention.span.clone()],
                    mention.unresolved.join(", "),
                    super::names_on(known.marks.iter())
                )));
            }
        }
        Ok(())
    }

    /// The text for the LMM, with every mark under the name that is drawn.
    ///
    /// # Errors
    /// Invalid, if a `{mark:…}` names no mark; the marks there are, are listed.
    pub fn render(&self, renaming: &Renaming<'_>) -> Result<String> {
        let mut text = String::new();
        let mut boxes = renaming.boxes.iter();
        for run in &self.runs {
            match run {
                Run::Text(words) => text.push_str(&renaming.renamed(words)),
                Run::Mark(name) => text.push_str(&renaming.mark(name)?),
                Run::Box(reference) => {
                    let mark = boxes.next().and_then(|&id| renaming.drawn.mark(id));
                    match mark.filter(|mark| !mark.text.is_empty()) {
                        Some(mark) => text.push_str(&in_brackets([mark.text])),
                        // Not drawn: no room, or a stack without labels.
                        None => text.push_str(&format!("the box {}", reference.bbox)),
                    }
                }
            }
        }
        Ok(text)
    }
}

impl Renaming<'_> {
    /// `words` with the marks they mention under the names that are drawn.
    pub fn renamed(&self, words: &str) -> String {
        let same = |id: u32| {
            let text = |scene: &Scene<'_>| scene.mark(id).map(|mark| mark.text.to_owned());
            text(self.known) == text(self.drawn)
        };
        let names = names_of(self.known);
        let mut text = String::new();
        let mut end = 0;
        for Mention {
            span,
            status,
            marks,
            ..
        } in ground(words, &names)
        {
            if status != Status::Resolved || marks.iter().all(|&id| same(id)) {
                continue;
            }
            text.push_str(&words[end..span.start]);
            text.push_str(&self.drawn_names(words, &span, &marks));
            end = span.end;
        }
        text.push_str(&words[end..]);
        text
    }

    /// The mention at `span` with every name exchanged; where it is a range, a list of all names.
    fn drawn_names(&self, words: &str, span: &Range<usize>, marks: &[u32]) -> String {
        let mention = &words[span.clone()];
        let mut text = String::new();
        let mut exchanged = 0;
        let mut rest = mention;
        while let Some(start) = rest.find(|c: char| c.is_alphanumeric()) {
            let name = &rest[start..];
            let end = name.find(|c: char| !c.is_alphanumeric());
            let (name, after) = name.split_at(end.unwrap_or(name.len()));
            text.push_str(&rest[..start]);
            match self.drawn_name(name, marks) {
                Some(drawn) => {
                    text.push_str(drawn);
                    exchanged += 1;
                }
                None => text.push_str(name),
            }
            rest = after;
        }
        text.push_str(rest);
        if exchanged >= marks.len() {
            return text;
        }
        let texts: Vec<&str> = marks
            .iter()
            .filter_map(|&id| Some(self.drawn.mark(id)?.text))
            .collect();
        if mention.starts_with(|c: char| c.is_alphanumeric()) {
            texts.join(", ")
        } else {
            in_brackets(texts)
        }
    }

    /// The drawn name of the one of `marks` that is known as `name`.
    fn drawn_name(&self, name: &str, marks: &[u32]) -> Option<&str> {
        let is_named = |id: &&u32| {
            let known = self.known.mark(**id);
            known.is_some_and(|mark| mark.text.eq_ignore_ascii_case(name))
        };
        let id = marks.iter().find(is_named)?;
        Some(self.drawn.mark(*id)?.text)
    }

    fn mark(&self, name: &str) -> Result<String> {
        let known = &self.known.marks;
        let found = known
            .iter()
            .find(|mark| !name.is_empty() && mark.text.eq_ignore_ascii_case(name));
        match found.and_then(|mark| self.drawn.mark(mark.id)) {
            Some(mark) => Ok(in_brackets([mark.text])),
            None => Err(Error::invalid(format!(
                "{{mark:{name}}}: there is no such mark (the marks are {})",
                super::names_on(known.iter())
            ))),
        }
    }
}

/// The marks of `scene` without its images: numbers in a user's text are no places.
fn names_of<'a>(scene: &Scene<'a>) -> Scene<'a> {
    Scene {
        images: Vec::new(),
        marks: scene.marks.clone(),
    }
}

/// What stands before the brace that closes `text`, and what behind it. A reference is short and
/// holds no further brace.
fn braced(text: &str) -> Option<(&str, &str)> {
    const LONGEST: usize = 64;
    let near = &text.as_bytes()[..text.len().min(LONGEST + 1)];
    let end = near.iter().position(|byte| matches!(byte, b'{' | b'}'))?;
    let (inside, rest) = text.split_at(end);
    Some((inside, rest.strip_prefix('}')?))
}

/// What stands between braces, if it is a reference.
fn reference_in(inside: &str) -> Result<Option<Run>> {
    if let Some(name) = inside.strip_prefix("mark:") {
        return Ok(Some(Run::Mark(name.trim().to_owned())));
    }
    let Some(place) = inside.strip_prefix("box:") else {
        return Ok(None);
    };
    let malformed = || {
        Error::invalid(format!(
            "{{{inside}}}: write a box as {{box:X,Y,WIDTH,HEIGHT}}, or {{box:X,Y,WIDTH,HEIGHT@2}} on image 2"
        ))
    };
    let (place, image) = place.split_once('@').unwrap_or((place, "1"));
    let image: usize = image.trim().parse().map_err(|_| malformed())?;
    let numbers: Vec<u32> = place
        .split(',')
        .map(|number| number.trim().parse())
        .collect::<Result<_, _>>()
        .map_err(|_| malformed())?;
    let ([x, y, width, height], Some(image)) = (numbers.as_slice(), image.checked_sub(1)) else {
        return Err(malformed());
    };
    let bbox = BBox::new(*x, *y, *width, *height);
    if bbox.is_empty() {
        return Err(Error::invalid(format!("{{{inside}}}: the box has no area")));
    }
    Ok(Some(Run::Box(BoxReference { image, bbox })))
}
