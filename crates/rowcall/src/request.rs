//! One HTTP request and one response, as provider and transport exchange them. The protocol owns the bodies; the
//! transport owns how they travel.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

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

/// An HTTP request of any method, as files and batches need them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub to: Destination,
    /// Headers beyond those that the transport adds to every request. These win.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub payload: Payload,
}

/// Where a [`Call`] goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A path below the base URL, with its query. The account's headers go with it.
    Path(String),
    /// A URL that the server has named for this request alone, such as the address for an upload. It is its own permission, so that none of
    /// the account's headers go with it.
    Given(String),
}

impl Destination {
    /// The path or the URL.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Path(text) | Self::Given(text) => text,
        }
    }
}

/// The body of a [`Call`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// None.
    Empty,
    /// This text.
    Text(Bytes),
    /// A file between two texts, read while it is sent.
    File {
        /// What comes first.
        before: Bytes,
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        length: u64,
        /// What comes last.
        after: Bytes,
    },
}

impl Call {
    /// A request without a body.
    pub fn empty(method: Method, path: impl Into<String>) -> Self {
        let to = Destination::Path(path.into());
        Self { method, to, headers: Vec::new(), payload: Payload::Empty }
    }

    /// A `POST` of this JSON text.
    pub fn post(path: impl Into<String>, text: impl Into<Bytes>) -> Self {
        Self { payload: Payload::Text(text.into()), ..Self::empty(Method::POST, path) }
    }
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
