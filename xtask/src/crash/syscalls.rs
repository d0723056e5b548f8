//! Kills just before a run writes to its journal, syncs it, or removes a part of it, at one call after another.

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use super::case::{Case, tried};
use super::instants::SIGKILL;
use super::strace::{self, Moment};
use super::tally::Tally;
use super::workload::{Workload, read};
use crate::Result;

/// Runs of one case that are killed: the one that makes the journal, and the one that resumes it. Making it takes the
/// main thread about thirty calls, whose numbers hide those of the writing thread; resuming takes it about five.
const KILLS: u64 = 2;

/// A line is printed after this many cases.
const LINE: usize = 50;

/// Kills runs at each of their calls on the journal, or at `most` of them, evenly spread.
///
/// # Errors
/// Too many failed cases, and a strace that sees calls but kills no run at any of them.
pub(super) fn kill(workload: &Workload, most: usize, tally: &mut Tally) -> Result<()> {
    let mut moments = Vec::new();
    tried(workload, "calls", tally, |case, _| {
        let log = workload.folder.join("calls.log");
        ended(case, strace::noting(&log, &case.journal()))?;
        moments = strace::moments(&read(&log)?, &case.journal());
        Ok(())
    })?;
    let all = moments.len();
    if all == 0 {
        return Err("strace saw no run write to its journal".to_owned());
    }
    let mut chosen: VecDeque<Moment> = evenly(moments, most).into();
    println!(
        "a run of {} rows makes {all} such system calls; {} are tried",
        workload.size.rows,
        chosen.len()
    );
    let mut cases = 0;
    while let Some(moment) = chosen.pop_front() {
        let kills = tally.syscall_kills;
        let name = format!("{}{}-{}", moment.call, moment.file, moment.nth);
        tried(workload, &name, tally, |case, tally| kill_at(case, &moment, tally))?;
        cases += 1;
        // The number of calls of a run varies: if all are tried, continue until a run completes.
        let is_last = chosen.front().is_none_or(|next| (next.file, next.call) != (moment.file, moment.call));
        if is_last && all <= most && cases < most && tally.syscall_kills > kills {
            chosen.push_front(Moment { nth: moment.nth + 1, ..moment });
        }
        if cases % LINE == 0 || chosen.is_empty() {
            let kills = tally.syscall_kills.unwrap_or_default();
            println!("{cases} calls tried, {} left, {kills} kills", chosen.len());
        }
    }
    if tally.syscall_kills.is_none() {
        return Err(format!("strace killed no run at any of {cases} calls, which proves nothing"));
    }
    Ok(())
}

/// Kills the run that makes the journal at `moment`, and the one that resumes it as well, if they reach it.
fn kill_at(case: &mut Case<'_>, moment: &Moment, tally: &mut Tally) -> Result<()> {
    for _ in 0..KILLS {
        if ended(case, strace::killing_at(moment, &case.journal()))? == Ended::ByItself {
            break;
        }
        tally.syscall_kills = Some(tally.syscall_kills.unwrap_or_default() + 1);
        case.killed(tally)?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    ByItself,
    Killed,
}

/// Runs to the end under strace, which ends as the run does.
fn ended(case: &Case<'_>, mut strace: Command) -> Result<Ended> {
    strace.arg(&case.workload.program);
    let status = case.run_under(strace)?.status().map_err(|error| format!("cannot run strace: {error}"))?;
    if status.signal() == Some(SIGKILL) {
        return Ok(Ended::Killed);
    }
    case.expect_success(status)?;
    Ok(Ended::ByItself)
}

/// `most` of `all`, evenly spaced; all if there are no more.
pub(super) fn evenly<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let (count, most) = (all.len(), most.min(all.len()));
    let chosen = |at: &usize| (at + 1) * most / count > at * most / count;
    all.into_iter().enumerate().filter(|(at, _)| chosen(at)).map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::evenly;

    #[test]
    fn the_chosen_calls_are_evenly_spaced() {
        for (count, most, expected) in [
            (6, 3, vec![1, 3, 5]),
            (5, 2, vec![2, 4]),
            (3, 9, vec![0, 1, 2]),
            (4, 1, vec![3]),
            (4, 0, vec![]),
            (0, 4, vec![]),
        ] {
            assert_eq!(evenly((0..count).collect(), most), expected, "{most} of {count}");
        }
    }
}
