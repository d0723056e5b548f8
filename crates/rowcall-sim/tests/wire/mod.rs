//! A minimal HTTP/1.1 client that reports how an answer ended.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rowcall_sim::Simulator;
use serde_json::Value;

/// One connection, kept alive.
pub(crate) struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.split_once(": ").filter(|(found, _)| *found == name))
            .map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Client {
    pub(crate) fn to(simulator: &Simulator) -> Self {
        let stream = TcpStream::connect(simulator.address()).unwrap();
        let mut client = Self { stream, received: vec![] };
        client.limit(Duration::from_secs(20));
        client
    }

    /// Sets how long to wait for the next bytes.
    pub(crate) fn limit(&mut self, time: Duration) {
        self.stream.set_read_timeout(Some(time)).unwrap();
    }

    pub(crate) fn ask(&mut self, body: &Value) -> Result<Answer, Error> {
        self.send("POST", "/v1/chat/completions", &[], &body.to_string())
    }

    /// Sends a chat completion request without waiting for the answer.
    pub(crate) fn post(&mut self, body: &Value) {
        self.write("POST", "/v1/chat/completions", &[], &body.to_string()).unwrap();
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, Error> {
        self.write(method, path, headers, body)?;
        self.receive()
    }

    fn write(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<(), Error> {
        let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let headers = headers.concat();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: simulator\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        self.stream.write_all(request.as_bytes())
    }

    /// The answer received so far.
    pub(crate) fn received(&self) -> &[u8] {
        &self.received
    }

    pub(crate) fn receive(&mut self) -> Result<Answer, Error> {
        self.received.clear();
        let body_at = loop {
            if let Some(at) = self.received.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.more()?;
        };
        let head = String::from_utf8_lossy(&self.received[..body_at]).into_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: String::new() };
        let body = if answer.header("transfer-encoding") == Some("chunked") {
            self.chunks(body_at)?
        } else {
            let length: usize = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
            while self.received.len() < body_at + length {
                self.more()?;
            }
            self.received[body_at..body_at + length].to_vec()
        };
        answer.body = String::from_utf8(body).unwrap();
        Ok(answer)
    }

    fn chunks(&mut self, mut at: usize) -> Result<Vec<u8>, Error> {
        let mut body = vec![];
        loop {
            let line = loop {
                if let Some(length) = self.received[at..].windows(2).position(|two| two == b"\r\n") {
                    break length;
                }
                self.more()?;
            };
            let size =
                usize::from_str_radix(&String::from_utf8_lossy(&self.received[at..at + line]), 16).unwrap();
            at += line + 2;
            while self.received.len() < at + size + 2 {
                self.more()?;
            }
            body.extend_from_slice(&self.received[at..at + size]);
            at += size + 2;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn more(&mut self) -> Result<(), Error> {
        let mut piece = [0; 16 << 10];
        match self.stream.read(&mut piece)? {
            0 => Err(Error::new(ErrorKind::UnexpectedEof, "the connection was closed")),
            read => {
                self.received.extend_from_slice(&piece[..read]);
                Ok(())
            }
        }
    }
}

/// Waits until another thread has made `done` true, for at most ten seconds.
pub(crate) fn until(done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(10), "it never came to that");
        std::thread::yield_now();
    }
}
