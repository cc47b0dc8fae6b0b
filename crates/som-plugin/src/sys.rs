//! `include/som_plugin.h`, line by line. The header is the documentation.
//!
//! Every callback may be null, so that a plugin that leaves one out can be told so.

#![allow(non_camel_case_types, missing_docs)]

use std::ffi::{c_char, c_void};

pub type som_status = i32;
pub const SOM_OK: som_status = 0;
pub const SOM_CANCELLED: som_status = 1;
pub const SOM_INVALID: som_status = 2;
pub const SOM_UNSUPPORTED: som_status = 3;
pub const SOM_UNAVAILABLE: som_status = 4;
pub const SOM_EXHAUSTED: som_status = 5;
pub const SOM_INTERNAL: som_status = 6;

pub type som_level = i32;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct som_host {
    pub size: usize,
    pub data: *mut c_void,
    pub version: *const c_char,
    pub log: Option<
        unsafe extern "C" fn(host: *const som_host, level: som_level, message: *const c_char),
    >,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct som_image {
    pub size: usize,
    pub width: u32,
    pub height: u32,
    pub pixels: *const u8,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct som_canvas {
    pub size: usize,
    pub width: u32,
    pub height: u32,
    pub pixels: *mut u8,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct som_region {
    pub size: usize,
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
    pub score: f32,
    pub reserved: u32,
    pub mask: *const u8,
    pub label: *const c_char,
    pub extra: *const c_char,
    pub object: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct som_call {
    pub size: usize,
    pub data: *mut c_void,
    pub params: *const c_char,
    pub cancelled: Option<unsafe extern "C" fn(call: *const som_call) -> i32>,
    pub number: Option<
        unsafe extern "C" fn(call: *const som_call, key: *const c_char, fallback: f64) -> f64,
    >,
    pub text: Option<
        unsafe extern "C" fn(
            call: *const som_call,
            key: *const c_char,
            fallback: *const c_char,
        ) -> *const c_char,
    >,
    pub emit: Option<
        unsafe extern "C" fn(call: *const som_call, region: *const som_region) -> som_status,
    >,
    pub fail: Option<
        unsafe extern "C" fn(
            call: *const som_call,
            status: som_status,
            why: *const c_char,
        ) -> som_status,
    >,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct som_segmenter {
    pub size: usize,
    pub id: *const c_char,
    pub version: *const c_char,
    pub about: *const c_char,
    pub schema: *const c_char,
    pub create: Option<
        unsafe extern "C" fn(options: *const som_call, instance: *mut *mut c_void) -> som_status,
    >,
    pub segment: Option<
        unsafe extern "C" fn(
            instance: *mut c_void,
            call: *const som_call,
            image: *const som_image,
        ) -> som_status,
    >,
    pub destroy: Option<unsafe extern "C" fn(instance: *mut c_void)>,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct som_mark {
    pub size: usize,
    pub region: *const som_region,
    pub text: *const c_char,
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
    pub anchor_x: u32,
    pub anchor_y: u32,
    pub color: u32,
    pub reserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct som_mark_style {
    pub size: usize,
    pub id: *const c_char,
    pub version: *const c_char,
    pub about: *const c_char,
    pub schema: *const c_char,
    pub label: Option<unsafe extern "C" fn(index: u32, out: *mut c_char, cap: usize) -> usize>,
    pub measure: Option<
        unsafe extern "C" fn(
            call: *const som_call,
            text: *const c_char,
            width: *mut u32,
            height: *mut u32,
        ) -> som_status,
    >,
    pub draw: Option<
        unsafe extern "C" fn(
            call: *const som_call,
            canvas: *const som_canvas,
            marks: *const *const som_mark,
            mark_count: usize,
        ) -> som_status,
    >,
    pub flags: u64,
}

pub const SOM_STYLE_IGNORES_MASKS: u64 = 1;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct som_frame {
    pub size: usize,
    pub image: *const som_image,
    pub index: u64,
    pub count: u64,
    pub flags: u64,
}

pub const SOM_FRAME_BACKWARD: u64 = 1;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct som_tracker {
    pub size: usize,
    pub id: *const c_char,
    pub version: *const c_char,
    pub about: *const c_char,
    pub schema: *const c_char,
    pub create: Option<
        unsafe extern "C" fn(options: *const som_call, instance: *mut *mut c_void) -> som_status,
    >,
    pub frame: Option<
        unsafe extern "C" fn(
            instance: *mut c_void,
            call: *const som_call,
            frame: *const som_frame,
        ) -> som_status,
    >,
    pub destroy: Option<unsafe extern "C" fn(instance: *mut c_void)>,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct som_plugin {
    pub size: usize,
    pub segmenters: *const *const som_segmenter,
    pub mark_styles: *const *const som_mark_style,
    pub trackers: *const *const som_tracker,
}

/// The type of `som_plugin_entry_v1`.
pub type som_plugin_entry = unsafe extern "C" fn(host: *const som_host) -> *const som_plugin;
