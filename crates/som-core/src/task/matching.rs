//! Whether two texts are the same name: in any case, with any article, number, hyphens and order
//! of words; or by a table of synonyms.

use std::sync::LazyLock;

use super::Match;
use crate::ground::{Role, words};

/// Words for the same thing, as the classes of COCO, LVIS and ADE20K and answers about them have
/// it.
const SYNONYMS: [&[&str]; 40] = [
    &["couch", "sofa", "settee"],
    &["tv", "television", "tv monitor", "television set"],
    &[
        "cell phone",
        "mobile phone",
        "smartphone",
        "cellphone",
        "phone",
        "telephone",
    ],
    &["bike", "bicycle", "cycle"],
    &["motorcycle", "motorbike"],
    &["car", "automobile"],
    &["airplane", "aeroplane", "plane", "aircraft"],
    &["person", "human", "people"],
    &["man", "gentleman", "male person"],
    &["woman", "lady", "female person"],
    &["child", "kid"],
    &["boy", "young boy"],
    &["dog", "puppy"],
    &["cat", "kitten"],
    &["mug", "coffee mug"],
    &["glasses", "eyeglasses", "spectacles"],
    &[
        "trash can",
        "garbage can",
        "dustbin",
        "rubbish bin",
        "waste bin",
        "trash bin",
        "bin",
    ],
    &["fridge", "refrigerator"],
    &["stove", "cooker", "oven"],
    &["sidewalk", "pavement", "footpath"],
    &["street", "road"],
    &["rug", "carpet"],
    &["lamp", "light"],
    &["bag", "handbag", "purse"],
    &["donut", "doughnut"],
    &["backpack", "rucksack", "knapsack"],
    &["truck", "lorry"],
    &["sneakers", "trainers"],
    &["pants", "trousers"],
    &["stone", "rock"],
    &["picture", "painting"],
    &["cupboard", "cabinet"],
    &["faucet", "tap"],
    &["ship", "boat"],
    &["notebook", "laptop", "laptop computer"],
    &["mouse", "computer mouse"],
    &["keyboard", "computer keyboard"],
    &["oval", "ellipse"],
    &["box", "square", "rectangle"],
    &["potted plant", "house plant", "houseplant", "pot plant"],
];

/// Spellings of one word.
const SPELLINGS: [(&str, &str); 19] = [
    ("dryer", "drier"),
    ("jewellery", "jewelry"),
    ("pyjamas", "pajamas"),
    ("aluminium", "aluminum"),
    ("moustache", "mustache"),
    ("grey", "gray"),
    ("colour", "color"),
    ("coloured", "colored"),
    ("centre", "center"),
    ("metre", "meter"),
    ("fibre", "fiber"),
    ("theatre", "theater"),
    ("tyre", "tire"),
    ("people", "person"),
    ("men", "man"),
    ("women", "woman"),
    ("children", "child"),
    ("mice", "mouse"),
    ("teeth", "tooth"),
];

/// The words of a name as names are compared: in lower case and the singular, without articles.
pub(super) fn plain_words(text: &str) -> Vec<String> {
    let split = words::words(text).map(|word| &text[word]);
    let mut plain = Vec::new();
    for word in split.flat_map(|word| word.split('_')) {
        let lower = word.to_lowercase();
        let article = words::at(&lower, 0, Role::Article) == Some(lower.len());
        // "A glass of wine" is a wine glass.
        let counts = (!article || lower.starts_with(words::is_unspaced)) && lower != "of";
        if counts && !lower.is_empty() {
            plain.push(singular(&lower));
        }
    }
    plain
}

