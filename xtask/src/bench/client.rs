//! One run of a client against the stub, in a separate process, and its cost.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Result;

/// Requests in flight, for every client.
pub(crate) const IN_FLIGHT: u64 = 64;

/// The cost of one run of a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) rows: f64,
    pub(crate) wall_s: f64,
    pub(crate) cpu_s: f64,
    pub(crate) peak_kb: f64,
}

impl Figures {
    /// Rows per second of wall time.
    pub(crate) fn rows_per_second(&self) -> f64 {
        self.rows / self.wall_s
    }

    /// CPU time in microseconds.
    pub(crate) fn cpu_us_per_row(&self) -> f64 {
        self.cpu_s * 1e6 / self.rows
    }
}

/// One run of a client in a fresh process.
pub(crate) fn run(floor: &Path, name: &str, base: &str, rows: u64) -> Result<Figures> {
    let output = Command::new(floor)
        .args([name, "--base", base, "--rows", &rows.to_string(), "--in-flight", &IN_FLIGHT.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run {}: {error}", floor.display()))?;
    let line = String::from_utf8_lossy(&output.stdout);
    figures(&line, rows).ok_or_else(|| format!("client `{name}` did not do its work: `{}`", line.trim()))
}

/// The figures in a client's output line, if it got `rows` correct answers.
fn figures(line: &str, rows: u64) -> Option<Figures> {
    let line: Value = serde_json::from_str(line).ok()?;
    let number = |name| line.get(name).and_then(Value::as_f64);
    (line.get("ok")?.as_u64()? == rows).then_some(())?;
    Some(Figures {
        rows: rows as f64,
        wall_s: number("wall_s")?,
        cpu_s: number("cpu_s")?,
        peak_kb: number("hwm_kb").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::figures;

    #[test]
    fn a_client_that_missed_a_row_has_no_figures() {
        let line = |ok: u64| {
            format!(r#"{{"impl":"raw","rows":10,"ok":{ok},"wall_s":2.0,"cpu_s":0.5,"hwm_kb":null}}"#)
        };
        assert!((figures(&line(10), 10).unwrap().rows_per_second() - 5.0).abs() < 1e-9);
        assert!(figures(&line(9), 10).is_none());
        assert!(figures("", 10).is_none());
    }
}
