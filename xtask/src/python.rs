//! `cargo xtask python`: the Python package built as a wheel, installed into an environment of its own, and tested there. The
//! environment stays under `target/`, so that only the first time takes long.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{OUR_OWN, Result, workspace};

/// What builds the package, what it is tested with, and what it is tested beside.
const TOOLS: [&str; 16] = [
    "maturin>=1.9.4,<2",
    "pytest",
    "pydantic>=2.5",
    "msgspec",
    "pyarrow",
    "polars",
    "pandas",
    "duckdb",
    "tqdm",
    "rich",
    "mypy",
    "pyright",
    "typing-extensions",
    "nbclient",
    "nbformat",
    "ipykernel",
];

/// Tried in this order.
const INTERPRETERS: [&str; 6] =
    ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/// Whether this version of the tools is installed: a file in the environment has their names.
const INSTALLED: &str = "rowcall-tools.txt";

/// Builds, installs and tests the package, with `arguments` for pytest.
///
/// # Errors
/// The first step that fails.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let python = environment()?;
    install(&python)?;
    let mut pytest = in_workspace(&python);
    pytest.args(["-m", "pytest", "-q"]).args(arguments).arg(package().join("tests"));
    succeed("pytest", &mut pytest)
}

/// The environment's interpreter, with the tools installed.
///
/// # Errors
/// If there is no Python from 3.10 on, or the tools cannot be had.
pub(crate) fn environment() -> Result<PathBuf> {
    let folder = target().join("python");
    let python = folder.join("bin").join("python");
    if !python.exists() {
        let found = INTERPRETERS.iter().find(|name| is_new_enough(name)).ok_or_else(|| {
            "no Python from 3.10 on is installed, which the Python package is tested with".to_owned()
        })?;
        succeed("making an environment", Command::new(found).args(["-m", "venv"]).arg(&folder))?;
    }
    let installed = folder.join(INSTALLED);
    let wanted = TOOLS.join("\n");
    if std::fs::read_to_string(&installed).ok().as_deref() != Some(&wanted) {
        let mut pip = in_workspace(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(TOOLS);
        succeed("installing the tools", &mut pip)?;
        std::fs::write(&installed, wanted)
            .map_err(|error| format!("cannot write `{}`: {error}", installed.display()))?;
    }
    Ok(python)
}

/// Builds the wheel and installs it.
///
/// # Errors
/// If it does not build.
pub(crate) fn install(python: &Path) -> Result<()> {
    let wheels = target().join("wheels");
    let _ = std::fs::remove_dir_all(&wheels);
    let mut maturin = in_workspace(python);
    maturin.args(["-m", "maturin", "build", "--release", "--quiet", "--manifest-path"]);
    maturin.arg(package().join("Cargo.toml")).arg("--out").arg(&wheels).arg("--interpreter").arg(python);
    succeed("building the wheel", &mut maturin)?;
    let listed = std::fs::read_dir(&wheels).map_err(|error| format!("there is no wheel: {error}"))?;
    let wheel =
        listed.flatten().map(|entry| entry.path()).find(|path| path.extension() == Some(OsStr::new("whl")));
    let wheel = wheel.ok_or_else(|| "there is no wheel".to_owned())?;
    let mut pip = in_workspace(python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--force-reinstall",
        "--no-deps",
    ]);
    succeed("installing the wheel", pip.arg(&wheel))
}

fn is_new_enough(name: &str) -> bool {
    let asked = Command::new(name).args(["-c", "import sys; sys.exit(sys.version_info < (3, 10))"]).status();
    asked.is_ok_and(|status| status.success())
}

fn succeed(what: &str, command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("{what}: cannot run it: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{what} failed")) }
}

/// A program of the environment, which finds the cargo that built this one.
fn in_workspace(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.current_dir(workspace()).stdin(std::process::Stdio::null());
    for variable in OUR_OWN {
        command.env_remove(variable);
    }
    command
}

fn package() -> PathBuf {
    workspace().join("crates").join("rowcall-python")
}

fn target() -> PathBuf {
    workspace().join("target")
}
