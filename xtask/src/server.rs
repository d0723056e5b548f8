//! A server in a separate process, from its first line of output, which has its base URL, until it is no longer
//! needed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::Result;

/// A running server; it ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    base: String,
}

impl Server {
    /// Starts `command` and waits until it has printed its base URL.
    ///
    /// # Errors
    /// A command that does not start, or that ends without naming a base URL.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut process = spawned.map_err(|error| format!("cannot start {command:?}: {error}"))?;
        let output = process.stdout.take();
        // From here on an early return kills the process.
        let mut server = Self { process, base: String::new() };
        let lines = output
            .into_iter()
            .flat_map(|output| BufReader::new(output).lines().map_while(std::result::Result::ok));
        let base = lines.into_iter().find_map(|line| base_url(&line));
        server.base = base.ok_or_else(|| format!("{command:?} ended without naming a base URL"))?;
        Ok(server)
    }

    /// Including `/v1`.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The server's answer to a GET of `path`, relative to the base URL.
    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        let answer = self.exchange(path).map_err(|error| format!("the server does not answer: {error}"))?;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        serde_json::from_str(body).map_err(|_| format!("the server answered `{answer}`"))
    }

    /// The status and body of the server's answer to a POST of JSON to `path`, relative to the root, with these
    /// headers.
    pub(crate) fn post(&self, path: &str, headers: &str, body: &[u8]) -> Result<(u16, String)> {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}"
        );
        let answer =
            self.sent(&head, body).map_err(|error| format!("the server does not answer: {error}"))?;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        Ok((status.ok_or_else(|| format!("the server answered `{answer}`"))?, body.to_owned()))
    }

    fn exchange(&self, path: &str) -> std::io::Result<String> {
        let address = self.base.trim_start_matches("http://");
        let (_, prefix) = address.split_once('/').unwrap_or((address, ""));
        self.sent(&format!("GET /{prefix}{path} HTTP/1.1\r\n"), b"")
    }

    /// Sends a message with this head, as far as possible, and reads the answer to its end.
    fn sent(&self, head: &str, body: &[u8]) -> std::io::Result<String> {
        let address = self.base.trim_start_matches("http://");
        let (host, _) = address.split_once('/').unwrap_or((address, ""));
        let mut stream = TcpStream::connect(host)?;
        write!(stream, "{head}host: {host}\r\nconnection: close\r\n\r\n")?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // If the server has ended already, there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The URL in a line such as `listening on http://127.0.0.1:8080/v1`.
fn base_url(line: &str) -> Option<String> {
    let url = line.split_whitespace().find(|word| word.starts_with("http://"))?;
    Some(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::base_url;

    #[test]
    fn finds_the_base_url_in_a_line() {
        let expected = Some("http://127.0.0.1:80/v1".to_owned());
        assert_eq!(base_url("http://127.0.0.1:80/v1"), expected);
        assert_eq!(base_url("listening on http://127.0.0.1:80/v1/ until Ctrl-C"), expected);
        assert_eq!(base_url("loading"), None);
    }
}
