//! Builds what is measured, with the release profile, and says where it lies.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::{Result, cargo};

/// Builds the package and returns the path of its one program.
pub(crate) fn release(package: &str) -> Result<PathBuf> {
    let arguments = [
        "build",
        "--release",
        "--quiet",
        "--package",
        package,
        "--bins",
        "--message-format=json-render-diagnostics",
    ];
    let build = cargo().args(arguments).stderr(Stdio::inherit()).output();
    let build = build.map_err(|error| format!("cannot run cargo: {error}"))?;
    if !build.status.success() {
        return Err(format!("package `{package}` does not build"));
    }
    program(&String::from_utf8_lossy(&build.stdout))
        .ok_or_else(|| format!("package `{package}` has no program"))
}

/// The path of the last program among cargo's messages: what was asked for is built after what it needs.
fn program(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages.into_iter().find_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::program;

    #[test]
    fn finds_the_program_among_libraries() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
                        {\"reason\":\"compiler-artifact\",\"executable\":\"/target/release/rowcall\"}\n\
                        {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(program(messages), Some(PathBuf::from("/target/release/rowcall")));
        assert_eq!(program("no JSON\n"), None);
    }
}
