//! One HTTP message out and one in, as provider and transport hand them to each other. What is in the bodies is the
//! protocol's business; how they travel is the transport's.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// One HTTP message out: a POST of JSON. Base URL, key and the headers that are the same for every request belong to
/// the transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Below the base URL, such as `/chat/completions`.
    pub path: Arc<str>,
    /// Headers of this request beside those that the transport has for all, such as the version of the protocol.
    pub headers: &'static [(HeaderName, HeaderValue)],
    /// The JSON text.
    pub body: Bytes,
}

/// One HTTP message in, read to its end.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body, decoded from its transfer encoding.
    pub body: Bytes,
    /// When it was received, for headers that name a time of day.
    pub received: SystemTime,
}

impl Response {
    /// Whether the status says that the request was answered; gateways make other statuses than 200 of that.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's value, if it is there and is text. That may be more than ASCII: Go writes microseconds as `µs`.
    pub fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.headers.get(name)?.as_bytes()).ok()
    }
}
