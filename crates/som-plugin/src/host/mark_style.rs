//! A plugin's mark style, to the rest of som.

use std::{
    ffi::{CStr, CString, c_char},
    ptr,
};

use som_core::{Call, Canvas, Descriptor, Error, Labelling, Mark, MarkStyle, Marks, Result, Size};

use super::{call, descriptor::Texts};
use crate::{
    borrow,
    region::{Lent, c_text},
    sys::{
        SOM_STYLE_IGNORES_MASKS, som_call, som_canvas, som_mark, som_mark_style, som_region,
        som_status,
    },
};

/// A mark style that a plugin brought.
#[derive(Debug)]
pub struct PluginStyle {
    descriptor: Descriptor,
    who: String,
    labels: Option<Labels>,
    ignores_masks: bool,
    draw: unsafe extern "C" fn(
        *const som_call,
        *const som_canvas,
        *const *const som_mark,
        usize,
    ) -> som_status,
}

/// What only styles that label have.
#[derive(Debug)]
struct Labels {
    label: unsafe extern "C" fn(u32, *mut c_char, usize) -> usize,
    measure: unsafe extern "C" fn(*const som_call, *const c_char, *mut u32, *mut u32) -> som_status,
}

impl PluginStyle {
    /// Checks and copies the mark style number `index` of a plugin.
    ///
    /// # Errors
    /// Internal, naming what is wrong.
    ///
    /// # Safety
    /// `pointer` is null or leads to a `som_mark_style` as the header describes it, whose functions
    /// stay valid until the process ends.
    pub(super) unsafe fn take_in(index: usize, pointer: *const som_mark_style) -> Result<Self> {
        // SAFETY: the caller's promise.
        let raw = unsafe { borrow::read(pointer) }
            .map_err(|error| error.at(format_args!("mark style {index}")))?;
        let texts = Texts {
            id: raw.id,
            version: raw.version,
            about: raw.about,
            schema: raw.schema,
        };
        // SAFETY: the caller's promise.
        let descriptor = unsafe { texts.take_in("mark style", index)? };
        let who = format!("mark style {:?}", descriptor.id);
        let labels = match (raw.label, raw.measure) {
            (Some(label), Some(measure)) => Some(Labels { label, measure }),
            (None, None) => None,
            (Some(_), None) => {
                return Err(Error::internal("it has a label, but its measure is NULL").at(&who));
            }
            (None, Some(_)) => {
                return Err(Error::internal("it has a measure, but its label is NULL").at(&who));
            }
        };
        let draw = raw
            .draw
            .ok_or_else(|| Error::internal("its draw is NULL").at(&who))?;
        Ok(Self {
            descriptor,
            who,
            labels,
            ignores_masks: raw.flags & SOM_STYLE_IGNORES_MASKS != 0,
            draw,
        })
    }

    /// Who the style is and which parameters it takes.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
}

impl MarkStyle for PluginStyle {
    fn labelling(&self) -> Option<&dyn Labelling> {
        self.labels.as_ref().map(|_| self as _)
    }

    fn ignores_masks(&self) -> bool {
        self.ignores_masks
    }

