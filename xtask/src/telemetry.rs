//! `cargo xtask telemetry`: promtool and the official classes of the OpenTelemetry protocol read what a run shows and sends for monitoring.

use std::fs;
use std::process::{Command, Stdio};

use crate::debian::{install, succeeds};
use crate::{Result, binaries, venv, workspace};

/// The official classes of the protocol.
const PACKAGES: [&str; 1] = ["opentelemetry-proto==1.45.2"];

/// The script that judges.
const SCRIPT: &str = "xtask/judges/telemetry.py";

/// Whether promtool is available. It is installed where this process may do so.
pub(crate) fn has_promtool() -> bool {
    let has = || succeeds(Command::new("promtool").arg("--version"));
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
    judge.arg(workspace().join(SCRIPT)).arg(rowcall).arg("promtool").arg(&folder).stdin(Stdio::null());
    let status = judge.status().map_err(|error| format!("cannot run Python: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("what a run sends is wrong, see above (`{SCRIPT}`)")) }
}
