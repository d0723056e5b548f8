//! The columns of a CSV: their names, those that an earlier step added, and the row for a record. A record must have
//! as many columns as the header, in the encoding of the text.

use std::borrow::Cow;
use std::collections::HashSet;

use rowcall::{Hint, Problem, Setting, UnreadableKind};
use serde_json::{Map, Value};

use super::parser::Rows;
use super::rules::{self, Rules};
use crate::layout::{ERROR_FIELD, is_own};
use crate::record;

/// The header of a CSV.
#[derive(Debug)]
pub(crate) struct Header {
    /// The total number of columns.
    columns: usize,
    /// The names of the columns that rows have.
    names: Vec<String>,
    /// The names as JSON strings.
    keys: Vec<String>,
    /// The position of each of `names` in a record.
    positions: Vec<usize>,
    /// The column where an earlier step says why a row failed.
    error: Option<usize>,
}

impl Header {
    /// # Errors
    /// A name that is not in the encoding of the text, that appears twice, or that the output adds.
    pub(crate) fn new(columns: &[&[u8]], line: u64, rules: &Rules) -> Result<Self, Problem> {
        let mut names = Vec::with_capacity(columns.len());
        for (column, bytes) in (1..).zip(columns) {
            let what = format!("the name of column {column} on line {line}");
            names.push(std::str::from_utf8(bytes).map_err(|_| rules.not_text_problem(&what))?.to_owned());
        }
        let mut taken = HashSet::with_capacity(names.len());
        for name in names.iter().filter(|name| !is_blank(name)) {
            if !taken.insert(name.clone()) {
                return Err(Problem::new(format!("the column `{name}` appears twice in the header")).hint(
                    Hint::from("give one of them another name; ")
                        .with(Setting::SkipRows)
                        .with(" skips lines above the header"),
                ));
            }
        }
        name_blank_ones(&mut names, &mut taken, line, rules);
        let mut header = Self {
            columns: names.len(),
            keys: Vec::new(),
            positions: (0..names.len()).collect(),
            error: None,
            names,
        };
        if rules.is_output(header.names.iter().map(String::as_str)) {
            rules.note_left_out();
            header.error = header.names.iter().position(|name| name == ERROR_FIELD);
            header.positions.retain(|position| header.names.get(*position).is_some_and(|name| !is_own(name)));
            header.names.retain(|name| !is_own(name));
        }
        if let Some(problem) = rules.clash("the input's column", header.names.iter().map(String::as_str)) {
            return Err(problem);
        }
        header.keys = header.names.iter().map(|name| record::quoted(name)).collect();
        Ok(header)
    }

    /// The names of the columns that rows have.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Adds the row for the record with these columns.
    pub(crate) fn push_row(&self, columns: &[&[u8]], line: u64, rules: &Rules, rows: &mut Rows) {
        let texts: Option<Vec<_>> = columns.iter().map(|bytes| std::str::from_utf8(bytes).ok()).collect();
        let (found, expected) = (columns.len(), self.columns);
        if found != expected {
            let s = if found == 1 { "" } else { "s" };
            let message = format!("line {line} has {found} column{s}, expected {expected} as in the header");
            return rows.push_unreadable(UnreadableKind::Input, message, self.record(&lossy(columns)));
        }
        let Some(texts) = texts else {
            let broken = |position: &&usize| {
                columns.get(**position).is_some_and(|bytes| std::str::from_utf8(bytes).is_err())
            };
            let position = self.positions.iter().position(|position| broken(&position));
            let name =
                position.and_then(|position| self.names.get(position)).map_or(ERROR_FIELD, String::as_str);
            let what = format!("the column `{name}` on line {line}");
            return rules.push_not_text(&what, self.record(&lossy(columns)), rows);
        };
        let error = self.error.and_then(|position| texts.get(position)).copied().unwrap_or_default();
        let row = || {
            let mut fields = Map::with_capacity(self.names.len());
            for (name, position) in self.names.iter().zip(&self.positions) {
                let text = texts.get(*position).copied().unwrap_or_default();
                fields.insert(name.clone(), Value::String(text.to_owned()));
            }
            (fields, self.record(&texts))
        };
        let kept = || {
            let mut record = self.record(&texts);
            record.pop();
            record.extend_from_slice(if record.len() > 1 { b",\"_error\":" } else { b"\"_error\":" });
            record::push_json(&mut record, error);
            record.push(b'}');
            record
        };
        let failed = if error.is_empty() { None } else { rules::failure(&Value::String(error.to_owned())) };
        rules.push(failed, rows, &format_args!("line {line}"), row, kept);
    }

    /// The text of an object with the columns that rows have, as far as the record has them.
    fn record(&self, columns: &[impl AsRef<str>]) -> Vec<u8> {
        let (keys, texts) =
            (self.keys.iter().map(String::len), columns.iter().map(|text| text.as_ref().len()));
        // A key and its text need a colon, two quotes and a comma or brace; the slack is for a few escapes.
        let mut record = Vec::with_capacity(keys.chain(texts).sum::<usize>() + 4 * self.keys.len() + 16);
        record.push(b'{');
        for (key, position) in self.keys.iter().zip(&self.positions) {
            let Some(text) = columns.get(*position) else { break };
            if record.len() > 1 {
                record.push(b',');
            }
            record.extend_from_slice(key.as_bytes());
            record.push(b':');
            record::push_json(&mut record, text.as_ref());
        }
        record.push(b'}');
        record
    }
}

/// Names the columns without a name by position; pandas leaves an index without a name.
fn name_blank_ones(names: &mut [String], taken: &mut HashSet<String>, line: u64, rules: &Rules) {
    let mut given = Vec::new();
    for (column, name) in (1..).zip(names.iter_mut()).filter(|(_, name)| is_blank(name)) {
        let plain = format!("column_{column}");
        let numbered = (2u64..).map(|number| format!("{plain}_{number}"));
        *name = std::iter::once(plain.clone())
            .chain(numbered)
            .find(|name| !taken.contains(name))
            .unwrap_or(plain);
        taken.insert(name.clone());
        given.push(name.clone());
    }
    match given.as_slice() {
        [] => {}
        [name] => {
            rules
                .notes
                .say(format!("a column without a name in the header on line {line} is named `{name}`"));
        }
        [first, .., last] => rules.notes.say(format!(
            "{} columns without a name in the header on line {line} are named `{first}` to `{last}`",
            given.len()
        )),
    }
}

fn is_blank(name: &str) -> bool {
    name.trim().is_empty()
}

fn lossy<'a>(columns: &[&'a [u8]]) -> Vec<Cow<'a, str>> {
    columns.iter().map(|bytes| String::from_utf8_lossy(bytes)).collect()
}
