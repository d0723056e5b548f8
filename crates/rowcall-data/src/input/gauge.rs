//! Measures how far an input has been read, for estimates of the remaining time.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How far an input has been read. It is still updated after the input has been passed to a run.
#[derive(Debug, Clone)]
pub struct Gauge(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    /// The total number of bytes, if known: compressed bytes for a compressed file.
    length: Option<u64>,
    bytes: AtomicU64,
    rows: AtomicU64,
    /// How many rows there are, as the files say; 0 if they do not.
    expected: AtomicU64,
    /// Whether all files have said so.
    settled: AtomicBool,
    /// Whether its last row has been counted.
    at_end: AtomicBool,
}

/// The number of rows in an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsInAll {
    /// It was read to its end and has exactly this many.
    Counted(u64),
    /// About this many, estimated from the share of its bytes that has been read.
    Estimated(u64),
}

impl RowsInAll {
    /// The number, exact or not.
    pub fn number(self) -> u64 {
        match self {
            Self::Counted(rows) | Self::Estimated(rows) => rows,
        }
    }

    /// The number for the same input if at most `most` rows are taken, of which `taken` already are.
    #[must_use]
    pub fn at_most(self, most: u64, taken: u64) -> Self {
        match self {
            _ if taken >= most => Self::Counted(most),
            Self::Counted(rows) => Self::Counted(rows.min(most)),
            Self::Estimated(rows) => Self::Estimated(rows.clamp(taken, most)),
        }
    }
}

impl Gauge {
    pub(super) fn new(length: Option<u64>) -> Self {
        Self(Arc::new(Counts {
            length,
            bytes: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            expected: AtomicU64::new(0),
            settled: AtomicBool::new(false),
            at_end: AtomicBool::new(false),
        }))
    }

    /// The total number of rows: counted once the input has been read to its end, estimated before. `None` while
    /// nothing is known, and until the end for an input without a length, such as a pipe.
    pub fn rows_in_all(&self) -> Option<RowsInAll> {
        // Load the flag first: rows counted before the end was reached are all the rows.
        let at_end = self.0.at_end.load(Ordering::Acquire);
        let (bytes, rows) = (self.0.bytes.load(Ordering::Relaxed), self.0.rows.load(Ordering::Relaxed));
        if at_end {
            return Some(RowsInAll::Counted(rows));
        }
        let expected = self.0.expected.load(Ordering::Relaxed);
        if expected > 0 {
            return Some(RowsInAll::Counted(expected.max(rows)));
        }
        let length = self.0.length.filter(|_| bytes > 0 && rows > 0)?;
        let estimate = (rows as f64 * length.max(bytes) as f64 / bytes as f64).round() as u64;
        Some(RowsInAll::Estimated(estimate))
    }

    /// A file says that it has this many rows.
    pub(super) fn expect_rows(&self, rows: u64) {
        if self.0.settled.load(Ordering::Relaxed) {
            return;
        }
        self.0.expected.fetch_add(rows, Ordering::Relaxed);
    }

    /// All files were looked at and are read from their start now.
    pub(super) fn restart(&self) {
        self.0.bytes.store(0, Ordering::Relaxed);
        self.0.settled.store(true, Ordering::Relaxed);
    }

    /// The last row has been counted.
    pub(super) fn reach_end(&self) {
        self.0.at_end.store(true, Ordering::Release);
    }

    pub(super) fn count_rows(&self, rows: usize) {
        self.0.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// The same reader, with its bytes counted.
    pub(super) fn metered(&self, reader: impl Read + Send + 'static) -> Box<dyn Read + Send> {
        Box::new(Metered { reader, gauge: self.clone() })
    }
}

struct Metered<R> {
    reader: R,
    gauge: Gauge,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.gauge.0.bytes.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_estimated_by_the_share_of_bytes_read_and_counted_at_the_end() {
        let gauge = Gauge::new(Some(1000));
        assert_eq!(gauge.rows_in_all(), None);
        let mut reader = gauge.metered(io::repeat(b'x').take(1000));
        reader.read_exact(&mut [0; 250]).expect("there is enough");
        assert_eq!(gauge.rows_in_all(), None);
        gauge.count_rows(10);
        assert_eq!(gauge.rows_in_all(), Some(RowsInAll::Estimated(40)));
        gauge.reach_end();
        assert_eq!(gauge.rows_in_all(), Some(RowsInAll::Counted(10)));
    }

    #[test]
    fn a_limit_is_exact_once_it_is_reached() {
        let (counted, estimated) = (RowsInAll::Counted, RowsInAll::Estimated);
        for (rows, most, taken, expected) in [
            (counted(40), 100, 40, counted(40)),
            (counted(40), 10, 3, counted(10)),
            (estimated(40), 100, 20, estimated(40)),
            (estimated(40), 100, 50, estimated(50)),
            (estimated(40), 30, 20, estimated(30)),
            (estimated(40), 30, 30, counted(30)),
        ] {
            assert_eq!(rows.at_most(most, taken), expected, "{rows:?}, {most}, {taken}");
        }
    }

    #[test]
    fn an_input_without_a_length_is_counted_only_at_its_end() {
        let gauge = Gauge::new(None);
        io::copy(&mut gauge.metered(io::repeat(b'x').take(10)), &mut io::sink()).expect("it can be read");
        gauge.count_rows(1);
        assert_eq!(gauge.rows_in_all(), None);
        gauge.reach_end();
        assert_eq!(gauge.rows_in_all(), Some(RowsInAll::Counted(1)));
    }
}
