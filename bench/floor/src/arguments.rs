//! The command-line arguments: the client, the number of rows, the requests in flight, and the server's address.

use std::path::PathBuf;

/// Shown for any invalid arguments.
pub(crate) const USAGE: &str = "usage: rowcall-bench-floor raw|hyper-util|rowcall|semaphore --base URL [--rows N] [--in-flight N] [--runtime current|multi] [--bodies FILE]";

/// The validated arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// The client.
    pub(crate) client: Client,
    /// The number of rows.
    pub(crate) rows: u64,
    /// Requests in flight.
    pub(crate) in_flight: usize,
    /// The server's base URL, including `/v1`.
    pub(crate) base: String,
    /// The client's runtime.
    pub(crate) runtime: Runtime,
    /// Only for the semaphore: a file with a request body for each row, one per line.
    pub(crate) bodies: Option<PathBuf>,
}

/// The clients that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    /// Sockets and a request written by hand; reads no JSON.
    Raw,
    /// hyper-util's pooled client with a typed decode: what one would write without rowcall.
    HyperUtil,
    /// rowcall itself.
    Rowcall,
    /// hyper-util's pooled client, which sleeps and retries when rejected.
    Semaphore,
}

impl Client {
    /// The client's name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::HyperUtil => "hyper-util",
            Self::Rowcall => "rowcall",
            Self::Semaphore => "semaphore",
        }
    }
}

/// The kinds of tokio runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// One thread, so that clients are compared without the cost of moving work between threads.
    CurrentThread,
    /// One thread per core.
    Multi,
}

impl Arguments {
    /// Parses the arguments in `words`, or returns what is wrong with them.
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        let (client, mut options) = words.split_first().ok_or("no client is named")?;
        let client = [Client::Raw, Client::HyperUtil, Client::Rowcall, Client::Semaphore]
            .into_iter()
            .find(|known| known.name() == client)
            .ok_or_else(|| format!("unknown client `{client}`"))?;
        let (mut rows, mut in_flight, mut base, mut runtime) = (100_000, 64, None, Runtime::CurrentThread);
        let mut bodies = None;
        while let [option, value, rest @ ..] = options {
            let wrong = || format!("`{value}` is not a valid value for `{option}`");
            match option.as_str() {
                "--rows" => rows = value.parse().map_err(|_| wrong())?,
                "--in-flight" => in_flight = value.parse().map_err(|_| wrong())?,
                "--base" => base = Some(value.trim_end_matches('/').to_owned()),
                "--bodies" => bodies = Some(PathBuf::from(value)),
                "--runtime" => {
                    runtime = match value.as_str() {
                        "current" => Runtime::CurrentThread,
                        "multi" => Runtime::Multi,
                        _ => return Err(wrong()),
                    }
                }
                _ => return Err(format!("unknown option `{option}`")),
            }
            options = rest;
        }
        if let [option] = options {
            return Err(format!("`{option}` needs a value"));
        }
        let base = base.ok_or("`--base` is missing: the stub prints it when it starts")?;
        Ok(Self { client, rows, in_flight: in_flight.max(1), base, runtime, bodies })
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Client, Runtime};

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn parses_arguments_and_uses_defaults() {
        let expected = Arguments {
            client: Client::HyperUtil,
            rows: 100_000,
            in_flight: 64,
            base: "http://localhost:1/v1".to_owned(),
            runtime: Runtime::CurrentThread,
            bodies: None,
        };
        assert_eq!(parse("hyper-util --base http://localhost:1/v1/"), Ok(expected.clone()));
        let expected =
            Arguments { client: Client::Raw, rows: 5, in_flight: 2, runtime: Runtime::Multi, ..expected };
        let line = "raw --rows 5 --in-flight 2 --runtime multi --base http://localhost:1/v1";
        assert_eq!(parse(line), Ok(expected.clone()));
        let bodies = Some("requests.jsonl".into());
        let expected =
            Arguments { client: Client::Semaphore, bodies, runtime: Runtime::CurrentThread, ..expected };
        let line = "semaphore --rows 5 --in-flight 2 --bodies requests.jsonl --base http://localhost:1/v1";
        assert_eq!(parse(line), Ok(expected));
    }

    #[test]
    fn reports_invalid_arguments() {
        for (line, expected) in [
            ("", "no client is named"),
            ("curl", "unknown client `curl`"),
            ("raw --rows", "`--rows` needs a value"),
            ("raw --rows few", "`few` is not a valid value for `--rows`"),
            ("raw --fast yes", "unknown option `--fast`"),
            ("raw", "`--base` is missing: the stub prints it when it starts"),
        ] {
            assert_eq!(parse(line), Err(expected.to_owned()), "{line}");
        }
    }
}
