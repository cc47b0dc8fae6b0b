//! Logits as they leave the network.

/// The low-resolution logits of some masks, on the CPU.
#[derive(Clone, Debug)]
pub struct MaskLogits {
    numbers: Vec<f32>,
    numbers_each: usize,
}

impl MaskLogits {
    /// Mask by mask `numbers_each` logits, row by row.
    pub const fn new(numbers: Vec<f32>, numbers_each: usize) -> Self {
        Self {
            numbers,
            numbers_each,
        }
    }

    /// The logits of each mask.
    pub fn masks(&self) -> impl Iterator<Item = &[f32]> {
        self.numbers.chunks_exact(self.numbers_each.max(1))
    }

    /// All numbers.
    pub fn numbers(&self) -> &[f32] {
        &self.numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_come_one_by_one() {
        let numbers: Vec<f32> = (0_u8..12).map(f32::from).collect();
        let logits = MaskLogits::new(numbers, 3);
        let masks: Vec<&[f32]> = logits.masks().collect();
        let third: &[f32] = &[6.0, 7.0, 8.0];
        assert_eq!((masks.len(), masks[2]), (4, third));
        assert_eq!(MaskLogits::new(Vec::new(), 3).masks().count(), 0);
    }
}
