//! Precision of open-vocabulary labelling: marks named right over marks with a truth.
//!
//! As microsoft/SoM's `benchmark/README.md` has it (metric "Precision"). What it leaves open is
//! settled so: an unnamed mark is wrong, and a name is right if it equals the class or one of its
//! synonyms, after case, spaces and a final plural s are dropped.

use std::collections::HashMap;

use serde::Deserialize;
use som_core::Mask;

/// Synonyms of one's own, beside those that a data set has: `{"person": ["man", "woman"]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "HashMap<String, Vec<String>>")]
pub struct Synonyms(HashMap<String, Vec<String>>);

impl From<HashMap<String, Vec<String>>> for Synonyms {
    fn from(table: HashMap<String, Vec<String>>) -> Self {
        let plain = |(name, others): (String, Vec<String>)| {
            (
                normal(&name),
                others.iter().map(|other| normal(other)).collect(),
            )
        };
        Self(table.into_iter().map(plain).collect())
    }
}

impl Synonyms {
    /// True if `said` names the class that is called any of `names`.
    pub fn is_right(&self, names: &[String], said: &str) -> bool {
        let said = normal(said);
        !said.is_empty()
            && names.iter().map(|name| normal(name)).any(|name| {
                let others = self.0.get(&name);
                said == name || others.is_some_and(|others| others.contains(&said))
            })
    }
}

/// A name without what does not count.
fn normal(name: &str) -> String {
    let mut name: String = name
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    name = name.to_lowercase();
    if name.len() > 1 && name.ends_with('s') {
        name.pop();
    }
    name
}

/// For each region, the place of the truth segment that it meets with the best IoU of 0.5 or more;
/// `None` if there is none.
pub fn matched(truth: &[&Mask], regions: &[Mask]) -> Vec<Option<usize>> {
    let best = |region: &Mask| {
        let ious = truth.iter().map(|truth| truth.iou(region)).enumerate();
        let best = ious.max_by(|a, b| a.1.total_cmp(&b.1));
        best.filter(|(_, iou)| *iou >= 0.5).map(|(place, _)| place)
    };
    regions.iter().map(best).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_spaces_and_plural_do_not_count() {
        let names = ["dining table".to_owned(), "desk".to_owned()];
        let none = Synonyms::default();
        for said in ["Dining Table", "diningtables", " DESK "] {
            assert!(none.is_right(&names, said), "{said}");
        }
        for said in ["table", "", "dining", "s"] {
            assert!(!none.is_right(&names, said), "{said}");
        }
    }

    #[test]
    fn synonyms_of_ones_own_are_right() {
        let table = HashMap::from([("Person".to_owned(), vec!["Men".to_owned()])]);
        let synonyms = Synonyms::from(table);
        assert!(synonyms.is_right(&["person".to_owned()], "men"));
        assert!(!synonyms.is_right(&["men".to_owned()], "person"));
    }
}
