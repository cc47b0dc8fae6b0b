//! COCO RLE from outside: counts as text and as numbers.
//!
//! Input: height and width as a byte each, then the counts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use som_core::{Counts, Mask, Rle};

fuzz_target!(|input: &[u8]| {
    let [height, width, bytes @ ..] = input else {
        return;
    };
    let size = [u32::from(*height), u32::from(*width)];
    let text = String::from_utf8_lossy(bytes).into_owned();
    let numbers = bytes.chunks(4).map(|chunk| {
        let mut number = [0; 4];
        number[..chunk.len()].copy_from_slice(chunk);
        u32::from_le_bytes(number)
    });
    for counts in [
        Counts::Compressed(text),
        Counts::Uncompressed(numbers.collect()),
        Counts::Uncompressed(bytes.iter().copied().map(u32::from).collect()),
    ] {
        let Ok(mask) = Mask::from_rle(&Rle { size, counts }) else {
            continue;
        };
        for written in [mask.to_rle(), mask.to_uncompressed_rle()] {
            assert_eq!(Mask::from_rle(&written).unwrap(), mask);
        }
    }
});
