//! Kills where a run is about to write to its journal, to sync it, or to remove a part of it, one call after the other.

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use super::case::{Case, tried};
use super::instants::SIGKILL;
use super::strace::{self, Moment};
use super::tally::Tally;
use super::workload::{Workload, read};
use crate::Result;

/// Runs of one case that are killed: one that makes the journal, and the one that resumes it. Making it takes the main thread
/// about thirty calls, behind whose numbers those of the writing thread are hidden; to resume takes it about five.
const KILLS: u64 = 2;

/// After so many cases a line is printed.
const LINE: usize = 50;

/// Kills runs at each of their calls on the journal, or at `most` of these that are spread over all.
///
/// # Errors
/// Too many cases that are not as they must be, and a strace that sees calls and kills nobody at any of them.
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
        return Err("strace has seen no run write to its journal".to_owned());
    }
    let mut chosen: VecDeque<Moment> = spread(moments, most).into();
    println!("a run of {} rows makes {all} such calls; {} are tried", workload.size.rows, chosen.len());
    let mut cases = 0;
    while let Some(moment) = chosen.pop_front() {
        let kills = tally.syscall_kills;
        let name = format!("{}{}-{}", moment.call, moment.file, moment.nth);
        tried(workload, &name, tally, |case, tally| kill_at(case, &moment, tally))?;
        cases += 1;
        // How many calls a run makes is a matter of luck: where all are tried, it is gone on until one comes to its end.
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
        return Err(format!("strace has killed no run at any of {cases} calls, which proves nothing"));
    }
    Ok(())
}

/// Kills the run that makes the journal at `moment`, and the one that resumes it as well, if they come to it.
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

/// Lets a run end under strace, which ends as the run does.
fn ended(case: &Case<'_>, mut strace: Command) -> Result<Ended> {
    strace.arg(&case.workload.program);
    let status = case.run_under(strace)?.status().map_err(|error| format!("cannot run strace: {error}"))?;
    if status.signal() == Some(SIGKILL) {
        return Ok(Ended::Killed);
    }
    case.expect_success(status)?;
    Ok(Ended::ByItself)
}

/// `most` of `all`, at equal distances; all if they are no more.
fn spread<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let (count, most) = (all.len(), most.min(all.len()));
    let chosen = |at: &usize| (at + 1) * most / count > at * most / count;
    all.into_iter().enumerate().filter(|(at, _)| chosen(at)).map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn so_many_are_chosen_at_equal_distances() {
        for (count, most, expected) in [
            (6, 3, vec![1, 3, 5]),
            (5, 2, vec![2, 4]),
            (3, 9, vec![0, 1, 2]),
            (4, 1, vec![3]),
            (4, 0, vec![]),
            (0, 4, vec![]),
        ] {
            assert_eq!(spread((0..count).collect(), most), expected, "{most} of {count}");
        }
    }
}
