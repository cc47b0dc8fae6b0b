//! Images of every format.

#![no_main]

use libfuzzer_sys::fuzz_target;
use som_core::decode::decode;

const MAX_PIXELS: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(image) = decode(bytes, MAX_PIXELS) {
        let pixels = u64::from(image.width()) * u64::from(image.height());
        assert!((1..=MAX_PIXELS).contains(&pixels));
    }
});
