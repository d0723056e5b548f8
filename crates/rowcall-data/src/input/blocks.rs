//! A file elsewhere that is read from any place: in blocks, of which the last few are kept.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};

/// The size of a block: large enough that the time of a request does not matter, small enough to keep some.
const BLOCK: u64 = 2 * 1024 * 1024;

/// How many blocks are kept: the pages of that many columns can be read in turn.
const KEPT: usize = 16;

/// What reads ranges of bytes.
pub(crate) trait Ranges: Send + Sync {
    /// The bytes from `start` to `end`.
    ///
    /// # Errors
    /// If they cannot be read.
    fn get(&self, start: u64, end: u64) -> io::Result<Bytes>;
}

/// A file in blocks. Copies share the blocks, and have a position each.
#[derive(Clone)]
pub(crate) struct BlockFile {
    ranges: Arc<dyn Ranges>,
    length: u64,
    position: u64,
    kept: Arc<Mutex<VecDeque<(u64, Bytes)>>>,
}

impl BlockFile {
    /// A file of this length.
    pub(crate) fn new(ranges: Arc<dyn Ranges>, length: u64) -> Self {
        Self { ranges, length, position: 0, kept: Arc::default() }
    }

    /// How many bytes it has.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The same file at another position.
    pub(crate) fn at(&self, position: u64) -> Self {
        Self { position, ..self.clone() }
    }

    /// The bytes from `start` to `end`.
    ///
    /// # Errors
    /// If they cannot be read, or the file is shorter.
    pub(crate) fn bytes(&self, start: u64, end: u64) -> io::Result<Bytes> {
        let mut all = BytesMut::new();
        let mut next = start;
        while next < end {
            let block = self.block(next / BLOCK)?;
            let within = usize::try_from(next % BLOCK).unwrap_or(usize::MAX);
            let left = usize::try_from(end - next).unwrap_or(usize::MAX);
            let piece = block.slice(within.min(block.len())..within.saturating_add(left).min(block.len()));
            if piece.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if next == start && piece.len() == left {
                return Ok(piece);
            }
            next += piece.len() as u64;
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }

    fn block(&self, number: u64) -> io::Result<Bytes> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = kept.iter().position(|(known, _)| *known == number)
            && let Some(found) = kept.remove(at)
        {
            let block = found.1.clone();
            kept.push_back(found);
            return Ok(block);
        }
        let start = number * BLOCK;
        if start >= self.length {
            return Ok(Bytes::new());
        }
        let block = self.ranges.get(start, (start + BLOCK).min(self.length))?;
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back((number, block.clone()));
        Ok(block)
    }
}

impl Read for BlockFile {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let end = self.position.saturating_add(room.len() as u64).min(self.length);
        if end <= self.position {
            return Ok(0);
        }
        // As far as the block goes: a caller asks again.
        let end = end.min((self.position / BLOCK + 1) * BLOCK);
        let bytes = self.bytes(self.position, end)?;
        if let Some(room) = room.get_mut(..bytes.len()) {
            room.copy_from_slice(&bytes);
        }
        self.position += bytes.len() as u64;
        Ok(bytes.len())
    }
}

impl Seek for BlockFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Counting(Vec<u8>, AtomicUsize);

    impl Ranges for Counting {
        fn get(&self, start: u64, end: u64) -> io::Result<Bytes> {
            self.1.fetch_add(1, Ordering::Relaxed);
            let range = usize::try_from(start).expect("small")..usize::try_from(end).expect("small");
            Ok(Bytes::copy_from_slice(&self.0[range]))
        }
    }

    #[test]
    fn blocks_are_read_once_and_put_together() {
        let length = 3 * BLOCK + 5;
        let all: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let ranges = Arc::new(Counting(all.clone(), AtomicUsize::new(0)));
        let mut file = BlockFile::new(ranges.clone(), length);
        let across = file.bytes(BLOCK - 3, 2 * BLOCK + 3).expect("bytes");
        assert_eq!(across, all[BLOCK as usize - 3..2 * BLOCK as usize + 3]);
        let mut read = Vec::new();
        file.read_to_end(&mut read).expect("bytes");
        assert_eq!((read, ranges.1.load(Ordering::Relaxed)), (all.clone(), 4));
        file.seek(SeekFrom::End(-5)).expect("a position");
        let mut end = Vec::new();
        file.read_to_end(&mut end).expect("bytes");
        assert_eq!(end, all[all.len() - 5..]);
        assert!(file.bytes(length - 1, length + 1).is_err());
    }
}
