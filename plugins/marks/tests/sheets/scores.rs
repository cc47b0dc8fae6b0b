//! What is measured of a marked picture.

use image::RgbImage;
use som_core::{
    AllocateOptions, Allocation, BBox, Call, Image, MarkStyle, Mask, Params, Point, Region,
    Segmenter as _, Size,
    pipeline::{Ink, Marked, mark},
};

use crate::{ciede2000::difference, easel::Easel};

/// A region is found that overlaps the true thing by so much.
const FOUND: f64 = 0.5;
/// Of a region so many pixels from its outline nothing may change its colour.
const RIM: u32 = 12;

/// The scores of one picture.
pub(crate) struct Scores {
    /// Share of the things that the default segmenter finds at its default level.
    pub(crate) found: f64,
    pub(crate) regions: usize,
    /// The largest CIEDE2000 difference inside a region, off its rim and off labels.
    pub(crate) shift: f64,
    /// Mean and largest share of a thing's ink that labels hide, the things being given.
    pub(crate) hidden: (f64, f64),
    pub(crate) pages: u32,
    pub(crate) scale: u32,
    /// Marks of things that hold all promises, and all of them.
    pub(crate) holding: (usize, usize),
}

/// The picture as it comes from the default segmenter, marked, and its scores.
pub(crate) fn score(easel: &Easel) -> (Marked, Scores) {
    let regions = segment(&easel.picture);
    let found = |truth: &&Mask| regions.iter().any(|region| region.mask.iou(truth) >= FOUND);
    let truths: Vec<&Mask> = easel.things.iter().map(|(_, mask)| mask).collect();
    let found = truths.iter().filter(|truth| found(truth)).count();
    let count = regions.len();
    let marked = draw(&easel.picture, regions);
    let given = truths.iter().map(|&mask| Region::new(mask.clone()));
    let given = draw(&easel.picture, given.collect()).allocation;
    let hidden: Vec<f64> = given
        .marks
        .iter()
        .map(|mark| f64::from(mark.facts.ink_hidden))
        .collect();
    let holding = given.marks.iter().filter(|mark| mark.facts.hold(9.0));
    let scores = Scores {
        found: found as f64 / truths.len().max(1) as f64,
        regions: count,
        shift: shift(&easel.picture, &marked),
        hidden: (
            hidden.iter().sum::<f64>() / hidden.len().max(1) as f64,
            hidden.iter().copied().fold(0.0, f64::max),
        ),
        pages: given.pages,
        scale: given.scale,
        holding: (holding.count(), given.marks.len()),
    };
    (marked, scores)
}

pub(crate) fn segment(picture: &RgbImage) -> Vec<Region> {
    let params = Params::new();
    let mut segmenter = som_classic::Classic;
    let regions = segmenter.segment(&view(picture), &Call::uncancellable(&params));
    regions.expect("regions")
}

/// The default stack.
pub(crate) fn draw(picture: &RgbImage, regions: Vec<Region>) -> Marked {
    let params = Params::new();
    let stack = [
        &som_marks::MaskFill as &dyn MarkStyle,
        &som_marks::Contour,
        &som_marks::Number,
    ];
    let stack = stack.map(|style| Ink {
        style,
        params: &params,
    });
    let (options, call) = (AllocateOptions::default(), Call::uncancellable(&params));
    mark(&view(picture), regions, &stack, &options, &call).expect("marks")
}

fn view(picture: &RgbImage) -> Image<'_> {
    let pixels = picture.as_raw().as_slice();
    Image::from_raw(picture.width(), picture.height(), pixels).expect("as many pixels")
}

/// Of the first page, if it is as large as the picture.
fn shift(picture: &RgbImage, marked: &Marked) -> f64 {
    let Allocation { marks, scale, .. } = &marked.allocation;
    let (Some(page), 1) = (marked.pages.first(), scale) else {
        return 0.0;
    };
    let size = Size::new(picture.width(), picture.height());
    let on_page: Vec<_> = marks.iter().filter(|mark| mark.page == 1).collect();
    let mut most: f64 = 0.0;
    for mark in &on_page {
        let inner = eroded(&mark.mark.region.mask);
        for (y, spans) in inner.rows() {
            for x in spans.iter().flat_map(|span| span.start..span.end) {
                let (was, is) = (picture.get_pixel(x, y).0, page.get_pixel(x, y).0);
                if was != is && !is_labelled(Point::new(x, y), &marked.allocation, size) {
                    most = most.max(difference(was, is));
                }
            }
        }
    }
    most
}

/// What is left of a mask if [`RIM`] pixels are taken off all around, the border of the image too.
fn eroded(mask: &Mask) -> Mask {
    let Size { width, height } = mask.size();
    let within = (
        width.saturating_sub(2 * RIM),
        height.saturating_sub(2 * RIM),
    );
    let within = Mask::rect(mask.size(), BBox::new(RIM, RIM, within.0, within.1));
    let mut left = mask.intersection(&within);
    for _ in 0..RIM {
        let outside = left.complement();
        for (dx, dy) in [(1, 0), (-1, 0), (0, 1), (0, -1)] {
            left = left.difference(&moved(&outside, dx, dy));
        }
    }
    left
}

fn moved(mask: &Mask, dx: i64, dy: i64) -> Mask {
    let size = mask.size();
    let mut moved = som_core::MaskBuilder::new(size);
    for (y, spans) in mask.rows() {
        let Ok(y) = u32::try_from(i64::from(y) + dy) else {
            continue;
        };
        for span in spans {
            let column = |x: u32| (i64::from(x) + dx).clamp(0, i64::from(size.width)) as u32;
            moved.push(y, column(span.start), column(span.end));
        }
    }
    moved.finish()
}

/// True on or next to a label or a leader line.
fn is_labelled(point: Point, allocation: &Allocation, size: Size) -> bool {
    const NEAR: u32 = 6;
    allocation.marks.iter().any(|mark| {
        let label = mark.mark.label_box;
        let around = BBox::new(
            label.x.saturating_sub(NEAR),
            label.y.saturating_sub(NEAR),
            label.width + 2 * NEAR,
            label.height + 2 * NEAR,
        );
        let leader = mark.mark.leader();
        around
            .intersection(size.bbox())
            .is_some_and(|around| around.contains(point))
            || leader.is_some_and(|[a, b]| {
                let (ax, ay) = (f64::from(a.x), f64::from(a.y));
                let (dx, dy) = (f64::from(b.x) - ax, f64::from(b.y) - ay);
                let (px, py) = (f64::from(point.x) - ax, f64::from(point.y) - ay);
                let part = ((px * dx + py * dy) / (dx * dx + dy * dy).max(1.0)).clamp(0.0, 1.0);
                f64::hypot(px - part * dx, py - part * dy) < f64::from(NEAR) * 2.0
            })
    })
}
