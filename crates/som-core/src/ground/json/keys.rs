//! What keys of JSON, attributes of tags and titles of columns say of their values: one list for
//! all who read answers.

use crate::ground::words::{self, Role};

/// What a key says of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// It names marks.
    Marks,
    /// It names marks if it is a number or a mark's text; a class name is a text.
    MarksOrText,
    /// It is what goes with marks: a name, an expression.
    Text,
    /// It is where something was before: a mark that is looked for.
    From,
    /// It is where something is now.
    To,
    /// It is a box, a point, a polygon or a mask.
    Place(PlaceKey),
    /// It was thought, not said.
    Thought,
    /// It explains, and answers nothing.
    Note,
    /// Anything else.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlaceKey {
    /// Gemini's and GLM's `box_2d`: thousandths, in an order that is the model's own.
    Box2d,
    /// Qwen's `bbox_2d`.
    Bbox2d,
    Box,
    Point,
    /// Gemini's `point`: row first.
    YxPoint,
    Polygon,
}

const MARKS: [&str; 68] = [
    "mark",
    "marks",
    "markid",
    "markids",
    "marknumber",
    "marknumbers",
    "marklabel",
    "marklabels",
    "markername",
    "marker",
    "markers",
    "markerid",
    "id",
    "ids",
    "region",
    "regions",
    "regionid",
    "regionids",
    "regionnumber",
    "regionnumbers",
    "number",
    "numbers",
    "objectid",
    "objectids",
    "segment",
    "segments",
    "segmentid",
    "segmentids",
    "maskid",
    "maskids",
    "index",
    "indices",
    "answer",
    "answers",
    "finalanswer",
    "target",
    "targets",
    "targetid",
    "targetids",
    "selected",
    "selection",
    "selectedmark",
    "selectedmarks",
    "selectedid",
    "selectedids",
    "selectedregion",
    "selectedregions",
    "tag",
    "tags",
    "tagid",
    "found",
    "match",
    "matches",
    "matchid",
    "finalanswermasks",
    "labelid",
    "labelids",
    "labelnumber",
    "element",
    "elements",
    "elementid",
    "elementids",
    "result",
    "results",
    "choice",
    "prediction",
    "predictions",
    "output",
];
const MORE_MARKS: [&str; 15] = [
    "conclusion",
    "somid",
    "num",
    "no",
    "ref",
    "markednumber",
    "visiblemark",
    "response",
    "value",
    "values",
    "boxid",
    "identifier",
    "identifiers",
    "masknumber",
    "pick",
];
const MARKS_OR_TEXT: [&str; 6] = ["label", "labels", "object", "objects", "item", "items"];
const TEXTS: [&str; 28] = [
    "expression",
    "phrase",
    "name",
    "class",
    "description",
    "text",
    "category",
    "caption",
    "title",
    "classname",
    "objectname",
    "what",
    "query",
    "referringexpression",
    "categoryname",
    "type",
    "content",
    "nounphrase",
    "entity",
    "objectlabel",
    "objectclass",
    "question",
    "thing",
    "desc",
    "referring",
    "noun",
    "prompt",
    "input",
];
const FROM: [&str; 13] = [
    "from",
    "source",
    "sourcemark",
    "old",
    "oldmark",
    "before",
    "first",
    "image1",
    "firstimage",
    "original",
    "previous",
    "frame1",
    "img1",
];
const TO: [&str; 16] = [
    "to",
    "new",
    "newmark",
    "after",
    "second",
    "image2",
    "secondimage",
    "now",
    "next",
    "frame2",
    "img2",
    "correspondsto",
    "targetmark",
    "current",
    "becomes",
    "foundas",
];
const BOXES: [&str; 15] = [
    "bbox",
    "bboxes",
    "box",
    "boxes",
    "boundingbox",
    "boundingboxes",
    "coordinates",
    "coords",
    "coordinate",
    "rect",
    "rectangle",
    "bound",
    "bounds",
    "startbox",
    "endbox",
];
const POINTS: [&str; 12] = [
    "point2d",
    "click",
    "center",
    "centre",
    "centroid",
    "position",
    "keypoint",
    "location",
    "points2d",
    "clickpoint",
    "xy",
    "startpoint",
];
const POLYGONS: [&str; 11] = [
    "mask",
    "polygon",
    "polygons",
    "segmentation",
    "contour",
    "contours",
    "outline",
    "segmentationmask",
    "vertices",
    "corners",
    "poly",
];
const THOUGHTS: [&str; 14] = [
    "rationale",
    "thought",
    "thoughts",
    "thinking",
    "reasoning",
    "analysis",
    "chainofthought",
    "scratchpad",
    "cot",
    "reasoningcontent",
    "thoughtprocess",
    "innermonologue",
    "reflection",
    "steps",
];
const NOTES: [&str; 21] = [
    "explanation",
    "reason",
    "note",
    "notes",
    "comment",
    "comments",
    "justification",
    "confidence",
    "score",
    "count",
    "color",
    "colour",
    "alternatives",
    "rejected",
    "excluded",
    "candidates",
    "why",
    "evidence",
    "details",
    "considered",
    "distractors",
];

