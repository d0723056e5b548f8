//! The HTTP server: it accepts, routes and waits. How a connection is spoken is `connection.rs`'s matter, what is
//! answered the simulation's.
#![expect(
    clippy::disallowed_methods,
    reason = "the simulator is a program of its own: its server spawns its connections"
)]

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, SERVER};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Collected, Limited};
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::body::{AnswerBody, Broken};
use crate::connection;
use crate::fault::Moment;
use crate::openai::FINGERPRINT;
use crate::openai::error::error;
use crate::options::Http;
use crate::protocol::{Call, Service, Trouble};
use crate::reply::{Ending, Failure, Reply};
use crate::route::Route;
use crate::simulation::{Hold, Simulation};

/// Larger request bodies are answered with 413.
const LARGEST_BODY: usize = 64 << 20;
/// How long requests under way may take once the server is told to stop.
const GRACE: Duration = Duration::from_millis(500);

/// How connections are let in.
pub(crate) struct Door {
    pub(crate) http: Http,
    /// `None` without TLS.
    pub(crate) tls: Option<TlsAcceptor>,
}

/// The simulation as connections share it.
#[derive(Debug)]
pub(crate) struct Shared {
    simulation: Mutex<Simulation>,
    began: Instant,
    /// How many answers of models were sent to the end; those that are held wait for it.
    answered: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn new(simulation: Simulation) -> Arc<Self> {
        let (simulation, answered) = (Mutex::new(simulation), watch::Sender::new(0));
        Arc::new(Self { simulation, began: Instant::now(), answered })
    }

    /// A panic elsewhere leaves counters that are still worth showing.
    pub(crate) fn simulation(&self) -> MutexGuard<'_, Simulation> {
        self.simulation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything but the scenario.
    pub(crate) fn reset(&self) {
        self.simulation().reset();
        self.answered.send_replace(0);
    }

    fn leave(&self, hold: &Hold, sent: Option<&Reply>) {
        let now = self.began.elapsed();
        self.simulation().leave(now, hold, sent);
    }

    async fn until_answered(&self, answers: u64) {
        // The sender is `self`, so the channel cannot be closed.
        let _ = self.answered.subscribe().wait_for(|answered| *answered >= answers).await;
    }
}

/// A request under way; tells the simulation when it is over, also when it is dropped.
pub(crate) struct Visit {
    shared: Arc<Shared>,
    hold: Hold,
    over: bool,
}

impl Visit {
    fn begin(shared: &Arc<Shared>) -> Self {
        shared.simulation().stats.in_flight.enter();
        Self { shared: Arc::clone(shared), hold: Hold::default(), over: false }
    }

    /// The answer's last byte was given to the connection.
    pub(crate) fn sent(mut self, reply: &Reply) {
        self.over = true;
        self.shared.leave(&self.hold, Some(reply));
        self.shared.answered.send_modify(|answered| *answered += 1);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if !self.over {
            self.shared.leave(&self.hold, None);
        }
    }
}

/// Serves until `stop` changes, then lets requests under way end within a grace period.
pub(crate) async fn run(
    listener: TcpListener,
    door: Door,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (shared, stop) = (Arc::clone(&shared), stop.clone());
                    match &door.tls {
                        None => connections.spawn(connection::plain(stream, door.http, shared, stop)),
                        Some(tls) => connections.spawn(connection::encrypted(stream, tls.clone(), door.http, shared, stop)),
                    };
                }
                // Too many open files, for one: those that end make room.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = stop.changed() => break,
        }
    }
    let drained = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, drained).await;
}

/// Answers one request.
pub(crate) async fn serve(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<AnswerBody>, Broken> {
    let Some(route) = Route::of(request.uri()) else {
        let message = format!("Invalid URL ({} {})", request.method(), request.uri().path());
        return Ok(response(error(404, &message, "invalid_request_error", None, None), None));
    };
    let expected = route.method();
    if *request.method() != expected {
        let message = format!("Not allowed to {} on {}.", request.method(), request.uri().path());
        let reply = error(405, &message, "invalid_request_error", None, Some("method_not_supported"));
        return Ok(response(reply.with_headers(vec![("allow", expected.to_string())]), None));
    }
    let reply = match route {
        Route::Answer(service) => return answer(request, &service, shared).await,
        Route::Count(service) => {
            let (head, body) = request.into_parts();
            match read(body).await {
                Some(body) => shared.simulation().count(call(&service, &head, &body)),
                None => shared.simulation().trouble(&service, Trouble::TooLarge),
            }
        }
        Route::Models => shared.simulation().models(),
        Route::Stats => shared.simulation().shown(),
        Route::Reset => {
            shared.reset();
            shared.simulation().shown()
        }
        Route::Health => {
            Reply::json(200, format!("{{\"status\":\"ok\",\"server\":\"{FINGERPRINT}\"}}").into_bytes())
        }
    };
    Ok(response(reply, None))
}

/// The whole body, unless it is too large or does not come.
async fn read(body: Incoming) -> Option<Bytes> {
    Limited::new(body, LARGEST_BODY).collect().await.ok().map(Collected::to_bytes)
}

fn call<'c>(service: &'c Service, head: &'c Parts, body: &'c [u8]) -> Call<'c> {
    Call { service, headers: &head.headers, body }
}

/// Reads the body, asks the simulation, waits as long as the model takes, answers or fails.
async fn answer(
    request: Request<Incoming>,
    service: &Service,
    shared: Arc<Shared>,
) -> Result<Response<AnswerBody>, Broken> {
    let mut visit = Visit::begin(&shared);
    let (head, body) = request.into_parts();
    let Some(body) = read(body).await else {
        let reply = shared.simulation().trouble(service, Trouble::TooLarge);
        return Ok(response(reply, Some(visit)));
    };
    let now = shared.began.elapsed();
    let reply = shared.simulation().play(now, call(service, &head, &body), &mut visit.hold);
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    if reply.until_answered > 0 {
        shared.until_answered(reply.until_answered).await;
    }
    match reply.ending {
        Ending::Fails(Moment::Before, Failure::Reset) => Err(Broken::Reset),
        Ending::Fails(Moment::Before, Failure::Cut) => Err(Broken::Cut),
        Ending::Fails(Moment::Before, Failure::Stall) => {
            std::future::pending::<Result<_, Infallible>>().await.map_err(Broken::from)
        }
        Ending::Whole | Ending::Fails(Moment::Midway, _) => Ok(response(reply, Some(visit))),
    }
}

fn response(reply: Reply, visit: Option<Visit>) -> Response<AnswerBody> {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = reply.content_type;
    let headers: Vec<_> = reply.headers.clone();
    let mut response = Response::new(AnswerBody::new(reply, visit));
    *response.status_mut() = status;
    let map = response.headers_mut();
    map.insert(SERVER, HeaderValue::from_static(FINGERPRINT));
    map.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in headers {
        let name = if name == "allow" { ALLOW } else { http::HeaderName::from_static(name) };
        if let Ok(value) = HeaderValue::try_from(value) {
            map.insert(name, value);
        }
    }
    response
}
