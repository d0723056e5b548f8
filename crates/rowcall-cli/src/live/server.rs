//! The live page over HTTP, under an address with a secret. `access.rs` decides who may see it.
#![expect(clippy::disallowed_methods, reason = "each connection is a task of its own, beside the run")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rowcall::{Error, Problem, Result};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::access::{Token, is_own_host, is_own_origin};
use super::pages::Pages;
use super::{UnderWay, request};
use crate::telemetry::prometheus;

/// How often viewers get the state of the run.
const UPDATED_EVERY: Duration = Duration::from_secs(1);

/// How often it is checked whether viewers are gone.
const LOOKED_EVERY: Duration = Duration::from_millis(10);

/// The maximum number of open connections.
const MOST_CONNECTIONS: usize = 64;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Serves one run's page.
pub(super) struct Server {
    listener: TcpListener,
    address: String,
    token: Token,
    run: Arc<UnderWay>,
    pages: Arc<Pages>,
    viewers: AtomicUsize,
}

/// Someone who follows the run. Dropping it means that they are gone.
struct Viewer(Arc<Server>);

impl Drop for Viewer {
    fn drop(&mut self) {
        self.0.viewers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Server {
    /// Listens at this address; port 0 is any free port.
    ///
    /// # Errors
    /// If the address cannot be used.
    pub(super) async fn bind(
        address: SocketAddr,
        token: Token,
        run: Arc<UnderWay>,
        pages: Pages,
    ) -> Result<Self> {
        let unusable = |error: &std::io::Error| {
            let message = format!("the live page cannot be served at `{address}`: {error}");
            Error::Config(Problem::new(message).hint("choose another port, or leave it out for any free one"))
        };
        let listener = TcpListener::bind(address).await.map_err(|error| unusable(&error))?;
        let bound = listener.local_addr().map_err(|error| unusable(&error))?;
        let address = format!("http://{bound}/{}/", token.secret());
        Ok(Self { listener, address, token, run, pages: Arc::new(pages), viewers: AtomicUsize::new(0) })
    }

    /// The address of the page, with its secret.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Serves the page, for ever.
    pub(super) async fn serve(self: Arc<Self>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if connections.len() < MOST_CONNECTIONS => {
                    let Ok((stream, _)) = accepted else { continue };
                    let server = Arc::clone(&self);
                    connections.spawn(async move {
                        let service = service_fn(move |request| {
                            let server = Arc::clone(&server);
                            async move { Ok::<_, Infallible>(server.answer(request).await) }
                        });
                        let mut http = hyper::server::conn::http1::Builder::new();
                        http.timer(TokioTimer::new());
                        let _ = http.serve_connection(TokioIo::new(stream), service).await;
                    });
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    /// Waits until no one follows the run any more.
    pub(super) async fn no_viewers(&self) {
        while self.viewers.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(LOOKED_EVERY).await;
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let Some(place) = self.place(&request) else {
            return text(
                StatusCode::FORBIDDEN,
                "this address is not valid: use the one that the run has printed",
            );
        };
        match (request.method(), &*place) {
            (&Method::GET, "") => self.page().await,
            (&Method::GET, "metrics") => self.metrics(),
            (&Method::GET, "status") => json(StatusCode::OK, &json!(self.run.status())),
            (&Method::GET, "events") => self.events(),
            (&Method::POST, "control") => self.control(request).await,
            (_, "" | "metrics" | "status" | "events" | "control") => {
                text(StatusCode::METHOD_NOT_ALLOWED, "this method is not allowed here")
            }
            (&Method::GET, place) => match place.strip_prefix("rows/").and_then(|row| row.parse().ok()) {
                Some(row) => self.row(row).await,
                None => text(StatusCode::NOT_FOUND, "there is nothing at this address"),
            },
            (_, _) => text(StatusCode::NOT_FOUND, "there is nothing at this address"),
        }
    }

    /// The place within the page that a request may have; `None` if it may not have any.
    fn place(&self, request: &Request<Incoming>) -> Option<String> {
        let headers = request.headers();
        let host = value(headers, header::HOST.as_str())?;
        if !is_own_host(host) {
            return None;
        }
        let origin = value(headers, header::ORIGIN.as_str());
        let is_foreign = origin.is_none_or(|origin| !is_own_origin(origin, host));
        if headers.contains_key(header::ORIGIN) && is_foreign {
            return None;
        }
        let site = value(headers, "sec-fetch-site").unwrap_or("none");
        if !matches!(site, "none" | "same-origin") && request.method() != Method::GET {
            return None;
        }
        let bearer =
            value(headers, header::AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
        if request.uri().path() == "/metrics" && bearer.is_some_and(|token| self.token.is(token)) {
            return Some("metrics".to_owned());
        }
        let (token, place) = request.uri().path().strip_prefix('/')?.split_once('/')?;
        self.token.is(token).then(|| place.to_owned())
    }

    async fn page(&self) -> Response<Body> {
        match self.pages.latest().await {
            Ok(page) => {
                let mut response = whole(StatusCode::OK, "text/html; charset=utf-8", page);
                response.headers_mut().insert(
                    header::CONTENT_SECURITY_POLICY,
                    HeaderValue::from_static("frame-ancestors 'none'"),
                );
                response
            }
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        }
    }

    fn metrics(&self) -> Response<Body> {
        let (stats, settings) = (self.run.control.stats(), self.run.control.settings());
        let text = prometheus::text(&stats, &settings, &self.run.model);
        whole(StatusCode::OK, prometheus::TEXT, Bytes::from(text))
    }

    async fn row(&self, row: u64) -> Response<Body> {
        match self.pages.row(row).await {
            Ok(Some(story)) => whole(StatusCode::OK, "text/html; charset=utf-8", Bytes::from(story)),
            Ok(None) => text(StatusCode::NOT_FOUND, &format!("row {row} has not ended, or does not exist")),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        }
    }

    /// The state of the run once a second, and the number of the latest report.
    fn events(self: Arc<Self>) -> Response<Body> {
        self.viewers.fetch_add(1, Ordering::Relaxed);
        let over = self.run.over.subscribe();
        let viewer = Viewer(self);
        let events =
            futures_util::stream::unfold((viewer, over, Next::First), async |(viewer, mut over, next)| {
                match next {
                    Next::First => {}
                    Next::Later => {
                        let _ = tokio::time::timeout(UPDATED_EVERY, over.wait_for(|over| *over)).await;
                    }
                    Next::Nothing => return None,
                }
                let next = if *over.borrow() { Next::Nothing } else { Next::Later };
                let server = &viewer.0;
                let status = server.run.status();
                let data =
                    json!({ "status": status, "shown": status.shown(), "report": server.pages.number() });
                let event = Bytes::from(format!("data: {data}\n\n"));
                Some((Ok::<_, Infallible>(Frame::data(event)), (viewer, over, next)))
            });
        let mut response = Response::new(StreamBody::new(events).boxed_unsync());
        common(response.headers_mut(), "text/event-stream");
        response
    }

    async fn control(&self, request: Request<Incoming>) -> Response<Body> {
        let is_json = value(request.headers(), header::CONTENT_TYPE.as_str())
            .is_some_and(|kind| kind.split(';').next() == Some("application/json"));
        if !is_json {
            return text(StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected application/json");
        }
        let Ok(body) = Limited::new(request.into_body(), request::LONGEST).collect().await else {
            return text(StatusCode::PAYLOAD_TOO_LARGE, "the request is too long");
        };
        let answer = request::answer(&self.run, &body.to_bytes());
        let status = if answer.get("error").is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        json(status, &answer)
    }
}

/// When the next event is due.
enum Next {
    First,
    Later,
    Nothing,
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    // Two hosts or origins are no host or origin.
    let first = values.next()?;
    if values.next().is_some() { None } else { first.to_str().ok() }
}

fn json(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    whole(status, "application/json", Bytes::from(value.to_string()))
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    whole(status, "text/plain; charset=utf-8", Bytes::from(format!("{text}\n")))
}

fn whole(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Full::new(body).boxed_unsync());
    *response.status_mut() = status;
    common(response.headers_mut(), kind);
    response
}

/// The headers of all answers: browsers neither keep nor guess anything, and other sites do not learn the address.
fn common(headers: &mut HeaderMap, kind: &'static str) {
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
