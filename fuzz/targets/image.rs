//! Images of every format.

#![no_main]

use libfuzzer_sys::fuzz_target;
use som_core::decode::{DecodeOptions, decode_with};

const MAX_PIXELS: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    for stretch in [false, true] {
        let options = DecodeOptions {
            max_pixels: MAX_PIXELS,
            stretch,
            ..DecodeOptions::default()
        };
        if let Ok(image) = decode_with(bytes, &options) {
            let (width, height) = image.pixels.dimensions();
            let pixels = u64::from(width) * u64::from(height);
            assert!((1..=MAX_PIXELS).contains(&pixels));
        }
    }
});
