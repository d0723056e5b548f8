//! The simulator with TLS and HTTP/2, over real sockets, tested with another implementation's client.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, also in what its cases share")]
#![expect(clippy::disallowed_methods, reason = "the simulator runs on another thread, by the wall clock")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Version, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rowcall_sim::{Fault, FaultKind, Http, Moment, Options, Scenario, SimError, Simulator, Stats, Tls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The protocols that a client offers in ALPN.
type Protocols = &'static [&'static [u8]];
type Sender = http2::SendRequest<Full<Bytes>>;

const H2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

fn start(scenario: Scenario, options: Options) -> Simulator {
    Simulator::start(scenario, options).unwrap()
}

fn instant() -> Scenario {
    Scenario::instant("a test")
}

fn encrypted() -> Options {
    Options::default().with_tls(Tls::On)
}

/// A chat completion request with the user message `text`.
fn chat(simulator: &Simulator, text: &str) -> Request<Full<Bytes>> {
    let body = json!({ "model": "gpt-test", "messages": [{ "role": "user", "content": text }] });
    let request = Request::post(format!("{}/chat/completions", simulator.base_url()));
    let request = request.header(header::HOST, simulator.address().to_string());
    request.body(Full::from(body.to_string())).unwrap()
}

/// A handshake with the simulator under the name `host`, by a client that trusts the authorities in `pem`.
async fn shake(
    simulator: &Simulator,
    pem: &str,
    host: &'static str,
    alpn: Protocols,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let stream = TcpStream::connect(simulator.address()).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(host).unwrap(), stream).await
}

async fn trusting(simulator: &Simulator, alpn: Protocols) -> std::io::Result<TlsStream<TcpStream>> {
    shake(simulator, simulator.ca_pem().unwrap(), "127.0.0.1", alpn).await
}

