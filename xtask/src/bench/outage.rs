//! `cargo xtask bench outage`: a server fails all requests for a time in the middle of a run with default settings.
//! Measures which rows fail because of it, and how long after the outage answers are as frequent as before.

#![expect(clippy::disallowed_methods, reason = "cells begin one after another, by the wall clock")]

mod cell;
mod recovery;

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use self::cell::{Cell, Ended, HOWS, How};
use crate::{Result, binaries, option};

/// The default lengths of an outage, in seconds.
const LASTING: [u64; 2] = [20, 60];

/// The longest time allowed until the full rate is reached again, in seconds.
const MOST_SECONDS: f64 = 2.0;

/// Cells start one after another, so that not all are busy at once; they wait most of the time.
const APART: Duration = Duration::from_secs(4);

/// The options of the command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// How the server fails; empty for all ways.
    only: Vec<&'static How>,
    /// For how many seconds; [`LASTING`] if empty.
    seconds: Vec<u64>,
}

impl Options {
    /// Parses the options in `words`, or returns what is wrong with them.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self { only: vec![], seconds: vec![] };
        let mut words = words.iter();
        while let Some(&option) = words.next() {
            match option {
                "--only" => {
                    let name = words.next().ok_or_else(|| format!("`{option}` needs a value"))?;
                    options.only.push(known(name)?);
                }
                "--seconds" => options.seconds.push(option::number(option, &mut words, 1)?),
                _ => return Err(option::unknown(option)),
            }
        }
        Ok(options)
    }

    fn cells(&self) -> Vec<Cell> {
        let hows: Vec<&How> = if self.only.is_empty() { HOWS.iter().collect() } else { self.only.clone() };
        let lasting = if self.seconds.is_empty() { &LASTING[..] } else { &self.seconds };
        let cells = hows.into_iter().flat_map(|how| lasting.iter().map(move |seconds| (how, *seconds)));
        // The longest first: if nothing is answered, rows wait for as long as an attempt may take.
        let mut cells: Vec<_> = cells.map(|(how, seconds)| Cell { how, seconds }).collect();
        cells.sort_by_key(|cell| std::cmp::Reverse((cell.how.leaves_rows_hanging, cell.seconds)));
        cells
    }
}

fn known(name: &str) -> Result<&'static How> {
    HOWS.iter().find(|how| how.name == name).ok_or_else(|| {
        let names: Vec<_> = HOWS.iter().map(|how| how.name).collect();
        format!("unknown outage `{name}` (known: {})", names.join(", "))
    })
}

/// Plays all at once, prints and evaluates.
///
/// # Errors
/// A program that does not build or start, and outages that make rows fail or slow a run down for long.
pub(crate) fn run(options: &Options) -> Result<()> {
    let rowcall = binaries::release("rowcall-cli")?;
    let cells = options.cells();
    println!("{} rows, default options\n", cell::ROWS);
    println!("| outage | duration | rows failed | full rate after | whole run | requests |");
    println!("|---|---|---|---|---|---|");
    let problems = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for cell in &cells {
            let (rowcall, problems) = (&rowcall, &problems);
            scope.spawn(move || play(*cell, rowcall, problems));
            thread::sleep(APART);
        }
    });
    let problems = problems.into_inner().unwrap_or_else(PoisonError::into_inner);
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

fn play(cell: Cell, rowcall: &Path, problems: &Mutex<Vec<String>>) {
    let ended = cell.play(rowcall);
    if let Ok(ended) = &ended {
        println!("{}", line(cell, ended));
    }
    let problem = match ended {
        Ok(ended) => judged(&ended),
        Err(problem) => Some(problem),
    };
    if let Some(problem) = problem {
        let mut problems = problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.push(format!("{} for {} s: {problem}", cell.how.name, cell.seconds));
    }
}

fn line(cell: Cell, ended: &Ended) -> String {
    let full = ended.full_rate_after.map_or("never".to_owned(), |seconds| format!("{seconds:.1} s"));
    format!(
        "| {} | {} s | {} | {full} | {:.0} s | {} |",
        cell.how.about, cell.seconds, ended.failed, ended.seconds, ended.requests
    )
}

fn judged(ended: &Ended) -> Option<String> {
    match (ended.failed, ended.full_rate_after) {
        (0, Some(seconds)) if seconds <= MOST_SECONDS => None,
        (0, Some(seconds)) => {
            Some(format!("the full rate was reached again after {seconds:.1} s, expected {MOST_SECONDS} s"))
        }
        (0, None) => Some("the full rate was never reached again".to_owned()),
        (failed, _) => Some(format!("{failed} rows failed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_checked() {
        let all = Options::parse(&[]).expect("no options");
        assert_eq!(all.cells().len(), HOWS.len() * LASTING.len());
        let some =
            Options::parse(&["--only", "502", "--seconds", "5", "--only", "refused"]).expect("options");
        let cells: Vec<_> = some.cells().iter().map(|cell| (cell.how.name, cell.seconds)).collect();
        assert_eq!(cells, [("502", 5), ("refused", 5)]);
        for (words, expected) in [
            (&["--only"][..], "`--only` needs a value"),
            (&["--seconds", "0"], "`0` is not a valid value for `--seconds`, expected a number from 1"),
            (&["--fast"], "unknown option `--fast`"),
        ] {
            assert_eq!(Options::parse(words), Err(expected.to_owned()));
        }
        let unknown = Options::parse(&["--only", "500"]).unwrap_err();
        assert!(unknown.starts_with("unknown outage `500` (known: 502, "), "{unknown}");
    }

    #[test]
    fn failed_rows_and_slow_recoveries_are_reported() {
        let ended = |failed, full_rate_after| Ended { failed, full_rate_after, seconds: 30.0, requests: 1 };
        assert_eq!(judged(&ended(0, Some(2.0))), None);
        for bad in [ended(1, Some(1.0)), ended(0, Some(2.1)), ended(0, None)] {
            assert!(judged(&bad).is_some(), "{bad:?}");
        }
    }
}
