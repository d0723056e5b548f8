//! From bytes to UTF-8 text, decompressed by `compressed.rs`: UTF-16 from its
//! byte order mark; any other encoding must be named. The parsers check record by record that UTF-8 is valid. A byte
//! sequence that is invalid in another encoding becomes a byte that is invalid in UTF-8, so that they find it too.

use std::io::{self, Cursor, ErrorKind, Read};

use encoding_rs::{Decoder, DecoderResult, UTF_8, UTF_16BE, UTF_16LE};
use rowcall::{Hint, Problem, Setting};

use super::compressed;
use super::options::Encoding;

const UTF8_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
/// The first bytes of a zip archive, which a spreadsheet (`.xlsx`, `.ods`) is.
const ZIP_MARK: [u8; 3] = [b'P', b'K', 3];

const UTF32_MARK: [u8; 4] = [0xff, 0xfe, 0, 0];

/// A byte that never occurs in UTF-8.
const NO_TEXT: u8 = 0xff;

/// How much is decoded at once, in bytes.
const PIECE: usize = 16 * 1024;

/// The text in `bytes`. Waits for the first four bytes or the end.
pub(crate) fn text_of(
    mut bytes: Box<dyn Read + Send>,
    named: Option<Encoding>,
) -> io::Result<Box<dyn Read + Send>> {
    bytes = compressed::text_of(bytes)?;
    let mut head = first(2, &mut bytes)?;
    // A UTF-8 mark is three bytes long, and a pipe may not have more data yet.
    head.extend(first(UTF8_MARK.len() - head.len(), &mut bytes)?);
    if head == UTF8_MARK {
        return Ok(bytes);
    }
    if head == ZIP_MARK {
        let message = "it is a zip archive, such as a spreadsheet, whatever its name; name a spreadsheet `.xlsx` or `.ods`, or save the table as CSV";
        return Err(io::Error::new(ErrorKind::InvalidData, message));
    }
    if head.starts_with(&UTF32_MARK[..3]) || head.get(1) == Some(&0) || head.first() == Some(&0) {
        head.extend(first(UTF32_MARK.len() - head.len(), &mut bytes)?);
    }
    let marked = match head.as_slice() {
        [0xff, 0xfe, 0, 0, ..] => {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "the text is UTF-32, expected UTF-8 or UTF-16",
            ));
        }
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        [_, 0, _, 0] | [0, _, 0, _] if named.is_none() => {
            let hint = Hint::from("use ").with(Setting::Encoding.exactly("utf-16le")).with(" or ");
            let problem = Problem::new("the text seems to be UTF-16 without a byte order mark");
            let problem = problem.hint(hint.with(Setting::Encoding.exactly("utf-16be")));
            return Err(io::Error::new(ErrorKind::InvalidData, problem));
        }
        _ => None,
    };
    let bytes = Cursor::new(head).chain(bytes);
    match marked.or(named.map(|Encoding(named)| named)) {
        None => Ok(Box::new(bytes)),
        Some(encoding) if encoding == UTF_8 => Ok(Box::new(bytes)),
        Some(encoding) => Ok(Box::new(Decoded {
            bytes,
            decoder: encoding.new_decoder_with_bom_removal(),
            encoded: vec![0; PIECE],
            start: 0,
            end: 0,
            ended: false,
            finished: false,
        })),
    }
}

/// A reader that decodes text from another encoding.
struct Decoded<R> {
    bytes: R,
    decoder: Decoder,
    /// Bytes that were read but not decoded yet: `start..end` of this.
    encoded: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    /// Whether the decoder has seen the end, after which it must not be used.
    finished: bool,
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        // A decoder needs room for the longest character, and for the mark of an invalid one.
        let Some(most) = room.len().checked_sub(1).filter(|most| *most >= 4) else {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                "the text is read in pieces that are too small",
            ));
        };
        while !self.finished {
            let encoded = self.encoded.get(self.start..self.end).unwrap_or_default();
            let (result, read, mut written) = self.decoder.decode_to_utf8_without_replacement(
                encoded,
                room.get_mut(..most).unwrap_or_default(),
                self.ended,
            );
            self.start += read;
            match result {
                DecoderResult::InputEmpty if written == 0 && !self.ended => {
                    self.end = self.bytes.read(&mut self.encoded)?;
                    (self.start, self.ended) = (0, self.end == 0);
                    continue;
                }
                DecoderResult::InputEmpty => self.finished = self.ended,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(_, _) => {
                    if let Some(byte) = room.get_mut(written) {
                        *byte = NO_TEXT;
                    }
                    written += 1;
                }
            }
            return Ok(written);
        }
        Ok(0)
    }
}

/// The first `count` bytes, or all bytes if there are fewer.
fn first(count: usize, bytes: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(count);
    bytes.take(count as u64).read_to_end(&mut head)?;
    Ok(head)
}