/// `word` in the singular, in one spelling.
fn singular(word: &str) -> String {
    if let Some((_, plain)) = SPELLINGS.iter().find(|(other, _)| *other == word) {
        return (*plain).to_owned();
    }
    let stem = |end: &str| word.strip_suffix(end).filter(|stem| stem.len() >= 2);
    if !word.is_ascii() || word.len() < 3 || word.len() == 3 && !word.ends_with("us") {
        return word.to_owned();
    }
    if let Some(stem) = stem("ies").filter(|stem| stem.len() > 2) {
        return format!("{stem}y");
    }
    if let Some(stem) =
        stem("ves").filter(|stem| matches!(*stem, "kni" | "shel" | "lea" | "loa" | "wol"))
    {
        let end = if stem == "kni" { "fe" } else { "f" };
        return format!("{stem}{end}");
    }
    for end in ["xes", "shes", "ches", "zes"] {
        if word.ends_with(end) {
            return word[..word.len() - 2].to_owned();
        }
    }
    // "Buses" and "bus", "houses" and "house": what is left of both.
    let hissing = stem("es")
        .or_else(|| stem("e"))
        .filter(|stem| stem.ends_with('s'));
    if let Some(stem) = hissing {
        return stem.trim_end_matches('s').to_owned();
    }
    match stem("s") {
        Some(stem) if !stem.ends_with('i') => stem.trim_end_matches('s').to_owned(),
        _ => word.to_owned(),
    }
}

/// Whether `text` is `name`, and by what.
pub(super) fn same(text: &str, name: &str) -> Option<Match> {
    if text.trim() == name.trim() {
        return Some(Match::Exact);
    }
    same_words(&plain_words(text), &plain_words(name))
}

/// The same of names in [`plain_words`], which are never exact.
pub(super) fn same_words(a: &[String], b: &[String]) -> Option<Match> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    if a.concat() == b.concat() {
        return Some(Match::Normalised);
    }
    if are_synonyms(a, b) {
        return Some(Match::Synonym);
    }
    if a.len() != b.len() {
        return None;
    }
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    a.sort_unstable();
    b.sort_unstable();
    (a == b).then_some(Match::Normalised)
}

/// The table of synonyms in plain words.
static PLAIN: LazyLock<Vec<Vec<Vec<String>>>> = LazyLock::new(|| {
    let group = |group: &&[&str]| group.iter().map(|word| plain_words(word)).collect();
    SYNONYMS.iter().map(group).collect()
});

/// True if one is the other with one of its words in place of a synonym.
fn are_synonyms(a: &[String], b: &[String]) -> bool {
    PLAIN.iter().any(|group| {
        group.iter().any(|one| {
            let Some(at) = a
                .windows(one.len())
                .position(|window| window == one.as_slice())
            else {
                return false;
            };
            let (before, after) = (&a[..at], &a[at + one.len()..]);
            group.iter().filter(|other| *other != one).any(|other| {
                b.len() == a.len() - one.len() + other.len()
                    && b.starts_with(before)
                    && b.ends_with(after)
                    && &b[at..at + other.len()] == other.as_slice()
            })
        })
    })
}

/// How far the words of `text` hold those of `name`, from 0 to 1.
pub(super) fn overlap(text: &[String], name: &[String]) -> f64 {
    if name.is_empty() {
        return 0.0;
    }
    let held = name.iter().filter(|word| text.contains(word)).count();
    held as f64 / name.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_many_spellings() {
        for (text, name, expected) in [
            ("red box", "red box", Some(Match::Exact)),
            ("Red Box", "red box", Some(Match::Normalised)),
            ("a red-box", "red box", Some(Match::Normalised)),
            ("Blue Ellipses", "blue ellipse", Some(Match::Normalised)),
            (
                "triangle, yellow",
                "yellow triangle",
                Some(Match::Normalised),
            ),
            ("blue oval", "blue ellipse", Some(Match::Synonym)),
            ("sofa", "couch", Some(Match::Synonym)),
            ("knives", "knife", Some(Match::Normalised)),
            ("glass of wine", "wine glass", Some(Match::Normalised)),
            ("grey wall", "gray wall", Some(Match::Normalised)),
            ("wineglass", "wine glass", Some(Match::Normalised)),
            ("glass", "glasses", Some(Match::Normalised)),
            ("bus", "buses", Some(Match::Normalised)),
            ("houses", "house", Some(Match::Normalised)),
            ("lenses", "lens", Some(Match::Normalised)),
            ("car", "care", None),
            ("red box", "blue box", None),
            ("", "red box", None),
        ] {
            assert_eq!(same(text, name), expected, "{text} / {name}");
        }
    }
}
