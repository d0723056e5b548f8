//! Objects in S3, Google Cloud Storage, Azure and on web servers, by their URLs. The crate object_store speaks the protocols; this
//! module waits for it, since sources and sinks are read and written by threads.

mod client;
mod errors;

use std::future::Future;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, ClientOptions, GetOptions, ObjectStore, ObjectStoreExt, ObjectStoreScheme,
    PutMode, PutOptions, PutPayload, RetryConfig,
};
use rowcall::Problem;
use tokio::runtime::Runtime;
use url::Url;

use crate::input::{BlockFile, Ranges};
use client::Connector;
use errors::problem;

/// The name of the metadata of an object by which a run recognises what it has put itself.
const ID: &str = "rowcall-id";

/// How long a store may answer with errors before a request to it has failed.
const RETRY: Duration = Duration::from_mins(1);

/// How often a request is retried within that time.
const RETRIES: usize = 8;

/// The longest wait for the next bytes of an object.
const NEXT_BYTES: Duration = Duration::from_mins(2);

/// A bucket or a server, and what of it is meant.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    store: Arc<dyn ObjectStore>,
    /// What is before the path in a URL.
    base: String,
    path: Path,
    /// The path as it was given, with a `/` at its end if it had one.
    text: String,
    is_web: bool,
}

/// One object.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    store: Store,
    path: Path,
    size: u64,
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.url() == other.url()
    }
}

impl Eq for Object {}

/// The thread that speaks to stores.
fn runtime() -> Result<&'static Runtime, Problem> {
    static RUNTIME: OnceLock<io::Result<Runtime>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("rowcall-object-store")
            .enable_all()
            .build()
    });
    made.as_ref().map_err(|error| Problem::new(format!("cannot reach an object store: {error}")))
}

/// Waits for `future`, which may be called within another runtime.
fn wait<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Result<T, Problem> {
    let (sender, receiver) = mpsc::channel();
    drop(runtime()?.spawn(async move {
        // If nobody waits any more, nobody needs the result.
        let _ = sender.send(future.await);
    }));
    receiver.recv().map_err(|_| Problem::new("the request to an object store was dropped"))
}

