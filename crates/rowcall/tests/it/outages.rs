//! Outages over real sockets: a server that fails every request for a while, and then answers.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rowcall::{Client, Error, Extractor, FaultKind, RetryPolicy, Row, Schema};
use serde_json::Value;

pub(crate) const ANSWER: &str =
    r#"{"choices":[{"message":{"role":"assistant","content":"{\"age\":30}"},"finish_reason":"stop"}]}"#;

const HTML: &str = "<html>Bad Gateway</html>";

/// Answers each request, counted from 0, with a status and a body, or breaks its connection.
pub(crate) fn server(
    story: impl Fn(u32) -> Option<(u16, &'static str)> + Send + Sync + 'static,
) -> (String, Arc<AtomicU32>) {
    server_with("", story)
}

/// The same with these header lines, each with its line break.
fn server_with(
    headers: &'static str,
    story: impl Fn(u32) -> Option<(u16, &'static str)> + Send + Sync + 'static,
) -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    let requests = Arc::new(AtomicU32::new(0));
    let (counter, story) = (Arc::clone(&requests), Arc::new(story));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (counter, story) = (Arc::clone(&counter), Arc::clone(&story));
            std::thread::spawn(move || serve(stream, headers, &counter, &*story));
        }
    });
    (base_url, requests)
}

/// Serves one request per connection.
fn serve(
    mut stream: TcpStream,
    headers: &str,
    counter: &AtomicU32,
    story: &dyn Fn(u32) -> Option<(u16, &'static str)>,
) {
    let (mut request, mut piece) = (String::new(), [0; 4096]);
    while !request.ends_with('}') {
        match stream.read(&mut piece) {
            Ok(read) if read > 0 => request.push_str(&String::from_utf8_lossy(&piece[..read])),
            Ok(_) | Err(_) => return,
        }
    }
    if let Some((status, body)) = story(counter.fetch_add(1, Ordering::SeqCst)) {
        let length = body.len();
        let _ = write!(
            stream,
            "HTTP/1.1 {status} Any\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
    }
}

pub(crate) fn ages(base_url: &str, retries: u32) -> Extractor<Value> {
    let client = Client::builder("vllm/any").base_url(base_url).build().expect("a client");
    let policy = RetryPolicy { retries, ..RetryPolicy::default() };
    let ages = client.extractor_with(Schema::parse("age int").expect("a schema")).retry(policy);
    ages.prompt("{{ text }}").expect("an extractor")
}

pub(crate) fn rows(count: u32) -> Vec<String> {
    (0..count).map(|row| format!("row {row}")).collect()
}

#[tokio::test]
async fn no_row_fails_because_of_an_outage() {
    for failure in [Some((500, HTML)), Some((502, HTML)), Some((504, "")), Some((200, HTML)), None] {
        let (base_url, requests) = server(move |nth| match nth {
            40..70 => failure,
            _ => Some((200, ANSWER)),
        });
        let outcomes = ages(&base_url, 1).gather_outcomes(rows(300)).await.expect("outcomes");
        let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
        assert_eq!(failed, 0, "{failure:?}");
        assert!(requests.load(Ordering::SeqCst) >= 300, "{failure:?}");
    }
}

/// A row fails if the server failed only that row; in an outage, only rows that failed before it was recognised do.
#[tokio::test]
async fn an_outage_is_waited_out_even_if_the_server_advises_against_retries() {
    for (failing, most) in [(40..41, 1), (40..80, 7)] {
        let (base_url, _) = server_with("x-should-retry: false\r\n", move |nth| {
            Some(if failing.contains(&nth) { (503, "") } else { (200, ANSWER) })
        });
        let outcomes = ages(&base_url, 5).gather_outcomes(rows(300)).await.expect("outcomes");
        let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
        assert!((1..=most).contains(&failed), "{failed}, expected 1 to {most}");
    }
}

/// Even with few rows, and whether or not any was answered before. The one retry is for a row whose page overtakes an answer that was
/// sent earlier: at that moment it is a page among answers.
#[tokio::test]
async fn none_of_a_few_rows_fails_because_of_web_pages() {
    for status in [200, 400, 422, 500, 502, 503] {
        for (count, failing) in [(1, 0..12), (3, 0..12), (5, 2..14)] {
            let (base_url, requests) =
                server(move |nth| Some(if failing.contains(&nth) { (status, HTML) } else { (200, ANSWER) }));
            let outcomes = ages(&base_url, 1).gather_outcomes(rows(count)).await.expect("outcomes");
            let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
            assert_eq!(failed, 0, "{status}, {count} rows");
            assert_eq!(requests.load(Ordering::SeqCst), count + 12, "{status}, {count} rows");
        }
    }
}

/// A grammar error of one answer, and a refusal of the mode, among rows that are accepted in the same mode.
#[tokio::test]
async fn a_refusal_among_acceptances_is_retried_in_the_same_mode() {
    const OF_ONE: &str = r#"{"error":{"message":"Unexpected empty grammar stack after accepting piece: x"}}"#;
    const OF_WAY: &str = r#"{"error":{"message":"structured output is not supported"}}"#;
    for (status, body) in [(500, OF_ONE), (400, OF_WAY)] {
        let (base_url, requests) =
            server(move |nth| Some(if nth > 10 && nth % 7 == 0 { (status, body) } else { (200, ANSWER) }));
        let extractor = ages(&base_url, 5);
        let outcomes = extractor.gather_outcomes(rows(60)).await.expect("outcomes");
        assert_eq!(outcomes.iter().filter(|outcome| outcome.result.is_err()).count(), 0, "{body}");
        assert!(requests.load(Ordering::SeqCst) > 60, "{body}");
        let next = extractor.preview(&Row::new(0, "another")).expect("a request").request;
        assert!(String::from_utf8_lossy(&next.body).contains("json_schema"), "{body}");
    }
}

#[tokio::test]
async fn a_bad_row_fails_alone() {
    const BROKEN: &str = r#"{"error":{"message":"oops"}}"#;
    let (base_url, _) = server(|nth| if nth == 5 { Some((500, BROKEN)) } else { Some((200, ANSWER)) });
    let outcomes = ages(&base_url, 0).gather_outcomes(rows(100)).await.expect("outcomes");
    assert_eq!(outcomes.iter().filter(|outcome| outcome.result.is_err()).count(), 1);
}

/// At once if there are many rows. The minute for which fewer wait is tested in virtual time, in `admission/tests/outage.rs`.
#[tokio::test]
async fn a_server_that_only_sends_web_pages_stops_the_run_instead_of_failing_all_rows() {
    let (base_url, _) = server(|_| Some((200, "<html>a login page</html>")));
    let error = ages(&base_url, 2).gather_outcomes(rows(50)).await.expect_err("it is not an API server");
    let Error::Stopped(fault) = &error else { panic!("not stopped: {error}") };
    assert_eq!(fault.kind, FaultKind::Server, "{fault}");
}
