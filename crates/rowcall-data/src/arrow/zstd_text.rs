//! Text compressed with zstd, as one frame: several readers take a second one for the end.

use std::io::{self, Write};

use rowcall::Problem;
use zstd::stream::write::Encoder;

/// A writer that compresses.
pub(crate) struct Zstd(Option<Encoder<'static, Box<dyn Write + Send>>>);

impl Zstd {
    /// Begins a frame.
    ///
    /// # Errors
    /// If the compressor cannot be set up.
    pub(crate) fn new(bytes: Box<dyn Write + Send>) -> Result<Self, Problem> {
        Encoder::new(bytes, zstd::DEFAULT_COMPRESSION_LEVEL)
            .map(|encoder| Self(Some(encoder)))
            .map_err(|error| Problem::new(format!("cannot compress with zstd: {error}")))
    }

    /// Ends the frame.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        match self.0.take() {
            Some(encoder) => encoder.finish()?.flush(),
            None => Ok(()),
        }
    }
}

impl Write for Zstd {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Some(encoder) => encoder.write(bytes),
            None => Err(io::Error::other("the text was completed")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
