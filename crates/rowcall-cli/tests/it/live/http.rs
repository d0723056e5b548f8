//! A small HTTP client that sends exactly what a test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// How long an answer may take, so that a broken server ends a test.
const PATIENCE: Duration = Duration::from_secs(30);

/// The page of a run.
pub(super) struct Page {
    host: String,
    token: String,
}

impl Page {
    pub(super) fn at(address: &str) -> Self {
        let (host, token) = address.trim_start_matches("http://").split_once('/').expect("an address");
        Self { host: host.to_owned(), token: token.trim_end_matches('/').to_owned() }
    }

    pub(super) fn address(&self) -> String {
        format!("http://{}/{}/", self.host, self.token)
    }

    pub(super) fn host(&self) -> String {
        self.host.clone()
    }

    pub(super) fn token(&self) -> String {
        self.token.clone()
    }

    /// The status, the head and the body at a place of the page.
    pub(super) fn get(&self, place: &str) -> (u16, String, String) {
        let Self { host, token } = self;
        get(host, &format!("GET /{token}/{place} HTTP/1.1\r\nHost: {host}"), "")
    }

    pub(super) fn post(&self, place: &str, body: &str, more: &[&str]) -> (u16, Value) {
        let Self { host, token } = self;
        let mut head = format!(
            "POST /{token}/{place} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}",
            body.len()
        );
        for line in more {
            head.push_str(&format!("\r\n{line}"));
        }
        let (status, _, body) = get(host, &head, body);
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    /// The stream of events.
    pub(super) fn events(&self) -> Events {
        let Self { host, token } = self;
        let mut stream = connect(host);
        let head = format!("GET /{token}/events HTTP/1.1\r\nHost: {host}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
        Events(BufReader::new(stream))
    }
}

/// Server-sent events.
pub(super) struct Events(BufReader<TcpStream>);

impl Events {
    pub(super) fn next(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).expect("a line") > 0, "the stream has ended");
            if let Some(data) = line.strip_prefix("data: ") {
                return serde_json::from_str(data).expect("JSON");
            }
        }
    }

    pub(super) fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.next();
            if fits(&event) {
                return event;
            }
        }
    }
}

fn connect(host: &str) -> TcpStream {
    let stream = TcpStream::connect(host).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// Sends this head, without its last line breaks, and this body. Returns the answer's status, head and body.
pub(super) fn get(host: &str, head: &str, body: &str) -> (u16, String, String) {
    let mut stream = connect(host);
    stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes()).expect("sent");
    let mut answer = Vec::new();
    // A server that refuses a body may close the connection before it has read all of it.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or_default(), head.to_owned(), body.to_owned())
}
