//! `cargo xtask browser`: opens a report in Chromium as a user would: from a file, without a network, with and without its script, with
//! mouse and keyboard. axe checks its accessibility.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::debian::{install, succeeds};
use crate::{Result, binaries, workspace};

/// The browser driver, and the accessibility checker.
const PACKAGES: [&str; 2] = ["playwright-core@1.65.1", "axe-core@4.14.1"];

/// The script that checks the report.
const SCRIPT: &str = "xtask/browser/report.mjs";

/// The number of rows of the reported run. A few of them are hostile.
const ROWS: usize = 400;

/// Hostile texts, which must never be executed.
const HOSTILE: [&str; 4] = [
    "<script>document.title = 'broken'</script>",
    "\"><img src=x onerror=\"document.title = 'broken'\">",
    "</pre></details></main><script src=https://example.com/x.js></script>",
    "'-alert(1)-' {{ 7 * 7 }} \u{202e} \u{1b}[31m",
];

/// Whether a browser and npm are available. They are installed where this process may do so.
pub(crate) fn has_chromium() -> bool {
    let has = |program: &str| succeeds(Command::new(program).arg("--version"));
    (has("chromium") || (install("chromium") && has("chromium")))
        && (has("npm") || (install("npm") && has("npm")))
}

/// Makes a report and checks it. Leaves screenshots in `target/browser`.
///
/// # Errors
/// A tool that cannot be installed, or a check that failed.
pub(crate) fn run() -> Result<()> {
    let folder = workspace().join("target/browser");
    packages(&folder)?;
    let page = report(&folder)?;
    let mut node = Command::new("node");
    node.arg(workspace().join(SCRIPT)).arg(&folder).arg(&page).stdin(Stdio::null());
    let status = node.status().map_err(|error| format!("cannot run node: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("the report fails its checks, see above (`{SCRIPT}`)"))
    }
}

/// Installs the script's packages, once.
fn packages(folder: &Path) -> Result<()> {
    let stamp = folder.join("packages");
    if fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == PACKAGES.join("\n")) {
        return Ok(());
    }
    let at = |error: std::io::Error| format!("cannot write to `{}`: {error}", folder.display());
    fs::create_dir_all(folder).map_err(at)?;
    println!("installed into `target/browser`: {}", PACKAGES.join(", "));
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(folder);
    let status = npm.args(PACKAGES).stdin(Stdio::null()).status();
    if !status.is_ok_and(|status| status.success()) {
        return Err("npm cannot install them: it needs a registry of packages, see above".to_owned());
    }
    fs::write(&stamp, PACKAGES.join("\n")).map_err(at)
}

/// The report of a run with many failures.
fn report(folder: &Path) -> Result<PathBuf> {
    let rowcall = binaries::tested("rowcall")?;
    let rows: String = (0..ROWS)
        .map(|row| match HOSTILE.get(row / 10).filter(|_| row % 10 == 0) {
            Some(text) => format!("{text} is {row} years old\n"),
            None => {
                format!("Person number {row}, of whom there is something to say, is {} years old\n", row % 90)
            }
        })
        .collect();
    let at = |error: std::io::Error| format!("cannot write to `{}`: {error}", folder.display());
    fs::write(folder.join("people.txt"), rows).map_err(at)?;
    let run = |arguments: &[&str]| {
        let status = Command::new(&rowcall).args(arguments).current_dir(folder).stdin(Stdio::null()).status();
        status
            .map_err(|error| format!("cannot run {}: {error}", rowcall.display()))
            .map(|status| status.code())
    };
    let schema = "name, age int, city str?, mood: happy or sad, tags str[]";
    let asked = run(&[
        "run",
        "people.txt",
        "-o",
        "people.jsonl",
        "--fresh",
        "--quiet",
        "-s",
        schema,
        "-p",
        "Who is this? {{ text }}",
        "-m",
        "sim/messy",
        "--max-reasks",
        "1",
        "--price",
        "in=0.15,out=0.60",
    ])?;
    if !matches!(asked, Some(0 | 3)) {
        return Err(format!("the run to report on ended with {asked:?}"));
    }
    match run(&["report", "people.jsonl.journal", "-o", "people.report.html"])? {
        Some(0) => Ok(folder.join("people.report.html")),
        code => Err(format!("`rowcall report` ended with {code:?}")),
    }
}
