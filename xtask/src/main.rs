//! `cargo xtask …`: what the project runs on itself, with nothing to install beside Rust. Each command has a file of its
//! own; here they are only found by name.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line for developers")]

mod bench;
mod fuzz;
mod test;
mod vectors;

use std::path::Path;
use std::process::ExitCode;

/// A message for the developer in place of a result.
type Result<T> = std::result::Result<T, String>;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test           what CI runs: formatting, lints, tests, documentation
      --quick    formatting and tests only
  bench cpu      CPU time per row, beside the bare HTTP client's
      --rows N   rows to ask about (100000)
      --rounds N rounds, whose medians are shown (5)
      --json     figures as JSON
  bench memory   peak memory at 10,000 and 100,000 rows, and that every row came out in its place
  vectors DIR    judges a folder of vector files, such as crates/rowcall/tests/vectors: a line for each case
  fuzz completion
                 feeds the reader of completions with nasty answers, on a nightly toolchain if there is one
      --minutes N  how long (10)";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => test::run(test::Extent::All),
        ["test", "--quick"] => test::run(test::Extent::Quick),
        ["bench", "cpu", options @ ..] => match bench::cpu::Options::parse(options) {
            Ok(options) => bench::cpu::run(&options),
            Err(problem) => return misused(&problem),
        },
        ["bench", "memory"] => bench::memory::run(),
        ["vectors", folder] => vectors::run(Path::new(folder)),
        ["fuzz", "completion", options @ ..] => match fuzz::Options::parse(options) {
            Ok(options) => fuzz::run(&options),
            Err(problem) => return misused(&problem),
        },
        [] => return misused("no command is given"),
        [..] => return misused(&format!("unknown command `{}`", words.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn misused(problem: &str) -> ExitCode {
    eprintln!("xtask: {problem}\n\n{USAGE}");
    ExitCode::from(2)
}

/// The cargo that built this program.
fn cargo() -> std::process::Command {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.current_dir(workspace()).stdin(std::process::Stdio::null());
    cargo
}

/// The top of the workspace, which holds this package in a folder.
fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}
