//! Six levels of detail, and the masks of a point that they are.

use serde::{Deserialize, Deserializer, de};
use som_core::{Error, Result};

/// The mask of each level, from level 1 on: which of a point's six it is. Source: `prompt_switch` in
/// the official `tasks/automatic_mask_generator.py`.
const MASKS: [usize; 6] = [3, 2, 0, 4, 1, 5];

/// How finely a point is segmented: 1 to 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level(u8);

impl Level {
    /// Its number.
    pub(crate) const fn number(self) -> u8 {
        self.0
    }

    /// Which of a point's masks it is.
    pub(crate) fn mask(self) -> usize {
        MASKS[usize::from(self.0) - 1]
    }

    fn all() -> impl Iterator<Item = Self> {
        (1..=MASKS.len() as u8).map(Self)
    }
}

/// Which levels are asked for: the parameter `level`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Levels {
    /// `all`
    All,
    /// One, or several in the order in which their masks are wanted.
    These(Vec<Level>),
}

impl Levels {
    /// In the order in which the official generator takes them: as listed, or from 1 on.
    pub(crate) fn in_order(&self) -> Vec<Level> {
        match self {
            Self::All => Level::all().collect(),
            Self::These(levels) => levels.clone(),
        }
    }

    /// In the order in which the official predictor gives the masks of a point: as listed, or as the
    /// network has them.
    pub(crate) fn of_masks(&self) -> Vec<Level> {
        let mut levels = self.in_order();
        if *self == Self::All {
            levels.sort_by_key(|level| level.mask());
        }
        levels
    }

    /// Checks that a network with so many masks for each point has these levels.
    ///
    /// # Errors
    /// Invalid, with the first that it has not.
    pub(crate) fn check(&self, masks: usize) -> Result<()> {
        let missing = |level: &Level| level.mask() >= masks;
        match self.in_order().into_iter().find(missing) {
            None => Ok(()),
            Some(level) => Err(Error::invalid(format!(
                "level {} is not one of this network, which gives {masks} masks for each point",
                level.number()
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Levels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(u8),
            Several(Vec<u8>),
            Word(String),
        }
        let numbers = match Written::deserialize(deserializer)? {
            Written::Word(word) if word == "all" => return Ok(Self::All),
            Written::Word(word) => {
                return Err(de::Error::custom(format!(
                    "level {word:?} is no number and not all"
                )));
            }
            Written::One(number) => vec![number],
            Written::Several(numbers) => numbers,
        };
        let level = |number: u8| {
            if (1..=MASKS.len()).contains(&usize::from(number)) {
                Ok(Level(number))
            } else {
                Err(de::Error::custom(format!(
                    "level {number} is none of 1 to 6"
                )))
            }
        };
        let levels = numbers.into_iter().map(level);
        levels
            .collect::<std::result::Result<_, _>>()
            .map(Self::These)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parse(value: Value) -> std::result::Result<Levels, serde_json::Error> {
        serde_json::from_value(value)
    }

    fn masks(levels: &[Level]) -> Vec<usize> {
        levels.iter().map(|level| level.mask()).collect()
    }

    #[test]
    fn levels_are_the_masks_that_the_official_project_takes_for_them() {
        let all = parse(json!("all")).unwrap();
        assert_eq!(masks(&all.in_order()), [3, 2, 0, 4, 1, 5]);
        assert_eq!(masks(&all.of_masks()), [0, 1, 2, 3, 4, 5]);
        let slider = parse(json!([6, 1, 2])).unwrap();
        assert_eq!(masks(&slider.in_order()), [5, 3, 2]);
        assert_eq!(masks(&slider.of_masks()), [5, 3, 2]);
        assert_eq!(masks(&parse(json!(3)).unwrap().in_order()), [0]);
    }

    #[test]
    fn other_levels_are_refused_by_number() {
        for (value, named) in [
            (json!(0), "level 0"),
            (json!([1, 7]), "level 7"),
            (json!("some"), "some"),
        ] {
            let error = parse(value).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
        let error = parse(json!("all")).unwrap().check(3).unwrap_err();
        assert!(error.message().contains("level 1"), "{error}");
        parse(json!([2, 3, 5])).unwrap().check(3).unwrap();
    }
}
