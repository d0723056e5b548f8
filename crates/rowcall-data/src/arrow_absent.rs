//! What a build without the feature `parquet` says about Parquet and Arrow files, with the interface of the module that reads and
//! writes them.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::path::Path;

use rowcall::{Error, Outcome, Problem, Result, Row};

use crate::format::OutputFormat;
use crate::input::{Feed, Rules};
use crate::lacking::lacking;
use crate::output::{Ends, LeftOut, OutputOptions, OutputRow};

/// The feature that this build lacks.
const FEATURE: &str = "parquet";

type Found<T> = std::result::Result<T, Problem>;

pub(crate) fn parquet_feed(name: &str, _: File, _: &Rules) -> Found<(Box<dyn Feed>, u64)> {
    Err(lacking(name, "Parquet", FEATURE))
}

pub(crate) fn ipc_feed(name: &str, _: File, _: &Rules) -> Found<Box<dyn Feed>> {
    Err(lacking(name, "Arrow", FEATURE))
}

pub(crate) fn ipc_stream_feed(name: &str, _: Box<dyn Read + Send>, _: &Rules) -> Found<Box<dyn Feed>> {
    Err(lacking(name, "Arrow", FEATURE))
}

pub(crate) fn with_texts(text: &str, _: &[String]) -> String {
    text.to_owned()
}

pub(crate) fn difference(_: &str, _: &str) -> Option<String> {
    None
}

/// A file that is never written.
pub(crate) struct Encoder<W>(Infallible, PhantomData<W>);

impl<W: Write + Send> Encoder<W> {
    pub(crate) fn new(format: OutputFormat, _: W, _: &OutputOptions, _: Ends) -> Result<Self> {
        Err(Error::Config(lacking("the output", &format!("`{format}`"), FEATURE)))
    }

    pub(crate) fn push(&mut self, _: &OutputRow<'_>, _: &mut LeftOut) -> io::Result<u64> {
        match self.0 {}
    }

    pub(crate) fn size(&self) -> Option<u64> {
        match self.0 {}
    }

    pub(crate) fn finish(self) -> io::Result<(W, u64)> {
        match self.0 {}
    }
}

pub(crate) fn has_rows_of(
    _: &Path,
    format: OutputFormat,
    _: &[(Row, Outcome)],
    _: &OutputOptions,
) -> Result<bool> {
    Err(Error::Config(lacking("the output", &format!("`{format}`"), FEATURE)))
}

/// Text that is never compressed with zstd.
pub(crate) struct Zstd(Infallible);

impl Zstd {
    pub(crate) fn new(_: Box<dyn Write + Send>) -> Found<Self> {
        Err(lacking("the output", "compressed with zstd", FEATURE))
    }

    pub(crate) fn finish(&mut self) -> io::Result<()> {
        match self.0 {}
    }
}

impl Write for Zstd {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match self.0 {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0 {}
    }
}
