//! One HTTP request and one response, as provider and transport exchange them. The protocol owns the bodies; the
//! transport owns how they travel.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// An HTTP request: a POST of JSON. Base URL, key and the headers that are the same for every request belong to the
/// transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Path below the base URL, such as `/chat/completions`.
    pub path: Arc<str>,
    /// Headers beyond those that the transport adds to every request, such as the version of the protocol.
    pub headers: &'static [(HeaderName, HeaderValue)],
    /// The JSON text.
    pub body: Bytes,
}

/// An HTTP response, read to its end.
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
    /// Whether the status says that the request was answered; gateways also use statuses other than 200 for that.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's value, if present and valid UTF-8. It may go beyond ASCII: Go writes microseconds as `µs`.
    pub fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.headers.get(name)?.as_bytes()).ok()
    }
}
