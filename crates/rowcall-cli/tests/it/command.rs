//! Runs the binary as a user would, with a simulator that records what arrives.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rowcall_sim::{Options, Scenario, Simulator};
use serde_json::Value;
use tempfile::TempDir;

/// The result of a command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Waits for a started command.
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().expect("the binary ends");
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }

    /// The lines of stdout as JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        lines(&self.stdout)
    }
}

/// JSON Lines as values.
pub(crate) fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// A folder to run in, without any provider's variables in the environment.
#[derive(Debug)]
pub(crate) struct TestDir {
    folder: TempDir,
}

impl TestDir {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).expect("the folder takes files");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Runs `rowcall` with these arguments and nothing on stdin.
    pub(crate) fn rowcall(&self, arguments: &[&str]) -> Ran {
        self.rowcall_with(arguments, "", &[])
    }

    /// Starts `rowcall` with these arguments and variables, and with stdin, stdout and stderr piped.
    pub(crate) fn start(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Child {
        self.start_under(&[], arguments, variables)
    }

    /// The same under another command, which gets the binary and its arguments after its own.
    pub(crate) fn start_under(
        &self,
        carrier: &[&str],
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Child {
        let words = [carrier, &[env!("CARGO_BIN_EXE_rowcall")], arguments].concat();
        let mut command = Command::new(words[0]);
        for provider in rowcall::provider::all() {
            let variables = provider.key.variables().iter().copied().chain(provider.base_url_variable);
            for variable in variables.chain(provider.address.variables()) {
                command.env_remove(variable);
            }
        }
        command.env_remove("OTEL_EXPORTER_OTLP_ENDPOINT");
        command
            .args(&words[1..])
            .envs(variables.iter().copied())
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("`{}` does not start: {error}", words[0]))
    }

    /// Runs `rowcall` with these arguments, this on stdin, and these variables set.
    pub(crate) fn rowcall_with(&self, arguments: &[&str], stdin: &str, variables: &[(&str, &str)]) -> Ran {
        let mut child = self.start(arguments, variables);
        // A command that refuses its arguments may be gone before it reads.
        let _ = child.stdin.take().expect("stdin is piped").write_all(stdin.as_bytes());
        Ran::of(child)
    }
}

/// The command that gives a shell its own mounts, if it works here.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn with_own_mounts() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["unshare", "-m"], &["unshare", "-rm"]];
    let works = |way: &&&[&str]| {
        let test = [way, &["sh", "-c", "mount -t tmpfs none /tmp"][..]].concat();
        Command::new(test[0]).args(&test[1..]).output().is_ok_and(|ran| ran.status.success())
    };
    let found = ways.iter().find(works).copied();
    if found.is_none() {
        eprintln!("skipped: mounts are not allowed here, and `unshare -m` needs them");
    }
    found
}

/// A simulator without latency.
pub(crate) fn simulator(scenario: Scenario) -> Simulator {
    Simulator::start(scenario, Options::default()).expect("the simulator starts")
}

/// How many chat requests have arrived at a simulator.
pub(crate) fn requests(simulator: &Simulator) -> u64 {
    simulator.stats().requests.all
}

/// The arguments that ask a running simulator about every row of `input`, with its text as the prompt.
pub(crate) fn asking<'a>(input: &'a str, schema: &'a str, url: &'a str) -> [&'a str; 10] {
    ["run", input, "--schema", schema, "--prompt", "{{ text }}", "-m", "sim", "--base-url", url]
}

/// This many lines of text, each with a different age.
pub(crate) fn ages(rows: usize) -> String {
    let lines: Vec<_> = (0..rows).map(|age| format!("Ann is {age}\n")).collect();
    lines.concat()
}

/// A file in the repository's `examples/`.
pub(crate) fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}
