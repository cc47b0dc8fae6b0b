//! The colours of marks: from a fixed palette, chosen to differ from what lies beneath and from
//! the marks around.

use std::{cmp::Reverse, sync::LazyLock};

use super::{
    numbering::Chance,
    place::Place,
    visible::{Owner, Visible, for_each_change},
};
use crate::{Color, Image};

const COLORS: usize = 40;

/// Colours that people tell apart: any two differ by more than 14 in CIEDE2000. None is near black,
/// white or gray. The first half was chosen in OKLab (lightness 0.46 to 0.86, chroma 0.105 to
/// 0.178), the second in CIEDE2000 (0.42 to 0.9, 0.09 to 0.25), one by one to be farthest from those
/// before.
const PALETTE: [Color; COLORS] = [
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
    Color::from_u32(0xff3642),
    Color::from_u32(0x007866),
    Color::from_u32(0x90c600),
    Color::from_u32(0xfca800),
    Color::from_u32(0xa86654),
    Color::from_u32(0x6cccb4),
    Color::from_u32(0x727e3c),
    Color::from_u32(0xffaeb4),
    Color::from_u32(0xd8e49c),
    Color::from_u32(0x783c0c),
    Color::from_u32(0x900c42),
    Color::from_u32(0x4e5400),
    Color::from_u32(0xd82ab4),
    Color::from_u32(0x06c0f6),
    Color::from_u32(0x7278b4),
    Color::from_u32(0xba8a54),
    Color::from_u32(0x00788a),
    Color::from_u32(0xfcd290),
    Color::from_u32(0xff78f6),
    Color::from_u32(0x90a866),
];

/// Colours to choose from, in OKLab as well, and how far each is from each.
struct Palette {
    colors: Vec<Color>,
    lab: Vec<OkLab>,
    apart: Vec<Vec<f32>>,
}

impl Palette {
    fn new(colors: &[Color]) -> Self {
        let lab: Vec<OkLab> = colors.iter().copied().map(OkLab::from).collect();
        let from = |a: &OkLab| lab.iter().map(|b| a.distance(*b)).collect();
        Self {
            colors: colors.to_vec(),
            apart: lab.iter().map(from).collect(),
            lab,
        }
    }
}

static USUAL: LazyLock<Palette> = LazyLock::new(|| Palette::new(&PALETTE));

/// The colour of every placed mark, in the order of `places`: one of `own`, if there are any.
/// Neighbours share none, as long as there are enough; with that proviso each has the one that is `kept`
/// for it, by rank. Any `shuffle` but 0 makes other colours win
/// where several are about as good.
pub(super) fn choose(
    image: &Image<'_>,
    visible: &Visible,
    places: &[Place],
    own: &[Color],
    kept: &[Option<Color>],
    shuffle: u64,
) -> Vec<Color> {
    let beneath = beneath(image, visible);
    let neighbours = Neighbours::new(visible, places);
    let own = (!own.is_empty()).then(|| Palette::new(own));
    let palette = own.as_ref().unwrap_or(&USUAL);
    let count = palette.colors.len();
    let mut lead = vec![0.0; count];
    if shuffle != 0 {
        let mut chance = Chance(shuffle);
        lead.fill_with(|| chance.below(LEADS) as f32 * LEAD);
    }
    let mut used = vec![0_u16; count];
    let mut chosen: Vec<Option<usize>> = vec![None; beneath.len()];
    let mut ranks: Vec<usize> = places.iter().map(|place| place.rank).collect();
    for &rank in &ranks {
        let index = kept[rank].and_then(|kept| palette.colors.iter().position(|&it| it == kept));
        let is_shared = |index| {
            let mut others = neighbours.of(rank).iter();
            others.any(|&other| chosen[usize::from(other)] == Some(index))
        };
        if let Some(index) = index.filter(|&index| !is_shared(index)) {
            used[index] = used[index].saturating_add(1);
            chosen[rank] = Some(index);
        }
    }
    ranks.retain(|&rank| chosen[rank].is_none());
    // Who has most neighbours first, of equal ones the largest: so the order of placing does not
    // matter, and who comes late has few neighbours to differ from.
    ranks.sort_unstable_by_key(|&rank| (Reverse(neighbours.of(rank).len()), rank));
    for rank in ranks {
        // How far each colour is from those of the neighbours.
        let mut nearest = vec![ENOUGH; count];
        for other in neighbours.of(rank) {
            if let Some(taken) = chosen[usize::from(*other)] {
                for (nearest, &apart) in nearest.iter_mut().zip(&palette.apart[taken]) {
                    *nearest = nearest.min(apart);
                }
            }
        }
        let mut best = (0, f32::MIN);
        for (index, color) in palette.lab.iter().enumerate() {
            let from_beneath =
                beneath[rank].map_or(ENOUGH, |below| color.distance(below).min(ENOUGH));
            let mut score = nearest[index].min(from_beneath) + 0.25 * from_beneath
                - USED * f32::from(used[index])
                - lead[index];
            if nearest[index] == 0.0 {
                score -= SHARED;
            }
            if score > best.1 {
                best = (index, score);
            }
        }
        let best = best.0;
        used[best] = used[best].saturating_add(1);
        chosen[rank] = Some(best);
    }
    places
        .iter()
        .map(|place| palette.colors[chosen[place.rank].unwrap_or(0)])
        .collect()
}

