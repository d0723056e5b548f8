//! Compressed text as found in files: gzip, zstd, bzip2 and xz, each recognised by its first bytes, one member or stream after the
//! other. What follows is the text, whatever the path's extension.

use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

use bzip2::read::MultiBzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::gzip::Members;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const BZIP2: &[u8] = b"BZh";
const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];

/// The most memory that decoding xz may take, in KiB: enough for its highest level, `-9`, which takes 65 MiB.
const XZ_MEMORY: u32 = 128 * 1024;

/// The text in `bytes`, decompressed if it is compressed. Waits for as many bytes as that needs, or the end.
pub(crate) fn text_of(mut bytes: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::new();
    // One byte is enough to know that most texts are not compressed, and a pipe may have no more yet.
    for mark in [1, 2, 3, XZ.len()] {
        let marks = [GZIP, ZSTD, BZIP2, XZ];
        let more = (mark - head.len()) as u64;
        bytes.by_ref().take(more).read_to_end(&mut head)?;
        if head.len() < mark || !marks.iter().any(|known| known.starts_with(&head) || head.starts_with(known))
        {
            break;
        }
    }
    let is = |mark: &[u8]| head.starts_with(mark);
    let (is_gzip, is_zstd, is_bzip2, is_xz) = (is(GZIP), is(ZSTD), is(BZIP2), is(XZ));
    let bytes = Cursor::new(head).chain(bytes);
    Ok(if is_gzip {
        Box::new(Members::new(bytes))
    } else if is_zstd {
        Box::new(Frames { bytes: BufReader::new(bytes), decoder: FrameDecoder::new(), is_in_frame: false })
    } else if is_bzip2 {
        Box::new(MultiBzDecoder::new(bytes))
    } else if is_xz {
        Box::new(XzReader::new_mem_limit(BufReader::new(bytes), true, XZ_MEMORY))
    } else {
        Box::new(bytes)
    })
}

/// The text of all frames of zstd.
struct Frames<R: Read> {
    bytes: BufReader<R>,
    decoder: FrameDecoder,
    is_in_frame: bool,
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let failed = |error: FrameDecoderError| io::Error::new(ErrorKind::InvalidData, error.to_string());
        loop {
            if self.is_in_frame {
                while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                    let one = BlockDecodingStrategy::UptoBlocks(1);
                    self.decoder.decode_blocks(&mut self.bytes, one).map_err(failed)?;
                }
                let length = self.decoder.read(room)?;
                if length > 0 || room.is_empty() {
                    return Ok(length);
                }
                self.is_in_frame = false;
            }
            if self.bytes.fill_buf()?.is_empty() {
                return Ok(0);
            }
            match self.decoder.init(&mut self.bytes) {
                Ok(()) => self.is_in_frame = true,
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    io::copy(&mut self.bytes.by_ref().take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_from_several_frames_and_padding() {
        let text = |bytes: Vec<u8>| {
            let mut text = String::new();
            text_of(Box::new(Cursor::new(bytes))).expect("a text").read_to_string(&mut text).map(|_| text)
        };
        let frame = |text: &str| {
            ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
        };
        // A skippable frame: its magic, its length, its content.
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        let both = [&frame("one\n")[..], &skippable, &frame("two\n")].concat();
        assert_eq!(text(both.clone()).expect("text"), "one\ntwo\n");
        let cut = both.get(..both.len() - 3).expect("long enough").to_vec();
        assert!(text(cut).is_err(), "a cut frame is an error");
        for plain in ["", "B", "BZ", "plain"] {
            assert_eq!(text(plain.as_bytes().to_vec()).expect("text"), plain);
        }
    }
}
