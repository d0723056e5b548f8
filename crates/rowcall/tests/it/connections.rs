//! The table "Connections" of `docs/faults.md`, each line tested over real sockets, against servers that misbehave below HTTP.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rowcall::{Client, Error, Extractor, FailureKind, FaultKind, RetryPolicy, Schema};
use serde_json::Value;

const ANSWER: &str =
    r#"{"choices":[{"message":{"role":"assistant","content":"{\"age\":30}"},"finish_reason":"stop"}]}"#;

/// A server that handles each connection, counted from 0, with `story`.
pub(crate) struct Server {
    pub(crate) base_url: String,
    connections: Arc<AtomicU32>,
}

impl Server {
    pub(crate) fn new(story: impl Fn(u32, TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let connections = Arc::new(AtomicU32::new(0));
        let (counter, story) = (Arc::clone(&connections), Arc::new(story));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (nth, story) = (counter.fetch_add(1, Ordering::SeqCst), Arc::clone(&story));
                std::thread::spawn(move || story(nth, stream));
            }
        });
        Self { base_url, connections }
    }

    fn connections(&self) -> u32 {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads one request to its end.
pub(crate) fn take_request(stream: &mut TcpStream) -> Option<()> {
    let (mut request, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut piece).ok().filter(|&read| read > 0)?;
        request.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&request).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return Some(());
            }
        }
    }
}

pub(crate) fn head(length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n")
}

fn answer(stream: &mut TcpStream) {
    let _ = write!(stream, "{}{ANSWER}", head(ANSWER.len()));
}

fn ages(base_url: &str, retries: u32, timeout: Duration) -> Extractor<Value> {
    let client = Client::builder("vllm/any").base_url(base_url).timeout(timeout).build().expect("a client");
    let policy = RetryPolicy { retries, ..RetryPolicy::default() };
    let ages = client.extractor_with(Schema::parse("age int").expect("a schema")).retry(policy);
    ages.prompt("{{ text }}").expect("an extractor")
}

/// The kind and message of the failure without retries.
async fn failure(base_url: &str, timeout: Duration) -> (FailureKind, String) {
    let outcomes = ages(base_url, 0, timeout).gather_outcomes(["Ann is 30"]).await.expect("outcomes");
    let failure = outcomes[0].result.as_ref().expect_err("the server misbehaves");
    assert_eq!(failure.effort.attempts, 1);
    (failure.kind, failure.message.clone())
}

const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn no_connection_can_be_made() {
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let base_url = format!("http://127.0.0.1:{port}/v1");
    // A server that was never reached will not be reached for the next row either.
    let error =
        ages(&base_url, 0, LONG).gather_outcomes(["Ann is 30"; 3]).await.expect_err("no server listens");
    let Error::Stopped(fault) = &error else { panic!("not stopped: {error}") };
    assert_eq!((fault.kind, fault.may_be_billed()), (FaultKind::Unreachable, false));
    assert!(fault.message.contains("cannot connect") && fault.message.contains(&base_url), "{fault}");
    assert!(fault.message.contains("refused"), "{fault}");
}

/// A port whose backlog is full: new connections get no reply.
fn silent() -> (tokio::net::TcpListener, Vec<TcpStream>) {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port is free");
    let listener = socket.listen(1).expect("a queue");
    let address = listener.local_addr().expect("an address");
    let knock = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
    let waiting = std::iter::from_fn(knock).collect();
    (listener, waiting)
}

#[tokio::test(start_paused = true)]
async fn no_connection_can_be_made_in_time() {
    let (listener, _waiting) = silent();
    let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    let began = tokio::time::Instant::now();
    let error = ages(&base_url, 0, LONG).gather_outcomes(["Ann is 30"]).await.expect_err("no server answers");
    let Error::Stopped(fault) = &error else { panic!("not stopped: {error}") };
    assert_eq!((fault.kind, fault.may_be_billed()), (FaultKind::Unreachable, false), "{fault}");
    assert_eq!(began.elapsed().as_secs(), 10, "{fault}");
}

#[tokio::test]
async fn the_connection_breaks_before_an_answer() {
    let story = |nth, mut stream: TcpStream| {
        if take_request(&mut stream).is_some() && nth > 0 {
            answer(&mut stream);
        }
    };
    let (kind, message) = failure(&Server::new(story).base_url, LONG).await;
    assert_eq!(kind, FailureKind::Fault(FaultKind::Connection), "{message}");
    let server = Server::new(story);
    let values =
        ages(&server.base_url, 1, LONG).gather(["Ann is 30"]).await.expect("a value at the second attempt");
    assert_eq!((values[0]["age"].as_u64(), server.connections()), (Some(30), 2));
}

