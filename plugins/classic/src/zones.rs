//! Zones: where a drawn picture has one colour.
//!
//! Screens, charts, maps and scans after cleaning are made of areas of one colour with lines and
//! letters between; photographs are not. Zones are found at the full resolution, run by run, and a
//! picture that is not mostly made of them has none, unless most of it is light paper, as of a scan,
//! which counts as one colour then.

use som_core::{BBox, Call, Image, Result, Size};

use crate::{partition::Runs, sets::Sets};

/// A picture is drawn, if at least this share of it lies in runs of one colour …
const FLAT_SHARE: f64 = 0.4;
/// … of at least so many pixels.
const FLAT_RUN: usize = 8;
/// Rows from one that is looked at for this to the next.
const ROWS: u32 = 8;
/// A picture is written on paper, if at least this share of it is …
const PAPER_SHARE: f64 = 0.55;
/// … within so much of one colour in each channel, …
const PAPER_NEAR: u8 = 28;
/// … none of which is darker.
const PAPER_LIGHT: u8 = 170;
/// Rows and columns from one that is looked at for this to the next.
const PAPER_STEP: usize = 4;
/// Channels of neighbouring pixels that differ by no more belong to one zone: shading has no edges.
const STEP: u8 = 3;

/// The runs of one colour of a drawn picture, and the zones they belong to.
pub(crate) struct Zones {
    /// Labelled by zone.
    pub(crate) runs: Runs,
    /// Number of zones.
    pub(crate) count: usize,
    /// Their pixels, …
    pub(crate) areas: Vec<u64>,
    /// … and the smallest boxes around them.
    pub(crate) boxes: Vec<BBox>,
    /// Only the paper is of one colour.
    pub(crate) is_paper: bool,
}

impl Zones {
    /// The zones of a picture that is drawn; `None` for a photograph.
    ///
    /// # Errors
    /// Cancelled.
    pub(crate) fn of(image: &Image<'_>, call: &Call<'_>) -> Result<Option<Self>> {
        let paper = match is_drawn(image) {
            true => None,
            false => match paper(image) {
                None => return Ok(None),
                paper => paper,
            },
        };
        let cleaned = |pixel: [u8; 3]| match paper {
            Some(paper) if is_near(pixel, paper) => paper,
            _ => pixel,
        };
        let (width, height) = image.dimensions();
        let mut runs = Runs::new(Size::new(width, height));
        for y in 0..height {
            call.check()?;
            for (x, pixel) in (1..).zip(row(image, y)) {
                runs.push(x, color(cleaned(*pixel)));
            }
            runs.end_row();
        }
        let mut sets = Sets::new(runs.len());
        runs.touching(|a, b, _| {
            if is_step(runs.label(a), runs.label(b)) {
                return;
            }
            let (a, b) = (sets.root(a as u32), sets.root(b as u32));
            sets.join(a.max(b), a.min(b));
        });
        let mut names = vec![None; runs.len()];
        let mut count = 0;
        let runs = runs.relabelled(|run| {
            *names[sets.root(run as u32) as usize].get_or_insert_with(|| {
                count += 1;
                count - 1
            })
        });
        let count = count as usize;
        let (mut areas, mut boxes) = (vec![0; count], vec![BBox::default(); count]);
        runs.each(|y, start, run| {
            let length = run.end - start;
            areas[run.label as usize] += u64::from(length);
            let bbox = &mut boxes[run.label as usize];
            *bbox = bbox.union(BBox::new(start, y, length, 1));
        });
        Ok(Some(Self {
            runs,
            count,
            areas,
            boxes,
            is_paper: paper.is_some(),
        }))
    }
}

/// True if enough of the picture lies in runs of one colour.
fn is_drawn(image: &Image<'_>) -> bool {
    let (mut flat, mut all) = (0, 0);
    for y in (0..image.height()).step_by(ROWS as usize) {
        let row = row(image, y);
        all += row.len();
        let equal = row.chunk_by(|a, b| a == b);
        flat += equal
            .map(<[_]>::len)
            .filter(|&length| length >= FLAT_RUN.min(row.len()))
            .sum::<usize>();
    }
    flat as f64 >= FLAT_SHARE * all as f64
}

