//! The text of compressed counts: each count as the difference to the one two before, least
//! significant bits first, five bits a character from '0' on, the sixth meaning "goes on".
//!
//! All characters of a count are made or read at once, as the bytes of a word.

use crate::{Error, Result};

const FIRST: u8 = b'0';
const LAST: u8 = b'o';
const BITS: u32 = 5;
/// Seven characters hold any difference of two 32-bit counts.
const LONGEST: u32 = 7;

const FIRSTS: u64 = u64::from_le_bytes([FIRST; 8]);
/// In each character: another one follows.
const MORE: u64 = u64::from_le_bytes([0x20; 8]);

pub(super) fn compress(counts: &[u32]) -> String {
    const CHUNK: usize = 64;
    let mut text = Vec::with_capacity(counts.len() * 2);
    let mut before = [0, 0];
    for (index, chunk) in counts.chunks(CHUNK).enumerate() {
        let mut characters = [0; CHUNK * LONGEST as usize + 1];
        let mut length = 0;
        for (&count, index) in chunk.iter().zip(index * CHUNK..) {
            let count = i64::from(count);
            // The first three counts stand for themselves.
            let difference = if index > 2 {
                count - before[index % 2]
            } else {
                count
            };
            before[index % 2] = count;
            // The last character's highest bit is the sign.
            let bits = 65 - (difference ^ (difference >> 63)).leading_zeros();
            let here = bits.div_ceil(BITS);
            let more = MORE & !(u64::MAX << (8 * (here - 1)));
            let word = FIRSTS + (spread(difference.cast_unsigned()) | more);
            characters[length..length + 8].copy_from_slice(&word.to_le_bytes());
            length += here as usize;
        }
        text.extend_from_slice(&characters[..length]);
    }
    // There is nothing but ASCII in it.
    String::from_utf8(text).unwrap_or_default()
}

pub(super) fn decompress(text: &str) -> Result<Vec<u32>> {
    let malformed =
        |at: usize, why: &str| Error::invalid(format!("RLE: the counts at character {at} {why}"));
    let text = text.as_bytes();
    if let Some(at) = text.iter().position(|byte| !(FIRST..=LAST).contains(byte)) {
        return Err(malformed(at, "are not compressed counts"));
    }
    let mut counts: Vec<u32> = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let word = rest.first_chunk().copied().unwrap_or_else(|| {
            let mut last = [FIRST; 8];
            last[..rest.len()].copy_from_slice(rest);
            last
        });
        let word = u64::from_le_bytes(word) - FIRSTS;
        let here = (!word & MORE).trailing_zeros() / 8 + 1;
        if here as usize > rest.len() {
            return Err(malformed(at, "end in the middle of a count"));
        }
        if here > LONGEST {
            return Err(malformed(at, "are not compressed counts"));
        }
        let unused = u64::BITS - BITS * here;
        let mut value = (gather(word) << unused).cast_signed() >> unused;
        if counts.len() > 2 {
            value += i64::from(counts[counts.len() - 2]);
        }
        let count =
            u32::try_from(value).map_err(|_| malformed(at, "stand for an impossible run"))?;
        counts.push(count);
        at += here as usize;
    }
    Ok(counts)
}

/// Groups of five bits, each to a byte of its own.
const fn spread(bits: u64) -> u64 {
    let bits = bits & 0x0000_0000_000f_ffff | (bits & 0x0000_00ff_fff0_0000) << 12;
    let bits = bits & 0x0000_03ff_0000_03ff | (bits & 0x000f_fc00_000f_fc00) << 6;
    bits & 0x001f_001f_001f_001f | (bits & 0x03e0_03e0_03e0_03e0) << 3
}

/// The lowest five bits of each byte, one after the other.
const fn gather(bytes: u64) -> u64 {
    let bits = bytes & 0x001f_001f_001f_001f | (bytes & 0x1f00_1f00_1f00_1f00) >> 3;
    let bits = bits & 0x0000_03ff_0000_03ff | (bits & 0x03ff_0000_03ff_0000) >> 6;
    bits & 0x0000_0000_000f_ffff | (bits & 0x000f_ffff_0000_0000) >> 12
}
