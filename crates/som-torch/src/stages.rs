//! Where the time of a call goes: parts of it have names, and whoever [`record`]s them gets told when
//! each began and ended. Nothing is measured otherwise.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tch::Cuda;

/// A part of a call, as one thread computed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Such as `backbone`. Parts of the same name count together.
    pub name: &'static str,
    /// When it began.
    pub begin: Instant,
    /// When it ended.
    pub end: Instant,
}

/// `None` while nobody records. Of all threads, since some parts run on many.
static RECORD: Mutex<Option<Vec<Stage>>> = Mutex::new(None);

/// Does `work`, and the stages that it consists of, by when they ended.
///
/// There is one record for the process: what other threads compute meanwhile gets into it.
pub fn record<T>(work: impl FnOnce() -> T) -> (T, Vec<Stage>) {
    *lock() = Some(Vec::new());
    let done = work();
    let stages = lock().take().unwrap_or_default();
    (done, stages)
}

/// Does `work`, which is the part `name` of a call, and no part of another.
pub fn stage<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    if lock().is_none() {
        return work();
    }
    wait_for_gpus();
    let begin = Instant::now();
    let done = work();
    wait_for_gpus();
    if let Some(stages) = lock().as_mut() {
        let end = Instant::now();
        stages.push(Stage { name, begin, end });
    }
    done
}

/// GPUs compute behind the program's back.
fn wait_for_gpus() {
    for device in 0..Cuda::device_count() {
        Cuda::synchronize(device);
    }
}

fn lock() -> MutexGuard<'static, Option<Vec<Stage>>> {
    RECORD.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_told_to_who_records_them() {
        assert_eq!(stage("before", || 1), 1);
        let (done, stages) = record(|| stage("first", || 2) + stage("second", || 3));
        assert_eq!(done, 5);
        // Other tests compute, too.
        let ours = ["before", "first", "second"];
        let told = stages.iter().filter(|stage| ours.contains(&stage.name));
        let told: Vec<Stage> = told.copied().collect();
        assert_eq!(
            told.iter().map(|stage| stage.name).collect::<Vec<_>>(),
            ["first", "second"]
        );
        assert!(told[0].begin <= told[0].end && told[0].end <= told[1].begin);
    }
}
