//! What a user should know about how an input is read and that no row shows: fields that were dropped, rows that were
//! skipped.

use std::sync::{Arc, Mutex, PoisonError};

use rowcall::{Hint, Setting};

/// Notes about an input. More may be added after the input has been passed to a run.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    /// All notes, and how many of these were taken.
    said: Vec<Hint>,
    taken: usize,
    counts: [u64; 4],
}

/// What is counted instead of noted for each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Rows that failed in an earlier step and fail again.
    FailedAgain,
    /// Rows that failed in an earlier step and were skipped.
    Skipped,
    /// Rows that failed in an earlier step and are asked about.
    AskedAgain,
    /// Values such as `NaN` that were read as null.
    NotNumbers,
}

impl Notes {
    /// The notes since the last call, each once, as lowercase fragments.
    pub fn take(&self) -> Vec<Hint> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = noted.said.iter().skip(noted.taken).cloned().collect();
        noted.taken = noted.said.len();
        new
    }

    /// The notes since the last call, and counts of rows and values that were read in an unusual way: for the end of
    /// a run.
    pub fn take_all(&self) -> Vec<Hint> {
        let mut notes = self.take();
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner).counts;
        for (counted, count) in Counted::ALL.into_iter().zip(counts) {
            if count > 0 {
                notes.push(counted.sentence(count));
            }
        }
        notes
    }

    /// Adds `note`, unless it was added before.
    pub(crate) fn say(&self, note: impl Into<Hint>) {
        let (note, mut noted) = (note.into(), self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if !noted.said.contains(&note) {
            noted.said.push(note);
        }
    }

    /// Adds `more` to a count.
    pub(crate) fn count(&self, counted: Counted, more: u64) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = noted.counts.get_mut(counted as usize) {
            *count += more;
        }
    }
}

impl Counted {
    const ALL: [Self; 4] = [Self::FailedAgain, Self::Skipped, Self::AskedAgain, Self::NotNumbers];

    fn sentence(self, count: u64) -> Hint {
        let rows = if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
        let failed = format!("{rows} of the input failed in an earlier step");
        match self {
            Self::FailedAgain => Hint::from(format!("{failed}: not asked about, the error is kept; "))
                .with(Setting::FailedRows.exactly("skip"))
                .with(" skips such rows, ")
                .with(Setting::FailedRows.exactly("ask"))
                .with(" asks about them"),
            Self::Skipped => format!("{failed}: skipped").into(),
            Self::AskedAgain => format!("{failed}: asked about again").into(),
            Self::NotNumbers => {
                let values = if count == 1 { "value was" } else { "values were" };
                format!("in the input, {count} {values} `NaN` or `Infinity` and read as null").into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_taken_once_and_counts_come_at_the_end() {
        let notes = Notes::default();
        notes.say("a");
        notes.say("a");
        assert_eq!(notes.clone().take(), ["a".into()]);
        notes.say("b");
        notes.count(Counted::Skipped, 2);
        let skipped = "2 rows of the input failed in an earlier step: skipped";
        assert_eq!(notes.take_all(), ["b".into(), skipped.into()]);
        assert_eq!(notes.take(), []);
    }
}