/// Colours farther apart than this in OKLab are different enough.
const ENOUGH: f32 = 0.3;
/// What each earlier use of a colour costs, so that all of the palette is used: 49 marks on ground of
/// one colour take 30 of them.
const USED: f32 = 0.12;
/// What it costs to share a colour with a neighbour: more than anything else together.
const SHARED: f32 = 1e4;
/// In a shuffled choice each colour may be behind by up to so many steps …
const LEADS: u64 = 25;
/// … of this size.
const LEAD: f32 = 0.004;

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

/// Which ranks lie next to which: regions that touch, and marks whose labels lie close together.
struct Neighbours(Vec<Vec<Owner>>);

impl Neighbours {
    fn new(visible: &Visible, places: &[Place]) -> Self {
        let mut neighbours = Self(vec![Vec::new(); visible.parts().len()]);
        neighbours.add_touching(visible);
        neighbours.add_labels(places);
        neighbours
    }

    fn of(&self, rank: usize) -> &[Owner] {
        &self.0[rank]
    }

    fn add(&mut self, a: usize, b: usize) {
        // The smaller region has fewer neighbours to look through.
        let (large, small) = (a.min(b), a.max(b));
        if large != small && !self.0[small].contains(&(large as Owner)) {
            self.0[small].push(large as Owner);
            self.0[large].push(small as Owner);
        }
    }

    /// Wherever two owners lie beside or above each other: where the owner changes along a row, and
    /// between two rows where it changes along either.
    fn add_touching(&mut self, visible: &Visible) {
        let (mut changes, mut changes_above) = (Vec::new(), Vec::new());
        let mut above: &[Owner] = &[];
        for row in (0..visible.size().height).map(|y| visible.row(y)) {
            let mut touch = |a: Owner, b: Owner| {
                if a != b && a != 0 && b != 0 {
                    self.add(usize::from(a) - 1, usize::from(b) - 1);
                }
            };
            changes.clear();
            changes.push(0);
            for_each_change(row, |x| {
                if let Some(&right) = row.get(x) {
                    touch(row[x - 1], right);
                    changes.push(x);
                }
            });
            if !above.is_empty() {
                for &x in changes.iter().chain(&changes_above) {
                    touch(above[x], row[x]);
                }
            }
            std::mem::swap(&mut changes, &mut changes_above);
            above = row;
        }
    }

    fn add_labels(&mut self, places: &[Place]) {
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
                    self.add(a.rank, b.rank);
                }
            }
        }
    }
}
