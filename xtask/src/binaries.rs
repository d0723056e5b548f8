//! Builds the programs that are measured or tested, and returns their paths.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::{Result, cargo};

/// The arguments for building the tests, all together: other arguments would produce other programs.
pub(crate) const TESTS: [&str; 3] = ["test", "--workspace", "--all-features"];

/// Builds the package with the release profile and returns the path of its one program.
pub(crate) fn release(package: &str) -> Result<PathBuf> {
    let messages = built(&["build", "--release", "--package", package, "--bins"])
        .map_err(|problem| format!("package `{package}` does not build{problem}"))?;
    programs(&messages).last().ok_or_else(|| format!("package `{package}` has no program"))
}

/// Builds the package of this manifest, which is not in the workspace, with the release profile and in a folder of its own below
/// `target`; returns the path of its one program. Both are relative to the workspace.
pub(crate) fn apart(manifest: &str, target: &str) -> Result<PathBuf> {
    let messages =
        built(&["build", "--release", "--locked", "--manifest-path", manifest, "--target-dir", target])
            .map_err(|problem| format!("`{manifest}` does not build{problem}"))?;
    programs(&messages).last().ok_or_else(|| format!("`{manifest}` has no program"))
}

/// Builds the tests, if necessary, and returns the path of the program `name` among those they use.
pub(crate) fn tested(name: &str) -> Result<PathBuf> {
    let messages = built(&[&TESTS[..], &["--no-run"]].concat())
        .map_err(|problem| format!("the tests do not build{problem}"))?;
    programs(&messages)
        .find(|program| program.file_stem().is_some_and(|stem| stem == name))
        .ok_or_else(|| format!("the tests have no program `{name}`"))
}

/// Builds; returns cargo's messages, or the rest of the error message.
fn built(arguments: &[&str]) -> Result<String> {
    let format = ["--quiet", "--message-format=json-render-diagnostics"];
    let build = cargo().args(arguments).args(format).stderr(Stdio::inherit()).output();
    let build = build.map_err(|error| format!(": cannot run cargo: {error}"))?;
    if build.status.success() {
        return Ok(String::from_utf8_lossy(&build.stdout).into_owned());
    }
    Err(String::new())
}

/// The paths of the programs in cargo's messages, dependencies first. Tests are not included.
fn programs(messages: &str) -> impl Iterator<Item = PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let programs = messages.filter(|message| message.pointer("/profile/test") != Some(&Value::Bool(true)));
    programs.filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::programs;

    #[test]
    fn finds_the_programs_among_libraries_and_tests() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
                        {\"reason\":\"compiler-artifact\",\"profile\":{\"test\":false},\"executable\":\"/target/release/rowcall\"}\n\
                        {\"reason\":\"compiler-artifact\",\"profile\":{\"test\":true},\"executable\":\"/target/release/deps/rowcall-1\"}\n\
                        {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(programs(messages).collect::<Vec<_>>(), [PathBuf::from("/target/release/rowcall")]);
        assert_eq!(programs("no JSON\n").count(), 0);
    }
}
