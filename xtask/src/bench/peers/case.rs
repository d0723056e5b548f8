//! The cases that are measured, as data.

use super::client::Client;

/// One comparison.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What it is about, as a heading.
    pub(crate) title: &'static str,
    /// What the server's base URL has before `/v1`, see `bench/stub/src/pace.rs`.
    pub(crate) path: &'static str,
    pub(crate) in_flight: u64,
    rows: Rows,
    clients: Clients,
    /// Whether an earlier run has asked about all rows and left its journal.
    pub(crate) is_resumed: bool,
}

/// How many rows each client gets.
#[derive(Debug, Clone, Copy)]
enum Rows {
    /// The same for all.
    Same(u64),
    /// This many for the fastest; the slower ones get a share, so that each round takes seconds.
    ByPace(u64),
}

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clients {
    All,
    /// The bare loop, rowcall in Rust, and the fastest of the others in Rust.
    Fast,
    /// rowcall's command line with a journal.
    Journal,
}

const fn fast(
    name: &'static str,
    title: &'static str,
    path: &'static str,
    in_flight: u64,
    rows: u64,
) -> Case {
    Case { name, title, path, in_flight, rows: Rows::ByPace(rows), clients: Clients::Fast, is_resumed: false }
}

/// In the order in which they are measured; the first is the usual one.
pub(crate) const CASES: [Case; 12] = [
    Case {
        name: "rows",
        title: "no latency, 64 in flight",
        path: "",
        in_flight: 64,
        rows: Rows::ByPace(50_000),
        clients: Clients::All,
        is_resumed: false,
    },
    Case {
        name: "latency",
        title: "2,000 rows of 200 ms, 500 in flight",
        path: "/f200",
        in_flight: 500,
        rows: Rows::Same(2_000),
        clients: Clients::All,
        is_resumed: false,
    },
    Case {
        name: "first",
        title: "one row: the whole process",
        path: "",
        in_flight: 1,
        rows: Rows::Same(1),
        clients: Clients::All,
        is_resumed: false,
    },
    fast("in-flight-16", "no latency, 16 in flight", "", 16, 50_000),
    fast("in-flight-256", "no latency, 256 in flight", "", 256, 50_000),
    fast("in-flight-1024", "no latency, 1,024 in flight", "", 1_024, 50_000),
    fast("in-flight-4096", "no latency, 4,096 in flight", "", 4_096, 100_000),
    fast("reply-1k", "answers of 1 kB, 64 in flight", "/p1000", 64, 50_000),
    fast("reply-10k", "answers of 10 kB, 64 in flight", "/p10000", 64, 20_000),
    fast("reply-100k", "answers of 100 kB, 64 in flight", "/p100000", 64, 5_000),
    Case {
        name: "resume",
        title: "resuming a journal of known rows, and writing the output again",
        path: "",
        in_flight: 64,
        rows: Rows::Same(200_000),
        clients: Clients::Journal,
        is_resumed: true,
    },
    fast("million", "a million rows, 256 in flight", "", 256, 1_000_000),
];

impl Case {
    /// Whether `client` takes part.
    pub(crate) fn has(&self, client: Client) -> bool {
        match self.clients {
            Clients::All => true,
            Clients::Fast => client.is_fast(),
            Clients::Journal => client == Client::Journal,
        }
    }

    /// The rows for `client`, at one row in `scale`.
    pub(crate) fn rows(&self, client: Client, scale: u64) -> u64 {
        let rows = match self.rows {
            Rows::Same(rows) => rows,
            Rows::ByPace(rows) => rows / client.slowness(),
        };
        (rows / scale).max(1)
    }
}
