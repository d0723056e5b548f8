//! Outages in virtual time: which attempts probe, what is blamed, and when it is over.

use futures_util::future::join_all;

use super::*;

fn failed(failing: Failing) -> Settlement {
    Settlement::Failed { failing, retry_after: None }
}

async fn answered(admission: &Arc<Admission>) {
    admission.admit_free(NEED, None).await.settle(usage(1), Cost::default(), &[], &mut Strikes::default());
}

/// Each of these rows makes one attempt, which fails.
async fn fail(admission: &Arc<Admission>, rows: &mut [Strikes], failing: Failing) -> Vec<Blame> {
    let permits = join_all(rows.iter().map(|_| admission.admit_free(NEED, None))).await;
    let settle =
        |(permit, row): (Permit, &mut Strikes)| permit.settle(failed(failing), Cost::default(), &[], row);
    permits.into_iter().zip(rows).map(settle).collect()
}

#[tokio::test(start_paused = true)]
async fn rows_keep_their_retries_and_single_attempts_probe_until_one_is_answered() {
    for failing in [Failing::Unreachable, Failing::Unanswered, Failing::Gateway, Failing::Server] {
        let admission = Admission::new();
        answered(&admission).await;
        let mut rows = [Strikes::default(); 16];
        let blames = fail(&admission, &mut rows, failing).await;
        assert_eq!(blames[6..8], [Blame::Row, Blame::Account(Duration::ZERO)], "{failing:?}");
        let started = Instant::now();
        let mut probes = 0;
        while started.elapsed() < Duration::from_mins(5) {
            let mut row = Strikes::default();
            let permit = admission.admit_free(NEED, None).await;
            assert_eq!((permit.waited_for(), admission.lock().in_flight), (Some(Bound::Server), 1));
            let blame = permit.settle(failed(failing), Cost::default(), &[], &mut row);
            assert!(matches!(blame, Blame::Account(_)) && row.count() == 0, "{blame:?}");
            probes += 1;
        }
        assert!((300..400).contains(&probes), "{probes} in five minutes");
        answered(&admission).await;
        let back = Instant::now();
        let permits = join_all((0..64).map(|_| admission.admit_free(NEED, None))).await;
        assert!(back.elapsed() < Duration::from_millis(100), "{:?}", back.elapsed());
        drop(permits);
        // Failures from before the outage was recognised are forgiven as well.
        fail(&admission, &mut rows[..1], failing).await;
        assert_eq!(rows[0].count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_that_fails_while_others_succeed_is_to_blame() {
    let admission = Admission::new();
    let mut sick = [Strikes::default(); 3];
    for attempt in 1..=4 {
        answered(&admission).await;
        assert_eq!(fail(&admission, &mut sick[..1], Failing::Server).await, [Blame::Row]);
        assert_eq!(sick[0].count(), attempt);
    }
    // At the end of a run only such rows are left.
    fail(&admission, &mut sick[1..], Failing::Server).await;
    answered(&admission).await;
    for _ in 0..4 {
        assert_eq!(fail(&admission, &mut sick, Failing::Server).await, [Blame::Row; 3]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_single_row_does_not_indicate_an_outage() {
    let admission = Admission::new();
    answered(&admission).await;
    let mut row = [Strikes::default()];
    for attempt in 1..=20 {
        assert_eq!(fail(&admission, &mut row, Failing::Gateway).await, [Blame::Row]);
        assert_eq!(row[0].count(), attempt);
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_met_by_a_few_rows_is_believed_for_a_minute() {
    let admission = Admission::new();
    answered(&admission).await;
    let mut rows = [Strikes::default(); 3];
    fail(&admission, &mut rows, Failing::Server).await;
    let started = Instant::now();
    while rows[0].count() < 6 {
        for row in &mut rows {
            admission.admit_free(NEED, None).await.settle(failed(Failing::Server), Cost::default(), &[], row);
        }
    }
    assert_eq!(started.elapsed().as_secs(), 60);
}

/// Even with few rows left, and even if the first response is a page.
#[tokio::test(start_paused = true)]
async fn a_web_page_is_an_outage_at_once() {
    for has_answered in [true, false] {
        let admission = Admission::new();
        if has_answered {
            answered(&admission).await;
        }
        let mut row = [Strikes::default()];
        let started = Instant::now();
        let mut blame = fail(&admission, &mut row, Failing::Page).await;
        while matches!(blame[..], [Blame::Account(_)]) {
            assert_eq!(row[0].count(), 0);
            blame = fail(&admission, &mut row, Failing::Page).await;
        }
        // A page may be the row's fault after all; if nothing else ever came, the address is wrong.
        let (blamed, after) = if has_answered { (Blame::Row, 360) } else { (Blame::Setup, 60) };
        let took = started.elapsed().as_secs();
        assert_eq!((&blame[..], (after..after + 3).contains(&took)), (&[blamed][..], true), "{took} s");
        for failures in 1..20 {
            assert_eq!(fail(&admission, &mut row, Failing::Page).await, [blamed]);
            assert_eq!(row[0].count(), failures);
        }
        // After an answer, pages are an outage again.
        answered(&admission).await;
        let fresh = fail(&admission, &mut [Strikes::default()], Failing::Page).await;
        assert_eq!(fresh, [Blame::Account(Duration::ZERO)]);
    }
}

/// A run of a few rows whose address is that of a website: it ends soon, and after few requests.
#[tokio::test(start_paused = true)]
async fn a_few_rows_that_only_ever_get_pages_use_up_their_retries_after_a_minute() {
    for count in [1, 3, 7] {
        let admission = Admission::new();
        let mut rows = vec![Strikes::default(); count];
        let started = Instant::now();
        let mut requests = 0;
        let last = loop {
            let blames = {
                let mut blames = Vec::new();
                for row in &mut rows {
                    blames.extend(fail(&admission, std::slice::from_mut(row), Failing::Page).await);
                }
                blames
            };
            requests += count;
            if rows.iter().any(|row| row.count() > 5) {
                break blames;
            }
        };
        assert_eq!(last[0], Blame::Setup, "{count}");
        let took = started.elapsed().as_secs();
        assert!((60..63).contains(&took), "{count} rows: {took} s");
        assert!(requests < 55 + 7 * count, "{count} rows: {requests} requests");
    }
}

/// The rows that come next do not each wait for the same outage again.
#[tokio::test(start_paused = true)]
async fn after_an_outage_that_was_not_believed_another_takes_eight_rows() {
    for failing in [Failing::Page, Failing::Gateway] {
        let admission = Admission::new();
        answered(&admission).await;
        let mut rows = [Strikes::default(); 2];
        while rows[0].count() < 2 {
            fail(&admission, &mut rows, failing).await;
        }
        for nth in 1..=8 {
            let blame = fail(&admission, &mut [Strikes::default()], failing).await;
            assert_eq!(matches!(blame[..], [Blame::Account(_)]), nth == 8, "{failing:?}, {nth}: {blame:?}");
        }
    }
}

/// A server that asks for more than the idle gap is still the same outage.
#[tokio::test(start_paused = true)]
async fn an_outage_grows_while_the_server_asks_for_long_waits() {
    let admission = Admission::new();
    answered(&admission).await;
    let mut rows = [Strikes::default(); 8];
    fail(&admission, &mut rows, Failing::Gateway).await;
    let retry_after = Some(Duration::from_secs(90));
    let mut lasted = Vec::new();
    for row in &mut rows[..5] {
        let settlement = Settlement::Failed { failing: Failing::Gateway, retry_after };
        let permit = admission.admit_free(NEED, None).await;
        let Blame::Account(duration) = permit.settle(settlement, Cost::default(), &[], row) else {
            panic!("not an outage after {lasted:?}")
        };
        lasted.push(duration.as_secs());
    }
    assert_eq!(lasted, [0, 90, 180, 270, 360]);
}

#[tokio::test(start_paused = true)]
async fn a_page_among_many_attempts_is_not_yet_an_outage() {
    let admission = Admission::new();
    answered(&admission).await;
    let others = join_all((0..9).map(|_| admission.admit_free(NEED, None))).await;
    let mut row = [Strikes::default()];
    assert_eq!(fail(&admission, &mut row, Failing::Page).await, [Blame::Row]);
    drop(others);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_attempt_frees_its_slot_when_a_later_one_is_answered() {
    let admission = Admission::new();
    answered(&admission).await;
    let limit = admission.concurrency();
    let hanging = join_all((0..limit).map(|_| admission.admit_free(NEED, None))).await;
    let started = Instant::now();
    let probe = admission.admit_free(NEED, None).await;
    assert_eq!(started.elapsed().as_secs(), 5);
    probe.settle(usage(1), Cost::default(), &[], &mut Strikes::default());
    let back = Instant::now();
    let permits = join_all((0..limit).map(|_| admission.admit_free(NEED, None))).await;
    assert!(back.elapsed() < Duration::from_millis(100), "{:?}", back.elapsed());
    drop(hanging);
    drop(permits);
    assert_eq!(admission.lock().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn the_users_own_limit_is_kept_even_if_all_attempts_hang() {
    let admission = with_slots(4);
    answered(&admission).await;
    let _hanging = join_all((0..4).map(|_| admission.admit_free(NEED, None))).await;
    let waits = tokio::time::timeout(Duration::from_mins(9), admission.admit_free(NEED, None)).await;
    assert!(waits.is_err());
}