impl Store {
    /// The store of a URL. Credentials are read from the environment, as the tools of each provider name them.
    ///
    /// # Errors
    /// A URL that is not understood, and settings that contradict each other.
    pub(crate) fn of(url: &str) -> Result<Self, Problem> {
        let invalid = |why: String| Problem::new(format!("`{url}` is not a URL of an object store: {why}"));
        // A pattern has characters that a URL escapes, and `?` would begin a query.
        let (scheme, rest) = url.split_once("://").ok_or_else(|| invalid("it has no scheme".to_owned()))?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let base = format!("{scheme}://{host}");
        let parsed = Url::parse(&base).map_err(|error| invalid(error.to_string()))?;
        let (kind, _) = ObjectStoreScheme::parse(&parsed).map_err(|error| invalid(error.to_string()))?;
        let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY, ..RetryConfig::default() };
        let failed = |error: &object_store::Error| problem(url, error);
        let is_web = matches!(kind, ObjectStoreScheme::Http);
        let store: Arc<dyn ObjectStore> = match kind {
            ObjectStoreScheme::AmazonS3 => Arc::new(
                AmazonS3Builder::from_env()
                    .with_url(&base)
                    .with_allow_http(true)
                    .with_retry(retry)
                    .with_http_connector(Connector)
                    .build()
                    .map_err(|error| failed(&error))?,
            ),
            ObjectStoreScheme::GoogleCloudStorage => Arc::new(
                GoogleCloudStorageBuilder::from_env()
                    .with_url(&base)
                    .with_retry(retry)
                    .with_http_connector(Connector)
                    .build()
                    .map_err(|error| failed(&error))?,
            ),
            ObjectStoreScheme::MicrosoftAzure => Arc::new(
                MicrosoftAzureBuilder::from_env()
                    .with_url(&base)
                    .with_allow_http(true)
                    .with_retry(retry)
                    .with_http_connector(Connector)
                    .build()
                    .map_err(|error| failed(&error))?,
            ),
            ObjectStoreScheme::Http => Arc::new(
                HttpBuilder::new()
                    .with_url(&base)
                    .with_client_options(ClientOptions::new().with_allow_http(true))
                    .with_retry(retry)
                    .with_http_connector(Connector)
                    .build()
                    .map_err(|error| failed(&error))?,
            ),
            _ => return Err(invalid(format!("the scheme `{scheme}` is unknown"))),
        };
        let parsed = Path::parse(path.trim_end_matches('/')).map_err(|error| invalid(error.to_string()))?;
        Ok(Self { store, base, path: parsed, text: path.to_owned(), is_web })
    }

    fn url_of(&self, path: &Path) -> String {
        format!("{}/{path}", self.base)
    }

    /// The objects that the URL stands for, in the order of their names: the one of that name, those below it, or those that match
    /// it as a pattern.
    ///
    /// # Errors
    /// If there is none, or the store cannot be asked.
    pub(crate) fn objects(&self) -> Result<Vec<Object>, Problem> {
        let is_pattern = !self.is_web && self.text.contains(['*', '?', '[']);
        if !is_pattern && !self.text.ends_with('/') && !self.text.is_empty() {
            let (store, path) = (Arc::clone(&self.store), self.path.clone());
            match wait(async move { store.head(&path).await })? {
                Ok(found) => {
                    return Ok(vec![Object { store: self.clone(), path: found.location, size: found.size }]);
                }
                Err(object_store::Error::NotFound { .. }) if !self.is_web => {}
                Err(error) => return Err(problem(&self.url_of(&self.path), &error)),
            }
        }
        let folder = if is_pattern { before_pattern(&self.text) } else { self.text.trim_end_matches('/') };
        let all = self.list(folder)?;
        if !is_pattern {
            return Ok(all);
        }
        let invalid = |error: glob::PatternError| {
            Problem::new(format!("`{}/{}` is not a valid pattern: {error}", self.base, self.text))
        };
        let pattern = glob::Pattern::new(&self.text).map_err(invalid)?;
        let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
        Ok(all.into_iter().filter(|object| pattern.matches_with(object.path.as_ref(), options)).collect())
    }

    fn list(&self, folder: &str) -> Result<Vec<Object>, Problem> {
        let prefix = Path::parse(folder).ok().filter(|prefix| !prefix.as_ref().is_empty());
        let store = Arc::clone(&self.store);
        let listed = wait(async move { store.list(prefix.as_ref()).collect::<Vec<_>>().await })?;
        let mut objects = Vec::with_capacity(listed.len());
        for found in listed {
            let found = found.map_err(|error| problem(&format!("{}/{folder}", self.base), &error))?;
            objects.push(Object { store: self.clone(), path: found.location, size: found.size });
        }
        objects.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(objects)
    }

    /// The names of the objects directly below the URL.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub(crate) fn names(&self) -> Result<Vec<String>, Problem> {
        let folder = format!("{}/", self.path);
        let below = self.list(self.path.as_ref())?;
        let name = |object: Object| {
            let whole = object.path.to_string();
            let name = if self.path.as_ref().is_empty() { whole } else { whole.strip_prefix(&folder)?.to_owned() };
            (!name.contains('/')).then_some(name)
        };
        Ok(below.into_iter().filter_map(name).collect())
    }

    /// Puts an object below the URL, unless one with this `id` is there. If the store does not answer, or says that there is one
    /// already, the object's metadata say whether it is the one that was put.
    ///
    /// # Errors
    /// If it cannot be put.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>, id: &str) -> Result<(), Problem> {
        let path = self.path.clone().join(name);
        let (store, id, payload) = (Arc::clone(&self.store), id.to_owned(), PutPayload::from(bytes));
        let target = path.clone();
        let put = wait(async move {
            let attributes: Attributes = [(Attribute::Metadata(ID.into()), id.clone())].into_iter().collect();
            let options = |mode| PutOptions { mode, attributes: attributes.clone(), ..PutOptions::default() };
            let error = match store.put_opts(&target, payload.clone(), options(PutMode::Create)).await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            let there = store.get_opts(&target, GetOptions { head: true, ..GetOptions::default() }).await;
            let found = there.ok().and_then(|found| {
                found.attributes.get(&Attribute::Metadata(ID.into())).map(|value| value.to_string())
            });
            if found.as_deref() == Some(&*id) {
                return Ok(());
            }
            // Another object of this name is from an earlier state of the same output, or the user said to replace it.
            match error {
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. }
                | object_store::Error::NotImplemented { .. }
                | object_store::Error::NotSupported { .. } => {
                    store.put_opts(&target, payload, options(PutMode::Overwrite)).await.map(drop)
                }
                error => Err(error),
            }
        })?;
        put.map_err(|error| problem(&self.url_of(&path), &error))
    }

    /// Deletes an object below the URL; it may be gone already.
    ///
    /// # Errors
    /// If it cannot be deleted.
    pub(crate) fn delete(&self, name: &str) -> Result<(), Problem> {
        let path = self.path.clone().join(name);
        let (store, target) = (Arc::clone(&self.store), path.clone());
        match wait(async move { store.delete(&target).await })? {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(problem(&self.url_of(&path), &error)),
        }
    }
}

