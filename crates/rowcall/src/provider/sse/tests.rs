//! Well-formed and malformed streams.

use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use proptest::prelude::*;

use super::{events, is_stream};
use crate::request::Response;

fn read(body: &[u8]) -> Vec<(String, String)> {
    events(body).map(|event| (event.name.to_owned(), event.data.into_owned())).collect()
}

#[test]
fn streams_are_split_into_events() {
    type Events = &'static [(&'static str, &'static str)];
    let cases: [(&[u8], Events); 16] = [
        (b"data: a\n\ndata: b\n\n", &[("", "a"), ("", "b")]),
        (b"data:a\r\n\r\ndata: b\r\n\r\n", &[("", "a"), ("", "b")]),
        (b"data: a\r\rdata: b\r\r", &[("", "a"), ("", "b")]),
        (b"data: a\n\r\ndata: b\r\n\n", &[("", "a"), ("", "b")]),
        (b"event: x\ndata: a\n\ndata: b\n\n", &[("x", "a"), ("", "b")]),
        (b"data:  a\n\n", &[("", " a")]),
        (b"data: a\ndata\ndata: b\n\n", &[("", "a\n\nb")]),
        (b"data:\n\nevent: x\ndata: \n\ndata: a\n\ndata:\n", &[("", "a")]),
        (b": keep-alive\n\n: again\ndata: a\n\n", &[("", "a")]),
        (b"\xEF\xBB\xBFdata: a\n\n", &[("", "a")]),
        (b"event: lost\n\ndata: a\n\n", &[("", "a")]),
        (b"id: 1\nretry: 5\ndata: a: b\nother: c\n\n", &[("", "a: b")]),
        (b"\n\n\ndata: a", &[("", "a")]),
        (b"event: x\nevent: y\ndata: a\n", &[("y", "a")]),
        (b"data: \xff\xc5\n\nevent: \xff\ndata: \xc5\x81\n\n", &[("", "\u{fffd}\u{fffd}"), ("", "Ł")]),
        (b"", &[]),
    ];
    for (body, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|(name, data)| ((*name).into(), (*data).into())).collect();
        assert_eq!(read(body), expected, "{}", body.escape_ascii());
    }
}

#[test]
fn the_body_decides_whether_it_is_a_stream() {
    for (content_type, body, expected) in [
        ("text/event-stream", "data: {}\n\n", true),
        ("Text/Event-Stream; charset=utf-8", "id: 1\n\n", true),
        ("text/event-stream", "", true),
        ("text/event-stream", "  {\"choices\": []}", false),
        ("text/event-stream", "<html>", false),
        ("application/json", "{}", false),
        ("application/json", "data: {}\n\n", true),
        ("text/plain", "\u{feff}: hello\n\n", true),
        ("", "\r\n\r\nevent: ping\n", true),
        ("", "", false),
        ("", "da", true),
        ("", "eve", true),
        ("", "date", false),
        ("", "busy", false),
    ] {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        let body = Bytes::from_static(body.as_bytes());
        let response = Response { status: 200, headers, body, received: SystemTime::UNIX_EPOCH };
        assert_eq!(is_stream(&response), expected, "{content_type}: {:?}", response.body);
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        written in prop::collection::vec(("[a-z.]{0,8}", prop::collection::vec("[^\r\n]{0,8}", 1..4)), 0..6),
        end in prop::sample::select(vec!["\n", "\r", "\r\n"]),
    ) {
        let mut body = String::new();
        for (name, lines) in &written {
            body.push_str(&format!("event: {name}{end}"));
            for line in lines {
                body.push_str(&format!("data: {line}{end}"));
            }
            body.push_str(end);
        }
        let expected: Vec<_> = written.into_iter().map(|(name, lines)| (name, lines.join("\n"))).collect();
        // Events with only whitespace keep a connection alive.
        let said = |(_, data): &(String, String)| !data.trim_ascii().is_empty();
        prop_assert_eq!(read(body.as_bytes()), expected.into_iter().filter(said).collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_are_read_to_their_end(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let length: usize = events(&body).map(|event| event.name.len() + event.data.len()).sum();
        // An invalid byte becomes a character of three bytes.
        prop_assert!(length <= 3 * body.len());
    }
}