    fn draw(&self, canvas: &mut Canvas<'_>, marks: &Marks<'_>, call: &Call<'_>) -> Result<()> {
        let raw_canvas = som_canvas {
            size: size_of::<som_canvas>(),
            width: canvas.width(),
            height: canvas.height(),
            pixels: canvas.as_mut_ptr(),
        };
        let crops = if self.ignores_masks {
            &[]
        } else {
            marks.crops()
        };
        let lent = marks.iter().enumerate().map(|(index, mark)| {
            let crop = crops.get(index).and_then(Option::as_deref);
            Ok((Lent::new(&mark.region, crop)?, c_text(&mark.text, "text")?))
        });
        let lent: Vec<(Lent<'_>, CString)> = lent
            .collect::<Result<_>>()
            .map_err(|error| error.at(&self.who))?;
        let regions: Vec<som_region> = lent.iter().map(|(region, _)| region.raw()).collect();
        let raw_marks = marks.iter().zip(&regions).zip(&lent);
        let raw_marks: Vec<som_mark> = raw_marks
            .map(|((mark, region), (_, text))| raw_mark(mark, region, text))
            .collect();
        let list: Vec<*const som_mark> = raw_marks.iter().map(ptr::from_ref).collect();
        call::run(&self.who, call, None, |call| {
            // SAFETY: call, canvas and marks live until the function returns.
            unsafe { (self.draw)(call, &raw_canvas, list.as_ptr(), list.len()) }
        })?;
        Ok(())
    }
}

fn raw_mark(mark: &Mark, region: &som_region, text: &CString) -> som_mark {
    som_mark {
        size: size_of::<som_mark>(),
        region,
        text: text.as_ptr(),
        x: mark.label_box.x,
        y: mark.label_box.y,
        width: mark.label_box.width,
        height: mark.label_box.height,
        anchor_x: mark.anchor.x,
        anchor_y: mark.anchor.y,
        color: mark.color.to_u32(),
        reserved: 0,
    }
}

impl Labelling for PluginStyle {
    fn label(&self, index: u32) -> Result<String> {
        // Longer than any label a person would read out; longer ones take a second call.
        let mut out = [0; 64];
        let length = self.write_label(index, &mut out)?;
        let mut long = Vec::new();
        let out = if length < out.len() {
            &mut out[..]
        } else if length < LONGEST_LABEL {
            long.resize(length + 1, 0);
            self.write_label(index, &mut long)?;
            &mut long[..]
        } else {
            return Err(self.bad_label(index, &format!("is {length} bytes long")));
        };
        match CStr::from_bytes_until_nul(out) {
            Ok(text) if text.count_bytes() != length => {
                let written = text.count_bytes();
                Err(self.bad_label(
                    index,
                    &format!("has {written} bytes, but it returned {length}"),
                ))
            }
            Ok(text) if text.is_empty() => Err(self.bad_label(index, "is empty")),
            Ok(text) => match text.to_str() {
                Ok(text) => Ok(text.to_owned()),
                Err(_) => Err(self.bad_label(index, "is not UTF-8")),
            },
            Err(_) => Err(self.bad_label(index, "does not end with a NUL")),
        }
    }

    fn measure(&self, text: &str, call: &Call<'_>) -> Result<Size> {
        let labels = self.labels()?;
        let c_text = c_text(text, "text").map_err(|error| error.at(&self.who))?;
        let mut size = Size::default();
        call::run(&self.who, call, None, |call| {
            // SAFETY: call, text and size live until the function returns.
            unsafe { (labels.measure)(call, c_text.as_ptr(), &mut size.width, &mut size.height) }
        })?;
        if size.pixels() == 0 {
            return Err(Error::internal(format!(
                "it measures the label {text:?} as {size} pixels"
            ))
            .at(&self.who));
        }
        Ok(size)
    }
}

/// Bytes of a label that no sane style exceeds.
const LONGEST_LABEL: usize = 4096;

impl PluginStyle {
    /// Calls the plugin's `label`: writes at most `out.len()` bytes, NUL included, and gives the
    /// length of the whole label without it.
    pub(super) fn write_label(&self, index: u32, out: &mut [u8]) -> Result<usize> {
        let label = self.labels()?.label;
        // SAFETY: `out` has room for as many bytes as it is told.
        Ok(unsafe { label(index, out.as_mut_ptr().cast(), out.len()) })
    }

    fn labels(&self) -> Result<&Labels> {
        self.labels
            .as_ref()
            .ok_or_else(|| Error::unsupported("it writes no labels").at(&self.who))
    }

    fn bad_label(&self, index: u32, what: &str) -> Error {
        Error::internal(format!("its label of mark {index} {what}")).at(&self.who)
    }
}
