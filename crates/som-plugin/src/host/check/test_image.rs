//! Images to try a plugin on.

use std::fmt;

use som_core::{Canvas, Error, Image, Result, Size};

/// Bytes before and after the pixels, which are none of the plugin's business.
const MARGIN: usize = 4096;

/// A image that lies amid other bytes: who leaves it is seen.
#[derive(Clone)]
pub(super) struct TestImage {
    what: &'static str,
    size: Size,
    surroundings: u8,
    bytes: Vec<u8>,
}

impl TestImage {
    /// What a photograph has: a bright and a dark part, a round thing with an edge, soft shades,
    /// texture and noise. The same for the same size.
    pub(super) fn photograph(width: u32, height: u32) -> Self {
        let (center_x, center_y) = (i64::from(width) * 2 / 5, i64::from(height) / 2);
        let radius = i64::from(width.min(height)) / 3;
        Self::new("like a photograph", width, height, |x, y| {
            let noise = x
                .wrapping_mul(2_654_435_761)
                .wrapping_add(y.wrapping_mul(40_503))
                >> 13;
            let noise = (noise % 9) as u8;
            let (dx, dy) = (i64::from(x) - center_x, i64::from(y) - center_y);
            let shade = (u64::from(y) * 90 / u64::from(height)) as u8;
            if dx * dx + dy * dy < radius * radius {
                [200 - shade, 60 + noise, 40]
            } else if y < height / 2 {
                [110 + noise, 160 - shade, 210]
            } else if (x / 4 + y / 4) % 2 == 0 {
                [90, 70 + noise, 50]
            } else {
                [60 + noise, 50, 30]
            }
        })
    }

    /// One colour all over.
    pub(super) fn plain(what: &'static str, width: u32, height: u32, gray: u8) -> Self {
        Self::new(what, width, height, |_, _| [gray; 3])
    }

    fn new(what: &'static str, width: u32, height: u32, rgb: impl Fn(u32, u32) -> [u8; 3]) -> Self {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let mut bytes = vec![0; MARGIN];
        bytes.extend(pixels.flat_map(|(x, y)| rgb(x, y)));
        bytes.extend([0; MARGIN]);
        Self {
            what,
            size: Size::new(width, height),
            surroundings: 0,
            bytes,
        }
    }

    /// Images of every kind of size, and of one colour.
    pub(super) fn of_every_size() -> Vec<Self> {
        vec![
            Self::plain("all white", 1, 1, 255),
            Self::photograph(2, 2),
            Self::photograph(97, 1),
            Self::photograph(1, 61),
            Self::photograph(33, 27),
            Self::plain("all black", 64, 48, 0),
            Self::plain("all white", 64, 48, 255),
            Self::photograph(321, 239),
        ]
    }

    /// The same image amid other bytes.
    pub(super) fn amid(mut self, surroundings: u8) -> Self {
        let end = self.bytes.len() - MARGIN;
        self.bytes[..MARGIN].fill(surroundings);
        self.bytes[end..].fill(surroundings);
        self.surroundings = surroundings;
        self
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    pub(super) fn pixels(&self) -> &[u8] {
        &self.bytes[MARGIN..self.bytes.len() - MARGIN]
    }

    /// To look at.
    ///
    /// # Errors
    /// Internal, never.
    pub(super) fn image(&self) -> Result<Image<'_>> {
        Image::from_raw(self.size.width, self.size.height, self.pixels()).ok_or_else(too_small)
    }

    /// To draw on.
    ///
    /// # Errors
    /// Internal, never.
    pub(super) fn canvas(&mut self) -> Result<Canvas<'_>> {
        let Size { width, height } = self.size;
        let end = self.bytes.len() - MARGIN;
        Canvas::from_raw(width, height, &mut self.bytes[MARGIN..end]).ok_or_else(too_small)
    }

    /// Checks that the bytes around the image are as they were.
    ///
    /// # Errors
    /// Internal, saying where somebody wrote.
    pub(super) fn check_surroundings(&self) -> Result<()> {
        let changed = |byte: &u8| *byte != self.surroundings;
        let (before, rest) = self.bytes.split_at(MARGIN);
        let after = &rest[rest.len() - MARGIN..];
        if let Some(at) = before.iter().rposition(changed) {
            let distance = MARGIN - at;
            return Err(Error::internal(format!(
                "it wrote outside of the pixels: byte {distance} before the first"
            )));
        }
        match after.iter().position(changed) {
            None => Ok(()),
            Some(at) => Err(Error::internal(format!(
                "it wrote outside of the pixels: byte {} after the last",
                at + 1
            ))),
        }
    }
}

/// `an image of 33x27 pixels, like a photograph`.
impl fmt::Display for TestImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an image of {} pixels, {}", self.size, self.what)
    }
}

fn too_small() -> Error {
    Error::internal("a image is smaller than its size says")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_leaves_the_image_is_seen() {
        let image = TestImage::photograph(5, 3).amid(7);
        assert_eq!(image.pixels().len(), 45);
        image.check_surroundings().unwrap();
        let wrote = |at: usize| {
            let mut image = image.clone();
            image.bytes[at] ^= 1;
            image
                .check_surroundings()
                .map_err(|error| error.to_string())
        };
        assert_eq!(
            wrote(MARGIN - 1).unwrap_err(),
            "it wrote outside of the pixels: byte 1 before the first"
        );
        assert_eq!(
            wrote(MARGIN + 46).unwrap_err(),
            "it wrote outside of the pixels: byte 2 after the last"
        );
        assert_eq!(wrote(MARGIN), Ok(()));
    }
}
