//! `cargo xtask bench refusals`: a server rejects a random share of all requests, like a gateway in front of several
//! deployments. Compares the time of a run with that of a calm one, and with Instructor with a semaphore.

mod cell;

use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use self::cell::{Asker, Cell, Headers, Times, Wait};
use crate::{Result, binaries, option, venv};

/// The shares of requests that are rejected, in thousandths.
const SHARES: [u32; 5] = [5, 10, 20, 50, 100];
const WAITS: [Wait; 3] = [Wait::Seconds(1), Wait::Seconds(30), Wait::Absent];
const HEADERS: [Headers; 2] = [Headers::Left, Headers::Sent];

/// The highest allowed time relative to the calm run, plus one wait; higher where a tenth is rejected.
const MOST_RATIO: f64 = 1.2;
const MOST_RATIO_OF_A_TENTH: f64 = 1.4;

/// Instructor and its client, as in `bench python`.
const PACKAGES: [&str; 2] = ["instructor==1.17.0", "openai==3.3.0"];

/// The options of the command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    at_once: usize,
    instructor: Beside,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nothing,
    Instructor,
}

impl Options {
    /// Parses the options in `words`, or returns what is wrong with them.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self { at_once: 6, instructor: Beside::Instructor };
        let mut words = words.iter();
        while let Some(&option) = words.next() {
            match option {
                "--at-once" => options.at_once = option::number(option, &mut words, 1)?,
                "--no-instructor" => options.instructor = Beside::Nothing,
                _ => return Err(option::unknown(option)),
            }
        }
        Ok(options)
    }

    fn cells(&self) -> Vec<Cell> {
        let askers = [Asker::Twenty, Asker::Auto];
        let rowcall = askers.into_iter().flat_map(|asker| HEADERS.map(|headers| (asker, headers)));
        let beside = match self.instructor {
            Beside::Instructor => Some((Asker::Instructor, Headers::Left)),
            Beside::Nothing => None,
        };
        let mut cells = Vec::new();
        for (asker, headers) in rowcall.chain(beside) {
            // Instructor always sleeps as long as the server says, so half a minute would measure only that.
            let waits =
                WAITS.into_iter().filter(|wait| asker != Asker::Instructor || *wait != Wait::Seconds(30));
            let calm = Cell { asker, headers, refused: None };
            let refused = waits.flat_map(|wait| SHARES.map(|share| (share, wait)));
            cells.push(calm);
            cells.extend(refused.map(|refused| Cell { refused: Some(refused), ..calm }));
        }
        // The longest first.
        cells.sort_by_key(|cell| !matches!(cell.refused, Some((_, Wait::Seconds(30)))));
        cells
    }
}

/// Plays several at once, prints and evaluates.
///
/// # Errors
/// A program that does not build or start, and cells that take too long.
pub(crate) fn run(options: &Options) -> Result<()> {
    let rowcall = binaries::release("rowcall-cli")?;
    let python = match options.instructor {
        Beside::Instructor => Some(venv::python("bench-refusals", &PACKAGES)?),
        Beside::Nothing => None,
    };
    let cells = options.cells();
    let times = play(&cells, &rowcall, python.as_deref(), options.at_once)?;
    print!("{}", table(&times));
    let missed = missed(&times);
    if missed.is_empty() { Ok(()) } else { Err(missed.join("\n")) }
}

fn play(cells: &[Cell], rowcall: &Path, python: Option<&Path>, at_once: usize) -> Result<Vec<(Cell, Times)>> {
    let (next, played) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let times = cell.play(rowcall, python);
                    played.lock().unwrap_or_else(PoisonError::into_inner).push((*cell, times));
                }
            });
        }
    });
    let played = played.into_inner().unwrap_or_else(PoisonError::into_inner);
    played
        .into_iter()
        .map(|(cell, times)| Ok((cell, times.map_err(|problem| format!("{cell}: {problem}"))?)))
        .collect()
}

