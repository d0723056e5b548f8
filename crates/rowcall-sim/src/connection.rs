//! One connection: encrypted or not, HTTP/1.1 or HTTP/2, and how either breaks on purpose. The server accepts
//! connections; `exchange.rs` answers requests.

use std::error::Error;
use std::pin::{Pin, pin};
use std::sync::Arc;

use http::Request;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::body::Broken;
use crate::exchange::serve;
use crate::options::Http;
use crate::shared::Shared;
use crate::tls::H2;

/// Concurrent requests on an HTTP/2 connection. RFC 9113 (section 6.5.2) recommends to allow no fewer, and servers
/// hardly allow more (nginx 128 unless configured).
const MOST_STREAMS: u32 = 100;
/// The beginning of HTTP/2's preface; no method of HTTP/1.1 begins this way.
const PREFACE: &[u8; 3] = b"PRI";

/// A transport for bytes, down to the socket.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    fn socket(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Serves a connection without TLS until it ends, or until `stop` changes and the current requests are answered.
pub(crate) async fn plain(stream: TcpStream, http: Http, shared: Arc<Shared>, mut stop: watch::Receiver<()>) {
    enter(&stream, &shared);
    let http = match http {
        Http::One | Http::Two => Some(http),
        Http::Both => tokio::select! {
            spoken = version_by_first_bytes(&stream) => Some(spoken),
            _ = stop.changed() => None,
        },
    };
    if let Some(http) = http {
        speak(stream, http, &shared, stop).await;
    }
    shared.simulation().stats.connections.leave();
}

async fn version_by_first_bytes(stream: &TcpStream) -> Http {
    let mut start = [0; PREFACE.len()];
    let read = stream.peek(&mut start).await;
    if read.is_ok() && start == *PREFACE { Http::Two } else { Http::One }
}

/// Like [`plain`], with TLS.
pub(crate) async fn encrypted(
    stream: TcpStream,
    tls: TlsAcceptor,
    http: Http,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<()>,
) {
    enter(&stream, &shared);
    let stream = tokio::select! {
        shaken = tls.accept(stream) => shaken.ok(),
        _ = stop.changed() => None,
    };
    if let Some(stream) = stream {
        let http = match http {
            Http::One | Http::Two => http,
            Http::Both if stream.get_ref().1.alpn_protocol() == Some(H2) => Http::Two,
            Http::Both => Http::One,
        };
        speak(stream, http, &shared, stop).await;
    }
    shared.simulation().stats.connections.leave();
}

fn enter(stream: &TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    shared.simulation().stats.connections.enter();
}

async fn speak(stream: impl Wire, http: Http, shared: &Arc<Shared>, stop: watch::Receiver<()>) {
    match http {
        Http::One | Http::Both => one(stream, shared, stop).await,
        // Boxed because it is by far the larger, and every connection would reserve space for it.
        Http::Two => Box::pin(two(stream, shared, stop)).await,
    }
}

async fn one(stream: impl Wire, shared: &Arc<Shared>, mut stop: watch::Receiver<()>) {
    let service = service_fn(|request| serve(request, Arc::clone(shared)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    let mut connection = http.serve_connection(TokioIo::new(stream), service);
    let mut pinned = Pin::new(&mut connection);
    let ended = tokio::select! {
        ended = &mut pinned => ended,
        _ = stop.changed() => {
            pinned.as_mut().graceful_shutdown();
            pinned.await
        }
    };
    if ended.is_err_and(|error| asks_for_reset(&error)) {
        // With a zero linger time, closing sends RST instead of FIN.
        let _ = connection.into_parts().io.inner().socket().set_zero_linger();
    }
}

fn asks_for_reset(error: &hyper::Error) -> bool {
    error.source().and_then(|source| source.downcast_ref::<Broken>()) == Some(&Broken::Reset)
}

async fn two(stream: impl Wire, shared: &Arc<Shared>, mut stop: watch::Receiver<()>) {
    // An error in an answer resets its stream but does not reach the connection, which a cut must end.
    let cut = Arc::new(Notify::new());
    let service = service_fn(|request: Request<Incoming>| {
        let (shared, cut) = (Arc::clone(shared), Arc::clone(&cut));
        async move {
            let notify_cut = move |broken| {
                match broken {
                    Broken::Cut => cut.notify_one(),
                    Broken::Reset => {}
                }
                broken
            };
            match serve(request, shared).await {
                Ok(response) => Ok(response.map(|body| body.map_err(notify_cut))),
                Err(broken) => Err(notify_cut(broken)),
            }
        }
    });
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new()).max_concurrent_streams(MOST_STREAMS);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        biased;
        () = cut.notified() => {}
        _ = connection.as_mut() => {}
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
