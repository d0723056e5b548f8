//! Builds the programs of the clients, and runs one client once.
#![expect(clippy::disallowed_methods, reason = "wall time is measured")]

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::case::Case;
use super::client::{Client, Program};
use crate::bench::watched::watch;
use crate::python::{BUILDER, installed_beside};
use crate::server::Server;
use crate::{Result, binaries, workspace};

/// What the Python clients need, in the versions that the figures are for.
const PACKAGES: [&str; 9] = [
    BUILDER,
    "instructor==1.17.0",
    "openai==3.3.0",
    "aiohttp==3.14.5",
    "orjson==3.13.0",
    "flexllm==0.17.10",
    "litellm==1.110.2",
    "pyarrow==26.0.1",
    "pydantic==2.14.4",
];

/// Those whose versions are shown.
pub(crate) const SHOWN: [&str; 8] =
    ["instructor", "openai", "aiohttp", "orjson", "flexllm", "litellm", "pyarrow", "pydantic"];

/// The files of the command line.
const INPUT: &str = "in.jsonl";
const OUTPUT: &str = "out.jsonl";

/// The programs, and the server, which runs as long as this value.
#[derive(Debug)]
pub(crate) struct Programs {
    server: Server,
    floor: Option<PathBuf>,
    rowcall: Option<PathBuf>,
    peers: Option<PathBuf>,
    python: Option<PathBuf>,
}

/// What one run of a client took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) cpu_us_per_row: f64,
    pub(crate) rows_per_second: f64,
    pub(crate) peak_mb: f64,
    /// From the start of the process to its first request.
    pub(crate) first_ms: f64,
}

impl Programs {
    /// Builds or installs what `clients` need, and starts the server.
    pub(crate) fn build(clients: &[Client]) -> Result<Self> {
        let used = |program| clients.iter().any(|client| client.program() == program);
        let stub = binaries::release("rowcall-bench-stub")?;
        let floor = used(Program::Floor).then(|| binaries::release("rowcall-bench-floor")).transpose()?;
        let rowcall = used(Program::CommandLine).then(|| binaries::release("rowcall-cli")).transpose()?;
        let peers = || binaries::apart("bench/peers/Cargo.toml", "target/bench-peers");
        let peers = used(Program::Peers).then(peers).transpose()?;
        let python = || installed_beside("bench-peers-python", &PACKAGES);
        let python = used(Program::Python).then(python).transpose()?;
        let server = Server::start(Command::new(stub).args(["--port", "0"]))?;
        Ok(Self { server, floor, rowcall, peers, python })
    }

    /// The interpreter of the Python clients, if there are any.
    pub(crate) fn python(&self) -> Option<&Path> {
        self.python.as_deref()
    }

    /// Runs `client` once.
    pub(crate) fn measure(&self, case: &Case, client: Client, scale: u64) -> Result<Figures> {
        let rows = case.rows(client, scale);
        self.run(case, client, rows).map_err(|problem| format!("{}: {problem}", client.name()))
    }