#[tokio::test]
async fn the_connection_breaks_in_the_middle_of_the_answer() {
    let story = |nth, mut stream: TcpStream| {
        if take_request(&mut stream).is_some() {
            let half = if nth == 0 { ANSWER.len() / 2 } else { ANSWER.len() };
            let _ = write!(stream, "{}{}", head(ANSWER.len()), &ANSWER[..half]);
        }
    };
    let (kind, message) = failure(&Server::new(story).base_url, LONG).await;
    assert_eq!(kind, FailureKind::Fault(FaultKind::Connection));
    assert!(message.contains("in the middle of the answer"), "{message}");
    let values = ages(&Server::new(story).base_url, 1, LONG).gather(["Ann is 30"]).await.expect("a value");
    assert_eq!(values[0]["age"], 30);
}

#[tokio::test]
async fn a_request_on_a_used_connection_that_breaks_is_an_attempt_that_may_be_billed() {
    // The first connection serves one request, takes a second one and is closed without a byte of an answer: at once, or later.
    for later in [Duration::ZERO, Duration::from_millis(1_200)] {
        let server = Server::new(move |nth, mut stream| {
            if take_request(&mut stream).is_some() {
                answer(&mut stream);
            }
            while take_request(&mut stream).is_some() {
                if nth == 0 {
                    // As long as a server works that then crashes; the client does not leave.
                    stream.set_read_timeout(later.checked_add(Duration::from_millis(1))).expect("a time");
                    let _ = stream.read(&mut [0; 1]);
                    return;
                }
                answer(&mut stream);
            }
        });
        let outcomes = ages(&server.base_url, 1, LONG)
            .concurrency(1)
            .gather_outcomes(["Ann is 30", "Eve is 30"])
            .await
            .expect("outcomes");
        let effort = |n: usize| (outcomes[n].effort.attempts, outcomes[n].effort.unmetered);
        assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()), "{outcomes:?}");
        // The answers of this server say no usage.
        assert_eq!((effort(0), effort(1)), ((1, 1), (2, 2)), "the lost one counts");
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_replaced_unnoticed() {
    let (closed, is_closed) = std::sync::mpsc::channel();
    let is_closed = std::sync::Mutex::new(is_closed);
    let server = Server::new(move |_, mut stream| {
        if take_request(&mut stream).is_some() {
            answer(&mut stream);
        }
        drop(stream);
        let _ = closed.send(());
    });
    let ages = ages(&server.base_url, 0, LONG);
    for text in ["Ann is 30", "Eve is 30"] {
        let outcomes = ages.gather_outcomes([text]).await.expect("outcomes");
        is_closed.lock().expect("no panic").recv().expect("the server closes it");
        // The client's own task has to read that it is closed.
        tokio::task::yield_now().await;
        assert_eq!(outcomes[0].effort.attempts, 1);
        assert!(outcomes[0].result.is_ok(), "{:?}", outcomes[0].result);
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn no_complete_answer_within_the_time_allowed() {
    let server = Server::new(|_, mut stream| {
        if take_request(&mut stream).is_some() {
            let _ = write!(stream, "{}{}", head(ANSWER.len()), &ANSWER[..10]);
            // Until the client leaves.
            let _ = stream.read(&mut [0; 1]);
        }
    });
    let (kind, message) = failure(&server.base_url, Duration::from_millis(300)).await;
    assert_eq!(kind, FailureKind::Fault(FaultKind::Timeout));
    assert!(message.contains("within 300ms"), "{message}");
}

#[tokio::test]
async fn white_space_before_a_body_and_bodies_without_a_length_are_accepted() {
    let server = Server::new(|_, mut stream| {
        if take_request(&mut stream).is_some() {
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n\n  \n{ANSWER}\n");
        }
    });
    let values = ages(&server.base_url, 0, LONG).gather(["Ann is 30"; 3]).await.expect("values");
    assert!(values.iter().all(|value| value["age"] == 30));
}

#[tokio::test]
async fn an_endless_body_is_not_read_to_its_end() {
    let server = Server::new(|_, mut stream| {
        if take_request(&mut stream).is_some() {
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            while stream.write_all(&[b' '; 4096]).is_ok() {}
        }
    });
    let (kind, message) = failure(&server.base_url, LONG).await;
    assert_eq!(kind, FailureKind::Fault(FaultKind::Connection), "{message}");
}
