//! The cost of a process, watched from outside until it ends: peak resident memory and CPU time. Read from `/proc`,
//! so available only on Linux.
#![expect(clippy::disallowed_methods, reason = "a process is watched from outside, by the clock")]

use std::fs;
use std::process::Child;
use std::time::Duration;

use crate::Result;

/// How often a process is checked. Its figures can rise unnoticed only in the last of these intervals.
const GLANCE: Duration = Duration::from_millis(20);
/// Linux counts CPU time in hundredths of a second here, whatever the tick of its own clock.
const TICKS_PER_SECOND: f64 = 100.0;

/// The latest figures.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Cost {
    /// The peak resident set, in kilobytes of 1024 bytes.
    pub(crate) peak_kb: Option<f64>,
    /// User and system time of all threads.
    pub(crate) cpu_seconds: Option<f64>,
}

/// Waits for the process to succeed.
///
/// # Errors
/// A process that fails.
pub(crate) fn watch(process: &mut Child) -> Result<Cost> {
    let known = format!("/proc/{}", process.id());
    let read = |name| fs::read_to_string(format!("{known}/{name}")).ok();
    let mut cost = Cost::default();
    loop {
        // A process that is about to end has no memory any more; then the last figure is kept.
        cost.peak_kb = read("status").as_deref().and_then(peak_memory).or(cost.peak_kb);
        cost.cpu_seconds = read("stat").as_deref().and_then(cpu_seconds).or(cost.cpu_seconds);
        match process.try_wait() {
            Ok(None) => std::thread::sleep(GLANCE),
            Ok(Some(ended)) if ended.success() => return Ok(cost),
            Ok(Some(ended)) => return Err(format!("the run failed: {ended}")),
            Err(error) => return Err(format!("the run is lost: {error}")),
        }
    }
}

/// The peak resident set in the `status` file of a process.
fn peak_memory(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The CPU time in the `stat` file of a process, where user and system time are the 14th and 15th field. The second
/// field is the program's name in brackets, which may contain anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, from_third) = stat.rsplit_once(')')?;
    let mut times = from_third.split_whitespace().skip(11).map(str::parse::<f64>);
    Some((times.next()?.ok()? + times.next()?.ok()?) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::{cpu_seconds, peak_memory};

    #[test]
    fn reads_the_peak() {
        assert_eq!(peak_memory("VmPeak:\t 9 kB\nVmHWM:\t    5120 kB\n"), Some(5120.0));
        assert_eq!(peak_memory("Name:\trowcall\n"), None);
    }

    #[test]
    fn reads_cpu_time() {
        let stat = "4711 (row) call) S 1 4711 4711 0 -1 4194304 2500 0 0 0 150 25 7 7 20 0 3 0 99 1 2";
        assert_eq!(cpu_seconds(stat), Some(1.75));
        assert_eq!(cpu_seconds("4711 (rowcall) S 1"), None);
    }
}
