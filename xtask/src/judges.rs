//! `cargo xtask judges`: the providers' official Python SDKs check our requests, against their declared types and
//! against what they would send themselves, and the simulator, by whether they understand its answers.

mod answers;
mod batches;
mod questions;
mod requests;
mod sdks;
pub(crate) mod tools;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::server::Server;
use crate::{Result, binaries, workspace};

/// The script that checks our requests.
const REQUESTS: &str = "xtask/judges/judge_requests.py";

/// The script that checks what we send to batch APIs.
const BATCHES: &str = "xtask/judges/judge_batches.py";

/// The script that checks the simulator, and the scenario that it needs.
const SIMULATOR: [&str; 2] =
    ["crates/rowcall-sim/tests/sdk/judge.py", "crates/rowcall-sim/tests/sdk/judge.toml"];

/// Runs all of them.
///
/// # Errors
/// SDKs that are not available, since unchecked is not passed; and whatever they find, which they print.
pub(crate) fn run() -> Result<()> {
    let python = sdks::python()?;
    let file = workspace().join("target/judges/requests.jsonl");
    requests::write(&file)?;
    let requests = judge(&python, REQUESTS, file.as_os_str(), "the official SDKs reject some requests");
    let file = workspace().join("target/judges/batches.jsonl");
    batches::write(&file)?;
    let batches =
        judge(&python, BATCHES, file.as_os_str(), "the official SDKs reject what is sent to batch APIs");
    // Run all, even if one fails.
    let simulator = simulator(&python);
    requests.and(batches).and(simulator)
}

fn simulator(python: &Path) -> Result<()> {
    let [script, scenario] = SIMULATOR;
    let mut command = Command::new(binaries::tested("rowcall")?);
    command.arg("sim").arg(workspace().join(scenario)).args(["--port", "0"]);
    let server = Server::start(&mut command)?;
    judge(python, script, OsStr::new(server.base()), "the official SDKs do not understand the simulator")
}

/// Runs a script of the workspace, which prints its findings, and fails if there are any.
fn judge(python: &Path, script: &str, argument: &OsStr, found: &str) -> Result<()> {
    let mut command = Command::new(python);
    // The SDKs look for keys, addresses and proxies in the environment. `-B` writes no files next to the scripts.
    command.env_clear().arg("-B").arg(workspace().join(script)).arg(argument).stdin(Stdio::null());
    let status = command.status().map_err(|error| format!("cannot run {}: {error}", python.display()))?;
    if status.success() { Ok(()) } else { Err(format!("{found}: see above (`{script}`, {status})")) }
}
