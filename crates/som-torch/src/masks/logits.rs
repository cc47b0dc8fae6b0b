//! Logits as they leave the network.

/// The low-resolution logits of some prompts' masks, on the CPU.
#[derive(Clone, Debug)]
pub struct MaskLogits {
    numbers: Vec<f32>,
    masks_each: usize,
    numbers_each: usize,
}

impl MaskLogits {
    /// Prompt by prompt `masks_each` masks of `numbers_each` logits, row by row.
    pub const fn new(numbers: Vec<f32>, masks_each: usize, numbers_each: usize) -> Self {
        Self {
            numbers,
            masks_each,
            numbers_each,
        }
    }

    /// Prompt by prompt, mask by mask.
    pub fn of_prompts(&self) -> impl Iterator<Item = std::slice::ChunksExact<'_, f32>> {
        self.numbers
            .chunks_exact((self.masks_each * self.numbers_each).max(1))
            .map(|masks| masks.chunks_exact(self.numbers_each.max(1)))
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
    fn masks_come_prompt_by_prompt() {
        let numbers: Vec<f32> = (0_u8..12).map(f32::from).collect();
        let logits = MaskLogits::new(numbers, 2, 3);
        let masks: Vec<Vec<&[f32]>> = logits.of_prompts().map(Iterator::collect).collect();
        let third: &[f32] = &[6.0, 7.0, 8.0];
        assert_eq!((masks.len(), masks[1][0]), (2, third));
        assert_eq!(MaskLogits::new(Vec::new(), 0, 3).of_prompts().count(), 0);
    }
}
