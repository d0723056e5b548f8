//! A journal's summary in a sentence.

use indicatif::HumanCount;

use super::failures::FailureGroup;
use super::field::WHOLE;
use super::text::{Escaped, cut, one_line};
use super::{ReportTotals, RunState};
use crate::summary::counted;

/// The length of the reason in a verdict, in bytes.
const LONGEST_REASON: usize = 160;

/// The verdict: how many rows have no value, and mostly why. Before the end of a run, it is only about the rows that have ended.
pub(crate) fn verdict(totals: &ReportTotals, failures: &[FailureGroup], state: RunState) -> String {
    let is_complete = state == RunState::Complete;
    let which = match (is_complete, totals.rows) {
        (true, _) => "",
        (false, 1) => " that has ended",
        (false, _) => " that have ended",
    };
    let rows = format!("{}{which}", counted(totals.rows, "row"));
    let verdict = match (totals.rows, totals.failed, failures.first()) {
        (0, _, _) if is_complete => "The input has no rows.".to_owned(),
        (0, _, _) => "No row has ended yet.".to_owned(),
        (1, 0, _) => format!("The only row{which} has a value."),
        (_, 0, _) => format!("All {rows} have a value."),
        (_, failed, largest) => {
            let have = if failed == 1 { "has" } else { "have" };
            let share = percent(failed as f64 / totals.rows as f64);
            let mut verdict = format!("{} of {rows} ({share}) {have} no value.", HumanCount(failed));
            if let Some(group) = largest {
                let of = if failed == 1 {
                    "It".to_owned()
                } else if group.rows == failed {
                    "All of them".to_owned()
                } else {
                    format!("{} of them", HumanCount(group.rows))
                };
                let fields = group.fields.iter().filter(|field| *field != WHOLE);
                let fields: Vec<_> = fields.map(|field| format!("`{field}`")).collect();
                let at = if fields.is_empty() { String::new() } else { format!(" at {}", fields.join(", ")) };
                let why = one_line(&cut(&group.message, LONGEST_REASON, Escaped::No));
                let why = why.trim_end_matches('.');
                verdict.push_str(&format!(" {of}: {}{at}: {why}.", group.kind));
            }
            verdict
        }
    };
    match state {
        RunState::NotComplete => format!("{verdict} The run did not finish."),
        RunState::Running | RunState::Complete => verdict,
    }
}

/// A share as a percentage. A share above 0 never reads as `0 %`, and one below 1 never as `100 %`.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        p if p > 0.0 && p < 0.1 => "under 0.1 %".to_owned(),
        p if p > 99.9 && p < 100.0 => "over 99.9 %".to_owned(),
        p if p.fract() == 0.0 => format!("{p:.0} %"),
        p => format!("{p:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_neither_nothing_nor_all_unless_they_are() {
        for (share, text) in [
            (0.0, "0 %"),
            (0.000_01, "under 0.1 %"),
            (0.031, "3.1 %"),
            (0.5, "50 %"),
            (0.999_99, "over 99.9 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(percent(share), text);
        }
    }
}
