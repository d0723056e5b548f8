//! Writes the server's answers: a chat completion for one row, with the headers that a hosted provider sends, and
//! small JSON answers to everything else.

use std::io::Write as _;

/// The headers that a hosted provider sends. A client has to read them, so they are part of the cost of a request.
/// The limits are far above what any client can use, so that they do not slow one down.
const HEAD: &str = "\
HTTP/1.1 200 OK\r\n\
Date: Wed, 29 Jul 2026 17:00:00 GMT\r\n\
Content-Type: application/json\r\n\
access-control-expose-headers: X-Request-ID\r\n\
openai-organization: user-abcdefghijklmnop\r\n\
openai-processing-ms: 812\r\n\
openai-project: proj_abcdefghijklmnop\r\n\
openai-version: 2020-10-01\r\n\
x-envoy-upstream-service-time: 830\r\n\
x-ratelimit-limit-requests: 600000000\r\n\
x-ratelimit-limit-tokens: 150000000000\r\n\
x-ratelimit-remaining-requests: 599999999\r\n\
x-ratelimit-remaining-tokens: 149999999970\r\n\
x-ratelimit-reset-requests: 6ms\r\n\
x-ratelimit-reset-tokens: 0s\r\n\
x-request-id: req_0123456789abcdef0123456789abcdef\r\n\
strict-transport-security: max-age=31536000; includeSubDomains; preload\r\n\
X-Content-Type-Options: nosniff\r\n\
cf-cache-status: DYNAMIC\r\n\
Server: cloudflare\r\n\
CF-RAY: 0123456789abcdef-CDG\r\n\
alt-svc: h3=\":443\"; ma=86400\r\n";

/// The row number in `[row N]` of a request body, or 0 without one.
pub(crate) fn row(body: &[u8]) -> u64 {
    const MARK: &[u8] = b"[row ";
    let Some(at) = memchr::memmem::find(body, MARK) else { return 0 };
    let digits =
        body.get(at + MARK.len()..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |row: u64, digit| row.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')))
}

/// The function that the request `body` has the model call, or `None` if it offers none.
pub(crate) fn tool(body: &[u8]) -> Option<String> {
    let tools = memchr::memmem::find(body, b"\"tools\"")?;
    // A forced tool is named in the choice; otherwise it is the first.
    let from = memchr::memmem::find(body, b"\"tool_choice\"").unwrap_or(tools);
    let rest = body.get(from..)?;
    let named = rest.get(memchr::memmem::find(rest, NAME)? + NAME.len()..)?;
    let mut parts = named.split(|byte| *byte == b'"');
    parts.next()?;
    Some(String::from_utf8_lossy(parts.next()?).into_owned())
}

const NAME: &[u8] = b"\"name\"";

/// What makes an occupation longer.
const MORE: &str = " and part-time long-distance lighthouse keeper";

/// Appends the chat completion about `row` to `out`: `Person <row>`, aged 20 to 79, a software engineer, with `more` bytes about
/// the rest of their work; as a call of `tool` if the request offers one.
pub(crate) fn completion(out: &mut Vec<u8>, row: u64, more: usize, tool: Option<&str>) {
    let age = 20 + row % 60;
    let length = more;
    let mut more = MORE.repeat(length.div_ceil(MORE.len()));
    more.truncate(length);
    let value =
        format!(r#"{{\"name\":\"Person {row}\",\"age\":{age},\"occupation\":\"software engineer{more}\"}}"#);
    let said = tool.map_or_else(
        || format!(r#""content":"{value}""#),
        |name| {
            format!(
                concat!(
                    r#""content":null,"tool_calls":[{{"id":"call_{row:024}","type":"function","#,
                    r#""function":{{"name":"{name}","arguments":"{value}"}}}}]"#,
                ),
                row = row,
                name = name,
                value = value,
            )
        },
    );
    let body = format!(
        concat!(
            r#"{{"id":"chatcmpl-{row:024}","object":"chat.completion","created":1753808400,"#,
            r#""model":"gpt-4o-mini-2024-07-18","choices":[{{"index":0,"message":{{"role":"assistant","#,
            r#"{said},"refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"#,
            r#""usage":{{"prompt_tokens":87,"completion_tokens":18,"total_tokens":105,"#,
            r#""prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"#,
            r#""completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"#,
            r#""accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}},"#,
            r#""service_tier":"default","system_fingerprint":"fp_0123456789"}}"#,
        ),
        row = row,
        said = said,
    );
    out.extend_from_slice(HEAD.as_bytes());
    finish(out, &body);
}

/// Appends an answer with `status` (code and reason) and a JSON `body` to `out`.
pub(crate) fn json(out: &mut Vec<u8>, status: &str, body: &str) {
    out.extend_from_slice(format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\n").as_bytes());
    finish(out, body);
}

/// Ends the headers and appends the body.
fn finish(out: &mut Vec<u8>, body: &str) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "Content-Length: {}\r\n\r\n{body}", body.len());
}

#[cfg(test)]
mod tests {
    use super::{completion, json, row, tool};

    #[test]
    fn reads_the_row_number() {
        for (body, expected) in [
            (r#"{"content":"[row 42] Ann"}"#, 42),
            ("[row 0]", 0),
            ("no row", 0),
            ("[row ", 0),
            ("[row 99999999999999999999999]", 200_376_420_520_689_663),
        ] {
            assert_eq!(row(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn says_how_long_the_body_is() {
        let mut out = Vec::new();
        completion(&mut out, 61, 0, None);
        json(&mut out, "404 Not Found", "{}");
        let text = String::from_utf8(out).unwrap();
        let (first, second) = text.split_once("HTTP/1.1 404 Not Found\r\n").unwrap();
        let (head, body) = first.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{head}");
        assert!(body.contains(r#""{\"name\":\"Person 61\",\"age\":21,\"#), "{body}");
        assert!(second.ends_with("Content-Length: 2\r\n\r\n{}"), "{second}");
    }
    #[test]
    fn an_answer_may_be_long_or_a_call() {
        let mut out = Vec::new();
        completion(&mut out, 1, 100_000, None);
        assert!(out.len() > 100_000);
        out.clear();
        completion(&mut out, 61, 0, Some("Person"));
        let text = String::from_utf8(out).unwrap();
        let call = r#""function":{"name":"Person","arguments":"{\"name\":\"Person 61\",\"age\":21,"#;
        assert!(text.contains(call), "{text}");
        for (body, expected) in [
            (r#"{"tools":[{"function":{"name": "A"}}]}"#, Some("A")),
            (r#"{"tools":[{"function":{"name":"A"}}],"tool_choice":{"function":{"name":"B"}}}"#, Some("B")),
            (r#"{"response_format":{"json_schema":{"name":"A"}}}"#, None),
            (r#"{"tools":[]}"#, None),
        ] {
            assert_eq!(tool(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }
}
