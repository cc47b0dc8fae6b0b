//! `--only`: which regions of a file are wanted.

use std::{collections::BTreeSet, fmt, ops::RangeInclusive, str::FromStr};

use som_core::{Error, ErrorKind, Result, Size};

use crate::Given;

/// One condition, as it is written: `id:1,4-7`, `label:cup,spoon`, `area:500..`, `area:1%..20%` or
/// `score:0.5..`.
#[derive(Clone, Debug, PartialEq)]
pub struct Only {
    text: String,
    rule: Rule,
}

#[derive(Clone, Debug, PartialEq)]
enum Rule {
    /// Numbers that the file gives, or in the order of a file that gives none, from 1.
    Ids(Vec<RangeInclusive<u64>>),
    Labels(Vec<String>),
    /// In pixels, or in hundredths of the image.
    Area(RangeInclusive<f64>, Unit),
    Score(RangeInclusive<f64>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Pixels,
    Percent,
}

/// How a condition is written.
const FORMS: &str = "write it as id:1,4-7, label:cup,spoon, area:500..20000 (pixels), area:1%..20% \
                     (of the image) or score:0.5..1";

impl FromStr for Only {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (kind, values) = text.split_once(':').ok_or_else(|| Error::invalid(FORMS))?;
        let rule = match kind.trim() {
            "id" => Rule::Ids(values.split(',').map(ids).collect::<Result<_>>()?),
            "label" => {
                let labels = values.split(',').map(|label| label.trim().to_owned());
                let labels: Vec<String> = labels.filter(|label| !label.is_empty()).collect();
                if labels.is_empty() {
                    return Err(Error::invalid("a label needs a name: label:cup"));
                }
                Rule::Labels(labels)
            }
            "area" => match values.contains('%') {
                true => Rule::Area(range(&values.replace('%', ""))?, Unit::Percent),
                false => Rule::Area(range(values)?, Unit::Pixels),
            },
            "score" => Rule::Score(range(values)?),
            _ => return Err(Error::invalid(FORMS)),
        };
        Ok(Self {
            text: text.to_owned(),
            rule,
        })
    }
}

/// As it was written.
impl fmt::Display for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `4` or `4-7`.
fn ids(text: &str) -> Result<RangeInclusive<u64>> {
    let number = |text: &str| {
        let wrong = |_| {
            Error::invalid(format!(
                "\"{text}\" is no id: write numbers, such as id:1,4-7"
            ))
        };
        text.trim().parse::<u64>().map_err(wrong)
    };
    match text.split_once('-') {
        None => number(text).map(|id| id..=id),
        Some((first, last)) => Ok(number(first)?..=number(last)?),
    }
}

/// `2..5`, `2..` or `..5`, ends included.
fn range(text: &str) -> Result<RangeInclusive<f64>> {
    let wrong = || {
        Error::invalid(format!(
            "\"{text}\" is no range: write it as 2..5, 2.. or ..5"
        ))
    };
    let (first, last) = text.split_once("..").ok_or_else(wrong)?;
    let number = |text: &str, open: f64| match text.trim() {
        "" => Ok(open),
        text => text
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .ok_or_else(wrong),
    };
    let range = number(first, 0.0)?..=number(last, f64::INFINITY)?;
    match range.is_empty() {
        true => Err(wrong()),
        false => Ok(range),
    }
}

impl Only {
    /// Those of `given` that meet the conditions: one of each kind that there is, all kinds. Parents
    /// that are left out are none.
    ///
    /// # Errors
    /// NotFound for an id or a label that no region has, telling what there is.
    pub fn choose(all: &[Self], given: Vec<Given>, size: Size) -> Result<Vec<Given>> {
        if all.is_empty() {
            return Ok(given);
        }
        let has_ids = given.iter().any(|given| given.id.is_some());
        let id = |index: usize, given: &Given| match has_ids {
            true => given.id,
            false => Some(index as u64 + 1),
        };
        let known: BTreeSet<u64> = given
            .iter()
            .enumerate()
            .filter_map(|(index, given)| id(index, given))
            .collect();
        for only in all {
            only.check(&given, &known)?;
        }
        let kinds = [0, 1, 2, 3].map(|kind| {
            let of_kind = all.iter().filter(move |only| only.kind() == kind);
            of_kind.collect::<Vec<_>>()
        });
        let is_wanted = |index: usize, given: &Given| {
            let meets = |only: &&Self| only.meets(id(index, given), given, size);
            kinds
                .iter()
                .all(|kind| kind.is_empty() || kind.iter().any(meets))
        };
        let kept: Vec<bool> = given
            .iter()
            .enumerate()
            .map(|(index, given)| is_wanted(index, given))
            .collect();
        Ok(keep(given, &kept))
    }

    fn kind(&self) -> u8 {
        match self.rule {
            Rule::Ids(_) => 0,
            Rule::Labels(_) => 1,
            Rule::Area(..) => 2,
            Rule::Score(_) => 3,
        }
    }

