//! Matches the rows of two journals. Rows at the same position are compared first, so that two runs over the same input are read side
//! by side; only displaced rows are remembered, by a hash each.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use rowcall::journal::Rows;
use rowcall::{Outcome, Result, Row};
use serde_json::Value;

use super::By;
use crate::report::sketch::Reservoir;

/// The maximum number of example rows that only one journal has.
const NAMED: usize = 5;

/// The most fields that an error names.
const MOST_FIELDS: usize = 30;

/// A row with its outcome.
pub(super) type Identified = (Row, Outcome);

/// Reads both journals in step.
#[derive(Debug)]
pub(super) struct Pairs<'b> {
    sides: [Stream; 2],
    by: &'b By,
}

/// One journal's rows.
#[derive(Debug)]
struct Stream {
    rows: Rows,
    page: VecDeque<Identified>,
    count: u64,
    /// Unmatched rows so far: the position of each by the hash of its identity.
    displaced: BTreeMap<u64, VecDeque<u64>>,
    /// Rows without an identity, which are like no others.
    unidentified: Reservoir,
    /// Whether a row had an identity. Until then, the fields that rows have instead.
    is_identified: bool,
    fields: BTreeSet<String>,
}

/// The result once both journals have been read.
#[derive(Debug)]
pub(super) struct Displaced {
    /// The positions of rows that both have, where they differ.
    pub(super) pairs: Vec<[u64; 2]>,
    /// The number of rows of each.
    pub(super) rows: [u64; 2],
    /// The rows that only one has.
    pub(super) only: [Reservoir; 2],
    /// For each journal of whose rows none has the field to match by, the fields that they have.
    pub(super) lacks: [Option<BTreeSet<String>>; 2],
}

impl<'b> Pairs<'b> {
    pub(super) fn new(first: Rows, second: Rows, by: &'b By) -> Self {
        Self { sides: [first, second].map(Stream::new), by }
    }

    /// The next pair of the same row at the same position; `None` at the end.
    ///
    /// # Errors
    /// If a journal cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<(Identified, Identified)>> {
        loop {
            let [first, second] = &mut self.sides;
            let places = (first.place()?, second.place()?);
            let (of_first, of_second) = match places {
                (None, None) => return Ok(None),
                (Some(one), Some(other)) => (one <= other, other <= one),
                (one, other) => (one.is_some(), other.is_some()),
            };
            let one = of_first.then(|| first.take(self.by)).flatten();
            let other = of_second.then(|| second.take(self.by)).flatten();
            match (one, other) {
                (Some((one, Some(hash))), Some((other, Some(of_other)))) if hash == of_other => {
                    return Ok(Some((one, other)));
                }
                (one, other) => {
                    for (stream, row) in self.sides.iter_mut().zip([one, other]) {
                        match row {
                            Some(((row, _), Some(hash))) => {
                                stream.displaced.entry(hash).or_default().push_back(row.index);
                            }
                            Some(((row, _), None)) => stream.unidentified.add(row.index),
                            None => {}
                        }
                    }
                }
            }
        }
    }

    /// The rows that [`next`](Self::next) did not return.
    pub(super) fn displaced(self) -> Displaced {
        let [first, mut second] = self.sides;
        let rows = [first.count, second.count];
        let mut pairs = Vec::new();
        let lacks = [first.lacks(), second.lacks()];
        let mut only = [first.unidentified, second.unidentified];
        for (hash, places) in first.displaced {
            for place in places {
                match second.displaced.get_mut(&hash).and_then(VecDeque::pop_front) {
                    Some(other) => pairs.push([place, other]),
                    None => only[0].add(place),
                }
            }
        }
        second.displaced.into_values().flatten().for_each(|place| only[1].add(place));
        pairs.sort_unstable();
        Displaced { pairs, rows, only, lacks }
    }
}

impl Stream {
    fn new(rows: Rows) -> Self {
        Self {
            rows,
            page: VecDeque::new(),
            count: 0,
            displaced: BTreeMap::new(),
            unidentified: Reservoir::new(NAMED),
            is_identified: false,
            fields: BTreeSet::new(),
        }
    }

    /// The position of the next row.
    fn place(&mut self) -> Result<Option<u64>> {
        if self.page.is_empty() {
            self.page = self.rows.next_page()?.into();
        }
        Ok(self.page.front().map(|(row, _)| row.index))
    }

    /// The next row, with its identity if it has one.
    fn take(&mut self, by: &By) -> Option<(Identified, Option<u64>)> {
        let (row, outcome) = self.page.pop_front()?;
        self.count += 1;
        let hash = by.hash(&row);
        if hash.is_some() {
            self.is_identified = true;
        } else if let Ok(fields) = row.fields.as_ref()
            && !self.is_identified
        {
            let room = MOST_FIELDS.saturating_sub(self.fields.len());
            self.fields.extend(fields.keys().take(room).cloned());
        }
        Some(((row, outcome), hash))
    }

    /// The fields that its rows have, if none has an identity.
    fn lacks(&self) -> Option<BTreeSet<String>> {
        (self.count > 0 && !self.is_identified).then(|| self.fields.clone())
    }
}

impl By {
    /// The identity of a row as a 64-bit hash; `None` if it lacks the field, or has null there. Among a million rows, the chance that two
    /// collide is about 1 in 40 million.
    fn hash(&self, row: &Row) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        match self {
            Self::Place => row.index.hash(&mut hasher),
            Self::Record => row.record.hash(&mut hasher),
            Self::Field(name) => {
                match row.fields.as_ref().ok().and_then(|fields| fields.get(name)) {
                    // A number of one input may be a text of the other.
                    Some(Value::String(text)) => text.hash(&mut hasher),
                    Some(Value::Null) | None => return None,
                    Some(value) => value.to_string().hash(&mut hasher),
                }
            }
        }
        Some(hasher.finish())
    }
}
