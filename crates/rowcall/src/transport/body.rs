//! The body of a request on its way out: a text, or a file between two texts that is read while it is sent.

use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::request::Payload;

/// How much of a file is read at a time. It was written just before, so that the system still has it in memory.
const CHUNK: usize = 64 * 1024;

/// A body.
#[derive(Debug)]
pub(super) struct Outgoing {
    before: Bytes,
    file: Option<Opened>,
    after: Bytes,
}

/// A file with what is left of it.
#[derive(Debug)]
struct Opened {
    file: File,
    left: u64,
}

impl Outgoing {
    /// A text.
    pub(super) fn text(text: Bytes) -> Self {
        Self { before: text, file: None, after: Bytes::new() }
    }

    /// The body for this payload.
    ///
    /// # Errors
    /// If its file cannot be opened.
    pub(super) fn of(payload: &Payload) -> io::Result<Self> {
        Ok(match payload {
            Payload::Empty => Self::text(Bytes::new()),
            Payload::Text(text) => Self::text(text.clone()),
            Payload::File { before, path, length, after } => Self {
                before: before.clone(),
                file: Some(Opened { file: File::open(path)?, left: *length }),
                after: after.clone(),
            },
        })
    }

    fn next(&mut self) -> io::Result<Option<Bytes>> {
        if !self.before.is_empty() {
            return Ok(Some(std::mem::take(&mut self.before)));
        }
        if let Some(Opened { file, left }) = &mut self.file
            && *left > 0
        {
            let mut chunk = vec![0; CHUNK.min(usize::try_from(*left).unwrap_or(CHUNK))];
            let read = file.read(&mut chunk)?;
            if read == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file has become shorter"));
            }
            chunk.truncate(read);
            *left -= read as u64;
            return Ok(Some(chunk.into()));
        }
        self.file = None;
        Ok((!self.after.is_empty()).then(|| std::mem::take(&mut self.after)))
    }

    fn left(&self) -> u64 {
        self.before.len() as u64
            + self.file.as_ref().map_or(0, |opened| opened.left)
            + self.after.len() as u64
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(self.next().transpose().map(|chunk| chunk.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn a_file_is_sent_between_two_texts_with_its_length() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        let content = "line\n".repeat(30_000);
        file.write_all(content.as_bytes()).expect("it is written");
        let payload = Payload::File {
            before: "[".into(),
            path: file.path().to_owned(),
            length: content.len() as u64,
            after: "]".into(),
        };
        let body = Outgoing::of(&payload).expect("it opens");
        assert_eq!(body.size_hint().exact(), Some(content.len() as u64 + 2));
        let sent = body.collect().await.expect("it is read").to_bytes();
        assert_eq!(sent, format!("[{content}]"));
        let longer = Payload::File {
            before: Bytes::new(),
            path: file.path().to_owned(),
            length: 150_001,
            after: Bytes::new(),
        };
        let cut = Outgoing::of(&longer).expect("it opens").collect().await;
        assert!(cut.is_err(), "a file that is shorter than announced breaks the request");
    }
}
