//! `cargo xtask python`: builds the Python package as a wheel, installs it in a separate environment, and tests it
//! there. The environment stays under `target/`, so that only the first run takes long.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{OUR_OWN, Result, venv, workspace};

/// The build tool of the package.
pub(crate) const BUILDER: &str = "maturin>=1.9.4,<2";

/// The packages for building it, for testing it, and for testing it together with others.
const TOOLS: [&str; 18] = [
    BUILDER,
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
    "instructor>=1.17,<2",
    "jedi",
];

/// Builds, installs and tests the package, with `arguments` for pytest.
///
/// # Errors
/// The first step that fails.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let python = installed()?;
    let mut pytest = in_workspace(&python);
    pytest.args(["-m", "pytest", "-q"]).args(arguments).arg(package().join("tests"));
    succeed("pytest", &mut pytest)
}

/// The interpreter of an environment with the current package and everything for its tests.
///
/// # Errors
/// A failure to install or build.
pub(crate) fn installed() -> Result<PathBuf> {
    installed_beside("python", &TOOLS)
}

/// The interpreter of the environment `name` with the current package and `packages`, one of which is maturin.
///
/// # Errors
/// A failure to install or build.
pub(crate) fn installed_beside(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let python = venv::python(name, packages)
        .map_err(|problem| format!("the Python package needs other packages: {problem}"))?;
    install(&python)?;
    Ok(python)
}

/// Builds the wheel and installs it.
fn install(python: &Path) -> Result<()> {
    let wheels = target().join("wheels");
    let _ = std::fs::remove_dir_all(&wheels);
    let mut maturin = in_workspace(python);
    maturin.args(["-m", "maturin", "build", "--release", "--quiet", "--manifest-path"]);
    maturin.arg(package().join("Cargo.toml")).arg("--out").arg(&wheels).arg("--interpreter").arg(python);
    succeed("building the wheel", &mut maturin)?;
    let listed =
        std::fs::read_dir(&wheels).map_err(|error| format!("cannot read the wheel folder: {error}"))?;
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

/// Runs a step.
///
/// # Errors
/// If it does not succeed.
pub(crate) fn succeed(what: &str, command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("{what}: cannot start it: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{what} failed")) }
}

/// A program of the environment, configured to find the cargo that built this one.
pub(crate) fn in_workspace(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.current_dir(workspace()).stdin(std::process::Stdio::null());
    for variable in OUR_OWN {
        command.env_remove(variable);
    }
    command
}

pub(crate) fn package() -> PathBuf {
    workspace().join("crates").join("rowcall-python")
}

fn target() -> PathBuf {
    workspace().join("target")
}
