//! The arguments for watching and steering a run while it is under way.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::{Args, Subcommand};

/// How a run can be watched and steered.
#[derive(Debug, Args)]
pub(crate) struct LiveArguments {
    /// Serve a page on which the run can be watched and steered; its address is printed
    #[arg(long, value_name = "HOST:PORT", num_args = 0..=1, require_equals = true, default_missing_value = "127.0.0.1:0", value_parser = address)]
    pub(crate) live: Option<SocketAddr>,
    /// The secret in the page's address, at least 16 letters, digits, `-` or `_` [default: random]
    #[arg(long, value_name = "TOKEN", value_parser = token, requires = "live")]
    pub(crate) live_token: Option<String>,
    /// Send metrics and traces to an OpenTelemetry receiver (OTLP over HTTP), such as `http://localhost:4318` [default: $OTEL_EXPORTER_OTLP_ENDPOINT]
    #[arg(long, value_name = "URL")]
    pub(crate) otlp: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CtlArguments {
    /// The run: its journal, or the number of its process; without it, the runs of this user are listed
    pub(crate) run: Option<String>,
    #[command(subcommand)]
    pub(crate) action: Option<CtlAction>,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What is done with a run.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum CtlAction {
    /// Show its state, limits and numbers; the default
    Status,
    /// Send nothing new; requests in flight are awaited
    Pause {
        /// Return only once nothing is in flight
        #[arg(long)]
        wait: bool,
    },
    /// End a pause
    Resume,
    /// End the run: requests in flight are awaited, finished rows are kept
    Stop {
        /// Return only once the run has ended
        #[arg(long)]
        wait: bool,
    },
    /// Ask about the failed rows again, now; the output is written with their new outcomes
    RetryFailed,
    /// Change limits: concurrency, rpm, tpm, input_tpm, output_tpm, budget, deadline
    Set {
        /// Such as `concurrency=8`, `rpm=none`, `budget=2.50`, `deadline=2h`; all of them are made, or none
        #[arg(required = true, value_name = "NAME=VALUE")]
        changes: Vec<String>,
    },
}

/// An address, or a port on this machine.
fn address(text: &str) -> Result<SocketAddr, String> {
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    if let Ok(port) = text.parse() {
        return Ok(SocketAddr::new(local, port));
    }
    if let Some(port) = text.strip_prefix("localhost:").and_then(|port| port.parse().ok()) {
        return Ok(SocketAddr::new(local, port));
    }
    let expected = "expected an IP address and a port such as `127.0.0.1:8080`, or a port";
    text.parse().map_err(|_| format!("`{text}` is not an address, {expected}"))
}

fn token(text: &str) -> Result<String, String> {
    let is_one = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.len() >= 16 && text.chars().all(is_one) {
        return Ok(text.to_owned());
    }
    // It may be a real one with a typing error.
    Err("the token is too short or has other characters, expected at least 16 letters, digits, `-` or `_`"
        .to_owned())
}
