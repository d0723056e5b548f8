//! One cell of the matrix: the client, the share of rejected requests, and the time.

use std::fmt;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::Result;
use crate::bench::played::Stage;
use crate::python::in_workspace;

/// The number of rows.
pub(crate) const ROWS: u64 = 600;

/// The latency of an answer.
const LATENCY: &str = "[latency.log_normal]\nmedian_seconds = 0.3\nsigma = 0.2\n";

/// Limits that are never reached, so that headers advertise them but no request is rejected for them.
const LIMITS: &str = "[quota]\nrequests_per_minute = 60000\ntokens_per_minute = 60000000\n";

/// The script that uses Instructor.
const SCRIPT: &str = "xtask/src/bench/refusals/instructor_semaphore.py";

/// The client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// rowcall with `-c 20`.
    Twenty,
    /// rowcall with its defaults.
    Auto,
    /// Instructor with a semaphore of 20, and its client's own retries.
    Instructor,
}

/// Whether headers advertise limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Headers {
    Left,
    Sent,
}

/// How long a rejection asks to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    Seconds(u64),
    Absent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) asker: Asker,
    pub(crate) headers: Headers,
    /// The share of requests, in thousandths, and the wait; `None` for the calm run.
    pub(crate) refused: Option<(u32, Wait)>,
}

/// The result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Times {
    /// From the first request to the last answer.
    pub(crate) seconds: f64,
    /// Rows without a value.
    pub(crate) failed: u64,
}

impl Wait {
    /// The longest time of one wait, in seconds: the server's time plus up to a quarter, at most one second more; if
    /// it gives none, the first wait is up to half a second.
    pub(crate) fn longest(self) -> f64 {
        match self {
            Self::Seconds(seconds) => {
                let seconds = seconds as f64;
                seconds + (seconds / 4.0).min(1.0)
            }
            Self::Absent => 0.5,
        }
    }
}

impl Cell {
    fn scenario(&self) -> String {
        let limits = match self.headers {
            Headers::Left => "",
            Headers::Sent => LIMITS,
        };
        let refused = self.refused.map_or(String::new(), |(share, wait)| {
            let wait = match wait {
                Wait::Seconds(seconds) => format!(", retry_after = {seconds}"),
                Wait::Absent => String::new(),
            };
            let rate = f64::from(share) / 1000.0;
            let message = "Too many requests";
            format!("[[faults]]\nrate = {rate}\nkind = {{ status = {{ code = 429, message = \"{message}\"{wait} }} }}\n")
        });
        format!("about = \"cargo xtask bench refusals: some at random\"\n\n{LATENCY}\n{limits}\n{refused}")
    }

    /// Plays it to the end.
    ///
    /// # Errors
    /// A simulator or a client that does not start, and one that gives up.
    pub(crate) fn play(&self, rowcall: &Path, python: Option<&Path>) -> Result<Times> {
        let stage = Stage::new(rowcall, &self.scenario(), ROWS)?;
        let (failed, stats) = match (self.asker, python) {
            (Asker::Twenty, _) => {
                let ended = stage.run(rowcall, &["-c", "20", "--no-journal"])?;
                (ended.failed, ended.stats)
            }
            (Asker::Auto, _) => {
                let ended = stage.run(rowcall, &["--no-journal"])?;
                (ended.failed, ended.stats)
            }
            (Asker::Instructor, Some(python)) => {
                let failed = by_instructor(python, stage.server.base())?;
                (failed, stage.server.get("/stats")?)
            }
            (Asker::Instructor, None) => return Err("there is no Python".to_owned()),
        };
        let seconds = stats.get("seconds").and_then(Value::as_f64).ok_or("the simulator reports no time")?;
        Ok(Times { seconds, failed })
    }
}

/// Sends all rows with Instructor; returns how many have no value.
fn by_instructor(python: &Path, base: &str) -> Result<u64> {
    let mut ask = in_workspace(python);
    ask.args([SCRIPT, base, &ROWS.to_string()]).stdin(Stdio::null());
    let output = ask.output().map_err(|error| format!("cannot run {ask:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let values: u64 = text.trim().parse().map_err(|_| {
        format!(
            "Instructor failed: {}",
            String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default()
        )
    })?;
    Ok(ROWS.saturating_sub(values))
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(seconds) => write!(f, "{seconds} s"),
            Self::Absent => f.write_str("none"),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asker = match self.asker {
            Asker::Twenty => "-c 20",
            Asker::Auto => "auto",
            Asker::Instructor => "Instructor",
        };
        let headers = match self.headers {
            Headers::Left => "",
            Headers::Sent => ", limits in headers",
        };
        match self.refused {
            None => write!(f, "{asker}{headers}, calm"),
            Some((share, wait)) => write!(f, "{asker}{headers}, {} %, {wait}", f64::from(share) / 10.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use rowcall_sim::Scenario;

    use super::*;

    #[test]
    fn every_cell_is_a_scenario() {
        for headers in [Headers::Left, Headers::Sent] {
            for refused in [None, Some((5, Wait::Seconds(30))), Some((100, Wait::Absent))] {
                let text = Cell { asker: Asker::Auto, headers, refused }.scenario();
                let scenario = Scenario::from_toml(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
                assert_eq!(scenario.faults.len(), usize::from(refused.is_some()));
                assert_eq!(scenario.quota.is_some(), headers == Headers::Sent);
            }
        }
    }
}
