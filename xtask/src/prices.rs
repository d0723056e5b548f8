//! `cargo xtask prices`: makes the table of models and prices from what LiteLLM and genai-prices ship, and the totals that they give
//! themselves, with which the tests compare ours. `docs/cost.md` says what the table means.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Result, venv, workspace};

/// The releases to take, as pip reads them.
const PINS: &str = include_str!("../prices/requirements.txt");

/// What makes which file.
const MADE: [(&str, &str); 2] = [
    ("xtask/prices/snapshot.py", "crates/rowcall/data/prices.json"),
    ("xtask/prices/totals.py", "crates/rowcall/tests/prices/totals.json"),
];

/// Makes both files anew.
///
/// # Errors
/// Packages that cannot be had, and data in them that is not as it was.
pub(crate) fn run() -> Result<()> {
    let pins: Vec<&str> = PINS.lines().filter(|line| !line.starts_with('#')).collect();
    let python = venv::python("venv-prices", &pins)
        .map_err(|problem| format!("there are no prices without the packages: {problem}"))?;
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
