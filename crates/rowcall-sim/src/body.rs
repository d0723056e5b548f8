//! An answer's body on the wire: complete, or failing midway as the scenario says. Releases what the request holds
//! when the last byte is sent or the client has left.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::fault::Moment;
use crate::reply::{Ending, Failure, Length, Reply};
use crate::shared::Visit;

/// The answer is not completed. HTTP's version decides what happens to the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// By RST, or RST_STREAM.
    Reset,
    /// By closing the connection.
    Cut,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is broken on purpose")
    }
}

impl Error for Broken {}

impl From<Infallible> for Broken {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// What is sent after the head.
pub(crate) struct AnswerBody {
    reply: Reply,
    next: Next,
    visit: Option<Visit>,
}

enum Next {
    Bytes,
    /// Lets the bytes given so far be flushed before the connection breaks.
    Flush(Broken),
    Break(Broken),
    Stall,
    Done,
}

impl AnswerBody {
    /// The body of `reply`; `visit` is notified when it is over.
    pub(crate) fn new(reply: Reply, visit: Option<Visit>) -> Self {
        let mut body = Self { reply, next: Next::Bytes, visit };
        if body.reply.body.is_empty() {
            body.finish();
        }
        body
    }

    fn finish(&mut self) {
        self.next = Next::Done;
        if let Some(visit) = self.visit.take() {
            visit.sent(&self.reply);
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.next {
            Next::Bytes => {
                let whole = self.reply.body.clone();
                let half = whole.slice(..whole.len() / 2);
                let bytes = match self.reply.ending {
                    Ending::Whole | Ending::Fails(Moment::Before, _) => {
                        self.finish();
                        whole
                    }
                    Ending::Fails(Moment::Midway, failure) => {
                        self.next = match failure {
                            Failure::Reset => Next::Flush(Broken::Reset),
                            Failure::Cut => Next::Flush(Broken::Cut),
                            Failure::Stall => Next::Stall,
                        };
                        half
                    }
                };
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Next::Flush(broken) => {
                self.next = Next::Break(broken);
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Next::Break(broken) => Poll::Ready(Some(Err(broken))),
            Next::Stall => Poll::Pending,
            Next::Done => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.next, Next::Done)
    }

    fn size_hint(&self) -> SizeHint {
        match (self.reply.length, &self.next) {
            (Length::Declared, Next::Bytes) => SizeHint::with_exact(self.reply.body.len() as u64),
            (Length::Declared, Next::Done) => SizeHint::with_exact(0),
            (Length::Declared | Length::Open, _) => SizeHint::default(),
        }
    }
}
