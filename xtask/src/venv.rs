//! Python virtual environments below `target/`: made once, and again if their packages change or they are incomplete.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::debian::{install, succeeds};
use crate::{Result, workspace};

/// Tried in this order.
const INTERPRETERS: [&str; 6] =
    ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/// Written into the environment when it is complete: the packages that it was made for.
const STAMP: &str = "packages";

/// The interpreter of the environment `name`, which has `packages`, in pip's format.
///
/// # Errors
/// If Python 3.10 or later with its `venv`, or a package registry, is not available.
pub(crate) fn python(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = workspace().join("target").join(name);
    let python = folder.join("bin/python");
    if is_made(&folder, packages) && succeeds(Command::new(&python).arg("--version")) {
        return Ok(python);
    }
    println!("installed into `target/{name}`: {}", packages.join(", "));
    make(&folder)?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
    if !pip.stdin(Stdio::null()).status().is_ok_and(|status| status.success()) {
        return Err("pip cannot install them: it needs a Python package registry, see above".to_owned());
    }
    let stamp = folder.join(STAMP);
    fs::write(&stamp, packages.join("\n"))
        .map_err(|error| format!("cannot write `{}`: {error}", stamp.display()))?;
    Ok(python)
}

/// Whether exactly `packages` have been installed in `folder`.
fn is_made(folder: &Path, packages: &[&str]) -> bool {
    fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == packages.join("\n"))
}

/// Makes an empty environment. On Debian this needs a separate package.
fn make(folder: &Path) -> Result<()> {
    let venv = || {
        let python = INTERPRETERS.iter().find(|name| is_new_enough(name));
        python
            .is_some_and(|python| succeeds(Command::new(python).args(["-m", "venv", "--clear"]).arg(folder)))
    };
    if venv() || (install("python3-venv") && venv()) {
        return Ok(());
    }
    Err("there is no Python 3.10 or later with a working `-m venv`".to_owned())
}

fn is_new_enough(name: &str) -> bool {
    succeeds(Command::new(name).args(["-c", "import sys; sys.exit(sys.version_info < (3, 10))"]))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{STAMP, is_made};

    #[test]
    fn an_environment_serves_only_the_packages_that_it_was_made_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let packages = ["openai==3.54.0", "pytest"];
        assert!(!is_made(folder.path(), &packages), "an empty folder");
        fs::write(folder.path().join(STAMP), packages.join("\n")).expect("written");
        assert!(is_made(folder.path(), &packages));
        assert!(!is_made(folder.path(), &packages[..1]));
    }
}
