//! One outage: how the server fails, and the result.

use std::path::Path;

use serde_json::Value;

use super::recovery;
use crate::Result;
use crate::bench::played::Stage;

/// The number of rows.
pub(crate) const ROWS: u64 = 1_500;

/// When the server begins to fail, in seconds after the first request. An undisturbed run takes five seconds and has
/// found its rate by then.
const BEGINS: u64 = 2;

/// The server: an answer takes a tenth of a second, and 32 are produced concurrently. So a run has found the useful
/// number of slots before the outage, and its rate is not that of the search.
const SERVER: &str = "[latency.log_normal]\nmedian_seconds = 0.1\nsigma = 0.2\n\n[slots]\nplaces = 32\n";

/// How a server fails.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct How {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// The fault in the scenario's file; `None` if connections are refused.
    fault: Option<&'static str>,
    /// Whether attempts sent during the outage end only by timeout.
    pub(crate) leaves_rows_hanging: bool,
}

const fn fails(name: &'static str, about: &'static str, fault: &'static str) -> How {
    How { name, about, fault: Some(fault), leaves_rows_hanging: false }
}

/// All ways to fail.
pub(crate) const HOWS: &[How] = &[
    fails("502", "502", "{ status = { code = 502, body = \"html\" } }"),
    fails("503", "503", "{ status = { code = 503, body = \"html\" } }"),
    fails("504", "504", "{ status = { code = 504, body = \"empty\" } }"),
    fails("html", "200 with a page", "\"garbage_body\""),
    fails("reset", "connections reset", "{ reset = \"before\" }"),
    How { name: "refused", about: "connections refused", fault: None, leaves_rows_hanging: false },
    How {
        name: "hang",
        about: "no answer",
        fault: Some("{ stall = \"before\" }"),
        leaves_rows_hanging: true,
    },
];

/// One outage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) how: &'static How,
    /// How long it lasts.
    pub(crate) seconds: u64,
}

/// The result.
#[derive(Debug, PartialEq)]
pub(crate) struct Ended {
    /// Rows without a value.
    pub(crate) failed: u64,
    /// Seconds from the end of the outage until answers were as frequent as before it; `None` if they never were.
    pub(crate) full_rate_after: Option<f64>,
    /// How long the run took.
    pub(crate) seconds: f64,
    pub(crate) requests: u64,
}

impl Cell {
    fn scenario(&self) -> String {
        let span = format!("from_seconds = {BEGINS}\nfor_seconds = {}", self.seconds);
        let fails = match self.how.fault {
            Some(kind) => {
                let during = span.replace('\n', ", ");
                format!("[[faults]]\nrate = 1.0\nduring = {{ {during} }}\nkind = {kind}\n")
            }
            None => format!("[[away]]\n{span}\n"),
        };
        format!("about = \"cargo xtask bench outage: {}\"\n\n{SERVER}\n{fails}", self.how.name)
    }

    /// Plays it to the end.
    ///
    /// # Errors
    /// A simulator or a run that does not start, and a run that was stopped.
    pub(crate) fn play(&self, rowcall: &Path) -> Result<Ended> {
        let ended = Stage::new(rowcall, &self.scenario(), ROWS)?.run(rowcall, &[])?;
        let tenths = ended.stats.get("answers_by_tenth").and_then(Value::as_array).map(Vec::as_slice);
        let tenths: Vec<_> = tenths.unwrap_or_default().iter().filter_map(Value::as_u64).collect();
        Ok(Ended {
            failed: ended.failed,
            full_rate_after: recovery::seconds(&tenths, BEGINS, BEGINS + self.seconds),
            seconds: ended.seconds,
            requests: ended.number("/requests/all"),
        })
    }
}

#[cfg(test)]
mod tests {
    use rowcall_sim::Scenario;

    use super::*;

    #[test]
    fn every_outage_is_a_scenario() {
        for how in HOWS {
            let text = Cell { how, seconds: 20 }.scenario();
            let scenario = Scenario::from_toml(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert_eq!(scenario.faults.len() + scenario.away.len(), 1, "{}", how.name);
        }
    }
}
