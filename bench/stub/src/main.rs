//! A server with one fixed answer, for measuring clients: `POST …/v1/chat/completions` returns the person whose
//! number is in the prompt as `[row N]`, at once unless the path says otherwise (`pace.rs`). Not built on hyper: a hyper server costs about as much as a hyper client,
//! and the server must be clearly cheaper than the client that is measured. One thread.
#![expect(clippy::print_stdout, reason = "the first line of output is the base URL")]

mod answer;
mod connection;
mod counters;
mod pace;
mod request;

use std::net::SocketAddr;
use std::process::ExitCode;

use tokio::net::{TcpListener, TcpSocket};

use crate::counters::Counters;

const USAGE: &str = "usage: rowcall-bench-stub [--port N]   (0, the default, takes any free port)";
const BACKLOG: u32 = 4096;

static COUNTERS: Counters = Counters::new();

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(port) = port(&arguments) else { return fail(USAGE) };
    match serve(port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("cannot serve on port `{port}`: {error}")),
    }
}

/// The requested port, or `None` for invalid arguments.
fn port(arguments: &[String]) -> Option<u16> {
    match arguments {
        [] => Some(0),
        [flag, port] if flag == "--port" => port.parse().ok(),
        _ => None,
    }
}

#[expect(clippy::print_stderr, reason = "a program that cannot start says why")]
fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(2)
}

/// Serves until the process is killed.
#[expect(clippy::disallowed_methods, reason = "a server has a task for each connection")]
fn serve(port: u16) -> std::io::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = listen(port)?;
        println!("http://{}/v1", listener.local_addr()?);
        loop {
            // A client that left before it was accepted is not a reason to stop.
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection::serve(stream, &COUNTERS));
            }
        }
    })
}

/// A listener on localhost that holds a burst of connections until they are accepted.
fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], port)))?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::port;

    #[test]
    fn reads_its_arguments() {
        let asked = |arguments: &[&str]| port(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(asked(&[]), Some(0));
        assert_eq!(asked(&["--port", "9377"]), Some(9377));
        assert_eq!(asked(&["--port", "many"]), None);
        assert_eq!(asked(&["9377"]), None);
    }
}
