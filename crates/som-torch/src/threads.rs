//! On how many cores the calling thread's operations compute.
//!
//! libtorch keeps this for each thread, and new threads start with what any thread set last. So a
//! network says it whenever it starts to compute.

use std::{env, num::NonZero, thread};

/// Operations of this thread may use all cores from now on, or as many as `OMP_NUM_THREADS` says.
pub fn use_all() {
    let told = env::var("OMP_NUM_THREADS").ok();
    let told = told.and_then(|count| count.parse().ok());
    let cores = || thread::available_parallelism().map_or(1, NonZero::get);
    let cores = || i32::try_from(cores()).unwrap_or(i32::MAX);
    tch::set_num_threads(told.filter(|&count| count > 0).unwrap_or_else(cores));
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
