//! What ends a run early at its source or sink: a limit on rows, the first failure with `--fail-fast`, a reader that goes away.

use rowcall::{Error, Failure, Halt, Outcome, Result, Row, Sink, Source};
use rowcall_data::is_reader_gone;

/// The first rows of a source.
#[derive(Debug)]
pub struct FirstRows<S> {
    source: S,
    left: u64,
}

impl<S> FirstRows<S> {
    /// At most `rows` rows of `source`, or all.
    pub fn new(source: S, rows: Option<u64>) -> Self {
        Self { source, left: rows.unwrap_or(u64::MAX) }
    }
}

impl<S: Source> Source for FirstRows<S> {
    async fn next(&mut self, max: usize) -> Result<Vec<Row>> {
        let max = max.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if max == 0 {
            return Ok(Vec::new());
        }
        let rows = self.source.next(max).await?;
        self.left -= rows.len() as u64;
        Ok(rows)
    }
}

/// What a run does after a failed row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterFailure {
    /// Continue.
    GoOn,
    /// Send nothing more.
    Stop,
}

/// A sink that halts its run when continuing is pointless.
#[derive(Debug)]
pub(crate) struct Guarded<K> {
    sink: K,
    halt: Halt,
    after_failure: AfterFailure,
    first_failure: Option<(u64, Box<Failure>)>,
    reader: Reader,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    There,
    Gone,
}

impl<K> Guarded<K> {
    /// Passes everything on to `sink`, and sets `halt` when continuing is pointless.
    pub(crate) fn new(sink: K, halt: Halt, after_failure: AfterFailure) -> Self {
        Self { sink, halt, after_failure, first_failure: None, reader: Reader::There }
    }

    /// Whether the reader of the output went away.
    pub(crate) fn reader_is_gone(&self) -> bool {
        self.reader == Reader::Gone
    }

    /// The sink, and the failure that halted the run, if any.
    pub(crate) fn into_parts(self) -> (K, Result<()>) {
        let failed = self.first_failure.map(|(index, failure)| Error::Row { index, failure });
        (self.sink, failed.map_or(Ok(()), Err))
    }

    fn notice_failures(&mut self, done: &[(Row, Outcome)]) {
        if self.after_failure == AfterFailure::Stop
            && self.first_failure.is_none()
            && let Some((index, failure)) =
                done.iter().find_map(|(row, outcome)| Some((row.index, outcome.result.as_ref().err()?)))
        {
            self.halt.set();
            self.first_failure = Some((index, failure.clone()));
        }
    }
}

impl<K: Sink> Sink for Guarded<K> {
    async fn write(&mut self, done: Vec<(Row, Outcome)>) -> Result<()> {
        self.notice_failures(&done);
        if self.reader == Reader::Gone {
            return Ok(());
        }
        match self.sink.write(done).await {
            Err(error) if is_reader_gone(&error) => {
                self.reader = Reader::Gone;
                self.halt.set();
                Ok(())
            }
            written => written,
        }
    }
}
