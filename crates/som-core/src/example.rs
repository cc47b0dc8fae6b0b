//! Examples: pictures in which it is shown what is looked for in another.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use image::RgbImage;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    Error, Image, Mask, Result, Size,
    decode::decode,
    encode::{Encoding, encode},
    mask::Rle,
};

/// A picture, and where in it is what is looked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleHint {
    /// The picture, of any size, as a file that [`decode`] reads; in JSON as base64 with padding.
    #[serde(serialize_with = "as_base64", deserialize_with = "of_base64")]
    pub image: Vec<u8>,
    /// The pixels of each class, in masks of the picture's size.
    pub masks: Vec<ExampleMask>,
}

/// The pixels of a class in an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleMask {
    /// Number of the class, from 1 on; without it 1.
    #[serde(default = "first")]
    pub label: u8,
    /// Its pixels.
    pub mask: Rle,
}

const fn first() -> u8 {
    1
}

/// An example, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The picture, upright.
    pub image: RgbImage,
    /// Of each pixel the number of its class, row by row; 0 for none.
    pub labels: Vec<u8>,
}

impl ExampleHint {
    /// The example of the picture in a file and of the classes of its pixels, row by row; 0 is none.
    ///
    /// # Errors
    /// Invalid, if `labels` are not as many as the pixels of `size`.
    pub fn new(image: Vec<u8>, size: Size, labels: &[u8]) -> Result<Self> {
        let mut is_there = [false; 256];
        for &label in labels {
            is_there[usize::from(label)] = true;
        }
        let there = (1..=u8::MAX).filter(|&label| is_there[usize::from(label)]);
        let mask = |label| {
            let inside: Vec<u8> = labels.iter().map(|&it| u8::from(it == label)).collect();
            let mask = Mask::from_dense(size, size.bbox(), &inside)?.to_rle();
            Ok(ExampleMask { label, mask })
        };
        Ok(Self {
            image,
            masks: there.map(mask).collect::<Result<_>>()?,
        })
    }

    /// The example of a picture that is no file, as [`new`](Self::new).
    ///
    /// # Errors
    /// As [`new`](Self::new); Unsupported for a side longer than PNG holds.
    pub fn of_pixels(image: &Image<'_>, labels: &[u8]) -> Result<Self> {
        let (width, height) = image.dimensions();
        let pixels = RgbImage::from_raw(width, height, image.as_raw().to_vec());
        let file = encode(&pixels.unwrap_or_default(), Encoding::Png)?;
        Self::new(file, Size::new(width, height), labels)
    }

    /// The picture's pixels, at most `max_pixels`, and the class of each. Where masks overlap, the last
    /// one holds.
    ///
    /// # Errors
    /// Invalid, if a mask has another size than the picture, or the label 0, or no mask has a pixel; as
    /// [`decode`] for the picture.
    pub fn read(&self, max_pixels: u64) -> Result<Example> {
        let image = decode(&self.image, max_pixels).map_err(|error| error.at("its picture"))?;
        let size = Size::new(image.width(), image.height());
        let mut labels = vec![0; size.pixels() as usize];
        for ExampleMask { label, mask } in &self.masks {
            if mask.image_size() != size {
                return Err(Error::invalid(format!(
                    "a mask of {} pixels does not fit its picture of {size}",
                    mask.image_size()
                )));
            }
            if *label == 0 {
                return Err(Error::invalid(
                    "the label of a mask is 0, which is the background (labels go from 1 to 255)",
                ));
            }
            let inside = Mask::from_rle(mask)?.to_dense(size.bbox());
            for (of_pixel, _) in labels.iter_mut().zip(inside).filter(|(_, it)| *it != 0) {
                *of_pixel = *label;
            }
        }
        if labels.iter().all(|&label| label == 0) {
            return Err(Error::invalid(
                "its mask is empty (mark what is looked for in the picture)",
            ));
        }
        Ok(Example { image, labels })
    }
}

fn as_base64<S: Serializer>(image: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64_STANDARD.encode(image))
}

fn of_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    BASE64_STANDARD.decode(text).map_err(|error| {
        de::Error::custom(format!("the image of an example is no base64: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BBox, Params};
    use serde_json::json;

    const SIZE: Size = Size::new(4, 2);

    fn picture() -> Vec<u8> {
        let pixels = RgbImage::from_fn(4, 2, |x, y| image::Rgb([x as u8, y as u8, 7]));
        encode(&pixels, Encoding::Png).unwrap()
    }

    #[test]
    fn an_example_comes_back_as_it_was() {
        let labels = [0, 1, 1, 0, 7, 7, 0, 255];
        let hint = ExampleHint::new(picture(), SIZE, &labels).unwrap();
        let numbers: Vec<u8> = hint.masks.iter().map(|mask| mask.label).collect();
        assert_eq!(numbers, [1, 7, 255]);
        let json = serde_json::to_value(&hint).unwrap();
        assert!(json["image"].as_str().unwrap().starts_with("iVBOR"));
        let again: ExampleHint = serde_json::from_value(json).unwrap();
        let read = again.read(100).unwrap();
        assert_eq!(read.labels, labels);
        assert_eq!(read.image.get_pixel(3, 1).0, [3, 1, 7]);
    }

    #[test]
    fn a_mask_without_a_label_is_the_first_class() {
        let mask = Mask::rect(SIZE, BBox::new(1, 0, 1, 2)).to_rle();
        let json = json!({"image": BASE64_STANDARD.encode(picture()), "masks": [{"mask": mask}]});
        let hint: ExampleHint = serde_json::from_value(json).unwrap();
        assert_eq!(hint.read(100).unwrap().labels, [0, 1, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn what_cannot_be_an_example_is_named() {
        let of = |label, size: Size, bbox| {
            let mask = Mask::rect(size, bbox).to_rle();
            let masks = vec![ExampleMask { label, mask }];
            let image = picture();
            ExampleHint { image, masks }.read(100).unwrap_err()
        };
        let one = BBox::new(0, 0, 1, 1);
        let told = of(1, Size::new(2, 4), one);
        let other = "a mask of 2x4 pixels does not fit its picture of 4x2";
        assert!(told.message().contains(other), "{told}");
        let told = of(1, SIZE, BBox::default());
        assert!(told.message().contains("its mask is empty"), "{told}");
        assert!(of(0, SIZE, one).message().contains("the label"));
        let hint = ExampleHint::new(b"words".to_vec(), SIZE, &[1; 8]).unwrap();
        assert!(
            hint.read(100)
                .unwrap_err()
                .message()
                .contains("its picture")
        );
        assert!(hint.clone().read(1).is_err());
        let hints = json!({"examples": [{"image": "???", "masks": []}]});
        let params = Params::from_iter([("hints".to_owned(), hints)]);
        let error = crate::Hints::from_params(&params).unwrap_err();
        assert!(error.message().contains("no base64"), "{error}");
    }
}
