//! The files that are sent with questions: read just before a row is asked about, identified by their first bytes, encoded in
//! Base64. A bounded amount of them is held at a time. The prompt names the files.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::identity::add;
use crate::media_type;
use crate::turn::{Attachment, AttachmentContent, Prompt};

/// The largest file that is sent, 32 MiB: Anthropic accepts no larger request, and few others do.
const MOST_BYTES: u64 = 32 * 1024 * 1024;

/// The most that is held of all rows' files at a time, in bytes on disk: 128 MiB, which takes about four times that in
/// memory, in Base64 and again in requests. A row waits for room before its files are read.
const ROOM_BYTES: u64 = 128 * 1024 * 1024;

/// The bytes that one permit represents, since a semaphore acquires at most 32 bits of permits at once.
const PERMIT_BYTES: u64 = 4096;

/// How many rows' files are read at a time. More would take a thread each without being faster.
const READERS: usize = 8;

/// Reads the files of rows within a memory limit.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// The folder that relative paths start from; `None` for the current one.
    folder: Option<Arc<Path>>,
    readers: Arc<Semaphore>,
    room: Arc<Semaphore>,
    /// Whether to compute a hash of what was read.
    has_digests: bool,
}

/// The attachments of one row with its files read. It takes up room until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// `None` if there was nothing to read.
    attachments: Option<Vec<Attachment>>,
    /// A hash of what was read, if requested.
    digest: Option<[u8; 32]>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Files {
    /// A reader for files whose relative paths start from `folder`, or from the current folder if `None`.
    pub(crate) fn from_folder(folder: Option<&Path>) -> Self {
        Self {
            folder: folder.map(Arc::from),
            readers: Arc::new(Semaphore::new(READERS)),
            room: Arc::new(Semaphore::new((ROOM_BYTES / PERMIT_BYTES) as usize)),
            has_digests: false,
        }
    }

    /// The same reader, which also computes a hash of what was read.
    pub(crate) fn with_digests(self) -> Self {
        Self { has_digests: true, ..self }
    }

    /// Reads the files of `prompt` as soon as there is room for them.
    ///
    /// # Errors
    /// A sentence fragment with the path of a file that cannot be sent.
    pub(crate) async fn load(&self, prompt: &Prompt) -> Result<Loaded, String> {
        if !has_files(prompt) {
            return Ok(Loaded::default());
        }
        let attachments: Vec<_> = prompt.attachments().cloned().collect();
        // Neither semaphore is ever closed.
        let _reader = self.readers.acquire().await.ok();
        let folder = self.folder.clone();
        let (attachments, bytes) = blocking(move || {
            let bytes = bytes_of(folder.as_deref(), &attachments)?;
            Ok((attachments, bytes))
        })
        .await?;
        let permits = bytes.min(ROOM_BYTES).div_ceil(PERMIT_BYTES) as u32;
        let room = Arc::clone(&self.room).acquire_many_owned(permits).await.ok();
        let (folder, has_digest) = (self.folder.clone(), self.has_digests);
        let (attachments, digest) = blocking(move || {
            let attachments = read_all(folder.as_deref(), attachments)?;
            let digest = has_digest.then(|| digest(&attachments));
            Ok((attachments, digest))
        })
        .await?;
        Ok(Loaded { attachments: Some(attachments), digest, _room: room })
    }

    /// Reads the files of `prompt` immediately, on the calling thread.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(crate) fn load_now(&self, prompt: &Prompt) -> Result<Loaded, String> {
        if !has_files(prompt) {
            return Ok(Loaded::default());
        }
        let attachments = read_all(self.folder.as_deref(), prompt.attachments().cloned().collect())?;
        Ok(Loaded { attachments: Some(attachments), digest: None, _room: None })
    }
}

impl Loaded {
    /// A hash of what was read, if there was anything to read and the hash was requested.
    pub(crate) fn digest(&self) -> Option<&[u8]> {
        self.digest.as_ref().map(<[u8; 32]>::as_slice)
    }