    fn run(&self, case: &Case, client: Client, rows: u64) -> Result<Figures> {
        let folder = tempfile::tempdir().map_err(|error| format!("cannot make a folder: {error}"))?;
        if client.program() == Program::CommandLine {
            let input = folder.path().join(INPUT);
            write_rows(&input, rows).map_err(|error| format!("cannot write {}: {error}", input.display()))?;
        }
        let mut command = self.command(case, client, rows, &folder)?;
        if case.is_resumed {
            let earlier = self.command(case, client, rows, &folder)?.status();
            if !earlier.is_ok_and(|status| status.success()) {
                return Err("the run to be resumed failed".to_owned());
            }
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        self.server.get("/reset")?;
        let started = Instant::now();
        let spawned = command.spawn();
        let mut process = spawned.map_err(|error| format!("cannot run {command:?}: {error}"))?;
        // Both are short: they do not fill a pipe.
        let (output, errors) = (process.stdout.take(), process.stderr.take());
        let cost = watch(&mut process);
        let wall_seconds = started.elapsed().as_secs_f64();
        let cost = cost.map_err(|problem| format!("{problem}\n{}", all(errors)))?;
        let stats = self.server.get("/stats")?;

        let output = all(output);
        let said: Value =
            output.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        let number = |of: &Value, name| of.get(name).and_then(Value::as_f64);
        let right = match client.program() {
            Program::CommandLine => right(&folder.path().join(OUTPUT))?,
            Program::Floor | Program::Peers | Program::Python => {
                number(&said, "ok").unwrap_or_default() as u64
            }
        };
        if right != rows {
            return Err(format!("{right} of {rows} answers were right"));
        }
        let requests = number(&stats, "requests").unwrap_or_default();
        // One row warms a Python client up; the command line may ask what the server can do.
        let expected = if case.is_resumed { 0 } else { rows } as f64;
        if requests < expected || requests > expected + 2.0 {
            return Err(format!("{requests} requests for {rows} rows, expected {expected}"));
        }
        let cpu_seconds = match client.program() {
            // Starting the interpreter is not what a row costs.
            Program::Python => number(&said, "cpu_s").unwrap_or_default(),
            Program::Floor | Program::CommandLine | Program::Peers => cost.cpu_seconds,
        };
        Ok(Figures {
            cpu_us_per_row: cpu_seconds * 1e6 / rows as f64,
            rows_per_second: rows as f64 / number(&said, "wall_s").unwrap_or(wall_seconds),
            peak_mb: cost.peak_kb.unwrap_or_default() / 1024.0,
            first_ms: number(&stats, "first_s").unwrap_or_default() * 1e3,
        })
    }

    fn command(&self, case: &Case, client: Client, rows: u64, folder: &TempDir) -> Result<Command> {
        let base = self.server.base().replace("/v1", &format!("{}/v1", case.path));
        let program = match client.program() {
            Program::Floor => &self.floor,
            Program::CommandLine => &self.rowcall,
            Program::Peers => &self.peers,
            Program::Python => &self.python,
        };
        let mut command = Command::new(program.as_ref().ok_or("it is not built")?);
        let (rows_text, in_flight) = (rows.to_string(), case.in_flight.to_string());
        match client.program() {
            Program::CommandLine => {
                command.arg("run").arg(folder.path().join(INPUT));
                command.arg("-o").arg(folder.path().join(OUTPUT));
                command.args(["--prompt", "{{ text }}", "--schema", "name, age int, occupation"]);
                command.args([
                    "-m",
                    "vllm/stub",
                    "--base-url",
                    &base,
                    "--concurrency",
                    &in_flight,
                    "--quiet",
                ]);
                if client == Client::Run {
                    command.arg("--no-journal");
                }
            }
            Program::Floor | Program::Peers | Program::Python => {
                if client.program() == Program::Python {
                    command.args(["-W", "ignore"]).arg(workspace().join("bench/peers/client.py"));
                }
                command.args([
                    client.word(),
                    "--base",
                    &base,
                    "--rows",
                    &rows_text,
                    "--in-flight",
                    &in_flight,
                ]);
            }
        }
        command.env("NO_PROXY", "127.0.0.1").stdin(Stdio::null());
        Ok(command)
    }
}

/// Everything that a process said.
fn all(output: Option<impl std::io::Read>) -> String {
    let mut text = String::new();
    if let Some(mut output) = output {
        // What cannot be read is missed where it is looked for.
        let _ = output.read_to_string(&mut text);
    }
    text
}

/// Writes the rows as `bench/floor/src/person.rs` has them.
fn write_rows(path: &Path, rows: u64) -> std::io::Result<()> {
    const NAMES: [&str; 7] = ["Ann", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus"];
    let mut file = BufWriter::new(File::create(path)?);
    for row in 0..rows {
        let name = NAMES.get((row % 7) as usize).unwrap_or(&"Ann");
        let age = 20 + row % 60;
        let text =
            format!("[row {row}] My name is {name}, I am {age} years old and I work as a software engineer");
        writeln!(file, "{}", json!({ "text": text }))?;
    }
    file.flush()
}

/// How many lines have the right value at the right place.
fn right(path: &Path) -> Result<u64> {
    let file = File::open(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let is_right = |(row, line): &(u64, String)| {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        let occupation = line.get("occupation").and_then(Value::as_str).unwrap_or_default();
        line.get("name") == Some(&json!(format!("Person {row}")))
            && line.get("age") == Some(&json!(20 + row % 60))
            && occupation.starts_with("software engineer")
    };
    let lines = BufReader::new(file).lines().map_while(std::result::Result::ok);
    Ok((0..).zip(lines).filter(is_right).count() as u64)
}
