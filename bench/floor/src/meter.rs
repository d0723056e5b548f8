//! The cost of a client's process, from the first line of `main` to the last answer: CPU time, wall time and peak
//! resident memory.
#![expect(clippy::disallowed_methods, reason = "wall time is what is measured")]

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use crate::arguments::Arguments;

/// Wall time since the process began; the system counts CPU time and memory.
#[derive(Debug)]
pub(crate) struct Meter {
    started: Instant,
}

impl Meter {
    /// Must be called first in `main`.
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// The figures so far, for a client with `ok` correct answers: seconds, and kilobytes of 1024 bytes. Memory is
    /// null where the system does not provide it.
    pub(crate) fn report(&self, arguments: &Arguments, ok: u64) -> Value {
        json!({
            "impl": arguments.client.name(),
            "rows": arguments.rows,
            "ok": ok,
            "wall_s": self.started.elapsed().as_secs_f64(),
            "cpu_s": cpu_seconds(),
            "hwm_kb": peak_memory(&std::fs::read_to_string("/proc/self/status").unwrap_or_default()),
        })
    }
}

/// User and system time of all threads of this process.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The peak resident set in the `status` file of a process.
fn peak_memory(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{cpu_seconds, peak_memory};

    #[test]
    fn reads_the_peak() {
        assert_eq!(peak_memory("Name:\tfloor\nVmHWM:\t    5120 kB\nVmRSS:\t 100 kB\n"), Some(5120));
        assert_eq!(peak_memory("Name:\tfloor\n"), None);
    }

    #[test]
    fn work_costs_time() {
        let before = cpu_seconds();
        let sum = (0..1_000_000_u64).fold(0, |sum: u64, n| std::hint::black_box(sum.wrapping_mul(31) ^ n));
        assert!(cpu_seconds() > before, "{sum}");
    }
}
