//! What many refusals at once lead to, and what remains of them later, in virtual time.

use std::future::Future;

use futures_util::future::join_all;

use super::*;

const OVERLOADED: Settlement =
    Settlement::Refused(Refusal { retry_after: None, by: None, overloaded: true, slots: None });

const NO_REQUESTS: Settlement = Settlement::Refused(Refusal {
    retry_after: None,
    by: Some(LimitedBy::Amount(Dimension::Requests)),
    overloaded: false,
    slots: None,
});

fn seconds(seconds: u64) -> impl Future<Output = ()> {
    tokio::time::sleep(Duration::from_secs(seconds))
}

/// This many attempts at the same time, which all end alike.
async fn all(admission: &Arc<Admission>, attempts: usize, end: Settlement) {
    let permits = join_all((0..attempts).map(|_| admission.admit_free(NEED, None))).await;
    seconds(1).await;
    for permit in permits {
        permit.settle(end, Cost::default(), &[], &mut Strikes::default());
    }
}

#[tokio::test(start_paused = true)]
async fn many_simultaneous_refusals_for_requests_slow_down_once() {
    let admission = with_slots(200);
    all(&admission, 200, NO_REQUESTS).await;
    let started = Instant::now();
    for _ in 0..3 {
        admission.admit_free(NEED, None).await.settle(
            usage(100),
            Cost::default(),
            &[],
            &mut Strikes::default(),
        );
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn overload_of_all_slots_takes_off_a_tenth_which_comes_back() {
    let admission = with_slots(64);
    all(&admission, 64, OVERLOADED).await;
    assert_eq!(admission.concurrency(), 57);
    let back = async || {
        admission.admit_free(NEED, None).await.settle(
            usage(1),
            Cost::default(),
            &[],
            &mut Strikes::default(),
        );
    };
    back().await;
    // Refusals of attempts sent since then are new.
    all(&admission, 57, OVERLOADED).await;
    assert_eq!(admission.concurrency(), 51);
    back().await;
    let mut limits = Vec::new();
    for _ in 0..16 {
        all(&admission, admission.concurrency(), Settlement::Unknown).await;
        limits.push(admission.concurrency());
    }
    assert_eq!(limits, [51, 51, 51, 57, 57, 57, 57, 63, 63, 63, 63, 64, 64, 64, 64, 64]);
}

#[tokio::test(start_paused = true)]
async fn only_time_in_which_the_account_was_asked_counts_as_limited() {
    let admission = Admission::new();
    let refused = async |retry_after: Option<u64>| {
        let retry_after = retry_after.map(Duration::from_secs);
        let refusal = Refusal { retry_after, by: None, overloaded: true, slots: None };
        // One refusal with a time may be chance; five concern the account.
        for _ in 0..if retry_after.is_some() { 5 } else { 1 } {
            admission.admit_free(NEED, None).await.settle(
                Settlement::Refused(refusal),
                Cost::default(),
                &[],
                &mut Strikes::default(),
            );
        }
        admission.limited_for().as_secs()
    };
    assert_eq!(refused(None).await, 0);
    seconds(30).await;
    assert_eq!(refused(None).await, 30);
    // The earlier attempts were given up; the next comes an hour later.
    seconds(3600).await;
    assert_eq!(refused(Some(300)).await, 0);
    // A wait that the server requested counts as being limited.
    assert_eq!(refused(None).await, 300);
    // A long attempt is not idle time.
    let permit = admission.admit_free(NEED, None).await;
    seconds(200).await;
    let failed = Settlement::Failed { failing: Failing::Unanswered, retry_after: None };
    permit.settle(failed, Cost::default(), &[], &mut Strikes::default());
    seconds(30).await;
    assert_eq!(refused(None).await, 530);
}

#[tokio::test(start_paused = true)]
async fn an_unused_permit_is_given_back_in_full() {
    let admission = with_slots(1);
    admission.apply(Limit::PerMinute(Dimension::Requests, Some(60.0)));
    let started = Instant::now();
    for _ in 0..3 {
        let held = admission.admit_free(NEED, None).await;
        let mut waits = Box::pin(admission.admit_free(NEED, None));
        assert!((&mut waits).now_or_never().is_none());
        // It is granted now, and dropped before it noticed.
        held.hand_back();
        drop(waits);
    }
    for _ in 0..6 {
        admission.admit_free(NEED, None).await.settle(
            Settlement::Unknown,
            Cost::default(),
            &[],
            &mut Strikes::default(),
        );
    }
    assert_eq!(started.elapsed(), Duration::ZERO, "the whole burst of a tenth of a minute is available");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_concurrency_is_believed_at_once() {
    let admission = Admission::new();
    let permits = join_all((0..4).map(|_| admission.admit_free(NEED, None))).await;
    let too_many =
        Refusal { retry_after: None, by: Some(LimitedBy::Concurrency), overloaded: false, slots: None };
    for (nth, permit) in permits.into_iter().enumerate() {
        let end = if nth < 3 { Settlement::Unknown } else { Settlement::Refused(too_many) };
        permit.settle(end, Cost::default(), &[], &mut Strikes::default());
    }
    assert_eq!(admission.concurrency(), 3);
}

/// LiteLLM says `Current limit: 3`.
#[tokio::test(start_paused = true)]
async fn a_server_that_names_its_concurrency_limit_is_believed() {
    for (slots, ceiling) in [(3, 3), (5, 5), (40, 7)] {
        let admission = Admission::new();
        let mut permits = join_all((0..8).map(|_| admission.admit_free(NEED, None))).await;
        let too_many = Refusal {
            retry_after: None,
            by: Some(LimitedBy::Concurrency),
            overloaded: false,
            slots: Some(slots),
        };
        let last = permits.pop().expect("a permit");
        last.settle(Settlement::Refused(too_many), Cost::default(), &[], &mut Strikes::default());
        assert_eq!(admission.concurrency(), ceiling, "{slots}");
    }
}
