//! How many requests per second the stub can answer, measured by an independent load generator: wrk if available,
//! else the floor's raw sockets. A client's rows/s are meaningful only well below this.

use std::path::Path;
use std::process::Command;

use super::client;
use crate::{Result, workspace};

/// The load generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generator {
    /// wrk, from the search path.
    Wrk,
    /// `rowcall-bench-floor raw`, a slower generator: the true ceiling may be higher.
    RawSockets,
}

impl Generator {
    /// wrk, if it can be run.
    pub(crate) fn find() -> Self {
        if Command::new("wrk").arg("--version").output().is_ok() { Self::Wrk } else { Self::RawSockets }
    }

    /// The generator's name next to the figure.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wrk => "wrk",
            Self::RawSockets => "raw sockets (no `wrk` on the path), a lower bound",
        }
    }

    /// How many requests per second the server at `base` answers.
    pub(crate) fn measure(self, floor: &Path, base: &str, rows: u64) -> Result<f64> {
        match self {
            Self::Wrk => wrk(base),
            Self::RawSockets => {
                client::run(floor, "raw", base, rows).map(|figures| figures.rows_per_second())
            }
        }
    }
}

fn wrk(base: &str) -> Result<f64> {
    let connections = format!("-c{}", client::IN_FLIGHT);
    let output = Command::new("wrk")
        .args(["-t1", &connections, "-d2s", "-s"])
        .arg(workspace().join("bench/wrk.lua"))
        .arg(format!("{base}/chat/completions"))
        .output()
        .map_err(|error| format!("cannot run wrk: {error}"))?;
    let report = String::from_utf8_lossy(&output.stdout);
    requests_per_second(&report).ok_or_else(|| format!("wrk reported `{}`", report.trim()))
}

/// The rate in wrk's report, unless some answers were errors.
fn requests_per_second(report: &str) -> Option<f64> {
    let value = |name| report.lines().find_map(|line| line.trim().strip_prefix(name));
    if value("Non-2xx or 3xx responses:").is_some() || value("Socket errors:").is_some() {
        return None;
    }
    value("Requests/sec:")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::requests_per_second;

    #[test]
    fn reads_wrk_s_report() {
        let report =
            "  186519 requests in 2.00s, 249.24MB read\nRequests/sec:  93210.55\nTransfer/sec: 124MB\n";
        assert_eq!(requests_per_second(report), Some(93210.55));
        let bad = format!("  Non-2xx or 3xx responses: 3\n{report}");
        assert_eq!(requests_per_second(&bad), None);
        assert_eq!(requests_per_second("unable to connect"), None);
    }
}
