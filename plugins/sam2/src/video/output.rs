//! What is told of a frame: the objects in it, as masks at its size.

use som_core::{Mask, Result, Size};
use som_torch::{TorchResult, torch_error};
use tch::{Kind, Tensor};

use super::{Session, Tracked, frame::Frame, object::Found};

impl Session {
    /// All objects that were found in a frame.
    pub(crate) fn tracked(&self, frame: &Frame) -> Result<Vec<Tracked>> {
        let found = self.objects.iter();
        let found = found.filter_map(|it| Some((it.id, it.found(frame.index, None)?)));
        let found: Vec<(u64, &Found)> = found.collect();
        let masks = match self.settings.non_overlap_masks && found.len() > 1 {
            true => self.apart(&found, frame.size)?,
            false => {
                let size = frame.size;
                let upsampling = self.predictor.upsampling_of(size.bbox(), size);
                let mask =
                    |(_, found): &(u64, &Found)| upsampling.threshold(&found.logits, 0.0, 0.0).mask;
                found.iter().map(mask).collect()
            }
        };
        let tracked = found.into_iter().zip(masks);
        let tracked = tracked.map(|((object, found), mask)| Tracked {
            object,
            mask,
            score: 1.0 / (1.0 + (-found.score).exp()),
            predicted_iou: found.iou,
        });
        Ok(tracked.collect())
    }

    /// Masks of which each pixel belongs to one at most: to the object of the highest logit.
    fn apart(&self, found: &[(u64, &Found)], size: Size) -> Result<Vec<Mask>> {
        let masks = || {
            let low: Vec<Tensor> = found
                .iter()
                .map(|(_, found)| self.logits(found))
                .collect::<TorchResult<_>>()?;
            let extents = [i64::from(size.height), i64::from(size.width)];
            let whole = Tensor::f_stack(&low, 0)?
                .f_unsqueeze(1)?
                .f_upsample_bilinear2d(extents, false, None, None)?
                .f_squeeze_dim(1)?;
            let highest = whole.f_argmax(0, false)?;
            (0..found.len() as i64)
                .map(|index| {
                    let own = whole.f_select(0, index)?.f_gt(0.0)?;
                    let pixels = own.f_logical_and(&highest.f_eq(index)?)?;
                    let pixels = pixels.f_to_kind(Kind::Uint8)?.f_flatten(0, -1)?;
                    Vec::<u8>::try_from(pixels.f_to_device(tch::Device::Cpu)?)
                })
                .collect::<TorchResult<Vec<_>>>()
        };
        let masks = masks().map_err(torch_error)?;
        let mask = |pixels: &Vec<u8>| Mask::from_dense(size, size.bbox(), pixels);
        masks.iter().map(mask).collect()
    }
}
