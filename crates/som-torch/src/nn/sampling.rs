//! Bilinear sampling of maps on the CPU, channels last.

/// The two cells between which a place lies, and how much each counts: nothing, if it is outside.
pub(crate) fn neighbours(place: f32, extent: usize) -> ([usize; 2], [f32; 2]) {
    // What lies farther out sees no cell either; what is no number stays none.
    let place = place.clamp(-2.0, extent as f32 + 1.0);
    let before = place.floor();
    let part = place - before;
    let before = before as i64;
    let inside = |cell: i64, part: f32| match usize::try_from(cell) {
        Ok(cell) if cell < extent => (cell, part),
        _ => (0, part * 0.0),
    };
    let (first, rest) = inside(before, 1.0 - part);
    let (second, part) = inside(before + 1, part);
    ([first, second], [rest, part])
}

/// Adds four rows of numbers, each weighted.
pub(crate) fn blend(sums: &mut [f32], [a, b, c, d]: [&[f32]; 4], [w, x, y, z]: [f32; 4]) {
    let rows = a.iter().zip(b).zip(c).zip(d);
    for (sum, (((a, b), c), d)) in sums.iter_mut().zip(rows) {
        *sum += w * a + x * b + y * c + z * d;
    }
}
