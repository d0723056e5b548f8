//! `cargo xtask test`: everything CI runs, one step after the other until one fails. What a step prints is left as it
//! is, so that cargo's own result lines can be read.
#![expect(clippy::disallowed_methods, reason = "how long a step took is shown")]

use std::time::Instant;

use crate::{Result, cargo};

/// How much is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What CI runs.
    All,
    /// What catches most mistakes for a fraction of the wait.
    Quick,
}

struct Step {
    name: &'static str,
    arguments: &'static [&'static str],
    least: Extent,
}

const STEPS: [Step; 4] = [
    Step { name: "formatting", arguments: &["fmt", "--all", "--check"], least: Extent::Quick },
    Step {
        name: "lints",
        arguments: &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
        least: Extent::All,
    },
    Step { name: "tests", arguments: &["test", "--workspace", "--all-features"], least: Extent::Quick },
    Step { name: "documentation", arguments: &["doc", "--workspace", "--no-deps"], least: Extent::All },
];

/// Runs the steps of `extent`.
///
/// # Errors
/// The first step that fails.
pub(crate) fn run(extent: Extent) -> Result<()> {
    for step in STEPS.iter().filter(|step| extent == Extent::All || step.least == extent) {
        let command = format!("cargo {}", step.arguments.join(" "));
        println!("== {}: {command}", step.name);
        let started = Instant::now();
        let status = cargo().args(step.arguments).env("RUSTDOCFLAGS", "-D warnings").status();
        let passed = status.map_err(|error| format!("cannot run `{command}`: {error}"))?.success();
        let seconds = started.elapsed().as_secs_f64();
        if !passed {
            return Err(format!("{} failed after {seconds:.1} s: `{command}`", step.name));
        }
        println!("== {}: passed in {seconds:.1} s", step.name);
    }
    Ok(())
}
