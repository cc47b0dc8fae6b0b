//! Lines of a log for people: one for each event, whatever texts of others stand in it.

use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, Write},
};

use som_proto::text::escaped;
use tracing_subscriber::fmt::MakeWriter;

/// Colours a terminal: the formatter's own, which writes those of texts out.
const COLOUR: char = '\u{1b}';

/// Writes lines to stderr with control characters written out.
pub(super) struct Lines {
    keeps_colours: bool,
}

/// One line.
pub(super) struct Line {
    keeps_colours: bool,
}

impl Lines {
    pub(super) fn to_stderr() -> Self {
        Self {
            keeps_colours: io::stderr().is_terminal(),
        }
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Line;

    fn make_writer(&self) -> Line {
        Line {
            keeps_colours: self.keeps_colours,
        }
    }
}

impl Write for Line {
    /// Takes an event as the formatter writes it, in one piece.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let line = one_line(text.trim_end_matches('\n'), self.keeps_colours);
        io::stderr().write_all(format!("{line}\n").as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn one_line(text: &str, keeps_colours: bool) -> Cow<'_, str> {
    if !keeps_colours || !text.contains(COLOUR) {
        return escaped(text);
    }
    let parts: Vec<_> = text.split(COLOUR).map(escaped).collect();
    parts.join(&COLOUR.to_string()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let text = "WARN endpoint does not serve why=\"\n2026-01-01 ERROR all is lost\u{1b}[2J";
        let line = "WARN endpoint does not serve why=\"\\n2026-01-01 ERROR all is lost";
        assert_eq!(one_line(text, false), format!("{line}\\u{{1b}}[2J"));
        assert_eq!(one_line(text, true), format!("{line}\u{1b}[2J"));
    }
}
