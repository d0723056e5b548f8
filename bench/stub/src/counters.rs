//! The server's counts since the last reset, for `/stats`, so that a measurement can check how many requests a client
//! sent.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rustix::time::{ClockId, clock_gettime};

/// The counts, shared by all connections.
#[derive(Debug)]
pub(crate) struct Counters {
    requests: AtomicU64,
    request_bytes: AtomicU64,
    connections: AtomicU64,
    open: AtomicU64,
    most_open: AtomicU64,
    /// By the system's clock since it was started, in nanoseconds.
    reset_at: AtomicU64,
    /// The same, or 0 before the first request.
    first_at: AtomicU64,
}

impl Counters {
    /// All at zero.
    pub(crate) const fn new() -> Self {
        Self {
            requests: AtomicU64::new(0),
            request_bytes: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            open: AtomicU64::new(0),
            most_open: AtomicU64::new(0),
            reset_at: AtomicU64::new(0),
            first_at: AtomicU64::new(0),
        }
    }

    /// A connection was accepted.
    pub(crate) fn opened(&self) {
        self.connections.fetch_add(1, Relaxed);
        let open = self.open.fetch_add(1, Relaxed) + 1;
        self.most_open.fetch_max(open, Relaxed);
    }

    /// A connection has ended.
    pub(crate) fn closed(&self) {
        self.open.fetch_sub(1, Relaxed);
    }

    /// A chat completion was requested, with a head and body of `bytes` bytes.
    pub(crate) fn asked(&self, bytes: usize) {
        if self.requests.fetch_add(1, Relaxed) == 0 {
            self.first_at.store(now(), Relaxed);
        }
        self.request_bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// Forgets everything except the open connections.
    pub(crate) fn reset(&self) {
        for counter in [&self.requests, &self.request_bytes, &self.connections, &self.first_at] {
            counter.store(0, Relaxed);
        }
        self.most_open.store(self.open.load(Relaxed), Relaxed);
        self.reset_at.store(now(), Relaxed);
    }

    /// The counts as JSON, with the seconds from the last reset to the first request after it, and the user and system time of
    /// this process in seconds.
    pub(crate) fn stats(&self) -> String {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let first = self.first_at.load(Relaxed).saturating_sub(self.reset_at.load(Relaxed));
        format!(
            r#"{{"requests":{},"request_bytes":{},"connections":{},"open":{},"most_open":{},"first_s":{}.{:09},"cpu_s":{}.{:09}}}"#,
            self.requests.load(Relaxed),
            self.request_bytes.load(Relaxed),
            self.connections.load(Relaxed),
            self.open.load(Relaxed),
            self.most_open.load(Relaxed),
            first / NANOSECONDS,
            first % NANOSECONDS,
            cpu.tv_sec,
            cpu.tv_nsec,
        )
    }
}

const NANOSECONDS: u64 = 1_000_000_000;

/// The system's clock, which never goes back, in nanoseconds.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let part = |part: i64| u64::try_from(part).unwrap_or_default();
    part(time.tv_sec) * NANOSECONDS + part(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::Counters;

    #[test]
    fn counts_and_forgets() {
        let counters = Counters::new();
        counters.opened();
        counters.opened();
        counters.closed();
        counters.asked(100);
        counters.asked(20);
        let counted =
            r#"{"requests":2,"request_bytes":120,"connections":2,"open":1,"most_open":2,"first_s":"#;
        assert!(counters.stats().starts_with(counted), "{}", counters.stats());
        counters.reset();
        let fresh = r#"{"requests":0,"request_bytes":0,"connections":0,"open":1,"most_open":1,"first_s":0.000000000,"cpu_s":"#;
        assert!(counters.stats().starts_with(fresh), "{}", counters.stats());
    }
}
