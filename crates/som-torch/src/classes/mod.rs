//! The class names of well-known data sets, in the order in which networks count them.
//!
//! Ids, things and names of COCO panoptic and Cityscapes are those of detectron2
//! (`detectron2/data/datasets/builtin_meta.py`): COCO's 80 things come first, so that they alone
//! are the classes of COCO instances. Those of ADE20K are the 150 of the scene parsing benchmark;
//! ids and things are those of MaskFormer's panoptic registration, and names the short ones with
//! which OpenSeeD evaluates (`utils/constants.py`).

/// One class of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// In the annotations of the data set.
    pub id: u64,
    /// Countable, such as a cup; else stuff, such as sky.
    pub is_thing: bool,
    /// As the data set has it, `wall-other-merged` for one.
    pub name: &'static str,
}

/// A data set whose classes have names here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataSet {
    /// COCO panoptic: 80 things, then 53 kinds of stuff.
    Coco,
    /// ADE20K's scene parsing benchmark: 150 classes.
    Ade20k,
    /// Cityscapes: 19 classes.
    Cityscapes,
}

impl DataSet {
    /// Every data set.
    pub const ALL: [Self; 3] = [Self::Coco, Self::Ade20k, Self::Cityscapes];

    /// As parameters name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Coco => "coco",
            Self::Ade20k => "ade20k",
            Self::Cityscapes => "cityscapes",
        }
    }

    /// The data set called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.name() == name)
    }

    /// Its classes, in the order of a network's outputs.
    pub fn classes(self) -> Vec<Class> {
        let text = match self {
            Self::Coco => include_str!("coco.txt"),
            Self::Ade20k => include_str!("ade20k.txt"),
            Self::Cityscapes => include_str!("cityscapes.txt"),
        };
        let class = |line: &'static str| {
            let mut words = line.splitn(3, ' ');
            Some(Class {
                id: words.next()?.parse().ok()?,
                is_thing: words.next()? == "thing",
                name: words.next()?,
            })
        };
        text.lines().filter_map(class).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_data_set_has_its_classes() {
        for (set, things, all, last) in [
            (DataSet::Coco, 80, 133, "rug-merged"),
            (DataSet::Ade20k, 100, 150, "flag"),
            (DataSet::Cityscapes, 8, 19, "bicycle"),
        ] {
            let classes = set.classes();
            assert_eq!(classes.len(), all);
            assert_eq!(
                classes.iter().filter(|class| class.is_thing).count(),
                things
            );
            assert_eq!(classes.last().unwrap().name, last);
            assert_eq!(DataSet::named(set.name()), Some(set));
        }
        let coco = DataSet::Coco.classes();
        assert!(coco[..80].iter().all(|class| class.is_thing));
        assert_eq!((coco[79].id, coco[79].name), (90, "toothbrush"));
    }
}
