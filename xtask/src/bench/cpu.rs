//! `cargo xtask bench cpu`: the cost of a row in rowcall compared with the bare HTTP client. The clients alternate,
//! each run in a fresh process; the stub checks how many requests they sent.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::ceiling::Generator;
use super::client::{self, Figures, IN_FLIGHT};
use super::digits::{median, thousands};
use crate::server::Server;
use crate::{Result, binaries, option};

/// The others are compared with the first.
const CLIENTS: [&str; 2] = ["hyper-util", "rowcall"];

/// The options of the command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    rows: u64,
    rounds: u64,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Table,
    Json,
}

impl Options {
    /// Parses the options in `words`, or returns what is wrong with them.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self { rows: 100_000, rounds: 5, format: Format::Table };
        let mut words = words.iter();
        while let Some(&option) = words.next() {
            let mut number = || option::number(option, &mut words, 1);
            match option {
                "--rows" => options.rows = number()?,
                "--rounds" => options.rounds = number()?,
                "--json" => options.format = Format::Json,
                _ => return Err(option::unknown(option)),
            }
        }
        Ok(options)
    }
}

/// Measures and prints.
///
/// # Errors
/// A program that does not build or start, and a client that did not do its work.
pub(crate) fn run(options: &Options) -> Result<()> {
    let stub = binaries::release("rowcall-bench-stub")?;
    let floor = binaries::release("rowcall-bench-floor")?;
    let generator = Generator::find();
    let server = Server::start(Command::new(stub).args(["--port", "0"]))?;
    let load = load();

    let mut runs = CLIENTS.map(|_| Vec::new());
    let mut ceilings = Vec::new();
    for _ in 0..options.rounds {
        for (client, runs) in CLIENTS.iter().zip(&mut runs) {
            runs.push(counted(&server, &floor, client, options.rows)?);
        }
        ceilings.push(generator.measure(&floor, server.base(), options.rows)?);
    }

    let mut report = report(options, &runs, median(ceilings), generator);
    report["load_before"] = json!(load);
    match options.format {
        Format::Table => println!("{}", table(&report)),
        Format::Json => println!("{report:#}"),
    }
    Ok(())
}

/// The load average of the last minute, where the system provides it: on a machine that others use, the figures are
/// less reliable.
fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// One run of a client, with the number of requests checked against the server's count.
fn counted(server: &Server, floor: &Path, name: &str, rows: u64) -> Result<Figures> {
    server.get("/reset")?;
    let figures = client::run(floor, name, server.base(), rows)?;
    match server.get("/stats")?.get("requests").and_then(Value::as_u64) {
        Some(requests) if requests == rows => Ok(figures),
        requests => {
            Err(format!("client `{name}` sent {} requests for {rows} rows", requests.unwrap_or_default()))
        }
    }
}

/// Medians of all runs, as JSON.
fn report(options: &Options, runs: &[Vec<Figures>], ceiling: f64, generator: Generator) -> Value {
    let cpu = |runs: &[Figures]| median(runs.iter().map(Figures::cpu_us_per_row));
    let bare = runs.first().map_or(0.0, |runs| cpu(runs));
    let clients: Vec<Value> = CLIENTS
        .iter()
        .zip(runs)
        .map(|(client, runs)| {
            let rows_per_second = median(runs.iter().map(Figures::rows_per_second));
            json!({
                "client": client,
                "cpu_us_per_row": cpu(runs),
                "cpu_ratio": cpu(runs) / bare,
                "wall_s": median(runs.iter().map(|run| run.wall_s)),
                "rows_per_s": rows_per_second,
                "rows_per_s_void": ceiling < 2.0 * rows_per_second,
                "peak_kb": median(runs.iter().map(|run| run.peak_kb)),
            })
        })
        .collect();
    json!({
        "rows": options.rows,
        "in_flight": IN_FLIGHT,
        "rounds": options.rounds,
        "clients": clients,
        "ceiling": { "requests_per_s": ceiling, "generator": generator.name() },
    })
}

/// The report as text.
fn table(report: &Value) -> String {
    let number = |of: &Value, name: &str| of.get(name).and_then(Value::as_f64).unwrap_or_default();
    let mut lines = vec![
        format!(
            "{} rows, {IN_FLIGHT} in flight, no latency; medians of {} rounds in alternation",
            thousands(number(report, "rows")),
            number(report, "rounds"),
        ),
        String::new(),
        format!(
            "{:12}{:>12}{:>8}{:>10}{:>12}{:>12}",
            "client", "CPU µs/row", "ratio", "wall s", "rows/s", "peak MB"
        ),
    ];
    let clients = report.get("clients").and_then(Value::as_array).into_iter().flatten();
    for client in clients {
        let void = client.get("rows_per_s_void") == Some(&Value::Bool(true));
        lines.push(format!(
            "{:12}{:>12.1}{:>8.2}{:>10.2}{:>12}{:>12.1}",
            client.get("client").and_then(Value::as_str).unwrap_or_default(),
            number(client, "cpu_us_per_row"),
            number(client, "cpu_ratio"),
            number(client, "wall_s"),
            if void { "void".to_owned() } else { thousands(number(client, "rows_per_s")) },
            number(client, "peak_kb") / 1024.0,
        ));
    }
    let ceiling = report.get("ceiling").unwrap_or(&Value::Null);
    lines.push(String::new());
    lines.push(format!(
        "the stub's ceiling: {} requests/s under {}; rows/s are void where it is under twice them",
        thousands(number(ceiling, "requests_per_s")),
        ceiling.get("generator").and_then(Value::as_str).unwrap_or_default(),
    ));
    if let Some(load) = report.get("load_before").and_then(Value::as_f64) {
        lines.push(format!("load average before: {load:.2}"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
