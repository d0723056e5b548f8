//! The HTTP server: it accepts connections until it is stopped. `connection.rs` serves a connection, `exchange.rs`
//! answers a request.
#![expect(
    clippy::disallowed_methods,
    reason = "the simulator is a program of its own: its server spawns its connections"
)]

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::connection;
use crate::options::Http;
use crate::shared::Shared;

/// How long current requests may take once the server is stopped.
const GRACE: Duration = Duration::from_millis(500);

/// How often a server with downtimes checks whether one has begun or ended.
const GLANCE: Duration = Duration::from_millis(5);

/// Connections that may wait to be accepted.
pub(crate) const BACKLOG: u32 = 4_096;

/// How connections are accepted.
pub(crate) struct Door {
    pub(crate) http: Http,
    /// `None` without TLS.
    pub(crate) tls: Option<TlsAcceptor>,
}

/// The listening port. While the server is down, it keeps its port, so that no other process takes it.
enum Port {
    Open(TcpListener),
    Closed(TcpSocket),
    Lost,
}

/// Serves until `stop` changes, then lets current requests finish within a grace period.
pub(crate) async fn run(
    listener: TcpListener,
    address: SocketAddr,
    door: Door,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<()>,
) {
    let goes_away = shared.simulation().goes_away();
    let mut connections = JoinSet::new();
    let mut port = Port::Open(listener);
    loop {
        tokio::select! {
            accepted = accept(&port) => match accepted {
                Ok((stream, _)) => {
                    let (shared, stop) = (Arc::clone(&shared), stop.clone());
                    match &door.tls {
                        None => connections.spawn(connection::plain(stream, door.http, shared, stop)),
                        Some(tls) => connections.spawn(connection::encrypted(stream, tls.clone(), door.http, shared, stop)),
                    };
                }
                // Too many open files, for example: connections that end make room.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
            () = tokio::time::sleep(GLANCE), if goes_away => {
                let (is_away, before) = (shared.is_away(), port);
                port = before.turned(is_away, address);
                if is_away {
                    connections.abort_all();
                }
            }
            _ = stop.changed() => break,
        }
    }
    let drained = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, drained).await;
}

async fn accept(port: &Port) -> io::Result<(TcpStream, SocketAddr)> {
    match port {
        Port::Open(listener) => listener.accept().await,
        Port::Closed(_) | Port::Lost => std::future::pending().await,
    }
}

impl Port {
    /// The port in its current state: closed while the server is down.
    fn turned(self, is_away: bool, address: SocketAddr) -> Self {
        let closed = |socket: io::Result<TcpSocket>| socket.map_or(Self::Lost, Self::Closed);
        match (self, is_away) {
            (Self::Open(listener), true) => {
                drop(listener);
                closed(bound(address))
            }
            (Self::Lost, true) => closed(bound(address)),
            (Self::Closed(socket), false) => socket.listen(BACKLOG).map_or(Self::Lost, Self::Open),
            (Self::Lost, false) => {
                bound(address).and_then(|socket| socket.listen(BACKLOG)).map_or(Self::Lost, Self::Open)
            }
            (port @ Self::Open(_), false) | (port @ Self::Closed(_), true) => port,
        }
    }
}

/// A socket that is bound to the address and does not listen yet.
pub(crate) fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
