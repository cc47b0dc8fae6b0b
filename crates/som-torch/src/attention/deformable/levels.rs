//! Maps of several resolutions in one memory.

use tch::{Device, Tensor};

use crate::TorchResult;

/// The maps that a memory `[cells, channels]` consists of, one after the other, each row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    sizes: Vec<[i64; 2]>,
}

impl Levels {
    /// Maps of these heights and widths.
    pub const fn new(sizes: Vec<[i64; 2]>) -> Self {
        Self { sizes }
    }

    /// Height and width of each map.
    pub fn sizes(&self) -> &[[i64; 2]] {
        &self.sizes
    }

    /// Cells of all maps together.
    pub fn cells(&self) -> i64 {
        self.sizes
            .iter()
            .map(|[height, width]| height * width)
            .sum()
    }

    /// First cell, height and width of each map.
    pub(super) fn maps(&self) -> impl Iterator<Item = (i64, [i64; 2])> {
        self.sizes.iter().scan(0, |next, &size| {
            let first = *next;
            *next += size[0] * size[1];
            Some((first, size))
        })
    }

    /// A memory's maps, each `[height, width, channels]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn split(&self, memory: &Tensor) -> TorchResult<Vec<Tensor>> {
        let maps = self.maps().map(|(first, [height, width])| {
            memory
                .f_narrow(0, first, height * width)?
                .f_view([height, width, -1])
        });
        maps.collect()
    }

    /// Maps `[height, width, channels]` as one memory.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn join(maps: &[Tensor]) -> TorchResult<(Tensor, Self)> {
        let mut sizes = Vec::new();
        let mut flat = Vec::new();
        for map in maps {
            let (height, width, _) = map.size3()?;
            sizes.push([height, width]);
            flat.push(map.f_flatten(0, 1)?);
        }
        Ok((Tensor::f_cat(&flat, 0)?, Self { sizes }))
    }

    /// Where the centre of each cell is in its map, x and y in 0..1: `[cells, 2]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn centers(&self, device: Device) -> TorchResult<Tensor> {
        let mut centers = Vec::with_capacity(2 * self.cells().unsigned_abs() as usize);
        for &[height, width] in &self.sizes {
            for row in 0..height {
                let y = (row as f32 + 0.5) / height as f32;
                centers.extend(
                    (0..width).flat_map(|column| [(column as f32 + 0.5) / width as f32, y]),
                );
            }
        }
        Tensor::f_from_slice(&centers)?
            .f_view([-1, 2])?
            .f_to_device(device)
    }
}
