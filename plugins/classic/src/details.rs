//! Details: what lies between the zones of a drawn picture, or is too small for one.
//!
//! Letters and small signs that stand in a line on one ground are a line of writing; what parts two
//! zones is the soft edge of one of them; and what is neither, and large, is a picture in the picture.

use std::collections::BTreeMap;

use som_core::BBox;

use crate::{partition::Runs, sets::Sets, zones::Zones};

/// A detail that touches its zones along more than this many pixel edges a pixel is a soft edge …
const EDGE_CONTACT: f64 = 0.8;
/// … of a zone that has at least this share of them.
const EDGE_SHARE: f64 = 0.25;
/// Details with boxes of fewer pixels are dots.
const DOT: u64 = 12;
/// A detail of so many of the smallest areas is a picture in the picture.
const PICTURE: u64 = 30;
/// A zone that fills less than this share of its box may be a letter, …
const LETTER_FILL: f64 = 0.7;
/// … if it is not higher than so many pixels, and than this part of the picture.
const LETTER_HEIGHT: u32 = 80;
const LETTER_PART: u32 = 5;
/// So may a stroke, an upright box at most this high and this wide for its height.
const STROKE_HEIGHT: u32 = 40;
const STROKE_WIDTH: f64 = 0.35;
/// Letters of a line overlap in height by this share of the lower one …
const LETTER_OVERLAP: f64 = 0.5;
/// … and are closer than so many of its heights: of small writing, which has spaces between words;
const SMALL_GAP: f64 = 1.2;
/// which is up to so many pixels high; of large writing; and of strokes.
const SMALL_HEIGHT: u32 = 16;
const LARGE_GAP: f64 = 0.4;
const STROKE_GAP: f64 = 0.25;

/// What every run of a drawn picture belongs to.
pub(crate) struct Details {
    /// The label of each run: that of a zone, or one after those of all zones.
    pub(crate) labels: Vec<u32>,
    /// Lines of writing.
    pub(crate) lines: Vec<Line>,
    /// Pixels of all pictures in the picture, whose labels come last.
    pub(crate) pictured: u64,
}

/// A line of writing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) label: u32,
    /// The zone it stands on.
    pub(crate) ground: u32,
    pub(crate) bbox: BBox,
}

/// A connected piece that is no zone, or a zone that may be a letter.
#[derive(Clone, Copy, Debug, Default)]
struct Piece {
    area: u64,
    bbox: BBox,
    /// The zone, if it is one.
    zone: Option<u32>,
}

impl Piece {
    fn add(&mut self, y: u32, start: u32, end: u32) {
        self.area += u64::from(end - start);
        self.bbox = self.bbox.union(BBox::new(start, y, end - start, 1));
    }
}

/// Pixel edges that a piece shares with a zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Contact {
    piece: u32,
    zone: u32,
    length: u32,
}