/// What may stand with a number, or with the image it is of: "mark_a", "image_2".
const SIDED: [&str; 14] = [
    "mark", "marks", "markid", "id", "region", "regionid", "object", "objectid", "label", "image",
    "img", "frame", "view", "photo",
];
/// What says of marks of two images that they belong together: "pairs".
const PAIRINGS: [&str; 10] = [
    "pairs",
    "pairings",
    "matchedpairs",
    "correspondences",
    "mapping",
    "mappings",
    "links",
    "assignments",
    "associations",
    "tracks",
];

impl Key {
    /// True for a key of marks that belong together.
    pub(crate) fn is_pairing(key: &str) -> bool {
        PAIRINGS.contains(&plain(key).as_str())
    }

    /// What "mark_a" and "right_mark" say: which of two images a mark is of.
    fn sided(plain: &str) -> Option<Self> {
        const SIDES: [(&str, Key); 8] = [
            ("a", Key::From),
            ("1", Key::From),
            ("left", Key::From),
            ("first", Key::From),
            ("b", Key::To),
            ("2", Key::To),
            ("right", Key::To),
            ("second", Key::To),
        ];
        SIDES.into_iter().find_map(|(side, key)| {
            let noun = plain
                .strip_suffix(side)
                .or_else(|| plain.strip_prefix(side))?;
            SIDED.contains(&noun).then_some(key)
        })
    }

    /// What `key` says.
    pub(crate) fn of(key: &str) -> Self {
        let plain = plain(key);
        let is = |list: &[&str]| list.contains(&plain.as_str());
        if is(&MARKS) || is(&MORE_MARKS) {
            Self::Marks
        } else if is(&MARKS_OR_TEXT) {
            Self::MarksOrText
        } else if is(&TEXTS) {
            Self::Text
        } else if is(&FROM) {
            Self::From
        } else if is(&TO) {
            Self::To
        } else if is(&THOUGHTS) {
            Self::Thought
        } else if is(&NOTES) {
            Self::Note
        } else if plain == "box2d" {
            Self::Place(PlaceKey::Box2d)
        } else if plain == "bbox2d" {
            Self::Place(PlaceKey::Bbox2d)
        } else if is(&BOXES) {
            Self::Place(PlaceKey::Box)
        } else if plain == "point" || plain == "points" {
            Self::Place(PlaceKey::YxPoint)
        } else if is(&POINTS) {
            Self::Place(PlaceKey::Point)
        } else if is(&POLYGONS) {
            Self::Place(PlaceKey::Polygon)
        } else if !key.is_ascii() && words::at(key, 0, Role::Announces) == Some(key.len()) {
            // "编号"
            Self::Marks
        } else {
            Self::sided(&plain).unwrap_or(Self::Other)
        }
    }

    /// The text that `key` gives its value besides saying that it names marks: "cup" of `cup_id`,
    /// `spoonMark` and `mark_of_spoon`.
    pub(crate) fn named_in(key: &str) -> Option<String> {
        const NAMES: [&str; 9] = [
            "mark", "marks", "id", "ids", "region", "regions", "number", "label", "marker",
        ];
        // What else is numbered.
        const OTHERS: [&str; 16] = [
            "image",
            "category",
            "class",
            "track",
            "frame",
            "page",
            "parent",
            "annotation",
            "user",
            "request",
            "message",
            "session",
            "call",
            "tool",
            "model",
            "question",
        ];
        let words = words_of(key);
        let (last, rest) = words.split_last()?;
        let text = if NAMES.contains(&last.as_str()) {
            rest
        } else {
            match words.split_first() {
                Some((first, rest)) if NAMES.contains(&first.as_str()) => {
                    match rest.split_first() {
                        Some((of, rest)) if of == "of" || of == "for" => rest,
                        _ => return None,
                    }
                }
                _ => return None,
            }
        };
        let other = text
            .last()
            .is_some_and(|word| OTHERS.contains(&word.as_str()));
        (!text.is_empty() && !other).then(|| text.join(" "))
    }
}

/// `key` in lower case, its letters and digits alone.
pub(super) fn plain(key: &str) -> String {
    let chars = key.chars().filter(|c| c.is_alphanumeric());
    chars.flat_map(char::to_lowercase).collect()
}

/// The words of a key in snake, kebab or camel case.
fn words_of(key: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    for c in key.chars() {
        let begins = c.is_uppercase() && before.is_lowercase();
        if begins || !c.is_alphanumeric() {
            words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_say_what_their_values_are() {
        for (key, expected) in [
            ("mark", Key::Marks),
            ("Mark_IDs", Key::Marks),
            ("finalAnswerMasks", Key::Marks),
            ("label", Key::MarksOrText),
            ("referring_expression", Key::Text),
            ("box_2d", Key::Place(PlaceKey::Box2d)),
            ("segmentation", Key::Place(PlaceKey::Polygon)),
            ("reasoning", Key::Thought),
            ("confidence", Key::Note),
            ("cup", Key::Other),
        ] {
            assert_eq!(Key::of(key), expected, "{key}");
        }
        assert_eq!(Key::named_in("cup_id").as_deref(), Some("cup"));
        assert_eq!(Key::named_in("redBoxMark").as_deref(), Some("red box"));
        assert_eq!(Key::named_in("mark_of_spoon").as_deref(), Some("spoon"));
        assert_eq!(Key::named_in("image_id"), None);
        assert_eq!(Key::named_in("cup"), None);
    }
}
