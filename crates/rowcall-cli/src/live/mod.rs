//! A run while it is under way: its state for others to see, and the changes that they make. `socket.rs` and `server.rs` are the two ways
//! in, for `rowcall ctl` and for the live page; both show and change the same.

mod access;
mod pages;
mod request;
mod server;
pub(crate) mod socket;
mod status;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rowcall::{Problem, RunControl};
use rowcall_data::RowsInAll;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::access::Token;
use self::pages::Pages;
pub(crate) use self::request::refusal;
use self::server::Server;
use self::socket::Socket;
use self::status::Recent;
pub(crate) use self::status::{State, Status};
use crate::args::LiveArguments;
use crate::progress::Progress;

/// How long viewers get to hear of the end of a run.
const LONGEST_FAREWELL: Duration = Duration::from_millis(500);

/// The total number of rows, from the number of rows taken.
pub(crate) type Total = Arc<dyn Fn(u64) -> Option<RowsInAll> + Send + Sync>;

/// A run under way.
pub(crate) struct UnderWay {
    pub(crate) control: RunControl,
    pub(crate) model: String,
    pub(crate) journal: Option<PathBuf>,
    pub(crate) total: Total,
    started: Instant,
    recent: Mutex<Recent>,
    /// The address of its page.
    live: Mutex<Option<String>>,
    over: watch::Sender<bool>,
}

/// Serves a run until it is dropped.
pub(crate) struct Live {
    run: Arc<UnderWay>,
    tasks: Vec<JoinHandle<()>>,
    /// It is removed with this.
    socket: Option<Socket>,
    server: Option<Arc<Server>>,
}

impl UnderWay {
    /// A run that starts now.
    pub(crate) fn new(control: RunControl, model: String, journal: Option<PathBuf>, total: Total) -> Self {
        Self {
            control,
            model,
            journal,
            total,
            started: Instant::now(),
            recent: Mutex::default(),
            live: Mutex::default(),
            over: watch::Sender::new(false),
        }
    }

    /// Its state now.
    pub(crate) fn status(&self) -> Status {
        Status::of(self)
    }

    /// The address of its page, if it has one.
    fn address(&self) -> Option<String> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Live {
    /// Serves the run: on a socket for this user's `rowcall ctl`, and on a page if the user wants one. A socket that cannot be made does not
    /// matter unless someone wants to use it.
    ///
    /// # Errors
    /// If the page cannot be served.
    pub(crate) async fn start(
        run: Arc<UnderWay>,
        arguments: &LiveArguments,
        progress: &Progress,
    ) -> rowcall::Result<Self> {
        let mut live = Self { run: Arc::clone(&run), tasks: Vec::new(), socket: None, server: None };
        if let Some(address) = arguments.live {
            let Some(journal) = &run.journal else {
                let problem = Problem::new("the live page shows the journal, but this run has none");
                return Err(rowcall::Error::Config(problem.hint("name an output with `-o`")));
            };
            let token =
                arguments.live_token.clone().map_or_else(Token::random, |token| Ok(Token::new(token)));
            let pages = Pages::new(journal.clone());
            let server = Server::bind(address, token?, Arc::clone(&run), pages).await?;
            *run.live.lock().unwrap_or_else(PoisonError::into_inner) = Some(server.address().to_owned());
            progress.note(&format!("live at {}", server.address()));
            if !address.ip().is_loopback() {
                progress.note("warning: the page is not limited to this machine and not encrypted: everyone who has its address can steer the run");
            }
            let server = Arc::new(server);
            live.tasks.push(serve(Arc::clone(&server).serve()));
            live.server = Some(server);
        }
        match Socket::bind(run.journal.as_deref()) {
            Ok(socket) => {
                live.tasks.push(serve(socket.serve(Arc::clone(&run))));
                live.socket = Some(socket);
            }
            Err(error) if arguments.live.is_some() => {
                progress.note(&format!("note: `rowcall ctl` cannot reach this run: {error}"));
            }
            Err(_) => {}
        }
        Ok(live)
    }

    /// Lets viewers know that the run is over.
    pub(crate) async fn end(&self) {
        self.run.over.send_replace(true);
        if let Some(server) = &self.server {
            let _ = tokio::time::timeout(LONGEST_FAREWELL, server.no_viewers()).await;
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a page or a socket that waits must not be polled whenever the run has something to do"
)]
fn serve(work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(work)
}
