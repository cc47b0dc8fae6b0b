//! One COCO dataset of all images, as pycocotools loads it (cocodataset.org, "Data format"): masks as
//! compressed RLE.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use som_core::{BBox, Result, Rle, Size};

use super::{Item, Picture};

/// The category of regions without a class name.
pub(crate) const NAMELESS: &str = "region";

/// The extra of a region in which a segmenter tells the id of its class.
const CATEGORY_ID: &str = "category_id";

/// A dataset in the making.
#[derive(Debug, Default)]
pub struct Dataset {
    images: Vec<Image>,
    annotations: Vec<AnnotatedRegion>,
    /// By name, the least id that a segmenter gave; `None` if it gave none.
    categories: BTreeMap<String, Option<u64>>,
}

/// The annotations of one image, before they are numbered.
#[derive(Debug)]
pub struct Annotated {
    file_name: String,
    size: Size,
    regions: Vec<AnnotatedRegion>,
}

#[derive(Debug)]
struct AnnotatedRegion {
    image_id: usize,
    category: String,
    category_id: Option<u64>,
    segmentation: Segmentation,
    area: u64,
    bbox: BBox,
    score: Option<f32>,
    mark_id: Option<u32>,
}

/// The pixels of a region; nothing of one that no more is known of than its box.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Segmentation {
    Mask(Rle),
    None([(); 0]),
}

#[derive(Debug, Serialize)]
struct Image {
    id: usize,
    file_name: String,
    width: u32,
    height: u32,
}

#[derive(Debug, Serialize)]
struct Annotation<'a> {
    id: usize,
    image_id: usize,
    category_id: u64,
    segmentation: &'a Segmentation,
    area: u64,
    bbox: BBox,
    /// 0: each annotation is one thing, whatever the encoding of its mask.
    iscrowd: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    /// The number of the mark: ids are those of the dataset, which has other images, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    mark_id: Option<u32>,
}

/// The file as the COCO API reads it.
#[derive(Debug, Serialize)]
struct File<'a> {
    info: Info,
    licenses: [(); 0],
    images: &'a [Image],
    annotations: Vec<Annotation<'a>>,
    categories: Vec<Category<'a>>,
}

#[derive(Debug, Serialize)]
struct Info {
    description: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize)]
struct Category<'a> {
    id: u64,
    name: &'a str,
    supercategory: &'static str,
}

