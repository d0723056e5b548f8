//! The HTTP server: it lets connections in until it is told to stop. How one is spoken is `connection.rs`'s matter, how a
//! request is answered `exchange.rs`'s.
#![expect(
    clippy::disallowed_methods,
    reason = "the simulator is a program of its own: its server spawns its connections"
)]

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::connection;
use crate::options::Http;
use crate::shared::Shared;

/// How long requests under way may take once the server is told to stop.
const GRACE: Duration = Duration::from_millis(500);

/// How connections are let in.
pub(crate) struct Door {
    pub(crate) http: Http,
    /// `None` without TLS.
    pub(crate) tls: Option<TlsAcceptor>,
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
