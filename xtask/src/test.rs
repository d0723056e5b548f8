//! `cargo xtask test`: everything CI runs, one step after another until one fails. The output of a step is not
//! changed, so that cargo's own result lines can be read.
#![expect(clippy::disallowed_methods, reason = "how long a step took is shown")]

use std::time::Instant;

use crate::{Result, binaries, browser, cargo, crash, engines, judges, python, telemetry};

/// How much to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What CI runs.
    All,
    /// What catches most mistakes in a fraction of the time.
    Quick,
}

struct Step {
    name: &'static str,
    work: Work,
    least: Extent,
}

enum Work {
    /// cargo, with these arguments.
    Cargo(&'static [&'static str]),
    /// Programs that tests use and a fresh machine may lack.
    Tools,
    /// The short form of `cargo xtask crash`.
    Crash,
    /// The same of runs in batches.
    BatchCrash,
    /// The same for the Python package.
    PythonCrash,
    /// `cargo xtask browser`, if a browser is available.
    Browser,
    /// `cargo xtask judges`.
    Judges,
    /// `cargo xtask telemetry`, if Prometheus is available.
    Telemetry,
    /// `cargo xtask engines`, with only our own schemas.
    Engines,
    /// The Python package's tests.
    Python,
}

const STEPS: [Step; 13] = [
    Step { name: "formatting", work: Work::Cargo(&["fmt", "--all", "--check"]), least: Extent::Quick },
    Step {
        name: "lints",
        work: Work::Cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "-D",
            "warnings",
        ]),
        least: Extent::All,
    },
    Step { name: "tools", work: Work::Tools, least: Extent::All },
    Step { name: "tests", work: Work::Cargo(&binaries::TESTS), least: Extent::Quick },
    // These use what the tests have built.
    Step { name: "crashes", work: Work::Crash, least: Extent::All },
    Step { name: "batch crashes", work: Work::BatchCrash, least: Extent::All },
    Step { name: "browser", work: Work::Browser, least: Extent::All },
    Step { name: "judges", work: Work::Judges, least: Extent::All },
    Step { name: "telemetry", work: Work::Telemetry, least: Extent::All },
    Step { name: "engines", work: Work::Engines, least: Extent::All },
    Step { name: "python", work: Work::Python, least: Extent::All },
    Step { name: "python crashes", work: Work::PythonCrash, least: Extent::All },
    Step {
        name: "documentation",
        work: Work::Cargo(&["doc", "--workspace", "--no-deps"]),
        least: Extent::All,
    },
];

/// Runs the steps of `extent`.
///
/// # Errors
/// The first step that fails.
pub(crate) fn run(extent: Extent) -> Result<()> {
    for Step { name, work, least } in &STEPS {
        if extent == Extent::Quick && *least == Extent::All {
            continue;
        }
        println!("== {name}: {}", command(work));
        let started = Instant::now();
        let done = perform(work);
        let seconds = started.elapsed().as_secs_f64();
        done.map_err(|problem| format!("{name} failed after {seconds:.1} s: {problem}"))?;
        println!("== {name}: passed in {seconds:.1} s");
    }
    Ok(())
}

/// The equivalent command.
fn command(work: &Work) -> String {
    match work {
        Work::Cargo(arguments) => format!("cargo {}", arguments.join(" ")),
        Work::Tools => "install strace, if this process may".to_owned(),
        Work::Crash => "cargo xtask crash --short".to_owned(),
        Work::BatchCrash => "cargo xtask crash --batches --short".to_owned(),
        Work::PythonCrash => "cargo xtask crash --python --short".to_owned(),
        Work::Browser => "cargo xtask browser".to_owned(),
        Work::Judges => "cargo xtask judges".to_owned(),
        Work::Telemetry => "cargo xtask telemetry".to_owned(),
        Work::Engines => "cargo xtask engines".to_owned(),
        Work::Python => "cargo xtask python".to_owned(),
    }
}

fn perform(work: &Work) -> Result<()> {
    match work {
        Work::Cargo(arguments) => {
            let status = cargo().args(*arguments).env("RUSTDOCFLAGS", "-D warnings").status();
            let passed = status.map_err(|error| format!("cannot run cargo: {error}"))?.success();
            if passed { Ok(()) } else { Err(format!("`{}`", command(work))) }
        }
        Work::Tools => {
            if !crash::has_strace() {
                println!("strace is not available here: tests that need it are skipped");
            }
            Ok(())
        }
        Work::Crash => crash::run(&crash::Options::short()),
        Work::BatchCrash => crash::run(&crash::Options::short_of_batches()),
        Work::PythonCrash => crash::run(&crash::Options::short_from_python()),
        Work::Browser => {
            if browser::has_chromium() {
                return browser::run();
            }
            println!("chromium and npm are not available here: the browser checks are skipped");
            Ok(())
        }
        Work::Judges => judges::run(),
        Work::Telemetry => {
            if telemetry::has_prometheus() {
                return telemetry::run();
            }
            println!("Prometheus is not available here: what a run sends is not judged");
            Ok(())
        }
        Work::Engines => engines::run(&engines::Options::default()),
        Work::Python => python::run(&[]),
    }
}
