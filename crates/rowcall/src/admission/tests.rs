//! Stories of waiting for admission, in virtual time.

use futures_util::FutureExt;

use super::*;

const NEED: Need = Need { bytes: 400, output_limit: Some(0) };

fn usage(input_tokens: u64) -> Settlement {
    Settlement::Exact(Usage { input_tokens, ..Usage::default() })
}

fn places(places: usize) -> Arc<Admission> {
    let admission = Admission::new();
    admission.apply(Limit::Concurrency(places), From::User);
    admission
}

#[tokio::test(start_paused = true)]
async fn places_are_given_in_the_order_of_coming() {
    let admission = places(1);
    let held = admission.admit(NEED).await;
    let mut first = Box::pin(admission.admit(NEED));
    let mut second = Box::pin(admission.admit(NEED));
    assert!((&mut first).now_or_never().is_none());
    assert!((&mut second).now_or_never().is_none());
    held.settle(Settlement::Unknown);
    assert!((&mut second).now_or_never().is_none());
    let Some(permit) = (&mut first).now_or_never() else { panic!("the first waiter is admitted") };
    drop(permit);
    assert!(second.now_or_never().is_some(), "a dropped permit gives back its place");
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_lets_the_next_one_in() {
    let admission = places(1);
    let held = admission.admit(NEED).await;
    let mut first = Box::pin(admission.admit(NEED));
    let mut second = Box::pin(admission.admit(NEED));
    assert!((&mut first).now_or_never().is_none());
    assert!((&mut second).now_or_never().is_none());
    held.settle(Settlement::Unknown);
    drop(first);
    assert!(second.now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn requests_per_minute_are_spread_after_a_tenth_at_once() {
    let admission = Admission::new();
    admission.apply(Limit::Requests(60.0), From::User);
    let started = Instant::now();
    let mut at = Vec::new();
    for _ in 0..9 {
        admission.admit(NEED).await.settle(Settlement::Unknown);
        at.push(started.elapsed().as_secs_f64().round());
    }
    assert_eq!(at, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
}

#[tokio::test(start_paused = true)]
async fn tokens_are_reserved_by_estimate_and_settled_by_fact() {
    let admission = Admission::new();
    // 10 tokens a second; the bucket holds 60, and 400 bytes are estimated at 100.
    admission.apply(Limit::Tokens(600.0), From::User);
    let started = Instant::now();
    let first = admission.admit(NEED).await;
    // Really 20: the debt of 40 becomes a level of 40, and the next is estimated at 92 and waits for a full bucket.
    first.settle(usage(20));
    drop(admission.admit(NEED).await);
    assert!((1.9..2.1).contains(&started.elapsed().as_secs_f64()), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_closes_the_account_for_all_as_long_as_the_server_asks() {
    let admission = Admission::new();
    let started = Instant::now();
    let refused = admission.admit(NEED).await;
    refused.settle(Settlement::Refused { retry_after: Some(Duration::from_millis(1500)) });
    assert!(admission.admit(NEED).now_or_never().is_none());
    drop(admission.admit(NEED).await);
    assert!((1.5..1.51).contains(&started.elapsed().as_secs_f64()));
    assert!(admission.limited_for() >= Duration::from_millis(1500));
    admission.admit(NEED).await.settle(usage(10));
    assert_eq!(admission.limited_for(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_extractor_may_ask_for_more_places_than_nobodys_default_but_not_than_the_users() {
    let admission = Admission::new();
    admission.apply(Limit::Concurrency(100), From::Extractor);
    assert_eq!(admission.lock().concurrency, 100);
    admission.apply(Limit::Concurrency(2), From::Extractor);
    assert_eq!(admission.lock().concurrency, 100);
    admission.apply(Limit::Concurrency(5), From::User);
    admission.apply(Limit::Concurrency(100), From::Extractor);
    assert_eq!(admission.lock().concurrency, 5);
}

#[tokio::test(start_paused = true)]
async fn no_permit_is_lost_wherever_a_waiter_is_cancelled() {
    let admission = places(3);
    admission.apply(Limit::Requests(6000.0), From::User);
    for round in 0..200_u64 {
        let held: Vec<_> = futures_util::future::join_all((0..3).map(|_| admission.admit(NEED))).await;
        let mut waiters: Vec<_> = (0..5).map(|_| Box::pin(admission.admit(NEED))).collect();
        for waiter in &mut waiters {
            assert!(waiter.now_or_never().is_none());
        }
        for (nth, permit) in held.into_iter().enumerate() {
            if nth as u64 == round % 3 {
                drop(permit);
            } else {
                permit.settle(Settlement::Unknown);
            }
            drop(waiters.remove(fastrand::usize(..waiters.len())));
        }
        for waiter in waiters {
            drop(waiter.await);
        }
        assert_eq!(admission.lock().in_flight, 0);
        assert!(admission.lock().queue.is_empty());
    }
}
