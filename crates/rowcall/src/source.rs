//! The two ends of a run: where rows come from and where outcomes go. Files and formats live in `rowcall-data`; this
//! file has the traits, and the sources over iterators and streams.

use std::future::Future;
use std::pin::Pin;

use futures_core::Stream;
use futures_util::StreamExt;
use serde::Serialize;

use crate::error::Result;
use crate::outcome::Outcome;
use crate::row::Row;

/// Where rows come from.
pub trait Source: Send {
    /// The next rows: at least one and at most `max`, or none at the end. It returns the rows that are available rather
    /// than wait for `max`. Indexes count from 0 without a gap. Dropping the future before it is ready must lose no
    /// row.
    ///
    /// # Errors
    /// Only if reading cannot continue; a record that cannot be read is a row with
    /// [`Unreadable`](crate::row::Unreadable) fields.
    fn next(&mut self, max: usize) -> impl Future<Output = Result<Vec<Row>>> + Send;

    /// How many rows there will be, if known before they are read.
    fn len_hint(&self) -> Option<u64> {
        None
    }
}

/// Where outcomes go.
pub trait Sink: Send {
    /// Takes outcomes with their rows, in output order. With a journal, a row that had to wait for its turn may be read back from
    /// it: with its index, its record as text (its fields as JSON if it had no record), and fields parsed again from that text. So
    /// identify a row by its index and its record.
    ///
    /// # Errors
    /// If they cannot be written; the run stops.
    fn write(&mut self, done: Vec<(Row, Outcome)>) -> impl Future<Output = Result<()>> + Send;
}

/// What the many-row methods take: any iterator over serialisable values, or a [`stream`].
pub trait IntoSource {
    /// The type of the source.
    type Source: Source;

    /// Converts it into a source that pulls rows lazily, as there is room for them.
    fn into_source(self) -> Self::Source;
}

impl<I> IntoSource for I
where
    I: IntoIterator,
    I::IntoIter: Send,
    I::Item: Serialize,
{
    type Source = IteratorSource<I::IntoIter>;

    fn into_source(self) -> Self::Source {
        IteratorSource { rows: self.into_iter(), next: 0 }
    }
}

/// Rows from an iterator; see [`IntoSource`].
#[derive(Debug)]
pub struct IteratorSource<I> {
    rows: I,
    next: u64,
}

impl<I> Source for IteratorSource<I>
where
    I: Iterator + Send,
    I::Item: Serialize,
{
    async fn next(&mut self, max: usize) -> Result<Vec<Row>> {
        let rows = &mut self.rows;
        let next = &mut self.next;
        Ok(rows
            .take(max)
            .map(|item| {
                let row = Row::new(*next, &item);
                *next += 1;
                row
            })
            .collect())
    }

    fn len_hint(&self) -> Option<u64> {
        let (least, most) = self.rows.size_hint();
        (most == Some(least)).then_some(least as u64 + self.next)
    }
}

/// Rows from an asynchronous stream of serialisable values, for the methods that take rows.
pub fn stream<S>(rows: S) -> StreamSource<S>
where
    S: Stream + Send,
    S::Item: Serialize,
{
    StreamSource { rows: Box::pin(rows.fuse()), next: 0 }
}

/// Rows from a stream; see [`stream`].
#[derive(Debug)]
pub struct StreamSource<S: Stream> {
    rows: Pin<Box<futures_util::stream::Fuse<S>>>,
    next: u64,
}

impl<S> IntoSource for StreamSource<S>
where
    S: Stream + Send,
    S::Item: Serialize,
{
    type Source = Self;

    fn into_source(self) -> Self {
        self
    }
}

impl<S> Source for StreamSource<S>
where
    S: Stream + Send,
    S::Item: Serialize,
{
    async fn next(&mut self, max: usize) -> Result<Vec<Row>> {
        // Wait for the first row only; add others if they are already available.
        let Some(first) = self.rows.next().await else { return Ok(Vec::new()) };
        let mut rows = vec![Row::new(self.next, &first)];
        while rows.len() < max
            && let Some(Some(item)) = futures_util::FutureExt::now_or_never(self.rows.next())
        {
            rows.push(Row::new(self.next + rows.len() as u64, &item));
        }
        self.next += rows.len() as u64;
        Ok(rows)
    }
}
