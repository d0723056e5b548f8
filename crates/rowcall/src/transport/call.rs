//! Requests of any method, and answers that are read line by line, for files and batches.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::body::Outgoing;
use super::{LONGEST_BODY, Transport};
use crate::fault::{Fault, FaultKind};
use crate::request::{Call, Destination, Response};

/// How often a request that changes nothing at the server is sent again when its connection breaks at once.
const DEAD_CONNECTIONS: usize = 3;

/// A connection that was closed while idle fails at once.
const DEAD_AT_ONCE: Duration = Duration::from_secs(1);

/// A longer line of a download is not read: no answer is that long.
const LONGEST_LINE: usize = LONGEST_BODY;

/// Whether a request may be sent again over another connection if the first one turns out to be dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// It may: it changes nothing at the server, and is not billed.
    Repeatable,
    /// It is sent once, and whatever happens then, it may have arrived.
    Once,
}

/// An answer that is read line by line.
#[derive(Debug)]
pub(crate) struct Download<'a> {
    transport: &'a Transport,
    body: Incoming,
    status: u16,
    pending: BytesMut,
    is_over: bool,
}

impl Transport {
    /// Sends a request and reads its response to the end.
    ///
    /// # Errors
    /// As [`send`](Self::send). A request that is sent only once fails with `Unreachable` only if nothing was sent.
    pub(crate) async fn call(&self, call: &Call, delivery: Delivery) -> Result<Response, Fault> {
        let exchange = async {
            let (status, headers, body) = self.begin(call, delivery).await?;
            self.whole(status, headers, body).await
        };
        self.in_time(exchange).await
    }

    /// Sends a request for lines. A response with an error status is read to its end and returned instead.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(crate) async fn download(&self, call: &Call) -> Result<Result<Download<'_>, Response>, Fault> {
        let begin = async {
            let (status, headers, body) = self.begin(call, Delivery::Repeatable).await?;
            let is_plain = headers
                .get(http::header::CONTENT_ENCODING)
                .is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
            if (200..300).contains(&status) && is_plain {
                let download =
                    Download { transport: self, body, status, pending: BytesMut::new(), is_over: false };
                return Ok(Ok(download));
            }
            let response = self.whole(status, headers, body).await?;
            if !response.is_success() {
                return Ok(Err(response));
            }
            let message = "the file came compressed although that was not asked for";
            Err(Fault { status: Some(status), ..Fault::new(FaultKind::Server, message) })
        };
        self.in_time(begin).await
    }

    /// A short hash of the key, which shows a user with which key a batch was sent. It does not reveal the key.
    pub(crate) fn fingerprint(&self) -> String {
        let mut secrets = self.headers.values().filter(|value| value.is_sensitive()).peekable();
        if secrets.peek().is_none() {
            return "none".to_owned();
        }
        let hash = secrets.fold(Sha256::new(), |hash, value| hash.chain_update(value.as_bytes()));
        let digits: Vec<String> = hash.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        digits.concat()
    }

    async fn begin(&self, call: &Call, delivery: Delivery) -> Result<(u16, HeaderMap, Incoming), Fault> {
        let shard = self.shard();
        let mut dead = 0;
        loop {
            let body = Outgoing::of(&call.payload).map_err(|error| {
                Fault::new(
                    FaultKind::Unreachable,
                    format!("the requests of the batch cannot be read: {error}"),
                )
            })?;
            let (url, mut headers) = match &call.to {
                Destination::Path(path) => (self.base_url.join(path), self.headers.clone()),
                Destination::Given(url) => (self.base_url.given(url)?, HeaderMap::new()),
            };
            let mut message = http::Request::builder()
                .method(call.method.clone())
                .uri(url)
                .body(body)
                .map_err(|error| self.broken("the request cannot be built", &error))?;
            if call.method == Method::GET {
                headers.remove(http::header::CONTENT_TYPE);
            }
            for (name, value) in &call.headers {
                headers.insert(name, value.clone());
            }
            *message.headers_mut() = headers;
            let sent = Instant::now();
            match shard.request(message).await {
                Ok(response) => {
                    let (head, body) = response.into_parts();
                    return Ok((head.status.as_u16(), head.headers, body));
                }
                Err(error) if error.is_connect() => {
                    return Err(Fault {
                        kind: FaultKind::Unreachable,
                        ..self.broken("cannot connect", &error)
                    });
                }
                Err(_)
                    if delivery == Delivery::Repeatable
                        && dead < DEAD_CONNECTIONS
                        && sent.elapsed() < DEAD_AT_ONCE =>
                {
                    dead += 1;
                }
                Err(error) => return Err(self.broken("the connection broke before an answer", &error)),
            }
        }
    }
}

impl Download<'_> {
    /// The next line without its end; `None` at the end of the file. Blank lines are left out.
    ///
    /// # Errors
    /// If the connection breaks or stalls, or a line is longer than 64 MB.
    pub(crate) async fn line(&mut self) -> Result<Option<Bytes>, Fault> {
        let mut searched = 0;
        loop {
            let fresh = self.pending.get(searched..).unwrap_or_default();
            if let Some(end) = fresh.iter().position(|byte| *byte == b'\n') {
                let line = self.pending.split_to(searched + end + 1).freeze();
                searched = 0;
                if !line.trim_ascii().is_empty() {
                    return Ok(Some(line));
                }
                continue;
            }
            searched = self.pending.len();
            if searched > LONGEST_LINE {
                return Err(Fault::new(FaultKind::Server, "a line of the results is longer than 64 MB"));
            }
            if self.is_over {
                let last = self.pending.split().freeze();
                return Ok((!last.trim_ascii().is_empty()).then_some(last));
            }
            let transport = self.transport;
            let frame = transport.in_time(async { Ok(self.body.frame().await) }).await?;
            match frame {
                None => self.is_over = true,
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.pending.extend_from_slice(data);
                    }
                }
                Some(Err(error)) => {
                    return Err(Fault {
                        status: Some(self.status),
                        ..transport.broken("the connection broke in the middle of the results", &error)
                    });
                }
            }
        }
    }
}
