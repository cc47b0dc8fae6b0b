//! The paper's own figures, to stand beside one's own: Yang and others, *Set-of-Mark Prompting Unleashes
//! Extraordinary Visual Grounding in GPT-4V*, 2023 (arXiv 2310.11441), tables 1 to 4, and SoM-Bench's
//! page (microsoft/SoM, `benchmark/README.md`). They are copied: nothing here was measured.

use serde::Serialize;

use crate::data::Kind;

/// A figure of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Which data set here has the same images and truth.
    pub data: Kind,
    /// The metric's name here.
    pub metric: &'static str,
    /// Who was measured.
    pub who: &'static str,
    /// The value, in [0, 1].
    pub value: f64,
    /// The table it is copied from, and what one has to know of it.
    pub source: &'static str,
}

/// How the paper measured on a data set, and what is different here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Protocol {
    /// Which data set.
    pub data: Kind,
    /// What is asked.
    pub task: &'static str,
    /// How many images, or videos, the paper took.
    pub images: u32,
    /// How many instances they have.
    pub instances: u32,
    /// Which regions were marked, and how.
    pub regions: &'static str,
    /// The row that comes nearest, but for its model; `None` where none does.
    pub row: Option<&'static str>,
    /// What differs here.
    pub differs: &'static str,
}

const MAIN: &str = "table 2";
const OTHERS: &str = "table 2; figures of others there are in part from their own papers, over whole \
                      data sets";
const AGAIN: &str = "table 2, run again over the same images";
const MARKS: &str = "table 3, numbers and masks without boxes";
const REGIONS: &str = "table 4, the truth's masks marked";

/// Every figure that is compared with.
pub const FIGURES: [Figure; 17] = [
    figure(Kind::CocoPanoptic, "precision", "GPT-4V + SoM", 0.757, MAIN),
    figure(Kind::CocoPanoptic, "precision", "Mask DINO", 0.807, OTHERS),
    figure(Kind::Ade20k, "precision", "GPT-4V + SoM", 0.634, MAIN),
    figure(Kind::Ade20k, "precision", "OpenSeeD", 0.234, OTHERS),
    figure(
        Kind::RefCocoG,
        "acc@0.5",
        "GPT-4V, coordinates",
        0.257,
        MAIN,
    ),
    figure(Kind::RefCocoG, "acc@0.5", "GPT-4V + SoM", 0.864, MAIN),
    figure(Kind::RefCocoG, "acc@0.5", "Grounding DINO", 0.861, OTHERS),
    figure(Kind::RefCocoG, "acc@0.5", "PolyFormer", 0.858, OTHERS),
    figure(Kind::RefCocoG, "miou", "GPT-4V + SoM", 0.756, MAIN),
    figure(
        Kind::RefCocoG,
        "miou",
        "GPT-4V + SoM, golden",
        0.901,
        REGIONS,
    ),
    figure(Kind::RefCocoG, "miou", "PolyFormer", 0.672, AGAIN),
    figure(Kind::RefCocoG, "miou", "SEEM", 0.657, AGAIN),
    figure(Kind::Flickr30k, "recall@1", "GPT-4V + SoM", 0.892, MAIN),
    figure(
        Kind::Flickr30k,
        "recall@1",
        "GPT-4V + SoM, no boxes",
        0.844,
        MARKS,
    ),
    figure(Kind::Flickr30k, "recall@1", "GLIPv2", 0.877, OTHERS),
    figure(Kind::Davis2017, "j&f", "GPT-4V + SoM", 0.788, MAIN),
    figure(Kind::Davis2017, "j&f", "SegGPT", 0.756, OTHERS),
];

/// How each of them came about.
pub const PROTOCOLS: [Protocol; 5] = [
    Protocol {
        data: Kind::CocoPanoptic,
        task: "names of marked regions",
        images: 100,
        instances: 567,
        regions: "the truth's; numbers and masks; more than five in groups of five, a picture each",
        row: Some("regions=golden,styles=mask+number,page_size=5,template=som-bench-labelling"),
        differs: "the choice of images was published as pictures alone; groups are pages here (page_size = 5), \
                  and names go by the synonym table that is given; an unnamed mark is wrong",
    },
    Protocol {
        data: Kind::Ade20k,
        task: "names of marked regions",
        images: 100,
        instances: 488,
        regions: "the truth's; numbers and masks; more than five in groups of five, a picture each",
        row: Some("regions=golden,styles=mask+number,page_size=5,template=som-bench-labelling"),
        differs: "as for COCO; segments are the connected parts of a class here, as the maps of 150 classes \
                  have no instances",
    },
    Protocol {
        data: Kind::RefCocoG,
        task: "expressions",
        images: 100,
        instances: 177,
        regions: "Mask DINO's; numbers and masks",
        row: Some("segmenter=mask-dino,styles=mask+number,template=som-bench-referring"),
        differs: "the paper put all expressions of an image into one question; here each is asked alone; table 1 \
                  says RefCOCO, tables 2 and 4 RefCOCOg",
    },
    Protocol {
        data: Kind::Flickr30k,
        task: "phrases of a sentence",
        images: 100,
        instances: 274,
        regions: "boxes of Grounding DINO (threshold 0.27), cut by SAM; numbers, masks and boxes",
        row: Some("regions=FILE,styles=mask+box+number,template=som-bench-grounding"),
        differs: "the paper does not say by which of two protocols it counts: any-box and merged-box are both \
                  told here",
    },
    Protocol {
        data: Kind::Davis2017,
        task: "objects of the first frame in the others",
        images: 71,
        instances: 157,
        regions: "the truth's in the first frame, a segmenter's in the others; numbers and masks",
        row: None,
        differs: "how many frames were asked about was not published",
    },
];

const fn figure(
    data: Kind,
    metric: &'static str,
    who: &'static str,
    value: f64,
    source: &'static str,
) -> Figure {
    Figure {
        data,
        metric,
        who,
        value,
        source,
    }
}

/// The figures that stand beside runs over this data set.
pub fn beside(data: Kind) -> impl Iterator<Item = &'static Figure> {
    FIGURES.iter().filter(move |figure| figure.data == data)
}