async fn over_two(simulator: &Simulator) -> Sender {
    let stream = trusting(simulator, &[H2]).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// The answer to `request`, or where it broke.
async fn answer(mut sender: Sender, request: Request<Full<Bytes>>) -> Result<Value, Moment> {
    let response = sender.send_request(request).await.map_err(|_| Moment::Before)?;
    assert_eq!(response.version(), Version::HTTP_2);
    let body = response.into_body().collect().await.map_err(|_| Moment::Midway)?;
    Ok(serde_json::from_slice(&body.to_bytes()).unwrap())
}

/// Waits until the simulator's thread has made `done` true, for at most ten seconds.
async fn until(simulator: &Simulator, done: impl Fn(&Stats) -> bool) {
    let began = Instant::now();
    while !done(&simulator.stats()) {
        assert!(began.elapsed() < Duration::from_secs(10), "it never came to that: {:?}", simulator.stats());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_chat_over_tls_uses_the_negotiated_version_of_http() {
    let simulator = start(instant(), encrypted());
    assert!(simulator.base_url().starts_with("https://127.0.0.1:"), "{}", simulator.base_url());

    let stream = trusting(&simulator, &[HTTP_1_1]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(HTTP_1_1));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let response = sender.send_request(chat(&simulator, "one")).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_11));
    response.into_body().collect().await.unwrap();
    drop(sender);
    connection.await.unwrap().unwrap();

    let sender = over_two(&simulator).await;
    let body = answer(sender.clone(), chat(&simulator, "two")).await.unwrap();
    assert_eq!(body["object"], "chat.completion");

    until(&simulator, |stats| stats.connections.now == 1).await;
    drop(sender);
    until(&simulator, |stats| stats.connections.now == 0).await;
    let stats = simulator.stop();
    assert_eq!((stats.connections.all, stats.requests.all, stats.in_flight.now), (2, 2, 0));
}

#[tokio::test]
async fn alpn_offers_what_the_options_say_and_prefers_http_2() {
    let cases: [(Http, Protocols, Option<&[u8]>); 6] = [
        (Http::Both, &[HTTP_1_1, H2], Some(H2)),
        (Http::Both, &[HTTP_1_1], Some(HTTP_1_1)),
        (Http::One, &[H2, HTTP_1_1], Some(HTTP_1_1)),
        (Http::Two, &[H2, HTTP_1_1], Some(H2)),
        (Http::One, &[H2], None),
        (Http::Two, &[HTTP_1_1], None),
    ];
    for (http, alpn, expected) in cases {
        let simulator = start(instant(), encrypted().with_http(http));
        let stream = trusting(&simulator, alpn).await.ok();
        let agreed = stream.as_ref().and_then(|stream| stream.get_ref().1.alpn_protocol());
        assert_eq!(agreed, expected, "{http:?} {alpn:?}");
    }
}

#[tokio::test]
async fn the_certificate_is_for_this_machine_and_needs_the_authority() {
    let simulator = start(instant(), encrypted());
    let other = start(instant(), encrypted());
    let pem = simulator.ca_pem().unwrap();
    let cases = [
        ("127.0.0.1", pem, true),
        ("localhost", pem, true),
        ("example.com", pem, false),
        ("127.0.0.1", "", false),
        ("127.0.0.1", other.ca_pem().unwrap(), false),
    ];
    for (host, pem, is_trusted) in cases {
        let shaken = shake(&simulator, pem, host, &[]).await;
        assert_eq!(shaken.is_ok(), is_trusted, "{host}: {:?}", shaken.err());
    }
    until(&simulator, |stats| stats.connections.all == 5 && stats.connections.now == 0).await;
}

#[tokio::test]
async fn without_tls_the_first_bytes_determine_the_version() {
    let simulator = start(instant(), Options::default());
    assert_eq!(simulator.ca_pem(), None);
    let stream = TokioIo::new(TcpStream::connect(simulator.address()).await.unwrap());
    let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    answer(sender, chat(&simulator, "two")).await.unwrap();

    let stream = TokioIo::new(TcpStream::connect(simulator.address()).await.unwrap());
    let (mut sender, connection) = http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(chat(&simulator, "one")).await.unwrap();
    assert_eq!(response.version(), Version::HTTP_11);
}

#[tokio::test]
async fn more_than_a_hundred_requests_on_one_connection_wait_rather_than_fail() {
    let options = encrypted().with_latency(Duration::from_millis(500));
    let simulator = start(instant(), options);
    let sender = over_two(&simulator).await;
    let mut answers = JoinSet::new();
    for number in 0..150 {
        answers.spawn(answer(sender.clone(), chat(&simulator, &number.to_string())));
    }
    let answers = answers.join_all().await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let stats = simulator.stop();
    assert_eq!((stats.connections.all, stats.statuses[&200]), (1, 150));
    assert_eq!((stats.in_flight.max, stats.in_flight.now), (100, 0));
}

#[tokio::test]
async fn over_http_2_a_reset_hits_its_request_and_a_cut_the_whole_connection() {
    for moment in [Moment::Before, Moment::Midway] {
        for (kind, is_alone) in [(FaultKind::Reset(moment), true), (FaultKind::Cut(moment), false)] {
            let broken = Fault { contains: Some("breaks".to_owned()), ..Fault::new(kind.clone(), 1.0) };
            let stalled = Fault {
                contains: Some("stalls".to_owned()),
                ..Fault::new(FaultKind::Stall(Moment::Before), 1.0)
            };
            let simulator = start(instant().with_fault(broken).with_fault(stalled), encrypted());
            let sender = over_two(&simulator).await;
            let beside = tokio::spawn(answer(sender.clone(), chat(&simulator, "stalls")));
            until(&simulator, |stats| stats.in_flight.now == 1).await;

            let found = answer(sender.clone(), chat(&simulator, "breaks")).await;
            assert_eq!(found, Err(moment), "{kind:?}");

            if is_alone {
                answer(sender.clone(), chat(&simulator, "is whole")).await.unwrap();
                until(&simulator, |stats| stats.in_flight.now == 1).await;
                // A client that cancels releases what its request held.
                beside.abort();
            } else {
                assert_eq!(beside.await.unwrap(), Err(Moment::Before), "{kind:?}");
                until(&simulator, |stats| stats.connections.now == 0).await;
            }
            until(&simulator, |stats| stats.in_flight.now == 0).await;
            assert_eq!(simulator.stats().unfinished, 2, "{kind:?}");
        }
    }
}

#[tokio::test]
async fn an_encrypted_connection_breaks_midway_over_http_1_as_well() {
    for kind in [FaultKind::Reset(Moment::Midway), FaultKind::Cut(Moment::Midway)] {
        let simulator = start(instant().with_fault(Fault::new(kind.clone(), 1.0)), encrypted());
        let stream = trusting(&simulator, &[]).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let response = sender.send_request(chat(&simulator, "one")).await;
        // A reset may discard what was sent before it.
        let Ok(response) = response else {
            assert_eq!(kind, FaultKind::Reset(Moment::Midway));
            continue;
        };
        assert!(response.into_body().collect().await.is_err(), "{kind:?}");
    }
}

#[tokio::test]
async fn a_simulator_stops_during_handshakes_and_stalls() -> Result<(), SimError> {
    let stall = Fault::new(FaultKind::Stall(Moment::Midway), 1.0);
    for options in [encrypted(), Options::default()] {
        let simulator = Simulator::start(instant().with_fault(stall.clone()), options)?;
        let silent = TcpStream::connect(simulator.address()).await.unwrap();
        until(&simulator, |stats| stats.connections.now == 1).await;
        let began = Instant::now();
        assert_eq!(simulator.stop().connections.now, 0);
        assert!(began.elapsed() < Duration::from_millis(400), "{options:?} waits for {silent:?}");
    }
    let simulator = Simulator::start(instant().with_fault(stall), encrypted())?;
    let sender = over_two(&simulator).await;
    tokio::spawn(answer(sender, chat(&simulator, "stalls")));
    until(&simulator, |stats| stats.in_flight.now == 1).await;
    let stats = simulator.stop();
    assert_eq!((stats.in_flight.now, stats.unfinished), (0, 1));
    Ok(())
}
