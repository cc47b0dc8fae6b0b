//! Files of regions, of every format.

#![no_main]

use libfuzzer_sys::fuzz_target;
use som_core::Size;
use som_formats::{Source, Target, class_names, read};

const SIZE: Size = Size::new(60, 40);

fuzz_target!(|bytes: &[u8]| {
    let _ = class_names("data.yaml", bytes);
    let source = Source {
        bytes,
        format: None,
        class_names: &[],
    };
    let target = Target {
        name: "a.png",
        size: SIZE,
    };
    let Ok(read) = read(&source, &target) else {
        return;
    };
    let count = read.given.len() as u32;
    for given in &read.given {
        assert_eq!(given.region.mask.size(), SIZE);
        assert!(given.region.parent.is_none_or(|parent| parent < count));
    }
});
