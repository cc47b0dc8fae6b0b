//! The bytes that calls in progress hold together: asked for before they are taken.
//!
//! An allocation that fails ends the process, so a call that would need too much is refused while
//! there is still room. What is counted is what grows with a request: its bytes, its pixels, the
//! pages that are drawn, and the working memory of the stages.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use som_core::{Error, Result};

/// Bytes of one pixel: red, green and blue.
pub const PIXEL_BYTES: u64 = 3;
/// Bytes that decoding takes for a pixel beside the result: four channels of 16 bits.
pub const DECODE_BYTES: u64 = 8;
/// Bytes that a call to a segmenter behind an endpoint takes for a pixel: two copies.
pub(crate) const SEND_BYTES: u64 = 2 * PIXEL_BYTES;
/// Bytes that allocation takes for a pixel: the map of owners and the distances.
pub(crate) const ALLOCATE_BYTES: u64 = 6;

/// What all calls in progress hold, and the most that they may.
#[derive(Debug)]
pub struct Memory {
    budget: u64,
    held: AtomicU64,
}

/// Bytes that are taken; given back when this is dropped.
#[derive(Debug)]
pub struct Held {
    memory: Arc<Memory>,
    bytes: u64,
}

impl Memory {
    /// A budget of so many bytes; 0 for half of what this process may still have.
    pub(crate) fn new(bytes: u64) -> Self {
        let budget = match bytes {
            0 => left_to_the_process() / 2,
            bytes => bytes,
        };
        Self {
            budget,
            held: AtomicU64::new(0),
        }
    }

    /// The most that calls may hold.
    pub fn budget(&self) -> u64 {
        self.budget
    }

    /// What they hold now.
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Takes `bytes` for `what`.
    ///
    /// # Errors
    /// Exhausted, if they are not there; for the moment, if they are less than the budget.
    pub fn hold(self: &Arc<Self>, what: &str, bytes: u64) -> Result<Held> {
        let mut held = self.nothing();
        held.add(what, bytes)?;
        Ok(held)
    }

    /// Nothing yet, to be added to.
    pub fn nothing(self: &Arc<Self>) -> Held {
        Held {
            memory: self.clone(),
            bytes: 0,
        }
    }
}

impl Held {
    /// Takes `bytes` more.
    ///
    /// # Errors
    /// As [`Memory::hold`].
    pub fn add(&mut self, what: &str, bytes: u64) -> Result<()> {
        let Memory { budget, held } = &*self.memory;
        let take = |now: u64| now.checked_add(bytes).filter(|sum| sum <= budget);
        let taken = held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        match taken {
            Ok(_) => {
                self.bytes += bytes;
                Ok(())
            }
            Err(_) if bytes > *budget => Err(Error::exhausted(format!(
                "{what} takes {bytes} bytes, but all calls together have {budget} \
                 (raise limits.memory_bytes)"
            ))),
            Err(now) => Err(Error::exhausted(format!(
                "{what} takes {bytes} bytes, but calls in progress hold {now} of {budget}; \
                 retry later (or raise limits.memory_bytes)"
            ))
            .passing()),
        }
    }

    /// Gives `bytes` back, or all there are.
    pub fn give_back(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.memory.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The bytes that this process may still take: what the machine has, its control group allows, and
/// `ulimit -v` leaves of addresses.
fn left_to_the_process() -> u64 {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let machine = kilobytes(&read("/proc/meminfo"), "MemAvailable:");
    let group = group_limit(&read("/proc/self/cgroup"), |path| {
        fs::read_to_string(path).ok()
    });
    let addresses = address_limit(&read("/proc/self/limits"));
    let used = kilobytes(&read("/proc/self/status"), "VmSize:").unwrap_or(0);
    let addresses = addresses.map(|limit| limit.saturating_sub(used));
    let limits = [machine, group, addresses].into_iter().flatten();
    limits.min().unwrap_or(u64::MAX)
}

/// The value in a line like `MemAvailable:  123 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// The soft limit in the line `Max address space` of `/proc/self/limits`.
fn address_limit(text: &str) -> Option<u64> {
    let name = "Max address space";
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The least `memory.max` (or, in version 1, `memory.limit_in_bytes`) of the control groups that
/// `/proc/self/cgroup` names, and of those above them.
fn group_limit(groups: &str, read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let mut least = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            "memory" => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => continue,
        };
        let path = Path::new(root).join(path.trim_start_matches('/'));
        let above = path.ancestors().filter(|folder| folder.starts_with(root));
        let limits = above.filter_map(|folder| read(&folder.join(file))?.trim().parse().ok());
        least = limits.chain(least).min();
    }
    least
}

#[cfg(test)]
mod tests {
    use som_core::ErrorKind;

    use super::*;

    #[test]
    fn what_is_held_is_given_back() {
        let memory = Arc::new(Memory::new(100));
        let first = memory.hold("an image", 60).unwrap();
        let error = memory.hold("a page", 41).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Exhausted);
        assert!(error.is_passing());
        assert!(error.message().contains("hold 60 of 100"), "{error}");
        let mut second = memory.hold("a page", 40).unwrap();
        assert!(second.add("a page", 1).is_err());
        second.give_back(30);
        assert_eq!(memory.held(), 70);
        drop(first);
        assert!(second.add("a page", 90).is_ok());
        drop(second);
        assert_eq!(memory.held(), 0);
        let error = memory.hold("an image", 101).unwrap_err();
        assert!(!error.is_passing(), "{error}");
    }

    #[test]
    fn limits_are_read_as_the_system_writes_them() {
        let status = "Name:\tsom\nVmSize:\t  2048 kB\n";
        assert_eq!(kilobytes(status, "VmSize:"), Some(2 << 20));
        assert_eq!(kilobytes(status, "VmPeak:"), None);
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max address space         1073741824           unlimited            bytes\n";
        assert_eq!(address_limit(limits), Some(1 << 30));
        assert_eq!(
            address_limit("Max address space  unlimited  unlimited  bytes"),
            None
        );
        let read = |path: &Path| match path.to_str()? {
            "/sys/fs/cgroup/memory.max" => Some("max\n".to_owned()),
            "/sys/fs/cgroup/a/memory.max" => Some("4000\n".to_owned()),
            "/sys/fs/cgroup/a/b/memory.max" => Some("9000\n".to_owned()),
            "/sys/fs/cgroup/memory/c/memory.limit_in_bytes" => Some("5000\n".to_owned()),
            _ => None,
        };
        assert_eq!(group_limit("0::/a/b\n", read), Some(4000));
        assert_eq!(group_limit("0::/\n", read), None);
        assert_eq!(group_limit("5:cpu:/a\n4:memory:/c\n", read), Some(5000));
    }
}
