//! The Unix socket of a run, which only its user can open, and how `rowcall ctl` finds it: by the journal or by the process. A request and
//! its answer are one line of JSON each.
#![expect(clippy::disallowed_methods, reason = "the folder for sockets is in the environment")]

use std::fs::{self, DirBuilder};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rowcall::Problem;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;
use tokio::task::JoinSet;

use super::{UnderWay, request};

/// How long `rowcall ctl` waits for an answer.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The maximum number of open connections.
const MOST_CONNECTIONS: usize = 32;

/// The ending of a socket's name.
const ENDING: &str = ".sock";

/// The socket of a run, removed when dropped.
pub(crate) struct Socket {
    listener: Arc<UnixListener>,
    path: PathBuf,
}

impl Socket {
    /// The socket of this process's run with this journal.
    ///
    /// # Errors
    /// If the system refuses, or its folder is not this user's alone.
    pub(super) fn bind(journal: Option<&Path>) -> io::Result<Self> {
        let folder = folder()?;
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let mark = journal.map(|journal| format!("-{}", mark(journal))).unwrap_or_default();
        let path = folder.join(format!("{}{mark}{ENDING}", std::process::id()));
        // What is left of an earlier process with this number.
        let _ = fs::remove_file(&path);
        let listener = UnixListener::bind(&path)?;
        let socket = Self { listener: Arc::new(listener), path };
        fs::set_permissions(&socket.path, fs::Permissions::from_mode(0o600))?;
        let (of_folder, of_socket) = (fs::symlink_metadata(&folder)?, fs::symlink_metadata(&socket.path)?);
        if !of_folder.is_dir() || of_folder.uid() != of_socket.uid() || of_folder.mode() & 0o077 != 0 {
            let message = format!("others may use the folder `{}`", folder.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        Ok(socket)
    }

    /// Answers requests about `run`, for ever.
    pub(super) fn serve(&self, run: Arc<UnderWay>) -> impl Future<Output = ()> + Send + 'static {
        let listener = Arc::clone(&self.listener);
        async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => {
                        let Ok((stream, _)) = accepted else { continue };
                        connections.spawn(serve(stream, Arc::clone(&run)));
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

async fn serve(mut stream: tokio::net::UnixStream, run: Arc<UnderWay>) {
    let (reading, mut writing) = stream.split();
    let mut requests = tokio::io::BufReader::new(reading);
    loop {
        let mut line = Vec::new();
        let read = (&mut requests).take(request::LONGEST as u64).read_until(b'\n', &mut line).await;
        if !read.is_ok_and(|read| read > 0) {
            return;
        }
        let answer = format!("{}\n", request::answer(&run, &line));
        if writing.write_all(answer.as_bytes()).await.is_err() || line.last() != Some(&b'\n') {
            return;
        }
    }
}

/// A run that can be asked.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) process: u32,
    path: PathBuf,
}

impl Found {
    /// Asks the run, and returns its answer.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) fn ask(&self, request: &Value) -> io::Result<Value> {
        let mut stream = UnixStream::connect(&self.path)?;
        stream.set_read_timeout(Some(LONGEST_WAIT))?;
        stream.write_all(format!("{request}\n").as_bytes())?;
        let mut answer = String::new();
        BufReader::new(stream.take(16 * request::LONGEST as u64)).read_line(&mut answer)?;
        serde_json::from_str(&answer).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Whether the run can still be reached. What a killed process left is removed.
    fn is_there(&self) -> bool {
        match UnixStream::connect(&self.path) {
            Ok(_) => true,
            Err(error) => {
                if error.kind() == io::ErrorKind::ConnectionRefused {
                    let _ = fs::remove_file(&self.path);
                }
                false
            }
        }
    }
}

/// All runs of this user, by the numbers of their processes.
pub(crate) fn all() -> Vec<Found> {
    matching(|_, _| true)
}

/// The run with this journal, or of the process with this number.
///
/// # Errors
/// If there is none.
pub(crate) fn find(named: &str) -> Result<Found, Problem> {
    let path = Path::new(named);
    let number = named.parse::<u32>().ok().filter(|_| !path.exists());
    let mark = mark(path);
    let found = match number {
        Some(number) => matching(|process, _| process == number),
        None => matching(|_, of| of == Some(&mark)),
    };
    found.into_iter().last().ok_or_else(|| {
        let message = match number {
            Some(number) => format!("there is no run of yours with the process number {number}"),
            None if path.exists() => format!("no run is writing to the journal `{named}`"),
            None => format!("there is no journal `{named}`"),
        };
        Problem::new(message).hint("`rowcall ctl` lists the runs that can be steered")
    })
}

fn matching(fits: impl Fn(u32, Option<&str>) -> bool) -> Vec<Found> {
    let Ok(entries) = folder().and_then(fs::read_dir) else { return Vec::new() };
    let found = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        let name = path.file_name()?.to_str()?.strip_suffix(ENDING)?.to_owned();
        let (process, mark) =
            name.split_once('-').map_or((&*name, None), |(process, mark)| (process, Some(mark)));
        let process = process.parse().ok()?;
        fits(process, mark).then_some(Found { process, path })
    });
    let mut found: Vec<_> = found.filter(Found::is_there).collect();
    found.sort_by_key(|found| found.process);
    found
}

/// What a socket's name has of its journal: paths may be longer than names of sockets.
fn mark(journal: &Path) -> String {
    let path = fs::canonicalize(journal).or_else(|_| std::path::absolute(journal));
    let digest = Sha256::digest(path.unwrap_or_else(|_| journal.to_owned()).as_os_str().as_encoded_bytes());
    let first = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{first:016x}")
}

/// The user's own folder for sockets.
fn folder() -> io::Result<PathBuf> {
    if let Some(folder) = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| Path::new(folder).is_absolute())
    {
        return Ok(PathBuf::from(folder).join("rowcall"));
    }
    let home = || fs::metadata(std::env::home_dir().unwrap_or_default());
    let user = fs::metadata("/proc/self").or_else(|_| home())?.uid();
    Ok(std::env::temp_dir().join(format!("rowcall-{user}")))
}
