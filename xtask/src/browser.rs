//! `cargo xtask browser`: opens a report and a live page in Chromium as a user would, with and without the report's script, with mouse and
//! keyboard. axe checks their accessibility.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::debian::{install, succeeds};
use crate::{Result, binaries, workspace};

/// The browser driver, and the accessibility checker.
const PACKAGES: [&str; 2] = ["playwright-core@1.65.1", "axe-core@4.14.1"];

/// The script that checks the report.
const SCRIPT: &str = "xtask/browser/report.mjs";

/// The script that watches and steers a run.
const LIVE_SCRIPT: &str = "xtask/browser/live.mjs";

/// The number of rows of the run that is watched, more than it asks about before it is stopped.
const LIVE_ROWS: usize = 50_000;

/// What the model is asked for.
const SCHEMA: &str = "name, age int, city str?, mood: happy or sad, tags str[]";

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
    check(SCRIPT, &folder, &page.to_string_lossy())?;
    live(&folder)
}

/// Runs a script that checks a page.
fn check(script: &str, folder: &Path, page: &str) -> Result<()> {
    let mut node = Command::new("node");
    node.arg(workspace().join(script)).arg(folder).arg(page).stdin(Stdio::null());
    let status = node.status().map_err(|error| format!("cannot run node: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("the page fails its checks, see above (`{script}`)")) }
}

/// Starts a run with a live page, and checks the page, which stops the run.
fn live(folder: &Path) -> Result<()> {
    let at = |error: std::io::Error| format!("cannot watch a run in `{}`: {error}", folder.display());
    fs::write(folder.join("many.txt"), rows(LIVE_ROWS)).map_err(at)?;
    let mut run = Command::new(binaries::tested("rowcall")?);
    run.args(["run", "many.txt", "-o", "many.jsonl", "--fresh", "--live", "-c", "16", "--rpm", "1800"]);
    run.args(["-s", SCHEMA, "-p", "Who is this? {{ text }}", "-m", "sim/messy", "--max-reasks", "1"]);
    run.args(["--price", "in=0.15,out=0.60"]).current_dir(folder);
    run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = run.spawn().map_err(at)?;
    let mut messages = BufReader::new(child.stderr.take().ok_or("the run has no messages")?);
    let mut address = None;
    let mut line = String::new();
    while address.is_none() && messages.read_line(&mut line).map_err(at)? > 0 {
        address = line.trim().strip_prefix("live at ").map(str::to_owned);
        line.clear();
    }
    // So that the run does not wait for a reader.
    let reading = std::thread::spawn(move || messages.read_to_string(&mut String::new()));
    let checked = address.ok_or("the run has printed no address".to_owned());
    let checked = checked.and_then(|address| check(LIVE_SCRIPT, folder, &address));
    if checked.is_err() {
        child.kill().map_err(at)?;
    }
    let status = child.wait().map_err(at)?;
    let _ = reading.join();
    checked?;
    match status.code() {
        // As it is documented for a run that is stopped by the user.
        Some(4) => Ok(()),
        code => Err(format!("the stopped run ended with {code:?}")),
    }
}

/// Rows about people, with a few hostile ones.
fn rows(count: usize) -> String {
    let rows = (0..count).map(|row| match HOSTILE.get(row / 10).filter(|_| row % 10 == 0) {
        Some(text) => format!("{text} is {row} years old\n"),
        None => {
            format!("Person number {row}, of whom there is something to say, is {} years old\n", row % 90)
        }
    });
    rows.collect()
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
    let at = |error: std::io::Error| format!("cannot write to `{}`: {error}", folder.display());
    fs::write(folder.join("people.txt"), rows(ROWS)).map_err(at)?;
    let run = |arguments: &[&str]| {
        let status = Command::new(&rowcall).args(arguments).current_dir(folder).stdin(Stdio::null()).status();
        status
            .map_err(|error| format!("cannot run {}: {error}", rowcall.display()))
            .map(|status| status.code())
    };
    let asked = run(&[
        "run",
        "people.txt",
        "-o",
        "people.jsonl",
        "--fresh",
        "--quiet",
        "-s",
        SCHEMA,
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
