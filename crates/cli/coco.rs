//! `--format coco`: one COCO dataset of all images, as pycocotools loads it.

use std::collections::HashMap;

use serde::Serialize;
use som_core::{BBox, Region, Rle, Size};

/// The category of regions without a class name.
const NAMELESS: &str = "region";

/// A dataset in the making.
#[derive(Debug, Default)]
pub(crate) struct Dataset {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
    /// Ids of categories, in the order of their first appearance.
    categories: HashMap<String, u32>,
}

/// The annotations of one image, before they are numbered.
#[derive(Debug)]
pub(crate) struct Annotated {
    file_name: String,
    size: Size,
    regions: Vec<AnnotatedRegion>,
}

#[derive(Debug)]
struct AnnotatedRegion {
    category: String,
    segmentation: Rle,
    area: u64,
    bbox: BBox,
    score: Option<f32>,
}

#[derive(Debug, Serialize)]
struct Image {
    id: usize,
    file_name: String,
    width: u32,
    height: u32,
}

#[derive(Debug, Serialize)]
struct Annotation {
    id: usize,
    image_id: usize,
    category_id: u32,
    segmentation: Rle,
    area: u64,
    bbox: BBox,
    /// 0: each annotation is one thing, whatever the encoding of its mask.
    iscrowd: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
}

/// The file as the COCO API reads it.
#[derive(Debug, Serialize)]
pub(crate) struct CocoFile<'a> {
    info: Info,
    licenses: [(); 0],
    images: &'a [Image],
    annotations: &'a [Annotation],
    categories: Vec<Category<'a>>,
}

#[derive(Debug, Serialize)]
struct Info {
    description: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize)]
struct Category<'a> {
    id: u32,
    name: &'a str,
    supercategory: &'static str,
}

impl Annotated {
    /// The regions of the image that is called `file_name`.
    pub(crate) fn new(file_name: String, size: Size, regions: &[Region]) -> Self {
        let annotated = |region: &Region| AnnotatedRegion {
            category: region.label.clone().unwrap_or_else(|| NAMELESS.to_owned()),
            segmentation: region.mask.to_rle(),
            area: region.mask.area(),
            bbox: region.bbox(),
            score: region.score,
        };
        Self {
            file_name,
            size,
            regions: regions.iter().map(annotated).collect(),
        }
    }
}

impl Extend<Annotated> for Dataset {
    fn extend<T: IntoIterator<Item = Annotated>>(&mut self, images: T) {
        images.into_iter().for_each(|image| self.add(image));
    }
}

impl Dataset {
    /// Adds an image; ids count from 1.
    fn add(&mut self, annotated: Annotated) {
        let image_id = self.images.len() + 1;
        let Size { width, height } = annotated.size;
        self.images.push(Image {
            id: image_id,
            file_name: annotated.file_name,
            width,
            height,
        });
        for region in annotated.regions {
            let next = self.categories.len() as u32 + 1;
            let category_id = *self.categories.entry(region.category).or_insert(next);
            self.annotations.push(Annotation {
                id: self.annotations.len() + 1,
                image_id,
                category_id,
                segmentation: region.segmentation,
                area: region.area,
                bbox: region.bbox,
                iscrowd: 0,
                score: region.score,
            });
        }
    }

    /// What is to be written.
    pub(crate) fn file(&self) -> CocoFile<'_> {
        let categories = self.categories.iter();
        let mut categories: Vec<_> = categories
            .map(|(name, &id)| Category {
                id,
                name,
                supercategory: NAMELESS,
            })
            .collect();
        categories.sort_unstable_by_key(|category| category.id);
        CocoFile {
            info: Info {
                description: "regions cut by som",
                version: env!("CARGO_PKG_VERSION"),
            },
            licenses: [],
            images: &self.images,
            annotations: &self.annotations,
            categories,
        }
    }
}
