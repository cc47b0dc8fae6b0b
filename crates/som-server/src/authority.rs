//! `:authority` of clients on a Unix socket.
//!
//! gRPC's C core, and so Python's, writes the socket's path there (`tmp%2Fsom.sock`). That is no
//! authority of a URI, for which HTTP/2 servers reset the stream, though nobody on a Unix socket
//! needs one. So in what such a client sends, the letters that do not belong there are replaced on
//! the way: the length stays, and with it everything that HPACK (RFC 7541) counts.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::UnixStream,
};

/// `PRI * HTTP/2.0…` (RFC 9113, section 3.4).
const PREFACE_BYTES: usize = 24;
/// Of a frame: length, type, flags and stream.
const HEAD_BYTES: usize = 9;
/// Types and flags of frames (sections 6.2 and 6.10).
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 0x04;
const PADDED: u8 = 0x08;
const PRIORITY: u8 = 0x20;
/// Stream, weight.
const PRIORITY_BYTES: usize = 5;

const NAME: &[u8] = b":authority";
/// Index of the name in HPACK's static table.
const NAME_INDEX: u64 = 1;

/// A Unix socket whose client may name a path as authority.
pub(crate) struct Local {
    io: UnixStream,
    frames: Frames,
}

impl Local {
    pub(crate) fn new(io: UnixStream) -> Self {
        Self {
            io,
            frames: Frames::default(),
        }
    }
}

impl AsyncRead for Local {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        self.frames.mend(&mut buffer.filled_mut()[before..]);
        polled
    }
}

impl AsyncWrite for Local {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Where in the frames of a connection the next byte lies.
struct Frames {
    head: Vec<u8>,
    /// Bytes until the frame ends; at first, until the preface does.
    left: usize,
    /// The frame holds a part of a block of headers, and is the last one of the block.
    has_headers: bool,
    ends_headers: bool,
    /// Bytes before the headers, the first of which tells the padding after them if it is padded.
    before: usize,
    is_padded: bool,
    padding: usize,
    block: Block,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            head: Vec::with_capacity(HEAD_BYTES),
            left: PREFACE_BYTES,
            has_headers: false,
            ends_headers: false,
            before: 0,
            is_padded: false,
            padding: 0,
            block: Block::default(),
        }
    }
}

impl Frames {
    /// Takes the next bytes, and mends the authorities in them.
    fn mend(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() {
            if self.left == 0 {
                self.head.push(bytes[at]);
                at += 1;
                self.begin();
            } else if self.has_headers {
                self.payload(&mut bytes[at]);
                at += 1;
            } else {
                let passed = self.left.min(bytes.len() - at);
                self.left -= passed;
                at += passed;
            }
        }
    }

    /// Begins a frame, once its head is there.
    fn begin(&mut self) {
        let &[high, middle, low, kind, flags, _, _, _, _] = self.head.as_slice() else {
            return;
        };
        self.head.clear();
        self.left = u32::from_be_bytes([0, high, middle, low]) as usize;
        self.has_headers = matches!(kind, HEADERS | CONTINUATION);
        self.ends_headers = flags & END_HEADERS != 0;
        self.is_padded = kind == HEADERS && flags & PADDED != 0;
        self.before = usize::from(self.is_padded);
        if kind == HEADERS && flags & PRIORITY != 0 {
            self.before += PRIORITY_BYTES;
        }
        self.padding = 0;
        self.end();
    }

    fn payload(&mut self, byte: &mut u8) {
        self.left -= 1;
        if self.is_padded {
            self.is_padded = false;
            self.padding = usize::from(*byte);
            self.before -= 1;
        } else if self.before > 0 {
            self.before -= 1;
        } else if self.left >= self.padding {
            self.block.take(byte);
        }
        self.end();
    }

    /// Ends a block of headers with its last frame.
    fn end(&mut self) {
        if self.left == 0 && self.has_headers && self.ends_headers {
            self.block = Block::default();
        }
    }
}

