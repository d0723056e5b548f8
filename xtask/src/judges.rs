//! `cargo xtask judges`: the providers' official Python SDKs judge our requests, by the types that they declare for them and by
//! what they would send themselves, and the simulator, by whether they understand its answers.

mod answers;
mod questions;
mod requests;
mod sdks;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::server::Server;
use crate::{Result, binaries, workspace};

/// What judges our requests.
const REQUESTS: &str = "xtask/judges/judge_requests.py";

/// What judges the simulator, and the scenario that it asks for.
const SIMULATOR: [&str; 2] =
    ["crates/rowcall-sim/tests/sdk/judge.py", "crates/rowcall-sim/tests/sdk/judge.toml"];

/// Judges both.
///
/// # Errors
/// SDKs that cannot be had, for what is not judged has not passed; and whatever they find, which they print.
pub(crate) fn run() -> Result<()> {
    let python = sdks::python()?;
    let file = workspace().join("target/judges/requests.jsonl");
    requests::write(&file)?;
    let requests =
        judge(&python, REQUESTS, file.as_os_str(), "requests are not as the official SDKs have them");
    // Each is worth knowing about, whatever becomes of the other.
    let simulator = simulator(&python);
    requests.and(simulator)
}

fn simulator(python: &Path) -> Result<()> {
    let [script, scenario] = SIMULATOR;
    let mut command = Command::new(binaries::tested("rowcall")?);
    command.arg("sim").arg(workspace().join(scenario)).args(["--port", "0"]);
    let server = Server::start(&mut command)?;
    judge(python, script, OsStr::new(server.base()), "the official SDKs do not understand the simulator")
}

/// Runs a script of the workspace, which prints what it finds, and says so if it finds anything.
fn judge(python: &Path, script: &str, argument: &OsStr, found: &str) -> Result<()> {
    let mut command = Command::new(python);
    // The SDKs look for keys, addresses and proxies in the environment. Nothing is left beside the scripts.
    command.env_clear().arg("-B").arg(workspace().join(script)).arg(argument).stdin(Stdio::null());
    let status = command.status().map_err(|error| format!("cannot run {}: {error}", python.display()))?;
    if status.success() { Ok(()) } else { Err(format!("{found}: see above (`{script}`, {status})")) }
}
