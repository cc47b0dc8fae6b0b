//! Semantic segmentation: queries vote on the class of every pixel.

use rayon::prelude::*;
use som_core::Mask;
use tch::{Device, Kind, Tensor};

use super::{bands, first_largest, sigmoid};
use crate::{TorchResult, masks::Enlargement};

/// What queries say about classes and pixels.
#[derive(Debug)]
pub struct Voting<'a> {
    /// How likely each query is of each class, `[queries, classes]`.
    pub classes: &'a Tensor,
    /// The logits of each query's mask, `[queries, rows, columns]`.
    pub masks: &'a Tensor,
    /// From these to the map on which queries vote.
    pub first: &'a Enlargement,
    /// From that map to the image, where it is another.
    pub second: Option<&'a Enlargement>,
}

/// Of each class the pixels that most votes are for, in the order of the classes.
///
/// # Errors
/// What libtorch reports.
pub fn semantic(voting: &Voting<'_>) -> TorchResult<Vec<Mask>> {
    let winners = match voting.masks.device() {
        Device::Cpu => voting.on_cpu()?,
        _ => voting.as_matrices()?,
    };
    let size = voting.second.unwrap_or(voting.first).size();
    let classes = voting.classes.size()[1];
    Ok(Mask::from_label_map(size, &winners, classes.unsigned_abs() as usize))
}

