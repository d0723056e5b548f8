//! One attempt over HTTP: the only file that uses the HTTP client. It judges connections, not responses, and sends a request again
//! by itself only where the server has certainly not processed it.
#![expect(clippy::disallowed_types, reason = "this file is the one that knows the HTTP client")]
#![expect(
    clippy::disallowed_methods,
    reason = "a response is received at a time of day, which headers refer to"
)]

mod base_url;
mod body;
mod call;
mod encoding;
mod tls;
mod unprocessed;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as _, Incoming};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::error::Problem;
use crate::fault::{Fault, FaultCause, FaultKind};
use crate::request::{Request, Response};
use base_url::BaseUrl;
use body::Outgoing;
pub(crate) use call::Delivery;
use unprocessed::is_unprocessed;

/// How long establishing a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// Servers close idle connections after as little as 5 s (llama.cpp, Node), and a request sent at that moment is lost, so we
/// close them earlier.
const IDLE: Duration = Duration::from_secs(4);

/// TCP keep-alive, as the official SDKs set it: otherwise some middleboxes drop a connection that waits minutes for an
/// answer.
const KEEP_ALIVE: Duration = Duration::from_mins(1);

/// No answer to a prompt is longer; a longer body is not read to its end.
const LONGEST_BODY: usize = 64 * 1024 * 1024;

/// How much room is made for a body before it arrives, whatever length it is said to have.
const MOST_EXPECTED: usize = 1024 * 1024;

/// Requests at a time over one HTTP/2 connection, which is what most servers allow. The client keeps one such connection to a
/// host, so more requests need more clients.
const STREAMS: usize = 100;

/// Clients for an `https://` server, enough for 3,200 requests at a time over HTTP/2.
const SHARDS: usize = 32;

/// How often a request is sent again that the server has not processed.
const UNPROCESSED: usize = 3;

/// The network settings for reaching a server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Network {
    /// How long an attempt may take, from its first byte out to its last byte in.
    pub(crate) timeout: Duration,
    /// A PEM file with certificate authorities to trust in addition to the system's.
    pub(crate) ca_cert: Option<PathBuf>,
    /// The proxy for `https://` servers, from `HTTPS_PROXY`.
    pub(crate) https_proxy: Option<String>,
    /// Hosts that are reached without the proxy, from `NO_PROXY`.
    pub(crate) no_proxy: Option<String>,
}

/// A shorter header is not treated as a secret, since its text may occur anywhere.
const SHORTEST_SECRET: usize = 8;

/// The replacement for a secret.
const HIDDEN: &str = "***";

/// The connections to one server.
#[derive(Debug)]
pub(crate) struct Transport {
    shards: Vec<Shard>,
    base_url: BaseUrl,
    headers: HeaderMap,
    timeout: Duration,
}

/// One of the clients that share the requests to the server.
#[derive(Debug)]
struct Shard {
    client: Route,
    in_flight: AtomicUsize,
}

#[derive(Debug)]
enum Route {
    Direct(Client<HttpsConnector<HttpConnector>, Outgoing>),
    Tunnel(Client<HttpsConnector<Tunnel<HttpConnector>>, Outgoing>),
}

impl Transport {
    /// Whether the base URL ends in the version of an API.
    pub(crate) fn has_version(&self) -> bool {
        self.base_url.has_version()
    }

    /// Scheme, host and path of the base URL.
    pub(crate) fn uri(&self) -> &http::Uri {
        self.base_url.uri()
    }

    /// A transport to `base_url` (`http://` or `https://`), with `headers` on every request. It does not connect yet.
    ///
    /// # Errors
    /// If the URL is not valid, or if it is `https://` and the trusted certificates cannot be read.
    pub(crate) fn new(base_url: &str, headers: HeaderMap, network: &Network) -> Result<Self, Problem> {
        let base_url = BaseUrl::new(base_url)?;
        let (shards, tls) = if base_url.is_https() {
            (SHARDS, tls::trusting(network.ca_cert.as_deref())?)
        } else {
            (1, tls::trusting_none())
        };
        let proxy = proxy(base_url.uri(), network);
        let shard = || Shard { client: Route::new(&tls, proxy.as_ref()), in_flight: AtomicUsize::new(0) };
        let shards = std::iter::repeat_with(shard).take(shards).collect();
        Ok(Self { shards, base_url, headers, timeout: network.timeout })
    }

