//! The user's limits that end a run early: a deadline, and the number of failed rows. The budget is enforced in `admission/`, for
//! all runs of an account together.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::Problem;
use crate::hint::{Hint, Setting};

/// The number of rows after which a share of failures is judged: one failure in the first three says nothing.
const JUDGED_FROM: u64 = 100;

/// The limits at which a run stops. Requests then in flight are awaited, and what is done is released.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stops {
    /// How long a run may send requests.
    pub deadline: Option<Duration>,
    /// How many rows may fail.
    pub max_failures: Option<MaxFailures>,
}

/// How many of the rows that a run asks about may fail before it stops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxFailures {
    /// This many rows.
    Rows(u64),
    /// This percentage of the rows that have ended, once there are a hundred.
    Percent(f64),
}

impl MaxFailures {
    /// A number of rows such as `20`, or a share such as `2.5%`.
    ///
    /// # Errors
    /// If it is neither.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let trimmed = text.trim();
        let parsed = match trimmed.strip_suffix('%') {
            Some(percent) => percent
                .trim_end()
                .parse()
                .ok()
                .filter(|percent| (0.0..=100.0).contains(percent))
                .map(Self::Percent),
            None => trimmed.parse().ok().map(Self::Rows),
        };
        parsed.ok_or_else(|| {
            Problem::new(format!(
                "`{text}` is not a limit on failures, expected a number of rows or a share such as `5%`"
            ))
        })
    }
}

/// What the deadline has done to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deadline {
    /// Nothing so far, if there is one.
    Ahead,
    /// It has passed, and no row is known that was not finished.
    Passed,
    /// It has passed and left rows unfinished.
    Missed,
}

/// How long a source that has not ended is waited for after the deadline, to see whether there are more rows.
pub(crate) const LAST_LOOK: Duration = Duration::from_millis(100);

/// When a run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// Just now.
    Now,
    /// At an earlier call.
    Before,
}

/// A run's progress towards its limits.
#[derive(Debug)]
pub(crate) struct Progress {
    stops: Stops,
    began: Option<Instant>,
    ended: u64,
    failed: u64,
}

impl Progress {
    /// Progress before the run begins.
    pub(crate) fn new(stops: Stops) -> Self {
        Self { stops, began: None, ended: 0, failed: 0 }
    }

    /// Starts the clock, unless it is already running.
    pub(crate) fn begin(&mut self) -> Begun {
        if self.began.is_some() {
            return Begun::Before;
        }
        self.began = Some(Instant::now());
        Begun::Now
    }

    /// Changes the deadline, which is still counted from the beginning of the run.
    pub(crate) fn set_deadline(&mut self, deadline: Option<Duration>) {
        self.stops.deadline = deadline;
    }

    /// Waits until the deadline; forever if there is none.
    pub(crate) async fn time_is_up(&self) -> Problem {
        let until = self
            .began
            .zip(self.stops.deadline)
            .and_then(|(began, deadline)| Some((began.checked_add(deadline)?, deadline)));
        let Some((until, deadline)) = until else { return std::future::pending().await };
        tokio::time::sleep_until(until).await;
        Problem::new(format!("the deadline of {deadline:?} has passed")).hint(CONTINUE)
    }

    /// Counts the end of a row that was asked about. Returns why the run must stop, if it must.
    pub(crate) fn ended(&mut self, has_value: bool) -> Option<Problem> {
        self.ended += 1;
        self.failed += u64::from(!has_value);
        let (failed, ended) = (self.failed, self.ended);
        let (too_many, allowed) = match self.stops.max_failures? {
            MaxFailures::Rows(rows) => (failed > rows, format!("{rows}")),
            MaxFailures::Percent(percent) => {
                let is_judged = ended >= JUDGED_FROM;
                (is_judged && failed as f64 * 100.0 > percent * ended as f64, format!("{percent} %"))
            }
        };
        too_many.then(|| {
            Problem::new(format!("{failed} of {ended} rows have failed, expected at most {allowed}"))
                .hint(Hint::from("see what failed and why, or allow more with ").with(Setting::MaxFailures))
        })
    }
}

/// The hint for a run that has stopped at a limit.
const CONTINUE: &str = "with a journal, run the same command to continue";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_on_failures_is_a_number_or_a_share() {
        for (text, expected) in [
            ("20", Some(MaxFailures::Rows(20))),
            (" 0 ", Some(MaxFailures::Rows(0))),
            ("2.5%", Some(MaxFailures::Percent(2.5))),
            ("5 %", Some(MaxFailures::Percent(5.0))),
            ("101%", None),
            ("-1", None),
            ("2.5", None),
            ("NaN%", None),
            ("", None),
        ] {
            assert_eq!(MaxFailures::parse(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn too_many_failures_stop_a_run_and_a_share_is_judged_from_a_hundred_rows_on() {
        let stopped_at = |max_failures, fails: fn(u64) -> bool| {
            let stops = Stops { max_failures: Some(max_failures), ..Stops::default() };
            let mut progress = Progress::new(stops);
            (1..=1000).find_map(|row| Some((row, progress.ended(!fails(row))?.message)))
        };
        let third = |row: u64| row.is_multiple_of(3);
        let said = |row, text: &str| Some((row, text.to_owned()));
        assert_eq!(
            stopped_at(MaxFailures::Rows(2), third),
            said(9, "3 of 9 rows have failed, expected at most 2")
        );
        assert_eq!(
            stopped_at(MaxFailures::Percent(10.0), third),
            said(100, "33 of 100 rows have failed, expected at most 10 %")
        );
        assert_eq!(stopped_at(MaxFailures::Percent(33.4), third), None);
        assert_eq!(stopped_at(MaxFailures::Rows(400), third), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_counts_from_the_beginning_of_the_run() {
        let mut progress =
            Progress::new(Stops { deadline: Some(Duration::from_secs(90)), ..Stops::default() });
        tokio::time::sleep(Duration::from_secs(50)).await;
        progress.begin();
        tokio::time::sleep(Duration::from_secs(50)).await;
        progress.begin();
        let before = Instant::now();
        assert_eq!(progress.time_is_up().await.message, "the deadline of 90s has passed");
        assert_eq!(before.elapsed(), Duration::from_secs(40));
    }
}
