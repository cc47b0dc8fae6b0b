//! The labelling styles `number` and `alphabet`: a text on a plate, with a leader line where the
//! label lies off its region.

use serde::Deserialize;
use som_core::{Call, Canvas, Error, Labelling, MarkStyle, Marks, Result, Size};

use crate::{
    ink::{ColorChoice, Thickness},
    leader,
    plate::{self, Platemaker},
    text::Typesetter,
};

/// Numbers: 1, 2, 3…
#[derive(Clone, Copy, Debug, Default)]
pub struct Number;

/// Letters: A…Z, AA, AB…
#[derive(Clone, Copy, Debug, Default)]
pub struct Alphabet;

impl Labelling for Number {
    fn label(&self, index: u32) -> Result<String> {
        Ok((u64::from(index) + 1).to_string())
    }

    fn measure(&self, text: &str, call: &Call<'_>) -> Result<Size> {
        measure(text, call)
    }
}

impl Labelling for Alphabet {
    fn label(&self, index: u32) -> Result<String> {
        let mut letters = Vec::new();
        let mut rest = u64::from(index) + 1;
        while rest > 0 {
            rest -= 1;
            letters.push(char::from(b'A' + (rest % 26) as u8));
            rest /= 26;
        }
        Ok(letters.iter().rev().collect())
    }

    fn measure(&self, text: &str, call: &Call<'_>) -> Result<Size> {
        measure(text, call)
    }
}

impl MarkStyle for Number {
    fn labelling(&self) -> Option<&dyn Labelling> {
        Some(self)
    }

    fn ignores_masks(&self) -> bool {
        true
    }

    fn draw(&self, canvas: &mut Canvas<'_>, marks: &Marks<'_>, call: &Call<'_>) -> Result<()> {
        draw(canvas, marks, call)
    }
}

impl MarkStyle for Alphabet {
    fn labelling(&self) -> Option<&dyn Labelling> {
        Some(self)
    }

    fn ignores_masks(&self) -> bool {
        true
    }

    fn draw(&self, canvas: &mut Canvas<'_>, marks: &Marks<'_>, call: &Call<'_>) -> Result<()> {
        draw(canvas, marks, call)
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Settings {
    class_names: bool,
    roundness: f32,
    thickness: Thickness,
    color: ColorChoice,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            class_names: false,
            roundness: 0.5,
            thickness: Thickness::default(),
            color: ColorChoice::default(),
        }
    }
}

/// The font size where nobody chose one.
const FONT_SIZE: f64 = 16.0;

fn measure(text: &str, call: &Call<'_>) -> Result<Size> {
    let font_size = call.number("font_size").unwrap_or(FONT_SIZE);
    if !(1.0..=4096.0).contains(&font_size) {
        return Err(Error::invalid(format!(
            "font_size is {font_size} (it must be from 1 to 4096)"
        )));
    }
    Ok(plate::measure(&Typesetter::new()?, text, font_size as f32))
}

fn draw(canvas: &mut Canvas<'_>, marks: &Marks<'_>, call: &Call<'_>) -> Result<()> {
    let settings: Settings = call.parse()?;
    let thickness = settings.thickness.on(canvas);
    // Leader lines lie beneath all plates.
    for mark in marks {
        if let Some(line) = mark.leader() {
            let color = settings.color.of(mark);
            leader::draw(canvas, line, thickness, color, color.ink());
        }
    }
    let mut plates = Platemaker::new(Typesetter::new()?, settings.roundness.clamp(0.0, 1.0));
    for mark in marks.iter().filter(|mark| !mark.text.is_empty()) {
        call.check()?;
        let caption = mark
            .caption()
            .filter(|caption| settings.class_names && plates.has_room(mark.label_box, caption));
        let text = caption.as_ref().unwrap_or(&mark.text);
        plates.draw(canvas, mark.label_box, text, settings.color.of(mark));
    }
    Ok(())
}
