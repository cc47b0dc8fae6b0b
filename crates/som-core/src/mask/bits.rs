//! Rows and columns of pixels as bits in words, the lowest bit first.

use wide::u8x16;

/// Pixels in a word.
pub(super) const BITS: usize = u64::BITS as usize;

/// Words that hold so many pixels.
pub(super) const fn words(pixels: u32) -> usize {
    pixels.div_ceil(u64::BITS) as usize
}

/// Bit `i` is set where byte `i` is not 0.
pub(super) fn from_bytes(bytes: &[u8; BITS]) -> u64 {
    let (quarters, _) = bytes.as_chunks();
    !quarters.iter().rev().fold(0, |clear, &quarter| {
        clear << 16 | u64::from(u8x16::new(quarter).simd_eq(u8x16::ZERO).to_bitmask())
    })
}

/// Appends the positions at which bits differ from those before, that of the first bit being
/// `first`. Before and after all words nothing is set.
pub(super) fn push_edges(words: impl Iterator<Item = u64>, first: u32, edges: &mut Vec<u32>) {
    let (mut at, mut before) = (first, 0);
    for word in words.chain([0]) {
        let mut changes = word ^ (word << 1 | before);
        before = word >> (BITS - 1);
        if changes != 0 {
            // Their number is known beforehand, so that there is no branch for each.
            edges.extend((0..changes.count_ones()).map(|_| {
                let edge = at.wrapping_add(changes.trailing_zeros());
                changes &= changes - 1;
                edge
            }));
        }
        at = at.wrapping_add(u64::BITS);
    }
}

/// Flips the bit at `position`, if there are as many.
pub(super) fn flip(words: &mut [u64], position: usize) {
    if let Some(word) = words.get_mut(position / BITS) {
        *word ^= 1 << (position % BITS);
    }
}

/// Sets the bits from each odd flip to the next even one, word after word.
pub(super) fn fill_between_flips<'a>(words: impl IntoIterator<Item = &'a mut u64>) {
    let mut inside = 0;
    for word in words {
        // Each bit becomes the parity of the flips up to it.
        for shift in [1, 2, 4, 8, 16, 32] {
            *word ^= *word << shift;
        }
        *word ^= inside;
        inside = 0_u64.wrapping_sub(*word >> (BITS - 1));
    }
}

/// A square of bits: bit `x` of line `y`.
pub(super) type Block = [u64; BITS];

/// Exchanges bit `x` of line `y` and bit `y` of line `x`: ever smaller squares change places
/// (Warren, *Hacker's Delight*, 7-3).
pub(super) fn transpose(block: &mut Block) {
    let mut side = BITS / 2;
    let mut low = u64::MAX >> side;
    while side > 0 {
        for start in (0..BITS).step_by(2 * side) {
            for line in start..start + side {
                let other = line + side;
                let change = (block[line] >> side ^ block[other]) & low;
                block[line] ^= change << side;
                block[other] ^= change;
            }
        }
        side /= 2;
        low ^= low << side;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_cross_words() {
        let mut edges = Vec::new();
        push_edges(
            [0b0110 | 1 << 63, 1, 0, u64::MAX].into_iter(),
            10,
            &mut edges,
        );
        assert_eq!(edges, [11, 13, 73, 75, 202, 266]);
    }

    #[test]
    fn flips_become_runs() {
        let mut words = [0; 3];
        for position in [3, 5, 60, 130, 400] {
            flip(&mut words, position);
        }
        fill_between_flips(&mut words);
        assert_eq!(words, [0b11000 | 0b1111 << 60, u64::MAX, 0b11]);
    }

    #[test]
    fn blocks_turn_over() {
        let mut block: Block =
            std::array::from_fn(|y| (y as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let before = block;
        transpose(&mut block);
        for (y, line) in block.iter().enumerate() {
            for (x, other) in before.iter().enumerate() {
                assert_eq!(line >> x & 1, other >> y & 1);
            }
        }
    }
}
