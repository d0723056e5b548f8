//! The official SDKs, in pinned versions and an environment of their own below `target`: made once, and again when a pin changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::debian::{install, succeeds};
use crate::{Result, workspace};

/// The packages with their versions, as pip reads them.
const PINS: &str = include_str!("../../judges/requirements.txt");

/// Written into the environment when all is in it: the pins that it was made for.
const STAMP: &str = "pins";

/// The Python that has the SDKs.
///
/// # Errors
/// What they cannot be had without: Python with its `venv`, and a registry of packages.
pub(super) fn python() -> Result<PathBuf> {
    let folder = workspace().join("target/venv-judges");
    let python = folder.join("bin/python");
    if is_made(&folder, PINS) && succeeds(Command::new(&python).arg("--version")) {
        return Ok(python);
    }
    println!("the official SDKs are installed: {}", PINS.split_whitespace().collect::<Vec<_>>().join(", "));
    make(&folder)?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"]);
    pip.arg("--requirement").arg(workspace().join("xtask/judges/requirements.txt")).stdin(Stdio::null());
    if !pip.status().is_ok_and(|status| status.success()) {
        let problem = "pip cannot install the official SDKs, without which nothing is judged";
        return Err(format!("{problem}: it needs a registry of Python packages, see above"));
    }
    let stamp = folder.join(STAMP);
    fs::write(&stamp, PINS).map_err(|error| format!("cannot write `{}`: {error}", stamp.display()))?;
    Ok(python)
}

/// Whether all of `pins` has been installed in `folder`, and nothing else.
fn is_made(folder: &Path, pins: &str) -> bool {
    fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == pins)
}

/// Makes an empty environment. On Debian, what is needed for that is a package of its own.
fn make(folder: &Path) -> Result<()> {
    let venv = || {
        let mut command = Command::new("python3");
        command.args(["-m", "venv", "--clear"]).arg(folder);
        command
    };
    if succeeds(&mut venv()) || (install("python3-venv") && succeeds(&mut venv())) {
        return Ok(());
    }
    Err("the official SDKs judge in Python, and `python3 -m venv` does not work here".to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{PINS, STAMP, is_made};

    #[test]
    fn the_three_sdks_are_pinned_exactly() {
        let pins: Vec<(&str, &str)> = PINS.lines().filter_map(|line| line.split_once("==")).collect();
        let names: Vec<&str> = pins.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["openai", "anthropic", "google-genai"]);
        assert_eq!(PINS.lines().count(), pins.len());
        for (name, version) in pins {
            let is_exact = version.split('.').all(|part| part.parse::<u32>().is_ok());
            assert!(is_exact && version.split('.').count() == 3, "{name} {version}");
        }
    }

    #[test]
    fn an_environment_serves_only_the_pins_that_it_was_made_for() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(!is_made(folder.path(), PINS), "an empty folder");
        fs::write(folder.path().join(STAMP), PINS).expect("written");
        assert!(is_made(folder.path(), PINS));
        assert!(!is_made(folder.path(), "openai==0.0.1\n"));
    }
}