    /// The full URL of a request in a form that is safe to show.
    pub(crate) fn shown_url(&self, request: &Request) -> String {
        self.base_url.shown(&request.path)
    }

    /// The headers of a request; headers that are set for all requests win. A key in them is marked sensitive and does not
    /// print.
    pub(crate) fn headers_of(&self, request: &Request) -> HeaderMap {
        let mut headers = self.headers.clone();
        for (name, value) in request.headers {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        headers
    }

    /// A text from the server, with any of our secret headers that it repeats removed.
    pub(crate) fn hide_secrets(&self, text: String) -> String {
        let secrets = self.headers.values().filter(|value| value.is_sensitive());
        // A server may repeat `Bearer KEY` without its first word, or a single one of several cookies.
        let words = secrets.filter_map(|value| value.to_str().ok()).flat_map(str::split_whitespace);
        words.filter(|word| word.len() >= SHORTEST_SECRET).fold(text, without)
    }

    /// Sends one request and reads its response to the end.
    ///
    /// # Errors
    /// `Unreachable` if there was no connection, `Connection` if it broke, `Timeout` if it took too long. A response is never an error
    /// here, whatever its status.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response, Fault> {
        self.in_time(self.exchange(request)).await
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(done) => done,
            Err(_) => Err(Fault::new(
                FaultKind::Timeout,
                format!("no complete answer from {} within {:?}", self.base_url.shown(""), self.timeout),
            )),
        }
    }

    async fn exchange(&self, request: &Request) -> Result<Response, Fault> {
        // The request counts as in flight until the last byte of the answer.
        let shard = self.shard();
        let (head, body) = self.answered(request, &shard).await?.into_parts();
        self.whole(head.status.as_u16(), head.headers, body).await
    }

    /// The response with its body, read to its end.
    async fn whole(&self, status: u16, headers: HeaderMap, body: Incoming) -> Result<Response, Fault> {
        let body = read(body).await.map_err(|error| Fault {
            status: Some(status),
            ..self.broken("the connection broke in the middle of the answer", error.as_ref())
        })?;
        let body = encoding::decoded(&headers, body, LONGEST_BODY)
            .map_err(|message| Fault { status: Some(status), ..Fault::new(FaultKind::Server, message) })?;
        Ok(Response { status, headers, body, received: SystemTime::now() })
    }

    /// The response as soon as its headers have arrived. A request that breaks may have reached the server, which bills its work on it;
    /// so it fails, even if the connection was probably dead before. The client itself sends again what never left it.
    async fn answered(&self, request: &Request, shard: &Busy<'_>) -> Result<http::Response<Incoming>, Fault> {
        let mut unprocessed = 0;
        loop {
            let url = self.base_url.of(&request.path);
            let url = url.map_err(|error| self.broken("the request cannot be built", &error))?;
            let mut message = http::Request::new(Outgoing::text(request.body.clone()));
            (*message.method_mut(), *message.uri_mut()) = (Method::POST, url);
            *message.headers_mut() = self.headers_of(request);
            match shard.request(message).await {
                Ok(response) => return Ok(response),
                Err(error) if unprocessed < UNPROCESSED && is_unprocessed(&error) => unprocessed += 1,
                Err(error) if error.is_connect() => {
                    return Err(Fault {
                        kind: FaultKind::Unreachable,
                        ..self.broken("cannot connect", &error)
                    });
                }
                Err(error) => return Err(self.broken("the connection broke before an answer", &error)),
            }
        }
    }

    /// The first client with a free stream, so that few requests use few connections; the least busy one if none has.
    fn shard(&self) -> Busy<'_> {
        let in_flight = |shard: &&Shard| shard.in_flight.load(Ordering::Relaxed);
        let free = self.shards.iter().find(|shard| in_flight(shard) < STREAMS);
        Busy::new(free.or_else(|| self.shards.iter().min_by_key(in_flight)).unwrap_or(&self.shards[0]))
    }

    /// The fault for a broken connection, with the innermost reason: the outer ones only say that something failed.
    fn broken(&self, what: &str, error: &(dyn std::error::Error + 'static)) -> Fault {
        let mut reason = error;
        let mut cause = None;
        while let Some(source) = reason.source() {
            reason = source;
            cause = cause.or_else(|| tls::is_untrusted(reason).then_some(FaultCause::Certificate));
        }
        let message = format!("{what} ({}): {reason}", self.base_url.shown(""));
        Fault { cause, ..Fault::new(FaultKind::Connection, message) }
    }
}

