//! The parts of a JPEG file, as far as they tell whether it is whole (ITU-T T.81, annex B).

use std::ops::Range;

/// The marker of the end.
pub(super) const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
/// Where the image's size and components stand; what is between of another meaning is left out.
const FRAMES: [u8; 13] = [
    0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf,
];

/// What is where.
#[derive(Default)]
pub(super) struct Layout {
    /// Bytes before the image is whole that belong to no part.
    pub(super) stray: Vec<Range<usize>>,
    /// Where the compressed data end that make the image whole; `None` if it never is.
    pub(super) whole_at: Option<usize>,
    /// Whether the end is marked. If the image is whole before, right after it: in the film that a
    /// telephone appends, an end is that of something else.
    pub(super) is_ended: bool,
}

impl Layout {
    /// The parts of a file.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut layout = Self::default();
        let mut precision = Precision::default();
        let mut at = 0;
        while let Some(found) = next_marker(bytes, at) {
            if layout.whole_at.is_some() && !(found.stray.is_empty() && may_trail(found.marker)) {
                break;
            }
            if !found.stray.is_empty() {
                layout.stray.push(found.stray);
            }
            at = found.after;
            match found.marker {
                END => {
                    layout.is_ended = true;
                    break;
                }
                // These have no data: the start, restarts, and one that means nothing.
                0x01 | 0xd0..=0xd8 => {}
                marker => {
                    let Some(data) = segment(bytes, at) else {
                        break;
                    };
                    at = data.end;
                    if FRAMES.contains(&marker) {
                        precision = Precision::of_frame(marker, &bytes[data]);
                    } else if marker == SCAN {
                        precision.add_scan(&bytes[data]);
                        at = scan_end(bytes, at);
                        if precision.is_full() {
                            layout.whole_at = Some(at);
                        }
                    }
                }
            }
        }
        layout
    }

    /// The file without its stray bytes.
    pub(super) fn without_stray(&self, bytes: &[u8]) -> Vec<u8> {
        let mut tidy = Vec::with_capacity(bytes.len());
        let mut from = 0;
        for stray in &self.stray {
            tidy.extend(bytes.get(from..stray.start).unwrap_or_default());
            from = stray.end;
        }
        tidy.extend(bytes.get(from..).unwrap_or_default());
        tidy
    }
}

/// What may stand between the compressed data and the end: the number of lines, applications' data,
/// comments.
fn may_trail(marker: u8) -> bool {
    matches!(marker, END | 0xdc | 0xe0..=0xef | 0xfe)
}

/// A marker, and what is around it.
struct Marker {
    /// What is before it and belongs to nothing.
    stray: Range<usize>,
    marker: u8,
    after: usize,
}

/// The next marker from `at` on: any number of 0xff and a byte that is neither 0xff nor 0.
fn next_marker(bytes: &[u8], at: usize) -> Option<Marker> {
    let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xff);
    let last = at + bytes.get(at..)?.windows(2).position(is_marker)?;
    // As many as there are of them may come before a marker.
    let filling = bytes[at..last].iter().rev();
    let filling = filling.take_while(|&&byte| byte == 0xff).count();
    Some(Marker {
        stray: at..last - filling,
        marker: bytes[last + 1],
        after: last + 2,
    })
}

/// The data of the segment whose length stands at `at`.
fn segment(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let &length = bytes.get(at..)?.first_chunk()?;
    let length = usize::from(u16::from_be_bytes(length));
    let end = at + length;
    // The length counts itself.
    (length >= 2 && end <= bytes.len()).then(|| at + 2..end)
}

/// Where compressed data end that begin at `at`: at the first marker that is neither an escaped
/// 0xff nor a restart.
fn scan_end(bytes: &[u8], at: usize) -> usize {
    let is_end = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.windows(2).position(is_end).unwrap_or(rest.len())
}

/// How many bits of each coefficient are still to come (T.81, annex G: one scan brings some
/// coefficients of some components, another one makes them more precise).
#[derive(Default)]
struct Precision {
    is_progressive: bool,
    /// By component: its identifier, and the bits that its 64 coefficients lack.
    components: Vec<(u8, [u8; 64])>,
}

impl Precision {
    /// Of a frame: everything is to come.
    fn of_frame(marker: u8, data: &[u8]) -> Self {
        const UNKNOWN: u8 = 16;
        // Bits of a sample, height and width, number of components; then three bytes for each.
        let components = data.get(6..).unwrap_or_default().as_chunks::<3>().0;
        Self {
            is_progressive: matches!(marker, 0xc2 | 0xc6 | 0xca | 0xce),
            components: components
                .iter()
                .map(|&[id, ..]| (id, [UNKNOWN; 64]))
                .collect(),
        }
    }

    /// Takes in what a scan brings.
    fn add_scan(&mut self, data: &[u8]) {
        let Some((&count, data)) = data.split_first() else {
            return;
        };
        let (ids, rest) = data.split_at((2 * usize::from(count)).min(data.len()));
        let (range, bits) = match *rest {
            [first, last, bits] if self.is_progressive => {
                (usize::from(first)..=usize::from(last.min(63)), bits & 0x0f)
            }
            // Everything at once.
            _ => (0..=63, 0),
        };
        for [id, _] in ids.as_chunks::<2>().0 {
            let known = self.components.iter_mut().find(|(known, _)| known == id);
            let coefficients = known.and_then(|(_, lacking)| lacking.get_mut(range.clone()));
            coefficients.unwrap_or_default().fill(bits);
        }
    }

    /// True if nothing is to come.
    fn is_full(&self) -> bool {
        let mut lacking = self.components.iter().flat_map(|(_, lacking)| lacking);
        !self.components.is_empty() && lacking.all(|&bits| bits == 0)
    }
}
