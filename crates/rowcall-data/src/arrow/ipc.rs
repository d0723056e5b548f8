//! Arrow IPC files and streams as batches.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, Schema};
use rowcall::Problem;

use super::records::{Batches, reason};

/// The most rows of a batch that are made into rows at once.
const SLICE_ROWS: usize = 1024;

/// The first bytes of a file, which a stream lacks.
const MAGIC: [u8; 6] = *b"ARROW1";

/// Opens a local file with Arrow's file or stream format.
///
/// # Errors
/// Any other file.
pub(crate) fn open(name: &str, mut file: File) -> Result<(Arc<Schema>, Batches), Problem> {
    let mut head = [0; MAGIC.len()];
    let is_file = file.read_exact(&mut head).is_ok() && head == MAGIC;
    file.seek(SeekFrom::Start(0)).map_err(|error| unreadable(name, &ArrowError::from(error)))?;
    if !is_file {
        return stream(name, file);
    }
    let reader = FileReader::try_new(BufReader::new(file), None).map_err(|error| {
        unreadable(name, &error).hint("it may be cut off: an Arrow file cannot be read without its end")
    })?;
    Ok((reader.schema(), sliced(reader)))
}

/// Reads Arrow's stream format; also a file, if its reader cannot seek.
///
/// # Errors
/// Anything else.
pub(crate) fn stream(
    name: &str,
    mut bytes: impl Read + Send + 'static,
) -> Result<(Arc<Schema>, Batches), Problem> {
    let mut head = Vec::new();
    bytes
        .by_ref()
        .take(MAGIC.len() as u64)
        .read_to_end(&mut head)
        .map_err(|error| unreadable(name, &ArrowError::from(error)))?;
    if head.is_empty() {
        return Err(Problem::new(format!("{name} is empty, expected an Arrow stream")));
    }
    if head == MAGIC {
        // After the magic and two bytes of padding, a file begins with a stream.
        let mut padding = [0; 2];
        bytes.read_exact(&mut padding).map_err(|error| unreadable(name, &ArrowError::from(error)))?;
        head.clear();
    }
    let cut = Arc::new(AtomicBool::new(false));
    let bytes = Watched { bytes: Cursor::new(head).chain(bytes), ended: Arc::clone(&cut) };
    let reader = StreamReader::try_new(bytes, None).map_err(|error| {
        unreadable(name, &error).hint("expected Arrow's stream or file format; is it another one?")
    })?;
    let schema = reader.schema();
    let end = std::iter::once_with(move || {
        // The reader stops at the mark that ends a stream, and takes the end of the bytes for it as well.
        if cut.load(Ordering::Relaxed) {
            let message = "the stream ends without its end mark: its writer was interrupted";
            return Err(ArrowError::IpcError(message.to_owned()));
        }
        Ok(None)
    });
    let batches = reader.map(|batch| batch.map(Some)).chain(end);
    let batches = batches.filter_map(Result::transpose);
    Ok((schema, sliced(batches)))
}

fn sliced(batches: impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static) -> Batches {
    Box::new(batches.flat_map(|batch| -> Batches {
        match batch {
            Err(error) => Box::new(std::iter::once(Err(error))),
            Ok(batch) => {
                let rows = batch.num_rows();
                let slice = move |first| Ok(batch.slice(first, SLICE_ROWS.min(rows - first)));
                Box::new((0..rows).step_by(SLICE_ROWS).map(slice))
            }
        }
    }))
}

fn unreadable(name: &str, error: &ArrowError) -> Problem {
    Problem::new(format!("cannot read {name}: {}", reason(error)))
}

/// A reader that remembers whether its end was reached.
struct Watched<R> {
    bytes: R,
    ended: Arc<AtomicBool>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = self.bytes.read(room)?;
        if length == 0 && !room.is_empty() {
            self.ended.store(true, Ordering::Relaxed);
        }
        Ok(length)
    }
}
