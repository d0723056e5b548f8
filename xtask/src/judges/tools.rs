//! `cargo xtask judges --tools`: tools of others on the simulator's batches. Each script shows what its tool does well and the faults that it is
//! known for, so that the simulator is as hard on a tool as a provider is.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::{Result, binaries, venv, workspace};

/// A tool: the name of its environment, its packages in pip's format, and its script in `xtask/judges/tools`.
const TOOLS: [(&str, &[&str], &str); 3] = [
    ("venv-batchwizard", &["batchwizard==0.5.0"], "wizard.py"),
    ("venv-inspect", &["inspect-ai==0.3.285", "openai==3.54.0"], "inspect_ai_eval.py"),
    ("venv-curator", &["bespokelabs-curator==0.1.31"], "curator_batch.py"),
];

/// Runs all of them.
///
/// # Errors
/// A tool that cannot be installed, and one that does not do what its script expects, which prints it.
pub(crate) fn run() -> Result<()> {
    let program = binaries::tested("rowcall")?;
    let mut wrong = Vec::new();
    for (environment, packages, script) in TOOLS {
        println!("\n{}", packages.join(", "));
        let python = venv::python(environment, packages)?;
        let script: PathBuf = workspace().join("xtask/judges/tools").join(script);
        let mut command = Command::new(&python);
        command.arg("-B").arg(&script).arg(&program).stdin(Stdio::null());
        let status = command.status().map_err(|error| format!("cannot run {}: {error}", python.display()))?;
        if !status.success() {
            wrong.push(packages.join(", "));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("not as expected: {}", wrong.join("; "))) }
}
