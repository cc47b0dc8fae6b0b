//! The text of compressed counts: each count as the difference to the one two before, least
//! significant bits first, five bits a character from '0' on, the sixth meaning "goes on".
//!
//! All characters of a count are made or read at once, as the bytes of a word.

use multiversion::multiversion;

use crate::{Error, Result};

const FIRST: u8 = b'0';
const LAST: u8 = b'o';
const BITS: u32 = 5;
/// Seven characters hold any difference of two 32-bit counts.
const LONGEST: u32 = 7;

const FIRSTS: u64 = u64::from_le_bytes([FIRST; 8]);
/// In each character: another one follows.
const MORE: u64 = u64::from_le_bytes([0x20; 8]);

/// Counts that are written or read together where one character each is enough.
const TOGETHER: usize = 8;

pub(super) fn compress(counts: &[u32]) -> String {
    let mut text = Vec::with_capacity(counts.len() * 2);
    let mut characters = [0; CHUNK * LONGEST as usize + 1];
    // The first three counts stand for themselves, the others for the difference to another one.
    let (absolute, relative) = counts.split_at(counts.len().min(3));
    let length = write_differences(&mut characters, absolute, &[0; 3]);
    text.extend_from_slice(&characters[..length]);
    let before = &counts[absolute.len().saturating_sub(2)..];
    for (counts, before) in relative.chunks(CHUNK).zip(before.chunks(CHUNK)) {
        let chunk = counts.first_chunk().zip(before.first_chunk());
        let is_short = chunk
            .is_some_and(|(counts, before)| write_short_chunk(&mut characters, counts, before));
        let length = match is_short {
            true => CHUNK,
            false => write_mixed(&mut characters, counts, before),
        };
        text.extend_from_slice(&characters[..length]);
    }
    // There is nothing but ASCII in it.
    String::from_utf8(text).unwrap_or_default()
}

/// Counts whose characters are collected before they are appended.
const CHUNK: usize = 8 * TOGETHER;

/// Differences below this and not below its negative take one character; …
const SHORT: u32 = 1 << (BITS - 1);

/// … those up to this, two.
const MIDDLE: u32 = 1 << (2 * BITS - 1);

/// Writes one character for each count of a chunk, and says if that is enough for all. Compiled for
/// processors with AVX2 as well: the compiler makes vectors of it, with the same results.
#[multiversion(targets("x86_64+avx2"))]
fn write_short_chunk(characters: &mut [u8], counts: &[u32; CHUNK], before: &[u32; CHUNK]) -> bool {
    let (mut all, mut far) = (0, 0);
    for (character, (&count, &before)) in characters.iter_mut().zip(counts.iter().zip(before)) {
        let difference = count.wrapping_sub(before);
        all |= count | before;
        far |= difference.wrapping_add(SHORT) & !(2 * SHORT - 1);
        *character = FIRST + (difference as u8 & 0x1f);
    }
    // Larger counts might have wrapped around.
    far == 0 && all <= u32::MAX / 2
}

/// Writes the counts of a chunk in groups, each as simply as can be, and gives the number of
/// characters.
fn write_mixed(characters: &mut [u8], counts: &[u32], before: &[u32]) -> usize {
    let mut length = 0;
    for (counts, before) in counts.chunks(TOGETHER).zip(before.chunks(TOGETHER)) {
        let rest = &mut characters[length..];
        length += write_few(rest, counts, before)
            .unwrap_or_else(|| write_differences(rest, counts, before));
    }
    length
}

/// Writes one or two characters for each of [`TOGETHER`] counts, if that is enough for all of them,
/// and gives their number.
fn write_few(characters: &mut [u8], counts: &[u32], before: &[u32]) -> Option<usize> {
    let counts: &[u32; TOGETHER] = counts.try_into().ok()?;
    let before = before.first_chunk::<TOGETHER>()?;
    let mut differences = [0; TOGETHER];
    let (mut all, mut far, mut farther) = (0, 0, 0);
    for (difference, (&count, &before)) in differences.iter_mut().zip(counts.iter().zip(before)) {
        *difference = count.wrapping_sub(before);
        all |= count | before;
        far |= difference.wrapping_add(SHORT) & !(2 * SHORT - 1);
        farther |= difference.wrapping_add(MIDDLE) & !(2 * MIDDLE - 1);
    }
    // Larger counts might have wrapped around.
    if farther != 0 || all > u32::MAX / 2 {
        return None;
    }
    if far == 0 {
        let short = differences.map(|difference| FIRST + (difference as u8 & 0x1f));
        *characters.first_chunk_mut()? = short;
        return Some(TOGETHER);
    }
    let mut length = 0;
    for difference in differences {
        let is_short = difference.wrapping_add(SHORT) < 2 * SHORT;
        let low = difference as u8 & 0x1f | if is_short { 0 } else { 0x20 };
        let high = (difference >> BITS) as u8 & 0x1f;
        *characters.get_mut(length..)?.first_chunk_mut()? = [FIRST + low, FIRST + high];
        length += 2 - usize::from(is_short);
    }
    Some(length)
}

/// Writes the differences of counts to those before, and gives the number of characters. There is
/// room for one more than the longest.
fn write_differences(characters: &mut [u8], counts: &[u32], before: &[u32]) -> usize {
    let mut length = 0;
    for (&count, &before) in counts.iter().zip(before) {
        let difference = i64::from(count) - i64::from(before);
        // The last character's highest bit is the sign.
        let bits = 65 - (difference ^ (difference >> 63)).leading_zeros();
        let here = bits.div_ceil(BITS);
        let more = MORE & !(u64::MAX << (8 * (here - 1)));
        let word = FIRSTS + (spread(difference.cast_unsigned()) | more);
        characters[length..length + 8].copy_from_slice(&word.to_le_bytes());
        length += here as usize;
    }
    length
}

pub(super) fn decompress(text: &str) -> Result<Vec<u32>> {
    let malformed =
        |at: usize, why: &str| Error::invalid(format!("RLE: the counts at character {at} {why}"));
    let text = text.as_bytes();
    let is_character = |byte: &u8| (FIRST..=LAST).contains(byte);
    // To look at all of them is faster than to stop at the first wrong one.
    if !text.iter().fold(true, |all, byte| all & is_character(byte)) {
        let at = text.iter().position(|byte| !is_character(byte));
        return Err(malformed(at.unwrap_or(0), "are not compressed counts"));
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
        if word & MORE == 0
            && rest.len() >= TOGETHER
            && let [_, .., before, last] = counts[..]
            && let Some(chunk) = relative(word, [before, last])
        {
            counts.extend_from_slice(&chunk);
            at += TOGETHER;
            continue;
        }
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

/// The counts of characters that stand for one each, after the two `before`; `None` if one of
/// them is impossible.
fn relative(characters: u64, before: [u32; 2]) -> Option<[u32; TOGETHER]> {
    let mut before = before.map(i64::from);
    let mut all = 0;
    let counts = characters.to_le_bytes().map(|character| {
        let unused = u8::BITS - BITS;
        let difference = (character << unused).cast_signed() >> unused;
        let count = before[0] + i64::from(difference);
        before = [before[1], count];
        all |= count;
        count as u32
    });
    u32::try_from(all).is_ok().then_some(counts)
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
