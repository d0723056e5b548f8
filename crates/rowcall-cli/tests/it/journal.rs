//! The journal through the command line. This file holds what the scenarios share; each other file covers one subject.

mod changes;
mod commands;
mod damage;
mod disk;
mod equal_rows;
mod export;
mod parts;
mod reruns;
mod resume;
mod rows;
mod secrets;
mod strangers;

use std::cell::Cell;
use std::process::{Child, Command};
use std::time::Duration;

use rowcall_sim::{Counting, Latency, Options, Scenario, Simulator};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::command::{Ran, TestDir, asking, lines, requests};

/// The journal beside `out.jsonl`.
const JOURNAL: &str = "out.jsonl.journal";

/// A folder with `in.txt`, and a simulator that is asked about its lines.
struct Story {
    dir: TestDir,
    simulator: Simulator,
    url: String,
    seen: Cell<u64>,
}

impl Story {
    fn new(scenario: Scenario, input: &str) -> Self {
        let options = Options::default().with_counting(Counting::On);
        let simulator = Simulator::start(scenario, options).expect("the simulator starts");
        let (dir, url) = (TestDir::new(), simulator.base_url());
        dir.write("in.txt", input);
        Self { dir, simulator, url, seen: Cell::new(0) }
    }

    /// A story without latency.
    fn instant(input: &str) -> Self {
        Self::new(Scenario::instant("for the journal"), input)
    }

    /// A story in which every answer takes this many milliseconds.
    fn slow(milliseconds: u64, input: &str) -> Self {
        let latency = Latency::fixed(Duration::from_millis(milliseconds));
        Self::new(Scenario::instant("takes its time").with_latency(latency), input)
    }

    /// Asks about the ages in `in.txt` and writes them to `out.jsonl`.
    fn run(&self, more: &[&str]) -> Ran {
        self.dir.rowcall(&self.arguments(more))
    }

    /// The same, without waiting for it.
    fn start(&self, more: &[&str]) -> Child {
        self.dir.start(&self.arguments(more), &[])
    }

    /// The same under another command.
    fn run_under(&self, carrier: &[&str], more: &[&str]) -> Ran {
        Ran::of(self.dir.start_under(carrier, &self.arguments(more), &[]))
    }

    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [&self.asking("in.txt")[..], &["-o", "out.jsonl"], more].concat()
    }

    /// The arguments that ask about the ages in `input`.
    fn asking<'a>(&'a self, input: &'a str) -> [&'a str; 10] {
        asking(input, "age int", &self.url)
    }

    /// Starts the command and kills it with SIGKILL once this many more requests have arrived.
    fn kill(&self, requests: u64, more: &[&str]) -> Ran {
        let until = self.simulator.stats().requests.all + requests;
        let mut child = self.start(more);
        self.until_requests(&mut child, until);
        child.kill().expect("it is killed");
        Ran::of(child)
    }

    /// Waits until this many requests have arrived from a running command.
    fn until_requests(&self, child: &mut Child, requests: u64) {
        while self.simulator.stats().requests.all < requests {
            let ended = child.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "{ended:?} after {:?}", self.simulator.stats().requests);
            std::thread::yield_now();
        }
    }

    /// How many requests have arrived since this was last asked.
    fn asked(&self) -> u64 {
        let all = requests(&self.simulator);
        all - self.seen.replace(all)
    }

    /// What `status` reports for the journal beside the output.
    fn status(&self) -> Value {
        let ran = self.dir.rowcall(&["status", JOURNAL, "--json"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        serde_json::from_str(&ran.stdout).expect("JSON")
    }

    /// How many rows a table of the journal has.
    fn count(&self, table: &str) -> u64 {
        let journal = Connection::open_with_flags(self.dir.path(JOURNAL), OpenFlags::SQLITE_OPEN_READ_ONLY);
        let count = |journal: Connection| {
            journal.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
        };
        let rows = journal.and_then(count).unwrap_or_else(|error| panic!("{table}: {error}"));
        rows.try_into().expect("a count")
    }

    fn output(&self) -> String {
        self.dir.read("out.jsonl")
    }
}

/// A line for each of these ages.
fn people(ages: impl IntoIterator<Item = usize>) -> String {
    each(ages, |age| format!("Ann is {age}\n"))
}

/// The expected output for [`people`] of these ages.
fn answers(ages: impl IntoIterator<Item = usize>) -> String {
    each(ages, |age| format!("{{\"text\":\"Ann is {age}\",\"age\":{age},\"_error\":null}}\n"))
}

/// All these lines as one text.
fn each(numbers: impl IntoIterator<Item = usize>, line: impl Fn(usize) -> String) -> String {
    numbers.into_iter().map(line).collect()
}

/// The sorted lines of a JSON Lines text, for outputs in any order.
fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = lines(text).iter().map(Value::to_string).collect();
    lines.sort_unstable();
    lines
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("`kill` runs");
    assert!(sent.success());
}

/// Asserts the exit code, and that stderr contains all of `parts`.
#[track_caller]
fn assert_exit(ran: &Ran, code: i32, parts: &[&str]) {
    assert_eq!(ran.code, Some(code), "{}", ran.stderr);
    for part in parts {
        assert!(ran.stderr.contains(part), "`{part}` is missing: {}", ran.stderr);
    }
}
