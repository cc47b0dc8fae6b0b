//! The released networks: what no shape of theirs tells.
//!
//! `sam2/configs` of the official project, the same for SAM 2 and for SAM 2.1.

use som_torch::backbone::HieraShapes;

/// Side in pixels of the square input of all of them.
pub(super) const SIDE: i64 = 1024;

/// One of the released sizes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Released {
    width: i64,
    stages: [i64; 4],
    pub heads: i64,
    pub windows: [i64; 4],
    pub global: [i64; 3],
}

/// Tiny, small, base plus and large.
const ALL: [Released; 4] = [
    Released {
        width: 96,
        stages: [1, 2, 7, 2],
        heads: 1,
        windows: [8, 4, 14, 7],
        global: [5, 7, 9],
    },
    Released {
        width: 96,
        stages: [1, 2, 11, 2],
        heads: 1,
        windows: [8, 4, 14, 7],
        global: [7, 10, 13],
    },
    Released {
        width: 112,
        stages: [2, 3, 16, 3],
        heads: 2,
        windows: [8, 4, 14, 7],
        global: [12, 16, 20],
    },
    Released {
        width: 144,
        stages: [2, 6, 36, 4],
        heads: 2,
        windows: [8, 4, 16, 8],
        global: [23, 33, 43],
    },
];

/// The released network whose backbone has these shapes, if there is one.
pub(super) fn of(shapes: &HieraShapes) -> Option<Released> {
    let stages = shapes.stages();
    let fits = |it: &&Released| it.width == shapes.width && it.stages[..] == stages;
    ALL.iter().find(fits).copied()
}
