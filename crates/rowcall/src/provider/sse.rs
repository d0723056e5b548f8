//! Server-sent events: parses the bytes of a stream into events, by the HTML standard. The protocols interpret the events.

use std::borrow::Cow;

use crate::fault::Fault;
use crate::request::Response;

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event<'a> {
    /// Its name, or an empty string.
    pub(super) name: &'a str,
    /// Its data lines, joined by line feeds; invalid UTF-8 is replaced.
    pub(super) data: Cow<'a, str>,
}

/// An iterator over the events of a body.
#[derive(Debug, Clone)]
pub(super) struct Events<'a> {
    rest: &'a [u8],
}

/// The response; if it is a stream, with the body that the server would have sent without one, as assembled by `whole`.
///
/// # Errors
/// Those of `whole`.
pub(super) fn unstreamed(
    response: &Response,
    whole: impl Fn(&Response) -> Result<Vec<u8>, Fault>,
) -> Result<Cow<'_, Response>, Fault> {
    if !(response.is_success() && is_stream(response)) {
        return Ok(Cow::Borrowed(response));
    }
    Ok(Cow::Owned(Response { body: whole(response)?.into(), ..response.clone() }))
}

/// Whether a body is a stream. Some gateways answer a request for a stream with a plain body, or the reverse, and keep the content
/// type, so the start of the body decides.
pub(super) fn is_stream(response: &Response) -> bool {
    let body = without_mark(&response.body).trim_ascii_start();
    match body {
        [b'{' | b'[' | b'<', ..] => false,
        [b':', ..] => true,
        [_, ..] if [&b"data:"[..], b"event:"].iter().any(|word| is_prefix_either_way(body, word)) => true,
        [_, ..] | [] => {
            let media_type = response.header("content-type").and_then(|value| value.split(';').next());
            media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("text/event-stream"))
        }
    }
}

/// Whether one is a prefix of the other: a stream may break off within its first word.
fn is_prefix_either_way(one: &[u8], other: &[u8]) -> bool {
    one.iter().zip(other).all(|(one, other)| one == other)
}

/// The events of a complete body: the last event counts even if no blank line follows it.
pub(super) fn events(body: &[u8]) -> Events<'_> {
    Events { rest: without_mark(body) }
}

/// The body without a leading byte order mark.
pub(super) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

impl<'a> Events<'a> {
    /// The next line without its terminator: LF, CR or CRLF.
    fn line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let (line, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = match rest {
            [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
            [] => rest,
        };
        Some(line)
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        let mut name = "";
        let mut data: Option<Cow<'a, str>> = None;
        while let Some(line) = self.line() {
            if line.is_empty() {
                match data.take().filter(|data| is_not_blank(data)) {
                    Some(data) => return Some(Event { name, data }),
                    // Only a name, blanks or comments, which keep the connection alive.
                    None => name = "",
                }
                continue;
            }
            match field(line) {
                (b"event", value) => name = std::str::from_utf8(value).unwrap_or_default(),
                (b"data", value) => data = Some(joined(data, String::from_utf8_lossy(value))),
                // `id` and `retry` are for reconnecting clients; a comment has no name.
                _ => {}
            }
        }
        data.filter(|data| is_not_blank(data)).map(|data| Event { name, data })
    }
}

/// Whether an event's data is more than whitespace.
fn is_not_blank(data: &str) -> bool {
    !data.trim_ascii().is_empty()
}

/// A line's name and value: one space after the colon belongs to neither, and a line without a colon is only a name.
fn field(line: &[u8]) -> (&[u8], &[u8]) {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return (line, b"") };
    let (name, value) = line.split_at(colon);
    let value = value.strip_prefix(b":").unwrap_or(value);
    (name, value.strip_prefix(b" ").unwrap_or(value))
}

fn joined<'a>(lines: Option<Cow<'a, str>>, line: Cow<'a, str>) -> Cow<'a, str> {
    match lines {
        None => line,
        Some(lines) => {
            let mut lines = lines.into_owned();
            lines.push('\n');
            lines.push_str(&line);
            Cow::Owned(lines)
        }
    }
}

#[cfg(test)]
mod tests;
