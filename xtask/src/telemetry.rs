//! `cargo xtask telemetry`: Prometheus, promtool, an OpenTelemetry collector and the official classes of its protocol read what a run shows and
//! sends for monitoring.

use std::fs;
use std::process::{Command, Stdio};

use crate::debian::{install, succeeds};
use crate::{Result, binaries, venv, workspace};

/// The official classes of the protocol, and a collector.
const PACKAGES: [&str; 2] = ["opentelemetry-proto==1.45.2", "rotel==0.0.1a15"];

/// The script that judges.
const SCRIPT: &str = "xtask/judges/telemetry.py";

/// Whether Prometheus and its promtool are available. They are installed where this process may do so.
pub(crate) fn has_prometheus() -> bool {
    let has =
        || ["promtool", "prometheus"].iter().all(|program| succeeds(Command::new(program).arg("--version")));
    has() || (install("prometheus") && has())
}

/// Judges a run.
///
/// # Errors
/// What cannot be installed, or what is wrong.
pub(crate) fn run() -> Result<()> {
    let python = venv::python("telemetry", &PACKAGES)?;
    let folder = workspace().join("target/telemetry/run");
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make `{}`: {error}", folder.display()))?;
    let rowcall = binaries::tested("rowcall")?;
    let mut judge = Command::new(python);
    judge
        .arg(workspace().join(SCRIPT))
        .arg(rowcall)
        .args(["promtool", "prometheus"])
        .arg(&folder)
        .stdin(Stdio::null());
    let status = judge.status().map_err(|error| format!("cannot run Python: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("what a run sends is wrong, see above (`{SCRIPT}`)")) }
}
