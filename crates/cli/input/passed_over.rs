//! What a folder holds that som does not read: images, told by their endings, and links to nothing;
//! counted and named.

use std::{collections::BTreeMap, fmt, path::Path};

use crate::plural::counted;

/// What the endings of images are called that som does not read.
const FORMATS: [(&str, &str); 30] = [
    ("avif", "AVIF"),
    ("heic", "HEIC"),
    ("heif", "HEIC"),
    ("hif", "HEIC"),
    ("jxl", "JPEG XL"),
    ("jp2", "JPEG 2000"),
    ("j2k", "JPEG 2000"),
    ("jpf", "JPEG 2000"),
    ("jpx", "JPEG 2000"),
    ("svg", "SVG"),
    ("svgz", "SVG"),
    ("psd", "Photoshop"),
    ("xcf", "GIMP"),
    ("exr", "OpenEXR"),
    ("hdr", "Radiance HDR"),
    ("dds", "DDS"),
    ("tga", "TGA"),
    ("ico", "ICO"),
    ("pbm", "PBM"),
    ("pgm", "PGM"),
    ("ppm", "PPM"),
    ("pnm", "PNM"),
    ("dcm", "DICOM"),
    ("dng", "camera raw"),
    ("cr2", "camera raw"),
    ("cr3", "camera raw"),
    ("nef", "camera raw"),
    ("arw", "camera raw"),
    ("orf", "camera raw"),
    ("rw2", "camera raw"),
];

/// How many files of which format were passed over. Shown as `1 file passed over: AVIF`, and as
/// nothing if there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PassedOver(BTreeMap<&'static str, usize>);

impl PassedOver {
    /// Takes a file in, if it is an image of another format. What is no image at all is not missed.
    pub(super) fn count(&mut self, path: &Path) {
        let ending = path.extension().and_then(|ending| ending.to_str());
        let ending = ending.unwrap_or_default();
        let mut known = FORMATS.iter();
        if let Some((_, name)) = known.find(|(known, _)| ending.eq_ignore_ascii_case(known)) {
            *self.0.entry(name).or_default() += 1;
        }
    }

    /// Takes in a link to nothing.
    pub(super) fn count_broken_link(&mut self) {
        *self.0.entry("broken link").or_default() += 1;
    }

    /// Takes in what another folder holds.
    pub(super) fn extend(&mut self, other: Self) {
        for (name, count) in other.0 {
            *self.0.entry(name).or_default() += count;
        }
    }
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let formats: Vec<String> = match self.0.len() {
            1 => self.0.keys().map(|&name| name.to_owned()).collect(),
            _ => self
                .0
                .iter()
                .map(|(name, count)| format!("{count} {name}"))
                .collect(),
        };
        let files = counted(self.0.values().sum(), "file");
        write!(f, "{files} passed over: {}", formats.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(paths: &[&str]) -> String {
        let mut passed_over = PassedOver::default();
        for path in paths {
            passed_over.count(Path::new(path));
        }
        passed_over.to_string()
    }

    #[test]
    fn formats_are_counted_and_named() {
        assert_eq!(told(&["a.png", "notes.txt", "heic", ".avif"]), "");
        assert_eq!(told(&["c.avif"]), "1 file passed over: AVIF");
        assert_eq!(told(&["a.HEIC", "b.heif"]), "2 files passed over: HEIC");
        assert_eq!(
            told(&["a.HEIC", "b.heif", "c.avif"]),
            "3 files passed over: 1 AVIF, 2 HEIC"
        );
    }
}