/// A body, read to its end into memory of its own: what arrives is a piece of the connection's buffer, which would otherwise be kept, and
/// replaced by a new one, for as long as the answer is.
async fn read(body: Incoming) -> Result<Bytes, Box<dyn std::error::Error + Send + Sync>> {
    let mut body = Limited::new(body, LONGEST_BODY);
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(LONGEST_BODY);
    let mut whole = Vec::with_capacity(expected.min(MOST_EXPECTED));
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            whole.extend_from_slice(data);
        }
    }
    Ok(whole.into())
}

/// `text` with `secret` hidden, including a `secret` cut off at the end of `text`.
fn without(text: String, secret: &str) -> String {
    let text = if text.contains(secret) { text.replace(secret, HIDDEN) } else { text };
    let Some(whole) = text.strip_suffix('…') else { return text };
    let beginnings = (SHORTEST_SECRET..secret.len()).rev().filter_map(|length| secret.get(..length));
    match beginnings.into_iter().find_map(|beginning| whole.strip_suffix(beginning)) {
        Some(before) => format!("{before}{HIDDEN}…"),
        None => text,
    }
}

/// A client with a request in flight.
struct Busy<'a>(&'a Shard);

impl<'a> Busy<'a> {
    fn new(shard: &'a Shard) -> Self {
        shard.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(shard)
    }

    fn request(&self, message: http::Request<Outgoing>) -> ResponseFuture {
        match &self.0.client {
            Route::Direct(client) => client.request(message),
            Route::Tunnel(client) => client.request(message),
        }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Route {
    fn new(tls: &rustls::ClientConfig, proxy: Option<&Tunnel<HttpConnector>>) -> Self {
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
        match proxy {
            Some(tunnel) => Self::Tunnel(builder.build(tls::connector(tls, tunnel.clone()))),
            None => Self::Direct(builder.build(tls::connector(tls, tcp()))),
        }
    }
}

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_keepalive(Some(KEEP_ALIVE));
    tcp
}

/// The tunnel through the proxy, if this server is reached through one.
fn proxy(server: &Uri, network: &Network) -> Option<Tunnel<HttpConnector>> {
    let https = network.https_proxy.clone()?;
    let no = network.no_proxy.clone().unwrap_or_default();
    let proxy = Matcher::builder().https(https).no(no).build().intercept(server)?;
    let tunnel = Tunnel::new(proxy.uri().clone(), tcp());
    Some(match proxy.basic_auth() {
        Some(credentials) => tunnel.with_auth(credentials.clone()),
        None => tunnel,
    })
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn a_secret_is_hidden_even_where_it_is_cut() {
        for (text, hidden) in [
            ("key sk-secret-4711 is wrong", "key *** is wrong"),
            ("sk-secret-4711 sk-secret-4711", "*** ***"),
            ("authorization: Bearer sk-secret-…", "authorization: Bearer ***…"),
            ("a sk-secr…", "a sk-secr…"),
            ("sk-secret", "sk-secret"),
            ("nothing…", "nothing…"),
        ] {
            assert_eq!(without(text.to_owned(), "sk-secret-4711"), hidden);
        }
    }
}
