//! Server-sent events: bytes in any pieces → the data of each event (HTML Living Standard, 9.2.6).

use som_core::{Error, Result};

/// Longest event in bytes. Answers come in small pieces.
const MAX_EVENT: usize = 8 << 20;

/// What has come in and is not an event yet.
#[derive(Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: String,
    has_data: bool,
    /// The latest byte was a carriage return: a line feed right after it ends no further line.
    after_return: bool,
}

impl Events {
    /// Takes in `bytes` and adds the data of every event that they complete to `events`.
    ///
    /// # Errors
    /// Exhausted, if an event does not end.
    pub(super) fn read(&mut self, bytes: &[u8], events: &mut Vec<String>) -> Result<()> {
        for &byte in bytes {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    self.end_line(events);
                }
                byte => {
                    self.after_return = false;
                    self.line.push(byte);
                }
            }
            if self.line.len() + self.data.len() > MAX_EVENT {
                return Err(Error::exhausted(format!(
                    "an event of more than {MAX_EVENT} bytes"
                )));
            }
        }
        Ok(())
    }

    /// The data of an event that nothing but the end of the stream has completed. Strict readers
    /// drop it; some servers leave the last empty line out.
    pub(super) fn finish(mut self) -> Option<String> {
        let mut events = Vec::new();
        self.end_line(&mut events);
        self.line.clear();
        self.end_line(&mut events);
        events.pop()
    }

    fn end_line(&mut self, events: &mut Vec<String>) {
        // Whole lines, so that no character is cut in two.
        let line = String::from_utf8_lossy(&self.line);
        let line = line.trim_start_matches('\u{feff}');
        if line.is_empty() {
            if self.has_data {
                events.push(std::mem::take(&mut self.data));
                self.has_data = false;
            }
        } else if let Some(data) = line.strip_prefix("data:") {
            if self.has_data {
                self.data.push('\n');
            }
            self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            self.has_data = true;
        }
        // Names, ids and comments say nothing that the data does not.
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "\u{feff}: hello\r\nevent: a\r\ndata: {\"x\": \"größe\"}\r\n\r\n\
                          id: 7\ndata:one\ndata: two\n\n\nretry: 5\ndata: last\r\r";

    fn read(pieces: &[&[u8]]) -> Vec<String> {
        let (mut reader, mut events) = (Events::default(), Vec::new());
        for piece in pieces {
            reader.read(piece, &mut events).unwrap();
        }
        events.extend(reader.finish());
        events
    }

    #[test]
    fn pieces_of_any_size_give_the_same_events() {
        let whole = ["{\"x\": \"größe\"}", "one\ntwo", "last"];
        let bytes = STREAM.as_bytes();
        for size in 1..=bytes.len() {
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            assert_eq!(read(&pieces), whole, "pieces of {size}");
        }
    }

    #[test]
    fn the_last_event_may_lack_its_empty_line() {
        assert_eq!(read(&[b"data: a\n\ndata: b"]), ["a", "b"]);
        assert_eq!(read(&[b"data: a\n\ndata: b\n"]), ["a", "b"]);
        assert_eq!(read(&[b""]), [""; 0]);
    }

    #[test]
    fn an_event_without_end_is_refused() {
        let (mut reader, mut events) = (Events::default(), Vec::new());
        let endless = vec![b'x'; 1 << 20];
        let refused = (0..9).any(|_| reader.read(&endless, &mut events).is_err());
        assert!(refused);
    }
}
