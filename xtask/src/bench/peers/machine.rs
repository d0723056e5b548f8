//! What the figures were taken on: the machine, its load, and the versions of what was compared.

use std::fs;
use std::process::Command;

use super::programs::Programs;
use crate::workspace;

/// The packages whose versions are shown.
const RUST: [&str; 5] = ["async-openai", "genai", "instructors", "rig-core", "rstructor"];

/// Machine and versions, in a few lines.
pub(crate) fn description(programs: &Programs) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let (_, model) = model.unwrap_or(("", "unknown processor"));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let lock = fs::read_to_string(workspace().join("bench/peers/Cargo.lock")).unwrap_or_default();
    let rust = RUST.map(|package| format!("{package} {}", locked(&lock, package).unwrap_or("?")));
    let mut lines = vec![
        format!("{cores} cores of {model}; {}.", answer(Command::new("rustc").arg("--version"))),
        format!("{}.", rust.join(", ")),
    ];
    if let Some(python) = programs.python() {
        let packages = answer(Command::new(python).args(["-m", "pip", "list", "--format=freeze"]));
        let shown = super::programs::SHOWN.map(|package| installed(&packages, package));
        let version = answer(Command::new(python).arg("--version"));
        lines.push(format!("{version}, {}.", shown.join(", ")));
    }
    lines.join("\n")
}

/// The load average of the last minute; 0 where the system does not provide it. On a machine that others use, times are less reliable.
pub(crate) fn load() -> f64 {
    let load = fs::read_to_string("/proc/loadavg").ok();
    load.and_then(|load| load.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

fn answer(command: &mut Command) -> String {
    command
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

/// The version of `package` in a `Cargo.lock`.
fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    rest.split('"').next()
}

/// The package with its version, in a list of pip's.
fn installed(packages: &str, package: &str) -> String {
    let line = packages.lines().find(|line| line.split("==").next() == Some(package));
    line.unwrap_or(package).replace("==", " ")
}

#[cfg(test)]
mod tests {
    use super::{installed, locked};

    #[test]
    fn finds_versions() {
        let lock = "[[package]]\nname = \"rig\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"rig-core\"\nversion = \"0.44.0\"\n";
        assert_eq!(locked(lock, "rig-core"), Some("0.44.0"));
        assert_eq!(locked(lock, "core"), None);
        assert_eq!(installed("aiohttp==3.1\nopenai==3.3.0\n", "openai"), "openai 3.3.0");
        assert_eq!(installed("", "openai"), "openai");
    }
}
