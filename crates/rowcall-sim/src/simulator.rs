//! The simulator's public handle: start, address, statistics, stop.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::error::SimError;
use crate::latency::Latency;
use crate::options::{Options, Tls};
use crate::scenario::Scenario;
use crate::server::{self, Door};
use crate::shared::Shared;
use crate::simulation::Simulation;
use crate::stats::Stats;
use crate::tls::Identity;

/// A simulated provider that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    ca_pem: Option<String>,
    shared: Arc<Shared>,
    stop: watch::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Plays `scenario` on 127.0.0.1, on a separate thread and runtime.
    ///
    /// Returns once the port is open.
    ///
    /// # Errors
    ///
    /// [`SimError::Listen`] if the port is in use, [`SimError::OutOfRange`] if a number in the scenario is out of
    /// range, [`SimError::Certificate`] if TLS is on and no certificate can be made, [`SimError::Thread`] if no
    /// thread can be started.
    pub fn start(scenario: Scenario, options: Options) -> Result<Self, SimError> {
        scenario.check()?;
        let scenario = match options.latency {
            None => scenario,
            Some(Duration::ZERO) => Scenario { latency: None, ..scenario },
            Some(time) => scenario.with_latency(Latency::fixed(time)),
        };
        let identity = match options.tls {
            Tls::Off => None,
            Tls::On => Some(Identity::new(options.http)?),
        };
        let (config, ca_pem) = identity.map(|identity| (identity.config, identity.ca_pem)).unzip();
        let door = Door { http: options.http, tls: config.map(TlsAcceptor::from) };
        let (stop, stopped) = watch::channel(());
        let (ready, started) = mpsc::channel();
        let (seed, counting, port) = (options.seed, options.counting, options.port);
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(source) => return drop(ready.send(Err(SimError::Thread { source }))),
            };
            runtime.block_on(async {
                match listen(port) {
                    Err(source) => drop(ready.send(Err(SimError::Listen { port, source }))),
                    Ok((listener, address)) => {
                        let shared = Shared::new(Simulation::new(scenario, seed, counting, unix_time()));
                        let sent = ready.send(Ok((address, Arc::clone(&shared))));
                        if sent.is_ok() {
                            server::run(listener, address, door, shared, stopped).await;
                        }
                    }
                }
            });
        };
        let thread = std::thread::Builder::new().name("rowcall-sim".to_owned()).spawn(serve);
        let thread = thread.map_err(|source| SimError::Thread { source })?;
        let gone = |_| SimError::Thread { source: io::Error::other("the thread ended while starting") };
        let (address, shared) = started.recv().map_err(gone)??;
        Ok(Self { address, ca_pem, shared, stop, thread: Some(thread) })
    }

    /// The base URL for clients, such as `http://127.0.0.1:41234/v1`, or with `https` under TLS.
    pub fn base_url(&self) -> String {
        let scheme = if self.ca_pem.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/v1", self.address)
    }

    /// The certificate of the authority to trust, in PEM; `None` without TLS. It is a new one at every start.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Statistics since the start or the last [`Simulator::reset`].
    pub fn stats(&self) -> Stats {
        self.shared.simulation().stats.clone()
    }

    /// Forgets statistics and remembered requests and restarts the scenario, as `POST /reset` does.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Stops accepting connections, lets current requests finish within half a second, and returns the final
    /// statistics.
    pub fn stop(mut self) -> Stats {
        self.end();
        self.stats()
    }

    /// Blocks until the server ends, which it never does by itself.
    ///
    /// # Errors
    ///
    /// [`SimError::Thread`] if the server's thread panicked.
    pub fn wait(mut self) -> Result<(), SimError> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(_)) => Err(SimError::Thread { source: io::Error::other("the thread panicked") }),
            Some(Ok(())) | None => Ok(()),
        }
    }

    fn end(&mut self) {
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            // The thread has printed its panic; there is nothing to add.
            let _ = thread.join();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.end();
    }
}

fn listen(port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = server::bound((Ipv4Addr::LOCALHOST, port).into())?.listen(server::BACKLOG)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

#[expect(clippy::disallowed_methods, reason = "`created` in an answer is the wall clock's time")]
fn unix_time() -> Duration {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap_or_default()
}
