//! The signals that end a server, and the one on which it reads its settings again.

use std::{fmt, io};

use som_core::{Error, Result};
use tokio::signal::unix::{self, SignalKind, signal};

/// SIGTERM, SIGINT and SIGHUP, one after the other.
pub(crate) struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
    hang_up: unix::Signal,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Sent by service managers.
    Terminate,
    /// Sent by Ctrl-C.
    Interrupt,
    /// Sent by service managers to have settings read again.
    HangUp,
}

impl Signals {
    /// Hears signals from now on; none ends the process by itself any more. Needs a runtime.
    ///
    /// # Errors
    /// Unavailable, if the system refuses.
    pub(crate) fn listen() -> Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(refused)?,
            interrupt: signal(SignalKind::interrupt()).map_err(refused)?,
            hang_up: signal(SignalKind::hangup()).map_err(refused)?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.hang_up.recv() => Signal::HangUp,
        }
    }
}

impl Signal {
    /// True if it ends the server.
    pub(crate) const fn is_end(self) -> bool {
        !matches!(self, Self::HangUp)
    }

    /// The exit code by which shells tell that the signal ended a process.
    pub(crate) const fn exit_code(self) -> u8 {
        match self {
            Self::HangUp => 128 + 1,
            Self::Interrupt => 128 + 2,
            Self::Terminate => 128 + 15,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
            Self::HangUp => "SIGHUP",
        })
    }
}

fn refused(error: io::Error) -> Error {
    Error::unavailable("signals cannot be heard").caused_by(error)
}
