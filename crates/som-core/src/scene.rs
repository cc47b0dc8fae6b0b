//! What a prompt and its answer speak of: the images the LMM got, and the marks on them.

use serde::{Deserialize, Serialize};

use crate::{Allocation, Region, Size};

/// The images of one prompt, and the marks on them.
#[derive(Clone, Debug, Default)]
pub struct Scene<'a> {
    /// In the order in which the LMM gets them: image 1, image 2 and so on.
    pub images: Vec<SceneImage>,
    /// Image by image, in the order of their ids.
    pub marks: Vec<SceneMark<'a>>,
}

/// An image as prompts and answers speak of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SceneImage {
    /// The original image's size.
    pub size: Size,
    /// The size in which the LMM gets it: coordinates in pixels are meant in these.
    pub seen: Size,
    /// How many copies of it carry marks, at least 1.
    pub pages: u32,
    /// What is known of the places that the LMM's answers give on it.
    pub places: Places,
}

/// How an LMM writes places where the way it writes them does not say; `None` for what is not
/// known of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// What the numbers count.
    pub unit: Option<Coordinates>,
    /// What the four numbers of a box are.
    pub boxes: Option<BoxOrder>,
    /// What the two numbers of a point are.
    pub points: Option<AxisOrder>,
    /// What the two numbers of a polygon's corner are.
    pub polygons: Option<AxisOrder>,
    /// Where the numbers begin.
    pub origin: Corner,
}

/// What an LMM's coordinates count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Coordinates {
    /// Pixels of the image as the LMM sees it.
    Pixels,
    /// Pixels of the original image.
    Original,
    /// Parts of 1 along each side.
    Ratios,
    /// Parts of 100 along each side.
    Hundredths,
    /// Parts of 1000 along each side.
    Thousandths,
}

/// What the numbers of a box are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BoxOrder {
    /// Left, top, right, bottom.
    Xyxy,
    /// Top, left, bottom, right.
    Yxyx,
    /// Left, top, width, height.
    Xywh,
    /// Middle column, middle row, width, height.
    Cxcywh,
}

/// What the numbers of a point are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AxisOrder {
    /// Column, row.
    Xy,
    /// Row, column.
    Yx,
}

/// The corner of an image at which coordinates begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Corner {
    /// Rows count downwards.
    #[default]
    TopLeft,
    /// Rows count upwards.
    BottomLeft,
}

/// A mark as prompts and answers name it.
#[derive(Clone, Copy, Debug)]
pub struct SceneMark<'a> {
    /// Its id; no other mark of the scene has the same.
    pub id: u32,
    /// What its label says: "7", "C"; empty if labels are not drawn. Letter case does not matter.
    pub text: &'a str,
    /// Index of its image in [`Scene::images`].
    pub image: usize,
    /// Which of the image's copies carries it, from 1.
    pub page: u32,
    /// The marked region; `None` if only names are of interest.
    pub region: Option<&'a Region>,
}

impl<'a> Scene<'a> {
    /// One image after another with the marks that were allocated on it. Ids stay distinct if
    /// each allocation began where the one before ended
    /// ([`AllocateOptions::first`](field@crate::AllocateOptions::first)).
    pub fn of(images: impl IntoIterator<Item = (SceneImage, &'a Allocation)>) -> Self {
        let mut scene = Self::default();
        for (image, allocation) in images {
            let index = scene.images.len();
            scene.images.push(image);
            scene
                .marks
                .extend(allocation.marks.iter().map(|mark| SceneMark {
                    id: mark.id,
                    text: &mark.mark.text,
                    image: index,
                    page: mark.page,
                    region: Some(&mark.mark.region),
                }));
        }
        scene
    }

    /// The mark with `id`.
    pub fn mark(&self, id: u32) -> Option<&SceneMark<'a>> {
        self.marks.iter().find(|mark| mark.id == id)
    }

    /// The marks of image number `index`, from 0.
    pub(crate) fn on_image(&self, index: usize) -> impl Iterator<Item = &SceneMark<'a>> {
        self.marks.iter().filter(move |mark| mark.image == index)
    }

    /// True if marks have texts by which they can be named.
    pub(crate) fn has_names(&self) -> bool {
        self.marks.iter().any(|mark| !mark.text.is_empty())
    }
}

impl SceneImage {
    /// An image that the LMM gets as it is.
    pub const fn unscaled(size: Size, pages: u32) -> Self {
        Self {
            size,
            seen: size,
            pages,
            places: Places {
                unit: None,
                boxes: None,
                points: None,
                polygons: None,
                origin: Corner::TopLeft,
            },
        }
    }
}
