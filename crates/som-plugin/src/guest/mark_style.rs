//! An author's [`MarkStyle`] as a `som_mark_style`.

use std::{
    ffi::{CString, c_char},
    ptr, slice,
};

use som_core::{BBox, Color, Error, Mark, MarkStyle, Marks, Point, Result, Size};

use super::{
    call::{Incoming, guard},
    log::{Level, log},
};
use crate::{
    borrow,
    contain::contain,
    region,
    sys::{SOM_STYLE_IGNORES_MASKS, som_call, som_canvas, som_mark, som_mark_style, som_status},
};

/// A mark style of a plugin: who it is, and the type that does the work.
#[derive(Debug)]
pub struct MarkStyleDef {
    /// `[a-z0-9-]+`, unique in the library.
    pub id: &'static str,
    /// Semantic version; most often `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// `{"params": JSON Schema}`.
    pub schema: &'static str,
    /// The type that draws.
    pub style: MarkStyleType,
}

/// A type that implements [`MarkStyle`], as callbacks.
///
/// Styles are stateless: every callback makes a value of the type anew. Whether a style labels and
/// whether it looks at masks is asked once, when the plugin is entered.
#[derive(Clone, Copy, Debug)]
pub struct MarkStyleType {
    is_labelling: fn() -> bool,
    ignores_masks: fn() -> bool,
    label: unsafe extern "C" fn(u32, *mut c_char, usize) -> usize,
    measure: unsafe extern "C" fn(*const som_call, *const c_char, *mut u32, *mut u32) -> som_status,
    draw: unsafe extern "C" fn(
        *const som_call,
        *const som_canvas,
        *const *const som_mark,
        usize,
    ) -> som_status,
}

impl MarkStyleType {
    /// The callbacks of `S`.
    pub const fn of<S: MarkStyle + Default>() -> Self {
        Self {
            is_labelling: || S::default().labelling().is_some(),
            ignores_masks: || S::default().ignores_masks(),
            label: label::<S>,
            measure: measure::<S>,
            draw: draw::<S>,
        }
    }

    /// The struct of the header, its texts still to be filled in.
    pub(super) fn raw(self) -> som_mark_style {
        let is_labelling = (self.is_labelling)();
        som_mark_style {
            size: size_of::<som_mark_style>(),
            id: ptr::null(),
            version: ptr::null(),
            about: ptr::null(),
            schema: ptr::null(),
            label: is_labelling.then_some(self.label),
            measure: is_labelling.then_some(self.measure),
            draw: Some(self.draw),
            flags: if (self.ignores_masks)() {
                SOM_STYLE_IGNORES_MASKS
            } else {
                0
            },
        }
    }
}

/// # Safety
/// As `som_mark_style.label` of the header.
unsafe extern "C" fn label<S: MarkStyle + Default>(
    index: u32,
    out: *mut c_char,
    cap: usize,
) -> usize {
    let text = contain(|| match S::default().labelling() {
        Some(labelling) => region::c_text(&labelling.label(index)?, "label"),
        None => Err(not_labelling()),
    });
    let text = match text {
        Ok(Ok(text)) => text,
        // There is no call to fail; the host sees that the label is empty.
        Ok(Err(error)) => no_label(index, error.message()),
        Err(panic) => no_label(index, &panic.message),
    };
    let bytes = text.as_bytes();
    if let (Some(room), false) = (cap.checked_sub(1), out.is_null()) {
        let written = bytes.len().min(room);
        // SAFETY: `out` has room for `cap` bytes, which is more than `written`.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), out.cast(), written);
            out.add(written).write(0);
        }
    }
    bytes.len()
}

fn no_label(index: u32, why: &str) -> CString {
    log(Level::Error, &format!("no label for mark {index}: {why}"));
    CString::default()
}

fn not_labelling() -> Error {
    Error::internal("the style writes no labels")
}

/// # Safety
/// As `som_mark_style.measure` of the header.
unsafe extern "C" fn measure<S: MarkStyle + Default>(
    call: *const som_call,
    text: *const c_char,
    width: *mut u32,
    height: *mut u32,
) -> som_status {
    let body = |call: &Incoming| {
        if width.is_null() || height.is_null() {
            return Err(Error::internal("the host gives no place for the size"));
        }
        // SAFETY: the text lives until this function returns.
        let text = unsafe { borrow::text(text, "text")? }.unwrap_or_default();
        let style = S::default();
        let labelling = style.labelling().ok_or_else(not_labelling)?;
        let size = call.with(|call| labelling.measure(text, call))?;
        // SAFETY: not null, so the host's places for one number each.
        unsafe {
            width.write(size.width);
            height.write(size.height);
        }
        Ok(())
    };
    // SAFETY: the host's promise.
    unsafe { guard(call, body) }
}

/// # Safety
/// As `som_mark_style.draw` of the header.
unsafe extern "C" fn draw<S: MarkStyle + Default>(
    call: *const som_call,
    canvas: *const som_canvas,
    marks: *const *const som_mark,
    mark_count: usize,
) -> som_status {
    let body = |call: &Incoming| {
        // SAFETY: the canvas lives until this function returns, and nobody else uses it.
        let mut canvas = unsafe { borrow::canvas(canvas)? };
        let size = Size::new(canvas.width(), canvas.height());
        // SAFETY: the marks live until this function returns.
        let marks = unsafe { marks_taken_in(marks, mark_count, size)? };
        let marks: Marks<'_> = marks.iter().collect();
        call.with(|call| S::default().draw(&mut canvas, &marks, call))
    };
    // SAFETY: the host's promise.
    unsafe { guard(call, body) }
}

/// # Safety
/// `marks` leads to `count` pointers to marks as the header describes them, or `count` is 0.
unsafe fn marks_taken_in(
    marks: *const *const som_mark,
    count: usize,
    image: Size,
) -> Result<Vec<Mark>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if marks.is_null() {
        return Err(Error::internal(format!(
            "the host's list of {count} marks is NULL"
        )));
    }
    // SAFETY: the caller's promise, here and for each mark.
    let marks = unsafe { slice::from_raw_parts(marks, count) };
    let take_in = |(index, &mark)| {
        // SAFETY: as above.
        unsafe { mark_taken_in(mark, image) }
            .map_err(|error| error.at(format_args!("mark {index}")))
    };
    marks.iter().enumerate().map(take_in).collect()
}

/// # Safety
/// `mark` is null or leads to a `som_mark` as the header describes it.
unsafe fn mark_taken_in(mark: *const som_mark, image: Size) -> Result<Mark> {
    // SAFETY: the caller's promise, here and for the pointers in it.
    unsafe {
        let raw = borrow::read(mark)?;
        Ok(Mark {
            region: region::take_in(raw.region, image)?,
            text: borrow::text(raw.text, "text")?
                .unwrap_or_default()
                .to_owned(),
            label_box: BBox::new(raw.x, raw.y, raw.width, raw.height),
            anchor: Point::new(raw.anchor_x, raw.anchor_y),
            color: Color::from_u32(raw.color),
        })
    }
}
