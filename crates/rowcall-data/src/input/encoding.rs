//! From bytes to UTF-8 text: gzip by its first bytes, whatever the path's ending says, and no byte order mark.
//! Whether the text is UTF-8 throughout is found out record by record, by the parsers.

use std::io::{self, Cursor, ErrorKind, Read};

use flate2::read::MultiGzDecoder;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const UTF8_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
const UTF16_MARKS: [[u8; 2]; 2] = [[0xff, 0xfe], [0xfe, 0xff]];

/// The text in `bytes`. Waits for the first three bytes or the end.
pub(crate) fn text_of(mut bytes: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut head = first(2, &mut bytes)?;
    if head == GZIP {
        bytes = Box::new(MultiGzDecoder::new(Cursor::new(head).chain(bytes)));
        head = Vec::new();
    }
    head.extend(first(UTF8_MARK.len() - head.len(), &mut bytes)?);
    if UTF16_MARKS.iter().any(|mark| head.starts_with(mark)) {
        return Err(io::Error::new(ErrorKind::InvalidData, "the text is UTF-16, expected UTF-8"));
    }
    if head == UTF8_MARK {
        return Ok(bytes);
    }
    Ok(Box::new(Cursor::new(head).chain(bytes)))
}

/// The first `count` bytes, or all if there are fewer.
fn first(count: usize, bytes: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(count);
    bytes.take(count as u64).read_to_end(&mut head)?;
    Ok(head)
}
