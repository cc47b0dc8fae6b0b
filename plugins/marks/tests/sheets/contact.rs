//! Contact sheets: marked pictures side by side, for people to look at.

use std::{env, path::PathBuf};

use image::{Rgb, RgbImage, imageops};

use crate::easel::Easel;

const COLUMNS: u32 = 4;
const ROWS: u32 = 5;
const SIDE: u32 = 300;
const MARGIN: u32 = 8;
const TITLE: u32 = 20;

/// Pictures on sheets that are written, if `SOM_SHEETS` names a folder.
pub(crate) struct Sheet {
    name: &'static str,
    folder: Option<PathBuf>,
    pictures: Vec<(String, RgbImage)>,
}

impl Sheet {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            folder: env::var_os("SOM_SHEETS").map(PathBuf::from),
            pictures: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, name: &str, picture: &RgbImage) {
        if self.folder.is_some() {
            let (width, height) = picture.dimensions();
            let shrink = SIDE as f32 / width.max(height) as f32;
            let side = |side: u32| ((side as f32 * shrink).round() as u32).max(1);
            let filter = imageops::FilterType::CatmullRom;
            let small = imageops::resize(picture, side(width), side(height), filter);
            self.pictures.push((name.to_owned(), small));
        }
    }

    pub(crate) fn write(&self) {
        let Some(folder) = &self.folder else {
            return;
        };
        std::fs::create_dir_all(folder).expect("a folder for the sheets");
        for (number, pictures) in (1..).zip(self.pictures.chunks((COLUMNS * ROWS) as usize)) {
            let rows = (pictures.len() as u32).div_ceil(COLUMNS);
            let cell = (SIDE + MARGIN, SIDE + MARGIN + TITLE);
            let mut sheet = Easel::new(COLUMNS * cell.0 + MARGIN, rows * cell.1 + MARGIN, [255; 3]);
            for (place, (name, picture)) in (0..).zip(pictures) {
                let (x, y) = (
                    MARGIN + place % COLUMNS * cell.0,
                    MARGIN + place / COLUMNS * cell.1,
                );
                sheet.write((x, y), 15.0, name, [40; 3]);
                let (left, top) = (i64::from(x), i64::from(y + TITLE));
                imageops::replace(&mut sheet.picture, picture, left, top);
            }
            let file = folder.join(format!("{}-{number}.jpg", self.name));
            sheet.picture.save(file).expect("a sheet");
        }
    }
}

/// Names of pixels that are neither title nor picture stay white.
#[test]
fn sheets_are_white_around_pictures() {
    let mut sheet = Easel::new(60, 40, [255; 3]);
    sheet.write((4, 4), 15.0, "a", [40; 3]);
    assert_eq!(sheet.picture.get_pixel(59, 39), &Rgb([255; 3]));
}
