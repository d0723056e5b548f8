//! Kills at random instants, spread over a run. A run is killed and resumed several times before it may complete.
#![expect(
    clippy::disallowed_methods,
    reason = "a run is killed by the clock on purpose, wherever it is then"
)]

use std::ops::Range;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Child;

use super::case::{Case, tried};
use super::tally::Tally;
use super::workload::Workload;
use crate::Result;

/// The signal that a process cannot handle.
pub(super) const SIGKILL: i32 = 9;

/// The part of a run in which it is killed.
const PART: Range<f64> = 0.05..0.95;

/// How many kills.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// In total.
    pub(super) kills: u64,
    /// Per run, which is resumed after each.
    pub(super) of_one_run: u64,
}

/// Kills runs until there were enough kills.
///
/// # Errors
/// Too many failed cases, and runs that end before they can be killed.
pub(super) fn kill(
    workload: &Workload,
    plan: Plan,
    rng: &mut fastrand::Rng,
    tally: &mut Tally,
) -> Result<()> {
    // On a machine that was slow before, an instant may come after the end of its run. More than a few such cases are
    // an error.
    let most_cases = 3 * plan.kills.div_ceil(plan.of_one_run);
    for case in 1..=most_cases {
        if tally.kills == plan.kills {
            return Ok(());
        }
        let instants = instants(rng, plan.of_one_run.min(plan.kills - tally.kills));
        tried(workload, &format!("instants-{case}"), tally, |case, tally| {
            for instant in instants {
                if kill_at(case, instant, tally)? == Ended::Before {
                    break;
                }
            }
            Ok(())
        })?;
        println!(
            "{} of {} kills, {} with requests in flight; {} rows possibly paid, {} asked again after an answer",
            tally.kills, plan.kills, tally.in_flight, tally.possibly_paid, tally.answered_twice
        );
    }
    if tally.kills == plan.kills { Ok(()) } else { Err("the runs end before they can be killed".to_owned()) }
}

/// Random instants as shares of a run, in order: one in each of `count` equal parts.
fn instants(rng: &mut fastrand::Rng, count: u64) -> Vec<f64> {
    let width = (PART.end - PART.start) / count as f64;
    (0..count).map(|part| PART.start + width * (part as f64 + rng.f64())).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// The run was over before it could be killed.
    Before,
    Killed,
}

/// Starts or resumes a run and kills it when about this share of all rows is done.
fn kill_at(case: &mut Case<'_>, instant: f64, tally: &mut Tally) -> Result<Ended> {
    let wait = case.workload.wall.mul_f64((instant - case.progress()).max(0.0));
    let mut run = case.run()?.spawn().map_err(|error| format!("cannot start a run: {error}"))?;
    std::thread::sleep(wait);
    let in_flight = case.in_flight();
    let ended = end(&mut run).map_err(|error| format!("the run is lost: {error}"))?;
    if ended.signal() != Some(SIGKILL) {
        case.expect_success(ended)?;
        return Ok(Ended::Before);
    }
    tally.kills += 1;
    tally.in_flight += u64::from(in_flight? > 0);
    case.killed(tally)?;
    Ok(Ended::Killed)
}

/// Sends the signal; returns how the process ended, which may have been earlier.
fn end(process: &mut Child) -> std::io::Result<std::process::ExitStatus> {
    process.kill()?;
    process.wait()
}

#[cfg(test)]
mod tests {
    use super::instants;

    #[test]
    fn instants_are_spread_from_5_to_95_percent() {
        for seed in 0..100 {
            let instants = instants(&mut fastrand::Rng::with_seed(seed), 9);
            assert_eq!(instants.len(), 9);
            for (part, instant) in instants.iter().enumerate() {
                let from = 0.05 + 0.1 * part as f64;
                assert!((from - 1e-9..from + 0.1 + 1e-9).contains(instant), "{instants:?}");
            }
        }
    }
}
