//! How much memory is left, so that what cannot fit is refused before the system runs out.
//!
//! Running out is no error that could be reported: the system, or a container, ends the whole
//! process.

use som_core::{Error, Result};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Checks that `needed` bytes are left for `what`: to the machine, to the container that this
/// process runs in, and to the process itself (`ulimit -v`).
///
/// # Errors
/// Exhausted, with what is needed and what is left.
pub fn require(needed: u64, what: &str) -> Result<()> {
    let Left { memory, addresses } = Left::now();
    check(needed, memory.min(addresses), what)
}

/// Checks that the process may still use so many addresses for `what`, most of which will never
/// be memory.
///
/// # Errors
/// Exhausted, with what is needed and what is left.
pub(crate) fn require_addresses(needed: u64, what: &str) -> Result<()> {
    check(needed, Left::now().addresses, what)
}

fn check(needed: u64, left: u64, what: &str) -> Result<()> {
    if needed <= left {
        return Ok(());
    }
    Err(Error::exhausted(format!(
        "too little memory: {what} need {} MiB, but {} MiB are left",
        needed.div_ceil(1 << 20),
        left >> 20
    )))
}

/// Bytes that are left; where the system does not tell, all there could be.
#[derive(Debug)]
struct Left {
    /// To the machine and to the container.
    memory: u64,
    /// To the process, of its limit on addresses.
    addresses: u64,
}

impl Left {
    fn now() -> Self {
        Self::told().unwrap_or(Self {
            memory: u64::MAX,
            addresses: u64::MAX,
        })
    }

    fn told() -> Option<Self> {
        let mut system = System::new().ok()?;
        system.refresh_memory();
        let id = Pid::from_u32(std::process::id());
        let used = ProcessRefreshKind::nothing().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), false, used);
        let process = system.process(id)?;
        // What files take of a container's memory is given back when needed.
        let container = process
            .cgroup_limits()
            .map(|container| container.total_memory.saturating_sub(container.rss));
        let addresses = address_limit().map(|most| most.saturating_sub(process.virtual_memory()));
        // 0 is what a system that does not tell leaves.
        let machine = Some(system.available_memory()).filter(|&left| left > 0);
        Some(Self {
            memory: machine
                .into_iter()
                .chain(container)
                .min()
                .unwrap_or(u64::MAX),
            addresses: addresses.unwrap_or(u64::MAX),
        })
    }
}

#[cfg(unix)]
fn address_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

#[cfg(not(unix))]
fn address_limit() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use som_core::ErrorKind;

    #[test]
    fn what_fits_is_let_through_and_what_does_not_is_told_with_figures() {
        require(1 << 20, "these").unwrap();
        let error = require(1 << 60, "these").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Exhausted);
        let told = "these need 1099511627776 MiB, but ";
        assert!(error.message().contains(told), "{error}");
    }

    #[test]
    fn this_machine_tells_what_it_has() {
        let left = Left::now();
        assert!((1 << 20..1 << 50).contains(&left.memory), "{left:?}");
    }
}
