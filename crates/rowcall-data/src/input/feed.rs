//! What an open input is read from, step by step: a text with its parser, or batches of a table; and several files one after
//! the other.

use std::path::PathBuf;

use rowcall::{Hint, Problem, Row};
use serde_json::Value;

use crate::{arrow, record};

/// A source of rows that blocks while it reads.
pub(crate) trait Feed: Send {
    /// Reads one piece and makes its rows; false at the end.
    fn step(&mut self) -> bool;

    /// The fields that every row has, if known.
    fn header(&self) -> Option<&[String]>;

    /// The types of these fields, if they have any.
    fn record_schema(&self) -> Option<String> {
        None
    }

    /// The rows not yet taken.
    fn rows(&self) -> &[Row];

    /// What to do about the first record that has a field of a name that the output adds.
    fn clash_hint(&self) -> Option<Hint>;

    /// Takes the rows.
    fn take_rows(&mut self) -> Vec<Row>;

    /// Takes the problem that ended the reading, which is reported after the rows before it.
    fn take_problem(&mut self) -> Option<Problem>;
}

/// A file of an input, with the columns that its folder's name gives it, such as `year=2026`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundFile {
    pub(crate) path: PathBuf,
    pub(crate) partitions: Vec<(String, String)>,
}

/// Opens a file.
pub(crate) type Opener = Box<dyn FnMut(&FoundFile) -> Result<Box<dyn Feed>, Problem> + Send>;

/// Several files as one feed.
pub(crate) struct Chain {
    files: std::vec::IntoIter<FoundFile>,
    open: Opener,
    feed: Box<dyn Feed>,
    partitions: Vec<(String, String)>,
    header: Option<Vec<String>>,
    record_schema: Option<String>,
    rows: Vec<Row>,
    next: u64,
    problem: Option<Problem>,
}

impl Chain {
    /// The files one after the other; `feed` is the first, open.
    pub(crate) fn new(
        first: &FoundFile,
        mut feed: Box<dyn Feed>,
        others: Vec<FoundFile>,
        open: Opener,
    ) -> Self {
        read_header(&mut *feed);
        let partitions = added(&*feed, first);
        let names = partitions.iter().map(|(name, _)| name.clone());
        let header = feed.header().map(|header| header.iter().cloned().chain(names.clone()).collect());
        let record_schema =
            feed.record_schema().map(|text| arrow::with_texts(&text, &names.collect::<Vec<_>>()));
        Self {
            files: others.into_iter(),
            open,
            feed,
            partitions,
            header,
            record_schema,
            rows: Vec::new(),
            next: 0,
            problem: None,
        }
    }

    /// Moves the rows of the current file over.
    fn take_over(&mut self) {
        for mut row in self.feed.take_rows() {
            row.index = self.next;
            self.next += 1;
            if !self.partitions.is_empty() {
                add(&mut row, &self.partitions);
            }
            self.rows.push(row);
        }
    }
}

/// Reads as far as the header, if there is one.
pub(crate) fn read_header(feed: &mut dyn Feed) {
    while feed.header().is_none() && feed.rows().is_empty() && feed.step() {}
}

/// The partitions of a file that are not also columns of it.
fn added(feed: &dyn Feed, file: &FoundFile) -> Vec<(String, String)> {
    let is_there = |name: &String| feed.header().is_some_and(|header| header.contains(name));
    file.partitions.iter().filter(|(name, _)| !is_there(name)).cloned().collect()
}

/// Adds the partitions of a row's file to it.
fn add(row: &mut Row, partitions: &[(String, String)]) {
    if let Ok(fields) = &mut row.fields {
        for (name, value) in partitions {
            fields.insert(name.clone(), Value::String(value.clone()));
        }
    }
    let mut record = row.record.to_vec();
    while record.pop_if(|byte| *byte != b'}').is_some() {}
    record.pop();
    for (name, value) in partitions {
        if record.trim_ascii_end().last() != Some(&b'{') {
            record.push(b',');
        }
        record::push_json(&mut record, name);
        record.push(b':');
        record::push_json(&mut record, value);
    }
    record.push(b'}');
    row.record = record.into();
}

impl Feed for Chain {
    fn step(&mut self) -> bool {
        let more = self.feed.step();
        self.take_over();
        if more {
            return true;
        }
        self.problem = self.feed.take_problem();
        if self.problem.is_some() {
            return false;
        }
        let Some(file) = self.files.next() else { return false };
        match (self.open)(&file) {
            Ok(mut feed) => {
                read_header(&mut *feed);
                self.partitions = added(&*feed, &file);
                self.feed = feed;
                self.take_over();
                true
            }
            Err(problem) => {
                self.problem = Some(problem);
                self.files = Vec::new().into_iter();
                false
            }
        }
    }

    fn header(&self) -> Option<&[String]> {
        self.header.as_deref()
    }

    fn record_schema(&self) -> Option<String> {
        self.record_schema.clone()
    }

    fn rows(&self) -> &[Row] {
        &self.rows
    }

    fn clash_hint(&self) -> Option<Hint> {
        self.feed.clash_hint()
    }

    fn take_rows(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.rows)
    }

    fn take_problem(&mut self) -> Option<Problem> {
        self.problem.take()
    }
}