    /// Checks that what is named is there.
    fn check(&self, given: &[Given], known: &BTreeSet<u64>) -> Result<()> {
        match &self.rule {
            Rule::Ids(ranges) => {
                let is_missing =
                    |range: &&RangeInclusive<u64>| known.range((*range).clone()).next().is_none();
                let empty = |range: &RangeInclusive<u64>| range.is_empty();
                let missing = ranges
                    .iter()
                    .find(|range| empty(range) || is_missing(range));
                match (missing, known.first(), known.last()) {
                    (None, ..) => Ok(()),
                    (Some(_), Some(first), Some(last)) => Err(Error::not_found(format!(
                        "{self}: no region has such an id (there are {} from {first} to {last})",
                        known.len()
                    ))),
                    (Some(_), ..) => Err(Error::not_found(format!("{self}: there is no region"))),
                }
            }
            Rule::Labels(wanted) => {
                let labels: BTreeSet<&str> = given
                    .iter()
                    .filter_map(|given| given.region.label.as_deref())
                    .collect();
                let missing = wanted.iter().find(|label| !labels.contains(label.as_str()));
                match missing {
                    None => Ok(()),
                    Some(label) => Err(Error::unknown(ErrorKind::NotFound, "label", label, labels)),
                }
            }
            Rule::Area(..) | Rule::Score(_) => Ok(()),
        }
    }

    fn meets(&self, id: Option<u64>, given: &Given, size: Size) -> bool {
        let region = &given.region;
        match &self.rule {
            Rule::Ids(ranges) => {
                id.is_some_and(|id| ranges.iter().any(|range| range.contains(&id)))
            }
            Rule::Labels(labels) => labels
                .iter()
                .any(|label| region.label.as_ref() == Some(label)),
            Rule::Area(range, Unit::Pixels) => range.contains(&(region.mask.area() as f64)),
            Rule::Area(range, Unit::Percent) => {
                range.contains(&(100.0 * region.mask.area() as f64 / size.pixels() as f64))
            }
            Rule::Score(range) => region
                .score
                .is_some_and(|score| range.contains(&score.into())),
        }
    }
}

/// Those that are kept, their parents by their new indices.
fn keep(given: Vec<Given>, kept: &[bool]) -> Vec<Given> {
    let mut next = 0;
    let indices: Vec<Option<u32>> = kept
        .iter()
        .map(|&is_kept| {
            next += u32::from(is_kept);
            is_kept.then(|| next - 1)
        })
        .collect();
    let kept = given.into_iter().zip(kept).filter(|(_, is_kept)| **is_kept);
    kept.map(|(mut given, _)| {
        let parent = given.region.parent;
        given.region.parent =
            parent.and_then(|parent| indices.get(parent as usize).copied().flatten());
        given
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use som_core::{BBox, Mask, Region};

    use super::*;

    const SIZE: Size = Size::new(100, 100);

    /// Squares of 10, 20, 30 and 40 pixels a side, each in the next one.
    fn given(ids: [Option<u64>; 4]) -> Vec<Given> {
        let labels = [Some("cup"), Some("spoon"), None, Some("cup")];
        let sides = ids.into_iter().zip(labels).zip(1..);
        let mut given: Vec<Given> = sides
            .map(|((id, label), side)| Given {
                id,
                region: Region {
                    label: label.map(str::to_owned),
                    score: Some(side as f32 / 5.0),
                    parent: Some(side),
                    ..Region::new(Mask::rect(SIZE, BBox::new(0, 0, 10 * side, 10 * side)))
                },
            })
            .collect();
        given[3].region.parent = None;
        given
    }

    fn sides(only: &[&str], ids: [Option<u64>; 4]) -> Result<Vec<u32>> {
        let only: Vec<Only> = only.iter().map(|text| text.parse().unwrap()).collect();
        let chosen = Only::choose(&only, given(ids), SIZE)?;
        Ok(chosen
            .iter()
            .map(|given| given.region.bbox().width / 10)
            .collect())
    }

    #[test]
    fn conditions_of_a_kind_widen_and_of_kinds_narrow() {
        let ids = [Some(5), Some(9), None, Some(40)];
        for (only, chosen) in [
            (&[][..], &[1, 2, 3, 4][..]),
            (&["id:5,40"], &[1, 4]),
            (&["id:6-100"], &[2, 4]),
            (&["label:cup"], &[1, 4]),
            (&["label:cup", "label:spoon"], &[1, 2, 4]),
            (&["label: cup , spoon", "id:9"], &[2]),
            (&["area:400..900"], &[2, 3]),
            (&["area:..1%", "score:0.1.."], &[1]),
            (&["area:5%.."], &[3, 4]),
            (&["score:0.8..0.9"], &[4]),
            (&["area:5000.."], &[]),
        ] {
            assert_eq!(sides(only, ids).unwrap(), chosen, "{only:?}");
        }
        assert_eq!(sides(&["id:2-3"], [None; 4]).unwrap(), [2, 3]);
    }

    #[test]
    fn parents_follow() {
        let only = ["label:cup".parse().unwrap(), "label:spoon".parse().unwrap()];
        let chosen = Only::choose(&only, given([None; 4]), SIZE).unwrap();
        let parents: Vec<_> = chosen.iter().map(|given| given.region.parent).collect();
        assert_eq!(parents, [Some(1), None, None]);
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let error = |only: &str| {
            sides(&[only], [Some(5), None, None, Some(8)])
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error("id:6"),
            "id:6: no region has such an id (there are 2 from 5 to 8)"
        );
        assert_eq!(
            error("label:cups"),
            "unknown label \"cups\" (did you mean \"cup\"? known: cup, spoon)"
        );
    }

    #[test]
    fn what_is_no_condition_is_told() {
        for (text, why) in [
            ("cup", "write it as id:1,4-7"),
            ("colour:red", "write it as id:1,4-7"),
            ("id:x", "\"x\" is no id"),
            ("label:,", "a label needs a name"),
            ("area:5", "\"5\" is no range"),
            ("area:9..2", "\"9..2\" is no range"),
            ("score:a..", "\"a..\" is no range"),
        ] {
            let error = text.parse::<Only>().unwrap_err();
            assert!(error.message().starts_with(why), "{text}: {error}");
        }
    }
}
