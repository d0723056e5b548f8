//! The cost of a process, watched from outside until it ends: peak resident memory, read from `/proc` and so available only on
//! Linux, and CPU time.
#![expect(clippy::disallowed_methods, reason = "a process is watched from outside, by the clock")]

use std::fs;
use std::process::Child;
use std::time::Duration;

use wait4::Wait4 as _;

use crate::Result;

/// How often a process is checked. Its memory can rise unnoticed only in the last of these intervals.
const GLANCE: Duration = Duration::from_millis(10);

/// What a process took.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Cost {
    /// The peak resident set, in kilobytes of 1024 bytes.
    pub(crate) peak_kb: Option<f64>,
    /// User and system time of all threads, from the first to the last instruction.
    pub(crate) cpu_seconds: f64,
}

/// Waits for the process to succeed.
///
/// # Errors
/// A process that fails.
pub(crate) fn watch(process: &mut Child) -> Result<Cost> {
    let status = format!("/proc/{}/status", process.id());
    let mut peak_kb = None;
    loop {
        // A process that is about to end has no memory any more; then the last figure is kept.
        peak_kb = fs::read_to_string(&status).ok().as_deref().and_then(peak_memory).or(peak_kb);
        match process.try_wait4() {
            Ok(None) => std::thread::sleep(GLANCE),
            Ok(Some(ended)) if ended.status.success() => {
                let cpu_seconds = (ended.rusage.utime + ended.rusage.stime).as_secs_f64();
                return Ok(Cost { peak_kb, cpu_seconds });
            }
            Ok(Some(ended)) => return Err(format!("the run failed: {}", ended.status)),
            Err(error) => return Err(format!("the run is lost: {error}")),
        }
    }
}

/// The peak resident set in the `status` file of a process.
fn peak_memory(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{peak_memory, watch};

    #[test]
    fn reads_the_peak() {
        assert_eq!(peak_memory("VmPeak:\t 9 kB\nVmHWM:\t    5120 kB\n"), Some(5120.0));
        assert_eq!(peak_memory("Name:\trowcall\n"), None);
    }

    #[test]
    fn work_costs_time() {
        let mut busy = Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"])
            .spawn()
            .expect("a shell");
        assert!(watch(&mut busy).expect("it ends").cpu_seconds > 0.0);
        let mut failing = Command::new("false").spawn().expect("a program");
        assert!(watch(&mut failing).is_err());
    }
}