/// Where in a block of headers the next byte lies (RFC 7541, section 6).
#[derive(Default)]
struct Block {
    step: Step,
    /// A number that goes on in the next byte, by how many bits it has so far.
    number: u64,
    bits: u32,
    /// Letters of a text that are still to come.
    letters: u64,
    /// The text is one of letters, and not one of Huffman's codes.
    is_plain: bool,
    /// The header is, as far as is known, the authority.
    is_authority: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Step {
    /// A header begins.
    #[default]
    Header,
    /// The rest of an index after which the header is over.
    Index,
    /// The rest of the index of a name.
    NameIndex,
    NameLength,
    MoreNameLength,
    Name,
    ValueLength,
    MoreValueLength,
    Value,
}

impl Block {
    fn take(&mut self, byte: &mut u8) {
        match self.step {
            Step::Header => {
                let (prefix, step) = match *byte {
                    0x80.. => (7, Step::Index),
                    0x40.. => (6, Step::NameIndex),
                    0x20.. => (5, Step::Index),
                    _ => (4, Step::NameIndex),
                };
                self.begin_number(*byte, prefix, step);
            }
            Step::NameLength | Step::ValueLength => {
                self.is_plain = *byte < 0x80;
                let more = match self.step {
                    Step::NameLength => Step::MoreNameLength,
                    _ => Step::MoreValueLength,
                };
                self.begin_number(*byte, 7, more);
            }
            Step::Index | Step::NameIndex | Step::MoreNameLength | Step::MoreValueLength => {
                let more = u64::from(*byte & 0x7f);
                self.number = self
                    .number
                    .saturating_add(more.checked_shl(self.bits).unwrap_or(u64::MAX));
                self.bits += 7;
                if *byte < 0x80 {
                    self.end_number();
                }
            }
            Step::Name => {
                let place = NAME.len().saturating_sub(self.letters as usize);
                self.is_authority &= NAME.get(place) == Some(&*byte);
                self.end_letter(Step::ValueLength);
            }
            Step::Value => {
                if self.is_authority && self.is_plain && !is_fit(*byte) {
                    *byte = b'-';
                }
                self.end_letter(Step::Header);
            }
        }
    }

    /// A number in the last `prefix` bits of `byte`, and in further bytes if all of them are set.
    fn begin_number(&mut self, byte: u8, prefix: u32, step: Step) {
        let all = (1 << prefix) - 1;
        (self.number, self.bits, self.step) = (u64::from(byte & all), 0, step);
        if byte & all != all {
            self.end_number();
        }
    }

    fn end_number(&mut self) {
        self.letters = self.number;
        self.step = match self.step {
            Step::NameIndex => {
                self.is_authority = self.number == NAME_INDEX;
                match self.number {
                    0 => Step::NameLength,
                    _ => Step::ValueLength,
                }
            }
            Step::MoreNameLength => {
                self.is_authority = self.is_plain && self.number == NAME.len() as u64;
                match self.number {
                    0 => Step::ValueLength,
                    _ => Step::Name,
                }
            }
            Step::MoreValueLength if self.number > 0 => Step::Value,
            _ => Step::Header,
        };
    }

    fn end_letter(&mut self, next: Step) {
        self.letters -= 1;
        if self.letters == 0 {
            self.step = next;
        }
    }
}

/// True for what may stand in an authority (RFC 3986, section 3.2).
fn is_fit(letter: u8) -> bool {
    letter.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@[]".contains(&letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags, 0, 0, 0, 1]);
        frame.extend(payload);
        frame
    }

    /// The stream as it comes out, whatever the pieces in which it comes in.
    fn mended(frames: &[Vec<u8>]) -> Vec<u8> {
        let whole: Vec<u8> = [PREFACE.to_vec(), frames.concat()].concat();
        let through = |piece: usize| {
            let (mut frames, mut bytes) = (Frames::default(), whole.clone());
            bytes.chunks_mut(piece).for_each(|piece| frames.mend(piece));
            bytes
        };
        let at_once = through(whole.len());
        for piece in [1, 2, 3, 7, 64] {
            assert_eq!(through(piece), at_once, "in pieces of {piece}");
        }
        at_once
    }

    /// As grpcio 1.85 writes them; the path of the call has slashes, too.
    const GRPCIO: &[u8] =
        b"@\x05:path\x14/som.v1.Some/Call%2F@\n:authority\x0etmp%2Fsom.sock\x83\x86";

    #[test]
    fn a_path_becomes_an_authority_of_the_same_length() {
        let by_index = b"\x41\x0etmp%2Fsom.sock\x3f\x01\x83";
        for block in [GRPCIO, by_index] {
            let expected = String::from_utf8_lossy(block).replace("tmp%2F", "tmp-2F");
            let text = mended(&[frame(4, 0, &[0; 6]), frame(HEADERS, END_HEADERS, block)]);
            let text = String::from_utf8_lossy(&text);
            assert!(text.ends_with(&expected), "{text:?}");
        }
    }

    #[test]
    fn frames_are_told_apart() {
        let (start, end) = GRPCIO.split_at(40);
        let padded = [&[3, 0, 0, 0, 0, 9], start, b"%%%"].concat();
        let data = frame(0, 0, GRPCIO);
        let out = mended(&[
            frame(HEADERS, PADDED | PRIORITY, &padded),
            frame(CONTINUATION, END_HEADERS, end),
            data.clone(),
        ]);
        let text = String::from_utf8_lossy(&out);
        assert!(text.contains("%%%"), "padding stays");
        assert!(
            text.contains("tmp-2Fsom.sock") || text.contains("-2Fsom.sock"),
            "{text:?}"
        );
        assert!(out.ends_with(&data), "data stay");
    }

    #[test]
    fn what_is_fit_stays() {
        for block in [
            &b"\x41\x0flocalhost:50051"[..],
            b"\x41\x85\xff%/%/",
            b"\x04\x04/a/b",
        ] {
            let frames = [frame(HEADERS, END_HEADERS, block)];
            assert_eq!(mended(&frames), [PREFACE, &frames[0]].concat());
        }
    }
}