impl Annotated {
    /// The regions of an image.
    pub fn new(picture: &Picture<'_>) -> Self {
        let annotated = |Item { id, region }: &Item<'_>| AnnotatedRegion {
            image_id: 0,
            category_id: region.extra.get(CATEGORY_ID).and_then(Value::as_u64),
            category: region.label.clone().unwrap_or_else(|| NAMELESS.to_owned()),
            segmentation: match region.is_box() {
                true => Segmentation::None([]),
                false => Segmentation::Mask(region.mask.to_rle()),
            },
            area: region.mask.area(),
            bbox: region.bbox(),
            score: region.score,
            mark_id: *id,
        };
        Self {
            file_name: picture.name.to_owned(),
            size: picture.size,
            regions: picture.items.iter().map(annotated).collect(),
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
            let given = self.categories.entry(region.category.clone());
            let given = given.or_default();
            *given = (*given).into_iter().chain(region.category_id).min();
            self.annotations
                .push(AnnotatedRegion { image_id, ..region });
        }
    }

    /// The file, whose lists have a line for each entry.
    ///
    /// # Errors
    /// Internal, if it is no JSON.
    pub fn json(&self) -> Result<Vec<u8>> {
        super::to_lines(&self.file())
    }

    fn file(&self) -> File<'_> {
        let ids = self.category_ids();
        let annotations = self.annotations.iter().zip(1..);
        let annotations = annotations.map(|(region, id)| Annotation {
            id,
            image_id: region.image_id,
            category_id: ids.get(region.category.as_str()).copied().unwrap_or(0),
            segmentation: &region.segmentation,
            area: region.area,
            bbox: region.bbox,
            iscrowd: 0,
            score: region.score,
            mark_id: region.mark_id,
        });
        let annotations = annotations.collect();
        let mut categories: Vec<_> = ids
            .iter()
            .map(|(&name, &id)| Category {
                id,
                name,
                supercategory: NAMELESS,
            })
            .collect();
        categories.sort_unstable_by_key(|category| category.id);
        File {
            info: Info {
                description: "regions cut by som",
                version: env!("CARGO_PKG_VERSION"),
            },
            licenses: [],
            images: &self.images,
            annotations,
            categories,
        }
    }

    /// The id of each category: what its segmenter gave, else the next number above those, in the
    /// order of names. So the same categories have the same ids, whichever image comes first.
    fn category_ids(&self) -> BTreeMap<&str, u64> {
        let mut taken = BTreeSet::new();
        let mut ids = BTreeMap::new();
        for (name, given) in &self.categories {
            // Two segmenters may mean different classes by one number.
            if let Some(id) = given.filter(|&id| taken.insert(id)) {
                ids.insert(name.as_str(), id);
            }
        }
        let mut next = taken.last().map_or(1, |last| last.saturating_add(1));
        for name in self.categories.keys() {
            ids.entry(name.as_str()).or_insert_with(|| {
                next += 1;
                next - 1
            });
        }
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use som_core::{Mask, Region};

    fn dataset(images: &[&[(Option<&str>, Option<u64>)]]) -> Value {
        let size = Size::new(4, 4);
        let mut dataset = Dataset::default();
        dataset.extend(images.iter().map(|regions| {
            let region = |&(label, id): &(Option<&str>, Option<u64>)| {
                let mut region = Region::new(Mask::rect(size, size.bbox()));
                region.label = label.map(str::to_owned);
                region
                    .extra
                    .extend(id.map(|id| (CATEGORY_ID.to_owned(), id.into())));
                region
            };
            let regions: Vec<Region> = regions.iter().map(region).collect();
            Annotated::new(&Picture::segmented("photo.png", size, &regions))
        }));
        serde_json::to_value(dataset.file()).unwrap()
    }

    /// The names of categories with their ids, and the ids of annotations.
    fn ids(dataset: &Value) -> (Vec<(&str, u64)>, Vec<u64>) {
        let of = |value: &Value, key: &str| value[key].as_u64().unwrap();
        let categories = dataset["categories"].as_array().unwrap().iter();
        let annotations = dataset["annotations"].as_array().unwrap().iter();
        (
            categories
                .map(|category| (category["name"].as_str().unwrap(), of(category, "id")))
                .collect(),
            annotations
                .map(|annotation| of(annotation, "category_id"))
                .collect(),
        )
    }

    #[test]
    fn ids_are_those_that_segmenters_give() {
        let found = dataset(&[&[
            (Some("dog"), Some(18)),
            (Some("cat"), Some(17)),
            (None, None),
        ]]);
        let categories = vec![("cat", 17), ("dog", 18), (NAMELESS, 19)];
        assert_eq!(ids(&found), (categories, vec![18, 17, 19]));
    }

    #[test]
    fn ids_do_not_depend_on_which_image_comes_first() {
        let [a, b]: [&[_]; 2] = [&[(Some("dog"), None)], &[(Some("cat"), None), (None, None)]];
        let categories = vec![("cat", 1), ("dog", 2), (NAMELESS, 3)];
        assert_eq!(ids(&dataset(&[a, b])), (categories.clone(), vec![2, 1, 3]));
        assert_eq!(ids(&dataset(&[b, a])), (categories, vec![1, 3, 2]));
    }

    #[test]
    fn no_two_categories_share_an_id() {
        let found = dataset(&[&[
            (Some("dog"), Some(0)),
            (Some("cat"), Some(0)),
            (Some("cat"), None),
        ]]);
        let categories = vec![("cat", 0), ("dog", 1)];
        assert_eq!(ids(&found), (categories, vec![1, 0, 0]));
    }
}
