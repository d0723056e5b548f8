//! `cargo xtask prices`: makes the table of models and prices from the packages LiteLLM and genai-prices, and their
//! own totals, with which the tests compare ours. `docs/cost.md` explains the table.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Result, venv, workspace};

/// The releases to use, in pip's format.
const PINS: &str = include_str!("../prices/requirements.txt");

/// The scripts and the files they make.
const MADE: [(&str, &str); 2] = [
    ("xtask/prices/snapshot.py", "crates/rowcall/data/prices.json"),
    ("xtask/prices/totals.py", "crates/rowcall/tests/prices/totals.json"),
];

/// Makes both files again.
///
/// # Errors
/// Packages that are not available, and data in them that has changed its form.
pub(crate) fn run() -> Result<()> {
    let pins: Vec<&str> = PINS.lines().filter(|line| !line.starts_with('#')).collect();
    let python = venv::python("venv-prices", &pins)
        .map_err(|problem| format!("prices need the packages: {problem}"))?;
    for (script, file) in MADE {
        make(&python, script, &workspace().join(file))?;
    }
    Ok(())
}

fn make(python: &Path, script: &str, file: &Path) -> Result<()> {
    let mut command = Command::new(python);
    command.arg("-B").arg(workspace().join(script)).arg(file).stdin(Stdio::null());
    let status = command.status().map_err(|error| format!("cannot run {}: {error}", python.display()))?;
    if status.success() { Ok(()) } else { Err(format!("see above (`{script}`, {status})")) }
}
