//! `cargo xtask …`: the project's own tools, which need nothing but Rust installed. Each command has its own file;
//! this one only dispatches.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line for developers")]

mod bench;
mod binaries;
mod browser;
mod crash;
mod debian;
mod engines;
mod fuzz;
mod judges;
mod option;
mod people;
mod prices;
mod python;
mod schemas;
mod server;
mod telemetry;
mod test;
mod vectors;
mod venv;

use std::path::Path;
use std::process::ExitCode;

/// A result, or a message for the developer.
type Result<T> = std::result::Result<T, String>;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test           what CI runs: formatting, lints, tools, tests, crashes, a browser, judges, the Python package, documentation
      --quick    formatting and tests only
  bench cpu      CPU time per row, compared with the bare HTTP client
      --rows N   number of rows (100000)
      --rounds N rounds, whose medians are shown (5)
      --json     figures as JSON
  bench instructions
                 instructions per row, counted by callgrind, compared with bench/instructions.json
  bench peers    what rows cost in rowcall, in the bare loops, and in other libraries for Rust and Python: CPU, rows per second, memory,
                 time to the first request
      --case NAME
                 this case; may be repeated (the first)
      --client NAME
                 this client; may be repeated (all)
      --rounds N rounds, whose medians are shown (5)
      --scale N  divides the number of rows (1)
      --list     list the cases and the clients
  bench memory   peak memory at 10,000 and 100,000 rows, and whether every row came out in order
  bench admission
                 how close a run gets to the best time that an account's limits allow, and how many 429s it gets
      --only NAME
                 this scenario; may be repeated (all)
      --rounds N rounds, whose medians are shown and checked (1)
      --no-semaphores
                 skip the plain semaphores that also play three of the scenarios
      --list     list the scenarios
      --json     figures as JSON
  bench outage   rows that fail because of an outage in the middle of a run, and the time until the full rate afterwards
      --only HOW 502, 503, 504, html, reset, refused, hang; may be repeated (all)
      --seconds N
                 how long it lasts; may be repeated (20 and 60)
  bench refusals time of a run relative to a calm one if the server rejects a random share of requests, compared with Instructor
      --at-once N
                 cells that are played at the same time (6)
      --no-instructor
                 skip Instructor
  bench load     CPU and memory of a run with 2,500 requests in flight of five seconds each
      --seconds N
                 how long (120)
      --journal  with a journal
  bench python   CPU per row of the Python package compared with Instructor, its memory, and how late event loops are
      --rounds N rounds, whose medians are shown and checked (5)
  crash          kills runs at random instants and at each write to their journal, resumes them, and checks the results
      --kills N  at random instants (200)
      --rows N   rows of a run (5000)
      --seed N   which instants (0)
      --no-strace
                 skip the kills at writes
      --python   runs with the Python package, at random instants only
      --batches  runs in batches, at random instants only (100 kills, 2000 rows)
      --short    less of everything, with the test build
  browser        opens a report and a live page in Chromium, and checks them with axe; leaves screenshots in target/browser
  judges         the official Python SDKs check our requests, what we send to batch APIs, and the simulator
      --tools    instead, tools of others run on the simulator's batches: batchwizard, Inspect, Curator
  telemetry      Prometheus, an OpenTelemetry collector and the protocol's official classes check what a run shows and sends
  engines [DIR...]
                 constrained decoders check the wire schemas of their dialects: those of the tests, random ones, and those below the folders
      --random N how many random ones (150)
      --seed N   which ones (0)
  engines --server
                 a real llama-server whose model has random weights answers 50 rows for each of many schemas, without re-asks
  schemas DIR... takes the JSON Schemas and OpenAPI documents below these folders through every protocol
  prices         makes the table of models and prices, and totals to compare with, from LiteLLM and genai-prices
  python [PYTEST OPTIONS]
                 builds the Python package as a wheel, installs it under target/python, and runs its tests there
  vectors DIR    checks a folder of vector files, such as crates/rowcall/tests/vectors, with a line for each case
  fuzz completion|sse
                 feeds malformed answers to the reader of completions, or malformed bytes to the readers of streams, on a
                 nightly toolchain if there is one
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
        ["bench", "instructions"] => bench::instructions::run(),
        ["bench", "peers", options @ ..] => match bench::peers::Options::parse(options) {
            Ok(options) => bench::peers::run(&options),
            Err(problem) => return misused(&problem),
        },
        ["bench", "memory"] => bench::memory::run(),
        ["bench", "admission", options @ ..] => match bench::admission::Options::parse(options) {
            Ok(options) => bench::admission::run(&options),
            Err(problem) => return misused(&problem),
        },
        ["bench", "outage", options @ ..] => match bench::outage::Options::parse(options) {
            Ok(options) => bench::outage::run(&options),
            Err(problem) => return misused(&problem),
        },
        ["bench", "load", options @ ..] => match bench::load::Options::parse(options) {
            Ok(options) => bench::load::run(&options),
            Err(problem) => return misused(&problem),
        },
        ["bench", "python", options @ ..] => match bench::python::Options::parse(options) {
            Ok(options) => bench::python::run(&options),
            Err(problem) => return misused(&problem),
        },
        ["bench", "refusals", options @ ..] => match bench::refusals::Options::parse(options) {
            Ok(options) => bench::refusals::run(&options),
            Err(problem) => return misused(&problem),
        },
        ["crash", options @ ..] => match crash::Options::parse(options) {
            Ok(options) => crash::run(&options),
            Err(problem) => return misused(&problem),
        },
        ["browser"] if browser::has_chromium() => browser::run(),
        ["browser"] => Err("chromium and npm are not available".to_owned()),
        ["judges"] => judges::run(),
        ["judges", "--tools"] => judges::tools::run(),
        ["telemetry"] if telemetry::has_prometheus() => telemetry::run(),
        ["telemetry"] => Err("Prometheus is not available: install Debian's package `prometheus`".to_owned()),
        ["engines", "--server"] => engines::serve(),
        ["prices"] => prices::run(),
        ["engines", options @ ..] => match engines::Options::parse(options) {
            Ok(options) => engines::run(&options),
            Err(problem) => return misused(&problem),
        },
        ["schemas", folders @ ..] if !folders.is_empty() => schemas::run(folders),
        ["python", arguments @ ..] => python::run(arguments),
        ["vectors", folder] => vectors::run(Path::new(folder)),
        ["fuzz", options @ ..] => match fuzz::Options::parse(options) {
            Ok(options) => fuzz::run(&options),
            Err(problem) => return misused(&problem),
        },
        [] => return misused("no command given"),
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
    // Build scripts that depend on these would run again whenever manual builds and ours alternate.
    for variable in OUR_OWN {
        cargo.env_remove(variable);
    }
    cargo
}

/// Variables that `cargo run` sets for this program.
const OUR_OWN: [&str; 7] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_NAME",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
];

/// The root of the workspace, which has this package in a folder.
fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}
