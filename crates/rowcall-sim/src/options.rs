//! The options of a simulator besides its scenario.

use std::time::Duration;

/// How a simulator runs, whatever the scenario.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// The port on 127.0.0.1; 0 picks a free one.
    pub port: u16,
    /// Decides every draw: values, latencies, faults.
    pub seed: u64,
    /// This latency for every answer instead of the scenario's; zero means no delay.
    pub latency: Option<Duration>,
    /// Whether repeated requests are counted.
    pub counting: Counting,
    /// Whether connections are encrypted.
    pub tls: Tls,
    /// Which versions of HTTP the server speaks.
    pub http: Http,
}

/// Whether requests are remembered, at 8 to 13 bytes each, so that repeats can be counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counting {
    /// `repeats` and `repeated` in the statistics stay empty.
    #[default]
    Off,
    /// `repeats` says how many requests had been answered before, `repeated` for which rows.
    On,
}

/// Whether connections are encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// The base URL begins with `http://`.
    #[default]
    Off,
    /// The base URL begins with `https://`. The certificate is made at the start, for `127.0.0.1` and `localhost`,
    /// and signed by an authority made with it, which the client must be configured to trust.
    On,
}

/// Which versions of HTTP the server speaks. With TLS they are those that ALPN offers; without TLS the first bytes of
/// a connection decide, that is, HTTP/2 with prior knowledge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Http {
    /// HTTP/2 and HTTP/1.1, as the client chooses.
    #[default]
    Both,
    /// HTTP/1.1 only.
    One,
    /// HTTP/2 only.
    Two,
}

impl Options {
    /// The same options on this port of 127.0.0.1; 0 picks a free one.
    pub fn with_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// The same options with this seed.
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The same options with this latency for every answer instead of the scenario's.
    pub fn with_latency(self, latency: Duration) -> Self {
        Self { latency: Some(latency), ..self }
    }

    /// The same options, counting repeats or not.
    pub fn with_counting(self, counting: Counting) -> Self {
        Self { counting, ..self }
    }

    /// The same options, encrypting connections or not.
    pub fn with_tls(self, tls: Tls) -> Self {
        Self { tls, ..self }
    }

    /// The same options with these versions of HTTP.
    pub fn with_http(self, http: Http) -> Self {
        Self { http, ..self }
    }
}
