//! The colours of marks: from a fixed palette, chosen to differ from what lies beneath and from
//! the marks around.

use super::{
    numbering::Chance,
    place::Place,
    visible::{Owner, Visible, for_each_change},
};
use crate::{Color, Image};

/// Colours far from each other in OKLab, none near black or white, none glaring: lightness 0.46
/// to 0.86, chroma 0.105 to 0.178, chosen one by one to be farthest from those before.
const PALETTE: [Color; 20] = [
    Color::from_u32(0x1ea2ae),
    Color::from_u32(0x36eafc),
    Color::from_u32(0x006090),
    Color::from_u32(0x0084e4),
    Color::from_u32(0x84b4fc),
    Color::from_u32(0x6048ba),
    Color::from_u32(0xae72e4),
    Color::from_u32(0xf0bafc),
    Color::from_u32(0x902484),
    Color::from_u32(0xf66ca2),
    Color::from_u32(0xae5a78),
    Color::from_u32(0xa21e1e),
    Color::from_u32(0xfcae84),
    Color::from_u32(0xde6600),
    Color::from_u32(0x846000),
    Color::from_u32(0xae9c36),
    Color::from_u32(0xead20c),
    Color::from_u32(0x006c00),
    Color::from_u32(0x6cf090),
    Color::from_u32(0x1eae60),
];

/// The colour of every placed mark, in the order of `places`: one of `own`, if there are any. Any
/// `shuffle` but 0 makes other colours win where several are about as good.
pub(super) fn choose(
    image: &Image<'_>,
    visible: &Visible,
    places: &[Place],
    own: &[Color],
    shuffle: u64,
) -> Vec<Color> {
    let colors = if own.is_empty() { &PALETTE } else { own };
    let beneath = beneath(image, visible);
    let neighbours = neighbours(visible, places);
    let palette: Vec<OkLab> = colors.iter().copied().map(OkLab::from).collect();
    let mut used = vec![0_u64; colors.len()];
    if shuffle != 0 {
        let mut chance = Chance(shuffle);
        used.fill_with(|| chance.below(OTHERS));
    }
    // By rank, the largest first, so that the order of placing does not matter.
    let mut chosen: Vec<Option<usize>> = vec![None; beneath.len()];
    let mut marked = vec![false; beneath.len()];
    places.iter().for_each(|place| marked[place.rank] = true);
    for rank in (0..beneath.len()).filter(|&rank| marked[rank]) {
        let taken: Vec<OkLab> = neighbours
            .of(rank)
            .filter_map(|other| chosen[other])
            .map(|i| palette[i])
            .collect();
        let from_beneath =
            |color: &OkLab| beneath[rank].map_or(ENOUGH, |below| color.distance(below).min(ENOUGH));
        let mut best = (0, f32::MIN);
        for (index, color) in palette.iter().enumerate() {
            let nearest = taken
                .iter()
                .map(|other| color.distance(*other))
                .fold(ENOUGH, f32::min);
            let beneath = from_beneath(color);
            let score = nearest.min(beneath) + 0.25 * beneath - USED * used[index] as f32;
            if score > best.1 {
                best = (index, score);
            }
        }
        let best = best.0;
        used[best] += 1;
        chosen[rank] = Some(best);
    }
    places
        .iter()
        .map(|place| colors[chosen[place.rank].unwrap_or(0)])
        .collect()
}

/// Colours farther apart than this in OKLab are different enough.
const ENOUGH: f32 = 0.3;
/// What each earlier use of a colour costs, so that all of the palette is used.
const USED: f32 = 0.004;
/// A shuffled choice starts as if each colour had been used up to so many times.
const OTHERS: u64 = 25;

/// A colour in the perceptual space of Björn Ottosson (*A perceptual color space for image
/// processing*, 2020).
#[derive(Clone, Copy, Debug, PartialEq)]
struct OkLab([f32; 3]);

impl OkLab {
    fn distance(self, other: OkLab) -> f32 {
        let [dl, da, db] = [0, 1, 2].map(|i| self.0[i] - other.0[i]);
        (dl * dl + da * da + db * db).sqrt()
    }
}