    /// Returns `prompt`, which is the loaded one or a re-ask of it, with the files filled in.
    pub(crate) fn fill<'a>(&self, prompt: &'a Prompt) -> Cow<'a, Prompt> {
        let Some(attachments) = &self.attachments else { return Cow::Borrowed(prompt) };
        let mut filled = prompt.clone();
        for (attachment, loaded) in filled.attachments_mut().zip(attachments) {
            attachment.clone_from(loaded);
        }
        Cow::Owned(filled)
    }
}

/// A hash of all attachments: types and contents.
fn digest(attachments: &[Attachment]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for Attachment { media_type, content } in attachments {
        let content = match content {
            AttachmentContent::Url(text) => text.as_bytes(),
            AttachmentContent::Base64(text) => text.as_bytes(),
            AttachmentContent::File(path) => path.as_os_str().as_encoded_bytes(),
        };
        add(&mut hash, media_type.as_bytes());
        add(&mut hash, content);
    }
    hash.finalize().into()
}

fn has_files(prompt: &Prompt) -> bool {
    prompt.attachments().any(|attachment| match attachment.content {
        AttachmentContent::File(_) => true,
        AttachmentContent::Url(_) | AttachmentContent::Base64(_) => false,
    })
}

/// Runs `work` on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err("the thread reading the row's files has stopped".to_owned()))
}

/// The number of bytes to read.
fn bytes_of(folder: Option<&Path>, attachments: &[Attachment]) -> Result<u64, String> {
    let bytes = |attachment: &Attachment| match &attachment.content {
        AttachmentContent::File(path) => {
            size(&in_folder(folder, path)).map_err(|reason| named(path, &reason))
        }
        AttachmentContent::Url(_) | AttachmentContent::Base64(_) => Ok(0),
    };
    attachments.iter().map(bytes).sum()
}

fn read_all(folder: Option<&Path>, attachments: Vec<Attachment>) -> Result<Vec<Attachment>, String> {
    let read = |attachment: Attachment| match &attachment.content {
        AttachmentContent::File(path) => {
            read(&in_folder(folder, path), &attachment.media_type).map_err(|reason| named(path, &reason))
        }
        AttachmentContent::Url(_) | AttachmentContent::Base64(_) => Ok(attachment),
    };
    attachments.into_iter().map(read).collect()
}

fn in_folder<'a>(folder: Option<&Path>, path: &'a Path) -> Cow<'a, Path> {
    folder.map_or(Cow::Borrowed(path), |folder| Cow::Owned(folder.join(path)))
}

fn named(path: &Path, reason: &str) -> String {
    format!("the file `{}` {reason}", path.display())
}

/// The size of the file at `path`, which is checked before the file is opened: opening a pipe could block forever.
fn size(path: &Path) -> Result<u64, String> {
    let metadata = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("is not a regular file, but a folder, a pipe or a device".to_owned());
    }
    match metadata.len() {
        0 => Err("is empty".to_owned()),
        bytes if bytes > MOST_BYTES => Err(too_large(bytes)),
        bytes => Ok(bytes),
    }
}

/// Reads the file at `path`, which is of `media_type` according to its name. Its first bytes take precedence: providers
/// reject a file of another type than declared.
fn read(path: &Path, media_type: &str) -> Result<Attachment, String> {
    let mut bytes = Vec::with_capacity(size(path)? as usize);
    let unreadable = |error| format!("cannot be read: {error}");
    let file = File::open(path).map_err(unreadable)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(too_large(bytes.len() as u64));
    }
    let media_type = media_type::of_bytes(&bytes)
        .or_else(|| media_type::known(media_type))
        .ok_or_else(|| format!("is of an unknown type, expected {}", media_type::EXPECTED))?;
    let content = AttachmentContent::Base64(STANDARD.encode(bytes).into());
    Ok(Attachment { media_type: media_type.to_owned(), content })
}

fn too_large(bytes: u64) -> String {
    format!("has {bytes} bytes, expected at most {MOST_BYTES}")
}

#[cfg(test)]
mod tests;
