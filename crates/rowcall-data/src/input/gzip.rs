//! Gzip as found in files: one member after another, and zeros after the last one, which some tools use as padding.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use flate2::bufread::GzDecoder;

/// The first bytes of a gzip member.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The text of all members.
pub(crate) struct Members<R: Read> {
    /// `None` only while moving from one member to the next, and after the last.
    member: Option<GzDecoder<BufReader<R>>>,
}

impl<R: Read> Members<R> {
    pub(crate) fn new(bytes: R) -> Self {
        Self { member: Some(GzDecoder::new(BufReader::new(bytes))) }
    }
}

impl<R: Read> Read for Members<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let length = member.read(room)?;
            if length > 0 || room.is_empty() {
                return Ok(length);
            }
            let Some(member) = self.member.take() else { break };
            let mut rest = member.into_inner();
            if more(&mut rest)? {
                self.member = Some(GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}

/// Whether another member follows. Skips zeros.
fn more(rest: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let piece = match rest.fill_buf() {
            Ok(piece) => piece,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let Some(&first) = piece.first() else { return Ok(false) };
        if first == 0 {
            let zeros = piece.iter().take_while(|byte| **byte == 0).count();
            rest.consume(zeros);
            continue;
        }
        return if first == MAGIC[0] {
            Ok(true)
        } else {
            Err(io::Error::new(ErrorKind::InvalidData, "bytes that are not gzip follow the compressed text"))
        };
    }
}