impl From<Color> for OkLab {
    fn from(color: Color) -> Self {
        let [r, g, b] = color.linear();
        let cone = |r_share: f32, g_share: f32, b_share: f32| {
            (r_share * r + g_share * g + b_share * b).cbrt()
        };
        let l = cone(0.412_221_46, 0.536_332_55, 0.051_445_995);
        let m = cone(0.211_903_5, 0.680_699_5, 0.107_396_96);
        let s = cone(0.088_302_46, 0.281_718_85, 0.629_978_7);
        Self([
            0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
            1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
            0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
        ])
    }
}

/// The mean colour of every visible region, by rank; `None` where nothing is visible.
fn beneath(image: &Image<'_>, visible: &Visible) -> Vec<Option<OkLab>> {
    /// A region of more rows than this is sampled, and so are its runs.
    const ROWS: u32 = 24;
    /// Of a run, every so many pixels.
    const COLUMNS: usize = 4;
    let width = visible.size().width as usize;
    let pixels = image.as_raw();
    (0..visible.parts().len())
        .map(|rank| {
            let step = (visible.parts()[rank].bbox.height / ROWS).max(1);
            let (mut sum, mut count) = ([0_u64; 3], 0_u64);
            let first = visible.runs(rank).first()?.y;
            for run in visible
                .runs(rank)
                .iter()
                .filter(|run| (run.y - first) % step == 0)
            {
                let row = run.y as usize * width;
                let run = 3 * (row + run.start as usize)..3 * (row + run.end as usize);
                for pixel in pixels[run].chunks_exact(3).step_by(COLUMNS) {
                    count += 1;
                    for (sum, &channel) in sum.iter_mut().zip(pixel) {
                        *sum += u64::from(channel);
                    }
                }
            }
            Some(Color(sum.map(|sum| (sum / count) as u8)).into())
        })
        .collect()
}

/// Which ranks lie next to which.
struct Neighbours(Vec<(Owner, Owner)>);

impl Neighbours {
    fn of(&self, rank: usize) -> impl Iterator<Item = usize> {
        let first = self.0.partition_point(|&(a, _)| usize::from(a) < rank);
        self.0[first..]
            .iter()
            .take_while(move |&&(a, _)| usize::from(a) == rank)
            .map(|&(_, b)| usize::from(b))
    }
}

/// Regions that touch, and marks whose labels lie close together.
fn neighbours(visible: &Visible, places: &[Place]) -> Neighbours {
    /// Rows and columns that are looked along.
    const STEP: usize = 8;
    let mut pairs: Vec<(Owner, Owner)> = Vec::new();
    let mut touch = |a: Owner, b: Owner| {
        if a != b && a != 0 && b != 0 && pairs.last() != Some(&(a - 1, b - 1)) {
            pairs.push((a - 1, b - 1));
        }
    };
    let height = visible.size().height;
    for row in (0..height).step_by(STEP).map(|y| visible.row(y)) {
        for_each_change(row, |x| {
            if let Some(&right) = row.get(x) {
                touch(row[x - 1], right);
            }
        });
    }
    for (above, below) in (1..height).map(|y| (visible.row(y - 1), visible.row(y))) {
        for (above, below) in above.chunks(STEP).zip(below.chunks(STEP)) {
            touch(above[0], below[0]);
        }
    }
    let mut labels: Vec<&Place> = places
        .iter()
        .filter(|place| !place.label.is_empty())
        .collect();
    labels.sort_by_key(|place| (place.page, place.label.x, place.rank));
    for (index, a) in labels.iter().enumerate() {
        let reach = 2 * a.label.width.max(a.label.height);
        for b in &labels[index + 1..] {
            if b.page != a.page || b.label.x.saturating_sub(a.label.x) > reach {
                break;
            }
            if a.label.y.abs_diff(b.label.y) <= reach {
                pairs.push((a.rank as Owner, b.rank as Owner));
            }
        }
    }
    let mirrored: Vec<_> = pairs.iter().map(|&(a, b)| (b, a)).collect();
    pairs.extend(mirrored);
    pairs.sort_unstable();
    pairs.dedup();
    Neighbours(pairs)
}