impl Details {
    /// What lies between zones of at least `min_area` pixels.
    pub(crate) fn new(zones: &Zones, min_area: u64) -> Self {
        let runs = &zones.runs;
        let (pieces, piece_of) = pieces(zones, min_area);
        let contacts = contacts(runs, &pieces, &piece_of);
        let mut fates: Vec<Option<u32>> = pieces.iter().map(|piece| piece.zone).collect();
        let letter_of: BTreeMap<u32, u32> = (0..)
            .zip(&pieces)
            .filter_map(|(index, piece)| Some((piece.zone?, index)))
            .collect();
        // For each letter the zone that it, or its soft edge, touches most.
        let mut grounds: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
        let (mut pictures, mut pictured) = (Vec::new(), 0);
        let mut around = contacts.chunk_by(|a, b| a.piece == b.piece).peekable();
        for (index, piece) in (0..).zip(&pieces) {
            let touched = around
                .next_if(|touched| touched[0].piece == index)
                .unwrap_or(&[]);
            let is_ground = |contact: &&Contact| !letter_of.contains_key(&contact.zone);
            let ground = touched.iter().filter(is_ground);
            let ground = ground.max_by_key(|contact| contact.length);
            let mut stands = |letter: u32| {
                if let Some(Contact { zone, length, .. }) = ground {
                    let most = grounds.entry(letter).or_default();
                    *most = (*most).max((*length, *zone));
                }
            };
            let letters = touched.iter().filter_map(|c| letter_of.get(&c.zone));
            letters.for_each(|&letter| stands(letter));
            let length: u64 = touched.iter().map(|c| u64::from(c.length)).sum();
            if piece.zone.is_some() {
                stands(index);
            } else if touched.len() > 1 && length as f64 >= EDGE_CONTACT * piece.area as f64 {
                let wide = touched
                    .iter()
                    .filter(|contact| f64::from(contact.length) >= EDGE_SHARE * length as f64);
                let inner = wide.min_by_key(|contact| zones.areas[contact.zone as usize]);
                fates[index as usize] = inner.or(ground).map(|contact| contact.zone);
            } else if touched.is_empty() || piece.area >= PICTURE * min_area {
                pictures.push(index);
                pictured += piece.area;
            } else {
                fates[index as usize] = ground.or(touched.first()).map(|contact| contact.zone);
                if piece.bbox.area() >= DOT {
                    stands(index);
                }
            }
        }
        let letters = grounds
            .into_iter()
            .map(|(letter, (_, ground))| (letter as usize, ground))
            .collect();
        let mut lines = Vec::new();
        for line in lines_of(&pieces, letters) {
            let [(first, ground), ..] = line[..] else {
                continue;
            };
            let boxes = line.iter().map(|&(index, _)| pieces[index].bbox);
            let bbox = boxes.fold(BBox::default(), BBox::union);
            let is_one_zone = line.len() == 1 && pieces[first].zone.is_some();
            if is_one_zone || bbox.area() < min_area {
                continue;
            }
            let label = (zones.count + lines.len()) as u32;
            for &(index, _) in &line {
                fates[index] = Some(label);
            }
            lines.push(Line {
                label,
                ground,
                bbox,
            });
        }
        // What letters enclose is theirs: the bowl of a b.
        let enclosed: BTreeMap<u32, u32> = contacts
            .iter()
            .filter_map(|contact| {
                let fate = fates[contact.piece as usize]?;
                let letter = letter_of
                    .get(&fate)
                    .and_then(|&letter| fates[letter as usize]);
                let line = letter.unwrap_or(fate).checked_sub(zones.count as u32)?;
                let line: &Line = lines.get(line as usize)?;
                let bbox = zones.boxes[contact.zone as usize];
                line.bbox
                    .encloses(bbox)
                    .then_some((contact.zone, line.label))
            })
            .collect();
        let first_picture = zones.count + lines.len();
        for (&index, label) in pictures.iter().zip(first_picture as u32..) {
            fates[index as usize] = Some(label);
        }
        let labels = piece_of.iter().enumerate().map(|(run, piece)| {
            let fate = piece.and_then(|piece| fates[piece as usize]);
            let label = fate.unwrap_or(runs.label(run));
            // A soft edge goes with its letter into the line.
            let letter = letter_of.get(&label);
            let fate = letter.and_then(|&letter| fates[letter as usize]);
            fate.or_else(|| enclosed.get(&label).copied())
                .unwrap_or(label)
        });
        Self {
            labels: labels.collect(),
            lines,
            pictured,
        }
    }
}

/// The pieces, and for each run that of its own, if it belongs to one.
fn pieces(zones: &Zones, min_area: u64) -> (Vec<Piece>, Vec<Option<u32>>) {
    let runs = &zones.runs;
    let is_small = |zone: u32| zones.areas[zone as usize] < min_area;
    let highest = LETTER_HEIGHT.min(runs.size().height / LETTER_PART);
    let may_be_letter = |zone: u32| {
        let (area, bbox) = (zones.areas[zone as usize], zones.boxes[zone as usize]);
        bbox.height <= highest
            && ((area as f64) < LETTER_FILL * bbox.area() as f64 || is_stroke(bbox))
    };
    let mut sets = Sets::new(runs.len());
    runs.touching(|a, b, _| {
        let (one, other) = (runs.label(a), runs.label(b));
        if one == other || (is_small(one) && is_small(other)) {
            let (a, b) = (sets.root(a as u32), sets.root(b as u32));
            sets.join(a.max(b), a.min(b));
        }
    });
    let mut names = vec![None; runs.len()];
    let (mut pieces, mut piece_of) = (Vec::new(), Vec::with_capacity(runs.len()));
    runs.each(|y, start, run| {
        let small = is_small(run.label);
        let index = piece_of.len();
        piece_of.push((small || may_be_letter(run.label)).then(|| {
            let root = sets.root(index as u32) as usize;
            let name = *names[root].get_or_insert_with(|| {
                pieces.push(Piece {
                    zone: (!small).then_some(run.label),
                    ..Piece::default()
                });
                pieces.len() as u32 - 1
            });
            pieces[name as usize].add(y, start, run.end);
            name
        }));
    });
    (pieces, piece_of)
}

