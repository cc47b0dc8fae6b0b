//! On how many cores the calling thread's operations compute.
//!
//! libtorch keeps this for each thread, and new threads start with what any thread set last. So a
//! network says it whenever it starts to compute.

use std::{env, num::NonZero, sync::Mutex, thread};

use som_core::{Error, Result};

use crate::memory;

/// Threads that computing starts for each core: rayon's, OpenMP's, and those of a pool that
/// libtorch has beside it.
const FOR_EACH_CORE: usize = 3;

/// Addresses that a thread takes beside the memory it uses: its stack, and a heap of its own.
const ADDRESSES: u64 = (8 + 64) << 20;

/// Addresses for what else is set up with them.
const ONCE: u64 = 128 << 20;

/// Checks that the threads with which a network computes can start, by starting as many.
///
/// If one of them cannot, OpenMP ends the process and libtorch waits for it forever.
///
/// # Errors
/// Exhausted, if the process may have no more threads, or not the addresses for them.
pub(crate) fn require() -> Result<()> {
    let count = FOR_EACH_CORE * usize::try_from(all()).unwrap_or(1);
    let needed = count as u64 * ADDRESSES + ONCE;
    memory::require_addresses(needed, &format!("{count} threads"))?;
    let gate = Mutex::new(());
    let wait = || drop(gate.lock());
    let started = thread::scope(|scope| {
        let _closed = gate.lock();
        let start = || thread::Builder::new().spawn_scoped(scope, wait);
        (0..count).try_for_each(|_| start().map(drop))
    });
    started.map_err(|error| {
        Error::exhausted(format!(
            "the {count} threads with which a network computes cannot all be started: {error}"
        ))
    })
}

/// As many threads as there are cores, or as `OMP_NUM_THREADS` says.
fn all() -> i32 {
    let told = env::var("OMP_NUM_THREADS").ok();
    let told = told.and_then(|count| count.parse().ok());
    let cores = || thread::available_parallelism().map_or(1, NonZero::get);
    let cores = || i32::try_from(cores()).unwrap_or(i32::MAX);
    told.filter(|&count| count > 0).unwrap_or_else(cores)
}

/// Operations of this thread may use all cores from now on, or as many as `OMP_NUM_THREADS` says.
pub fn use_all() {
    tch::set_num_threads(all());
}

/// Operations of this thread compute on it alone from now on, for work that is shared out among
/// threads already.
pub fn use_one() {
    tch::set_num_threads(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_has_its_own() {
        use_all();
        let all = tch::get_num_threads();
        let alone = thread::spawn(|| {
            use_one();
            tch::get_num_threads()
        });
        assert_eq!(alone.join().unwrap(), 1);
        assert_eq!(tch::get_num_threads(), all);
    }
}
