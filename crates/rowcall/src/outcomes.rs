//! The stream that a many-row method returns. Its owner pulls outcomes one by one; dropping it stops all work.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::StreamExt;

use crate::error::Result;
use crate::outcome::Outcome;
use crate::recall::Done;
use crate::run::Run;
use crate::source::Source;

/// A stream of outcomes. If the run stops early, the last item is the error that stopped it.
pub struct Outcomes<'a, T> {
    stream: Pin<Box<dyn Stream<Item = Result<Outcome<T>>> + Send + 'a>>,
}

impl<'a, T: 'a> Outcomes<'a, T> {
    pub(crate) fn new<S>(run: Run<S>, typed: fn(Outcome) -> Outcome<T>) -> Self
    where
        S: Source + 'a,
    {
        let pulled = Pulled { run: Some(run), ready: VecDeque::new() };
        let stream = futures_util::stream::unfold(pulled, async |mut pulled| {
            let next = pulled.next().await?;
            Some((next, pulled))
        });
        Self { stream: Box::pin(stream.map(move |outcome| outcome.map(typed))) }
    }
}

impl<T> Outcomes<'_, T> {
    /// The next outcome, or `None` at the end. Cancelling the wait loses nothing.
    pub async fn next(&mut self) -> Option<Result<Outcome<T>>> {
        self.stream.next().await
    }
}

impl<T> Stream for Outcomes<'_, T> {
    type Item = Result<Outcome<T>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.as_mut().poll_next(context)
    }
}

impl<T> fmt::Debug for Outcomes<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcomes").finish_non_exhaustive()
    }
}

/// A run and what it has released so far; the run is gone once it has ended.
struct Pulled<S> {
    run: Option<Run<S>>,
    ready: VecDeque<Done>,
}

impl<S: Source> Pulled<S> {
    async fn next(&mut self) -> Option<Result<Outcome>> {
        if self.ready.is_empty() {
            match self.run.as_mut()?.next().await {
                Ok(done) => self.ready = done,
                Err(error) => {
                    self.run = None;
                    return Some(Err(error));
                }
            }
        }
        let released = self.ready.pop_front();
        if released.is_none() {
            self.run = None;
        }
        released.map(|(_, outcome)| Ok(outcome))
    }
}