impl Voting<'_> {
    /// Of each pixel the winner, counted from 1: some rows of the image after the other.
    fn on_cpu(&self) -> TorchResult<Vec<u32>> {
        let (queries, low_rows, low_columns) = self.masks.size3()?;
        let each = (low_rows * low_columns).unsigned_abs() as usize;
        let mut logits = vec![0.0; queries.unsigned_abs() as usize * each];
        let count = logits.len();
        self.masks.f_contiguous()?.f_copy_data(&mut logits, count)?;
        let classes = self.classes.size()[1].unsigned_abs() as usize;
        let image = self.second.unwrap_or(self.first).size();
        let mut winners = Vec::with_capacity(image.width as usize * image.height as usize);
        for band in bands(0..image.height as usize) {
            let rows = match self.second {
                Some(second) => second.rows_under(band.clone()),
                None => band.clone(),
            };
            let votes = self.votes(&logits, each, rows.clone())?;
            let Some(second) = self.second else {
                let votes = votes.par_chunks_exact(classes.max(1));
                winners.par_extend(votes.map(|votes| first_largest(votes).0 as u32 + 1));
                continue;
            };
            let width = image.width as usize;
            let pixels = (band.start * width..band.end * width).into_par_iter();
            winners.par_extend(pixels.map_init(
                || vec![0.0; classes],
                |sum, pixel| {
                    second.vector([pixel % width, pixel / width], &votes, rows.start, sum);
                    first_largest(sum).0 as u32 + 1
                },
            ));
        }
        Ok(winners)
    }

    /// The votes for rows of the map on which queries vote, `[rows, columns, classes]`.
    fn votes(
        &self,
        logits: &[f32],
        each: usize,
        rows: std::ops::Range<usize>,
    ) -> TorchResult<Vec<f32>> {
        let width = self.first.size().width as usize;
        let under = self.first.rows_under(rows.clone());
        let count = rows.len() * width;
        let mut probabilities = vec![0.0; logits.len() / each.max(1) * count];
        let work = |(logits, out): (&[f32], &mut [f32])| {
            let mut wide = Vec::new();
            self.first.widen(logits, under.clone(), 0..width, &mut wide);
            for (y, row) in rows.clone().zip(out.chunks_exact_mut(width)) {
                self.first.row(y, &wide, under.start, row);
                for value in row {
                    *value = sigmoid(*value);
                }
            }
        };
        let logits = logits.par_chunks_exact(each.max(1));
        let out = probabilities.par_chunks_exact_mut(count.max(1));
        logits.zip(out).for_each(work);
        let probabilities = Tensor::f_from_slice(&probabilities)?.f_view([-1, count as i64])?;
        let votes = probabilities.f_tr()?.f_mm(&self.classes.f_to_kind(Kind::Float)?)?;
        let mut numbers = vec![0.0; votes.numel()];
        let count = numbers.len();
        votes.f_copy_data(&mut numbers, count)?;
        Ok(numbers)
    }

    /// The same by libtorch's operations, on any device.
    fn as_matrices(&self) -> TorchResult<Vec<u32>> {
        let device = self.masks.device();
        let [rows, columns] = self.first.matrices(device)?;
        let then = self.second.map(|second| second.matrices(device)).transpose()?;
        let wide = self.masks.f_matmul(&columns)?;
        let classes = self.classes.f_tr()?;
        let image = self.second.unwrap_or(self.first).size();
        let mut winners = Vec::new();
        for band in bands(0..image.height as usize) {
            let under = match self.second {
                Some(second) => second.rows_under(band.clone()),
                None => band.clone(),
            };
            let part = |matrix: &Tensor, rows: &std::ops::Range<usize>| {
                matrix.f_narrow(0, rows.start as i64, rows.len() as i64)
            };
            // [queries, rows, columns], then [classes, rows · columns]
            let votes = part(&rows, &under)?.f_matmul(&wide)?.f_sigmoid_()?;
            let votes = classes.f_mm(&votes.f_flatten(1, -1)?)?;
            let votes = match &then {
                None => votes,
                Some([down, across]) => {
                    let shape = [classes.size()[0], under.len() as i64, -1];
                    let down = part(down, &band)?;
                    let down = down.f_narrow(1, under.start as i64, under.len() as i64)?;
                    down.f_matmul(&votes.f_view(shape)?.f_matmul(across)?)?.f_flatten(1, -1)?
                }
            };
            let found = votes.f_argmax(0, false)?.f_to_device(Device::Cpu)?;
            let found = Vec::<i64>::try_from(&found)?;
            winners.extend(found.into_iter().map(|class| class.unsigned_abs() as u32 + 1));
        }
        Ok(winners)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use som_core::Size;

    /// The official project's way, all at once.
    fn expected(classes: &Tensor, masks: &Tensor, first: Size, image: Size) -> Tensor {
        let sides = |size: Size| [i64::from(size.height), i64::from(size.width)];
        let enlarge = |x: &Tensor, size: Size| {
            x.unsqueeze(0).upsample_bilinear2d(sides(size), false, None, None).squeeze_dim(0)
        };
        let masks = enlarge(masks, first).sigmoid();
        let votes = classes.tr().matmul(&masks.flatten(1, -1));
        let votes = votes.view([-1, first.height.into(), first.width.into()]);
        enlarge(&votes, image).argmax(0, false)
    }

    #[test]
    fn both_ways_find_what_all_at_once_finds() {
        tch::manual_seed(3);
        let options = (Kind::Float, Device::Cpu);
        let (low, image) = (Size::new(9, 7), Size::new(61, 47));
        let classes = Tensor::rand([6, 4], options);
        let masks = Tensor::randn([6, 7, 9], options) * 4.0;
        for first in [image, Size::new(36, 28)] {
            let enlargement = Enlargement::once(low, first);
            let second = Enlargement::once(first, image);
            let voting = Voting {
                classes: &classes,
                masks: &masks,
                first: &enlargement,
                second: (first != image).then_some(&second),
            };
            let expected = expected(&classes, &masks, first, image).flatten(0, -1) + 1;
            let expected = Vec::<i64>::try_from(&expected).unwrap();
            for found in [voting.on_cpu().unwrap(), voting.as_matrices().unwrap()] {
                let found = found.into_iter().map(i64::from);
                let differing = found.zip(&expected).filter(|(found, expected)| found != *expected);
                assert!(differing.count() <= 2);
            }
            let masks = semantic(&voting).unwrap();
            assert_eq!(masks.len(), 4);
            assert_eq!(masks.iter().map(Mask::area).sum::<u64>(), 61 * 47);
        }
    }
}