/// The colour of the paper, if the picture is on some.
fn paper(image: &Image<'_>) -> Option<[u8; 3]> {
    /// Steps a channel.
    const STEPS: usize = 16;
    let rows = (0..image.height()).step_by(PAPER_STEP);
    let pixels = || {
        let rows = rows.clone();
        rows.flat_map(|y| row(image, y).iter().step_by(PAPER_STEP))
    };
    let bin = |pixel: &[u8; 3]| {
        let [r, g, b] = pixel.map(|channel| usize::from(channel) * STEPS / 256);
        (r * STEPS + g) * STEPS + b
    };
    let mut counts = vec![0_u64; STEPS * STEPS * STEPS];
    pixels().for_each(|pixel| counts[bin(pixel)] += 1);
    let all: u64 = counts.iter().sum();
    let (most, &count) = (0..)
        .zip(&counts)
        .max_by_key(|&(bin, count)| (count, bin))?;
    let mut sum = [0; 3];
    for pixel in pixels().filter(|pixel| bin(pixel) == most) {
        for (sum, &channel) in sum.iter_mut().zip(pixel) {
            *sum += u64::from(channel);
        }
    }
    let paper = sum.map(|sum| (sum / count.max(1)) as u8);
    let near = pixels().filter(|pixel| is_near(**pixel, paper)).count();
    let is_paper = paper.iter().all(|&channel| channel >= PAPER_LIGHT)
        && near as f64 >= PAPER_SHARE * all as f64;
    is_paper.then_some(paper)
}

fn is_near(pixel: [u8; 3], paper: [u8; 3]) -> bool {
    let mut channels = pixel.into_iter().zip(paper);
    channels.all(|(a, b)| a.abs_diff(b) <= PAPER_NEAR)
}

fn row<'a>(image: &'a Image<'_>, y: u32) -> &'a [[u8; 3]] {
    let width = image.width() as usize;
    let (pixels, _) = image.as_raw().as_chunks();
    &pixels[y as usize * width..][..width]
}

fn color([r, g, b]: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, r, g, b])
}

/// True if colours are parted by an edge.
fn is_step(a: u32, b: u32) -> bool {
    let (a, b) = (a.to_be_bytes(), b.to_be_bytes());
    a.into_iter().zip(b).any(|(a, b)| a.abs_diff(b) > STEP)
}

#[cfg(test)]
mod tests {
    use som_core::Params;

    use super::*;

    fn zones(width: u32, height: u32, color: impl Fn(u32, u32) -> [u8; 3]) -> Option<Zones> {
        let picture = image::RgbImage::from_fn(width, height, |x, y| image::Rgb(color(x, y)));
        let view = Image::from_raw(width, height, picture.as_raw().as_slice()).unwrap();
        let params = Params::new();
        Zones::of(&view, &Call::uncancellable(&params)).unwrap()
    }

    #[test]
    fn areas_of_one_colour_are_zones() {
        let board = zones(80, 64, |x, y| [200 * ((x / 16 + y / 16) % 2) as u8; 3]).unwrap();
        assert_eq!(board.count, 20);
        // Shading from left to right, and a dark bar.
        let shaded = zones(90, 64, |x, _| match x {
            40..60 => [0; 3],
            x => [100 + (x / 9) as u8; 3],
        });
        assert_eq!(shaded.unwrap().count, 3);
    }

    #[test]
    fn photographs_have_none() {
        assert!(zones(64, 64, |x, y| [(x * 7 + y * 13) as u8; 3]).is_none());
    }

    #[test]
    fn paper_is_one_zone_however_it_was_scanned() {
        let scan = zones(90, 90, |x, y| match (30..50).contains(&x) && y % 30 < 12 {
            true => [40 + (x % 5) as u8; 3],
            false => [225 + ((x * 7 + y * 13) % 17) as u8; 3],
        });
        let scan = scan.unwrap();
        assert!(scan.is_paper && scan.areas.iter().max() > Some(&7000));
    }
}
