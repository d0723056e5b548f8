//! How far an input has been read, for whoever tells how long the rest will take.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far an input has been read. It goes on telling after the input has been handed over to a run.
#[derive(Debug, Clone)]
pub struct Gauge(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    /// All bytes, if that is known: compressed ones for a compressed file.
    length: Option<u64>,
    bytes: AtomicU64,
    rows: AtomicU64,
}

impl Gauge {
    pub(super) fn new(length: Option<u64>) -> Self {
        Self(Arc::new(Counts { length, bytes: AtomicU64::new(0), rows: AtomicU64::new(0) }))
    }

    /// How many rows there will be in all, judged by those read so far; `None` while nothing is known, and for what has no
    /// length, such as a pipe.
    pub fn rows_in_all(&self) -> Option<u64> {
        let (bytes, rows) = (self.0.bytes.load(Ordering::Relaxed), self.0.rows.load(Ordering::Relaxed));
        let length = self.0.length.filter(|_| bytes > 0 && rows > 0)?;
        Some((rows as f64 * length.max(bytes) as f64 / bytes as f64).round() as u64)
    }

    pub(super) fn count_rows(&self, rows: usize) {
        self.0.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// The same reader with its bytes counted.
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
    fn rows_are_judged_by_the_share_of_bytes_read() {
        let gauge = Gauge::new(Some(1000));
        assert_eq!(gauge.rows_in_all(), None);
        let mut reader = gauge.metered(io::repeat(b'x').take(1000));
        reader.read_exact(&mut [0; 250]).expect("there is enough");
        assert_eq!(gauge.rows_in_all(), None);
        gauge.count_rows(10);
        assert_eq!(gauge.rows_in_all(), Some(40));
    }

    #[test]
    fn what_has_no_length_is_not_judged() {
        let gauge = Gauge::new(None);
        io::copy(&mut gauge.metered(io::repeat(b'x').take(10)), &mut io::sink()).expect("it can be read");
        gauge.count_rows(1);
        assert_eq!(gauge.rows_in_all(), None);
    }
}
