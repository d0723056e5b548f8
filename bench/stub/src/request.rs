//! Finds the next HTTP/1.1 request in the bytes that a connection has received: its end, its path, and whether the
//! connection closes after it. `connection.rs` answers it.

use std::ops::Range;

const MAX_HEADERS: usize = 64;

/// One request, as positions in the buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The path as the client wrote it.
    pub(crate) path: String,
    /// The position of the body, which ends the request.
    pub(crate) body: Range<usize>,
    /// Whether the client wants the connection closed after the answer.
    pub(crate) close: bool,
}

/// What a buffer holds so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A whole request.
    Request(Request),
    /// The beginning of one.
    More,
    /// Bytes that this server cannot read: not HTTP, or a chunked body.
    Unreadable,
}

/// Looks for a request at the start of `buffer`.
pub(crate) fn find(buffer: &[u8]) -> Found {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let start = match head.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Found::More,
        Err(_) => return Found::Unreadable,
    };
    let header = |name: &str| head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    if header("transfer-encoding").is_some() {
        return Found::Unreadable;
    }
    let length = match header("content-length") {
        Some(header) => std::str::from_utf8(header.value).ok().and_then(|text| text.trim().parse().ok()),
        None => Some(0),
    };
    let Some(end) = length.and_then(|length: usize| start.checked_add(length)) else {
        return Found::Unreadable;
    };
    if buffer.len() < end {
        return Found::More;
    }
    Found::Request(Request {
        path: head.path.unwrap_or("/").to_owned(),
        body: start..end,
        close: header("connection").is_some_and(|header| header.value.eq_ignore_ascii_case(b"close")),
    })
}

#[cfg(test)]
mod tests {
    use super::{Found, Request, find};

    #[test]
    fn finds_a_whole_request_and_leaves_the_next() {
        let bytes = b"POST /v1/x HTTP/1.1\r\nContent-Length: 2\r\nconnection: close\r\n\r\n{}POST /";
        let found = Found::Request(Request { path: "/v1/x".to_owned(), body: 61..63, close: true });
        assert_eq!(find(bytes), found);
    }

    #[test]
    fn waits_at_every_cut_before_the_end() {
        let bytes = b"POST /v1/x HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
        for cut in 0..bytes.len() {
            assert_eq!(find(&bytes[..cut]), Found::More, "cut at {cut}");
        }
        assert!(matches!(find(bytes), Found::Request(_)));
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for bytes in [
            "hello there\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: few\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n",
        ] {
            assert_eq!(find(bytes.as_bytes()), Found::Unreadable, "{bytes:?}");
        }
    }
}
