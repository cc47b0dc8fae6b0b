//! The text of compressed counts: each count as the difference to the one two before, least
//! significant bits first, five bits a character from '0' on, the sixth meaning "goes on".

use crate::{Error, Result};

const FIRST: u8 = b'0';
const BITS: u32 = 5;
const MORE: u8 = 0x20;
const SIGN: u8 = 0x10;
/// Seven characters hold any difference of two 32-bit counts.
const LONGEST: u32 = 7;

pub(super) fn compress(counts: &[u32]) -> String {
    let mut text = String::with_capacity(counts.len() * 2);
    for (index, &count) in counts.iter().enumerate() {
        // The first three counts stand for themselves.
        let before = if index > 2 {
            i64::from(counts[index - 2])
        } else {
            0
        };
        let mut rest = i64::from(count) - before;
        loop {
            let bits = (rest & 0x1f) as u8;
            rest >>= BITS;
            // The last character's highest bit is the sign.
            if rest == if bits & SIGN == 0 { 0 } else { -1 } {
                text.push(char::from(FIRST + bits));
                break;
            }
            text.push(char::from(FIRST + (bits | MORE)));
        }
    }
    text
}

pub(super) fn decompress(text: &str) -> Result<Vec<u32>> {
    let malformed =
        |at: usize, why: &str| Error::invalid(format!("RLE: the counts at character {at} {why}"));
    let mut counts: Vec<u32> = Vec::with_capacity(text.len());
    let mut bytes = text.bytes().zip(0..);
    while let Some((mut byte, start)) = bytes.next() {
        let (mut value, mut shift) = (0_i64, 0);
        loop {
            let bits = byte.wrapping_sub(FIRST);
            if bits >= 2 * MORE || shift >= LONGEST * BITS {
                return Err(malformed(start, "are not compressed counts"));
            }
            value |= i64::from(bits & (MORE - 1)) << shift;
            shift += BITS;
            if bits & MORE == 0 {
                if bits & SIGN != 0 {
                    value |= -1 << shift;
                }
                break;
            }
            byte = bytes
                .next()
                .ok_or_else(|| malformed(start, "end in the middle of a count"))?
                .0;
        }
        if counts.len() > 2 {
            value += i64::from(counts[counts.len() - 2]);
        }
        let count =
            u32::try_from(value).map_err(|_| malformed(start, "stand for an impossible run"))?;
        counts.push(count);
    }
    Ok(counts)
}
