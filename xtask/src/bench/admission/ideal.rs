//! The time of an ideal client, which knows the limits and wastes none of them: the rows in input order under the
//! simulator's own rules.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use rowcall_sim::quota::{Admission, Limits, Quota, Wait};
use rowcall_sim::{Forecast, Scenario};

use crate::Result;

/// From the first request to the last answer. With limited slots it is the greedy list schedule, otherwise the last
/// admission that the quota allows plus that row's latency.
///
/// # Errors
/// A row that the quota never admits.
pub(crate) fn ideal(scenario: &Scenario, rows: &[Forecast]) -> Result<Duration> {
    let in_flight = scenario.quota.as_ref().and_then(|limits| limits.in_flight);
    match (scenario.slots.map(|slots| slots.places.into()).or(in_flight), &scenario.quota) {
        (Some(slots), _) => Ok(list_schedule(slots, rows)),
        (None, Some(limits)) => {
            let last_admission = admissions(limits, rows)?.last().copied().unwrap_or_default();
            Ok(last_admission + rows.last().map_or(Duration::ZERO, |row| row.latency))
        }
        (None, None) => Ok(rows.iter().map(|row| row.latency).max().unwrap_or_default()),
    }
}

/// When the last row is done if each gets the first free slot.
fn list_schedule(slots: u64, rows: &[Forecast]) -> Duration {
    let mut free_at: BinaryHeap<_> = (0..slots).map(|_| Reverse(Duration::ZERO)).collect();
    for row in rows {
        let begin = free_at.pop().map_or(Duration::ZERO, |Reverse(begin)| begin);
        free_at.push(Reverse(begin.saturating_add(row.latency)));
    }
    free_at.into_iter().map(|Reverse(end)| end).max().unwrap_or_default()
}

/// When each row is admitted if it is requested as early as possible.
fn admissions(limits: &Limits, rows: &[Forecast]) -> Result<Vec<Duration>> {
    let mut quota = Quota::new(limits);
    let mut now = Duration::ZERO;
    let mut admit = |row: &Forecast| loop {
        let wait = match quota.admit(now, row.need) {
            Admission::Admitted => return Ok(now),
            Admission::Refused(refusal) => match refusal.wait {
                Wait::For(wait) => wait,
                Wait::ForAnotherToEnd | Wait::Forever => {
                    return Err(format!("a row never fits into {:?}", refusal.dimension));
                }
            },
            Admission::TooFast(wait) | Admission::Closed(wait) => wait,
        };
        now = now.saturating_add(wait);
    };
    rows.iter().map(&mut admit).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rowcall_sim::{Forecast, Scenario};

    use super::super::rows::{Texts, request};
    use super::super::story::STORIES;
    use super::{admissions, ideal};

    /// The ideal for this many short rows under this quota, with answers after one second.
    fn seconds(limits: &str, rows: usize) -> f64 {
        let file = format!("about = 'a test'\n[latency.fixed]\nseconds = 1\n{limits}");
        let scenario = Scenario::from_toml(&file).unwrap();
        let rows: Vec<_> = (0..rows)
            .map(|row| scenario.forecast(0, request(&row.to_string()).as_bytes()).unwrap())
            .collect();
        ideal(&scenario, &rows).unwrap().as_secs_f64()
    }

    #[test]
    fn the_ideal_is_the_last_possible_admission_and_its_latency() {
        let quota = "[quota]\nburst_seconds = 1\nrequests_per_minute = 600\n";
        for (limits, rows, expected, why) in [
            (quota.to_owned(), 10, 1.0, "all fit into the burst"),
            (quota.to_owned(), 110, 11.0, "ten a second after the burst of ten"),
            (
                format!("{quota}[[quota.changes]]\nafter_seconds = 5\nrequests_per_minute = 300\n"),
                110,
                16.0,
                "60 by then, and five a second",
            ),
            (
                format!("{quota}[[quota.closed]]\nfrom_seconds = 5.01\nfor_seconds = 3\n"),
                110,
                13.0,
                "60 by then, three seconds later the bucket of ten is full",
            ),
            ("[slots]\nplaces = 4\n".to_owned(), 9, 3.0, "three rounds"),
            ("[quota]\nin_flight = 4\n".to_owned(), 8, 2.0, "two rounds"),
        ] {
            let found = seconds(limits.as_str(), rows);
            assert!((found - expected).abs() < 0.05, "{found} instead of {expected}: {why}");
        }
    }

    #[test]
    fn a_ramp_is_simulated_like_a_quota() {
        // 4 at once and 4 τ (2^(t/1) - 1) until t, with τ = 1 / ln 2: 3 × 4 / ln 2 = 17.3 in two seconds.
        let found = seconds("[quota.ramp]\nfrom_per_second = 4\ndoubling_seconds = 1\n", 21);
        assert!((found - 3.0).abs() < 0.05, "{found}");
    }

    #[test]
    fn a_row_that_never_fits_is_an_error() {
        let scenario = Scenario::from_toml("about = 'a test'\n[quota]\ntokens_per_minute = 9").unwrap();
        let rows = [scenario.forecast(0, request("Ann").as_bytes()).unwrap()];
        assert_eq!(ideal(&scenario, &rows), Err("a row never fits into Tokens".to_owned()));
    }

    #[test]
    fn every_scenario_takes_ten_to_twenty_seconds_and_its_last_row_ends_last() {
        // Scenarios with the same rows get the same answers, and reading long rows takes time.
        let mut known: Vec<((Texts, u64), Vec<Forecast>)> = Vec::new();
        for story in STORIES.iter().filter(|story| !story.is_its_own_baseline()) {
            let scenario = story.scenario().unwrap();
            let asked = (story.texts, story.rows);
            if !known.iter().any(|(other, _)| *other == asked) {
                let texts = story.texts.make(story.rows);
                let forecast = |text: &String| scenario.forecast(0, request(text).as_bytes()).unwrap();
                known.push((asked, texts.iter().map(forecast).collect()));
            }
            let (_, rows) = known.iter().find(|(other, _)| *other == asked).unwrap();
            let found = ideal(&scenario, rows).unwrap();
            let range = Duration::from_secs(10)..Duration::from_secs(20);
            assert!(range.contains(&found), "{}: {found:?}", story.name);
            if let Some(limits) = scenario.quota.as_ref().filter(|limits| limits.in_flight.is_none()) {
                let admissions = admissions(limits, rows).unwrap();
                let last = admissions.iter().zip(rows).map(|(admission, row)| *admission + row.latency).max();
                assert_eq!(last, Some(found), "{}", story.name);
            }
        }
    }
}