/// Where pieces touch zones that are none, ordered by piece.
fn contacts(runs: &Runs, pieces: &[Piece], piece_of: &[Option<u32>]) -> Vec<Contact> {
    let mut contacts = Vec::new();
    runs.touching(|a, b, length| {
        for (one, other) in [(a, b), (b, a)] {
            let zone = match piece_of[other] {
                None => Some(runs.label(other)),
                Some(piece) => pieces[piece as usize].zone,
            };
            // A letter that is a zone touches its ground alone.
            let by_letter =
                |piece: u32| pieces[piece as usize].zone.is_some() && piece_of[other].is_some();
            if let (Some(piece), Some(zone)) = (piece_of[one], zone)
                && piece_of[other] != Some(piece)
                && !by_letter(piece)
            {
                contacts.push(Contact {
                    piece,
                    zone,
                    length,
                });
            }
        }
    });
    contacts.sort_unstable();
    contacts.dedup_by(|next, sum| {
        let is_same = (next.piece, next.zone) == (sum.piece, sum.zone);
        if is_same {
            sum.length += next.length;
        }
        is_same
    });
    contacts
}

/// Letters, each with its ground, line by line.
fn lines_of(pieces: &[Piece], mut letters: Vec<(usize, u32)>) -> Vec<Vec<(usize, u32)>> {
    letters.sort_unstable_by_key(|&(index, ground)| (ground, pieces[index].bbox.y, index));
    let mut sets = Sets::new(letters.len());
    for (at, &(index, ground)) in letters.iter().enumerate() {
        let bbox = pieces[index].bbox;
        let below = letters[at + 1..].iter().zip(at + 1..);
        for (&(other, other_ground), other_at) in below {
            let other = pieces[other].bbox;
            if other_ground != ground || u64::from(other.y) >= bbox.bottom() {
                break;
            }
            if are_in_line(bbox, other) {
                let (a, b) = (sets.root(at as u32), sets.root(other_at as u32));
                sets.join(a.max(b), a.min(b));
            }
        }
    }
    let mut names = vec![None; letters.len()];
    let mut lines: Vec<Vec<(usize, u32)>> = Vec::new();
    for (at, &letter) in letters.iter().enumerate() {
        let line = *names[sets.root(at as u32) as usize].get_or_insert_with(|| {
            lines.push(Vec::new());
            lines.len() - 1
        });
        lines[line].push(letter);
    }
    lines
}

fn are_in_line(a: BBox, b: BBox) -> bool {
    let lower = f64::from(a.height.min(b.height));
    let overlap = a.bottom().min(b.bottom()) as f64 - f64::from(a.y.max(b.y));
    let gap = f64::from(a.x.max(b.x)) - a.right().min(b.right()) as f64;
    let most = match (is_stroke(a) || is_stroke(b), a.height.min(b.height)) {
        (_, ..=SMALL_HEIGHT) => SMALL_GAP,
        (true, _) => STROKE_GAP,
        (false, _) => LARGE_GAP,
    };
    overlap >= LETTER_OVERLAP * lower && gap <= most * lower
}

fn is_stroke(bbox: BBox) -> bool {
    bbox.height <= STROKE_HEIGHT && f64::from(bbox.width) <= STROKE_WIDTH * f64::from(bbox.height)
}