/// The folders of a path before its first pattern.
fn before_pattern(text: &str) -> &str {
    let first = text.find(['*', '?', '[']).unwrap_or(text.len());
    let before = text.get(..first).unwrap_or_default();
    before.rfind('/').and_then(|end| before.get(..end)).unwrap_or_default()
}

impl Object {
    /// Its URL.
    pub(crate) fn url(&self) -> String {
        self.store.url_of(&self.path)
    }

    /// How many bytes it has.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Its bytes from the start.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn read(&self) -> Result<Box<dyn Read + Send>, Problem> {
        let (store, path) = (Arc::clone(&self.store.store), self.path.clone());
        let got = wait(async move { store.get(&path).await })?;
        let got = got.map_err(|error| problem(&self.url(), &error))?;
        let stream = Arc::new(Mutex::new(got.into_stream()));
        Ok(Box::new(Stream { url: self.url(), stream, piece: Bytes::new() }))
    }

    /// Its bytes from any place.
    pub(crate) fn file(&self) -> BlockFile {
        BlockFile::new(Arc::new(self.clone()), self.size)
    }
}

impl Ranges for Object {
    fn get(&self, start: u64, end: u64) -> io::Result<Bytes> {
        let (store, path) = (Arc::clone(&self.store.store), self.path.clone());
        let got = wait(async move { store.get_range(&path, start..end).await });
        let got = got.map_err(|problem| io::Error::other(problem.to_string()))?;
        got.map_err(|error| io::Error::other(problem(&self.url(), &error).to_string()))
    }
}

/// An object that is read as it arrives.
struct Stream {
    url: String,
    stream: Arc<Mutex<BoxStream<'static, object_store::Result<Bytes>>>>,
    piece: Bytes,
}

impl Read for Stream {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !room.is_empty() {
            let stream = Arc::clone(&self.stream);
            let next = wait(async move {
                let next = std::future::poll_fn(|context| {
                    stream.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context)
                });
                tokio::time::timeout(NEXT_BYTES, next).await
            });
            match next.map_err(|problem| io::Error::other(problem.to_string()))? {
                Err(_) => return Err(io::Error::new(io::ErrorKind::TimedOut, "the store sends no more bytes")),
                Ok(None) => return Ok(0),
                Ok(Some(piece)) => {
                    self.piece =
                        piece.map_err(|error| io::Error::other(problem(&self.url, &error).to_string()))?;
                }
            }
        }
        let length = room.len().min(self.piece.len());
        let piece = self.piece.split_to(length);
        if let Some(room) = room.get_mut(..length) {
            room.copy_from_slice(&piece);
        }
        Ok(length)
    }
}