/// The times of the cell, and of the same client's calm one.
fn beside_calm(times: &[(Cell, Times)], cell: Cell) -> Option<(Times, Times)> {
    let of = |wanted: Cell| times.iter().find(|(cell, _)| *cell == wanted).map(|(_, times)| *times);
    Some((of(cell)?, of(Cell { refused: None, ..cell })?))
}

fn table(times: &[(Cell, Times)]) -> String {
    let columns = [
        (Asker::Twenty, Headers::Left),
        (Asker::Twenty, Headers::Sent),
        (Asker::Auto, Headers::Left),
        (Asker::Auto, Headers::Sent),
        (Asker::Instructor, Headers::Left),
    ];
    let mut text = format!(
        "{} rows; seconds, and in brackets by the calm run's\n\n\
         | refused | `retry-after` | `-c 20` | `-c 20`, limits in headers | auto | auto, limits in headers | Instructor, semaphore of 20 |\n\
         |---|---|---|---|---|---|---|\n",
        cell::ROWS
    );
    let lines = WAITS.into_iter().flat_map(|wait| SHARES.map(|share| Some((share, wait))));
    for refused in [None].into_iter().chain(lines) {
        match refused {
            None => text.push_str("| none | |"),
            Some((share, wait)) => text.push_str(&format!("| {} % | {wait} |", f64::from(share) / 10.0)),
        }
        for (asker, headers) in columns {
            let shown = beside_calm(times, Cell { asker, headers, refused }).map(|(times, calm)| {
                let failed =
                    if times.failed > 0 { format!(", {} failed", times.failed) } else { String::new() };
                format!("{:.1} ({:.2}){failed}", times.seconds, times.seconds / calm.seconds)
            });
            text.push_str(&shown.map_or_else(|| " |".to_owned(), |shown| format!(" {shown} |")));
        }
        text.push('\n');
    }
    text
}

/// rowcall's cells that take too long, or in which rows failed.
fn missed(times: &[(Cell, Times)]) -> Vec<String> {
    let ours = times.iter().filter(|(cell, _)| cell.asker != Asker::Instructor);
    let judged = ours.filter_map(|(cell, times_of)| {
        let (share, wait) = cell.refused?;
        let (_, calm) = beside_calm(times, *cell)?;
        let ratio = if share < 100 { MOST_RATIO } else { MOST_RATIO_OF_A_TENTH };
        let most = ratio * calm.seconds + wait.longest();
        if times_of.failed > 0 {
            return Some(format!("{cell}: {} rows failed", times_of.failed));
        }
        (times_of.seconds > most)
            .then(|| format!("{cell}: {:.1} s, expected at most {most:.1} s", times_of.seconds))
    });
    judged.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_checked() {
        assert_eq!(Options::parse(&[]), Ok(Options { at_once: 6, instructor: Beside::Instructor }));
        let options = Options { at_once: 2, instructor: Beside::Nothing };
        assert_eq!(Options::parse(&["--at-once", "2", "--no-instructor"]), Ok(options));
        assert_eq!(Options::parse(&["--rows"]), Err("unknown option `--rows`".to_owned()));
    }

    #[test]
    fn a_cell_may_take_a_fifth_longer_than_the_calm_one_plus_one_wait() {
        let calm = Cell { asker: Asker::Auto, headers: Headers::Sent, refused: None };
        let refused = |share| Cell { refused: Some((share, Wait::Seconds(30))), ..calm };
        let times = |seconds| Times { seconds, failed: 0 };
        let of = |share, seconds| missed(&[(calm, times(10.0)), (refused(share), times(seconds))]).len();
        assert_eq!([of(50, 42.9), of(50, 43.1), of(100, 43.1), of(100, 45.1)], [0, 1, 0, 1]);
        let failed = Times { seconds: 10.0, failed: 1 };
        assert_eq!(missed(&[(calm, times(10.0)), (refused(5), failed)]).len(), 1);
        assert!(
            table(&[(calm, times(10.0)), (refused(5), times(31.0))])
                .contains("| 0.5 % | 30 s | | | | 31.0 (3.10) | |")
        );
    }
}
