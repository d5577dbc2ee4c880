//! Which core a thread is on, and how long a process has been on one.

use crate::Failure;
use rustix::thread::{CpuSet, sched_setaffinity};

/// Where what is measured runs.
pub const SERVER_CORE: usize = 0;
/// Where the load comes from.
pub const LOAD_CORE: usize = 1;

/// Keeps the calling thread, and the threads and processes that it starts from now on, on one core.
pub fn pin(core: usize) -> Result<(), Failure> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

/// Microseconds that the threads of a process have been on a core, in user and in system mode: the first figure of
/// `schedstat` (Documentation/scheduler/sched-stats.rst), which counts nanoseconds where `stat` counts ticks. A thread
/// that ended is not in it; the servers here end none while they are measured.
pub fn used_by(process: u32) -> Result<f64, Failure> {
    let mut sum = 0.0;
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        let first = text.split_whitespace().next().ok_or("schedstat must have a figure")?;
        sum += first.parse::<f64>()? / 1_000.0;
    }
    Ok(sum)
}
