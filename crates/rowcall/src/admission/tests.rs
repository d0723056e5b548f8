//! Scenarios of waiting for admission, in virtual time.

mod budget;
mod outage;
mod refusals;
mod server;
mod shares;
mod steering;
mod stories;
mod strays;

use futures_util::{FutureExt, StreamExt};

use super::*;

const NEED: Need = Need { bytes: 400, output_limit: Some(0), stake: Stake::FREE };

impl Admission {
    /// The most attempts that may be in flight now.
    fn concurrency(&self) -> usize {
        self.lock().concurrency.limit()
    }

    /// As `admit`, if there is no budget.
    async fn admit_free(self: &Arc<Self>, need: Need, share: Option<&Share>) -> Permit {
        self.admit(need, share).await.expect("there is no budget")
    }
}

impl Stake {
    const FREE: Self = Self { most: None, purse: None };
}

fn usage(input_tokens: u64) -> Settlement {
    Settlement::Exact(Usage { input_tokens, ..Usage::default() })
}

fn with_slots(slots: usize) -> Arc<Admission> {
    let admission = Admission::new();
    admission.apply(Limit::Concurrency(slots));
    admission
}

#[tokio::test(start_paused = true)]
async fn slots_are_granted_in_order_of_arrival() {
    let admission = with_slots(1);
    let held = admission.admit_free(NEED, None).await;
    let mut first = Box::pin(admission.admit_free(NEED, None));
    let mut second = Box::pin(admission.admit_free(NEED, None));
    assert!((&mut first).now_or_never().is_none());
    assert!((&mut second).now_or_never().is_none());
    held.settle(Settlement::Unknown, Cost::default(), &[], &mut Strikes::default());
    assert!((&mut second).now_or_never().is_none());
    let Some(permit) = (&mut first).now_or_never() else { panic!("the first waiter is admitted") };
    drop(permit);
    assert!(second.now_or_never().is_some(), "a dropped permit gives back its slot");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_waiter_lets_the_next_one_in() {
    let admission = with_slots(1);
    let held = admission.admit_free(NEED, None).await;
    let mut first = Box::pin(admission.admit_free(NEED, None));
    let mut second = Box::pin(admission.admit_free(NEED, None));
    assert!((&mut first).now_or_never().is_none());
    assert!((&mut second).now_or_never().is_none());
    held.settle(Settlement::Unknown, Cost::default(), &[], &mut Strikes::default());
    drop(first);
    assert!(second.now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn requests_per_minute_are_spread_after_a_burst_of_a_tenth() {
    let admission = Admission::new();
    admission.apply(Limit::PerMinute(Dimension::Requests, Some(60.0)));
    let started = Instant::now();
    let mut at = Vec::new();
    for _ in 0..9 {
        admission.admit_free(NEED, None).await.settle(
            Settlement::Unknown,
            Cost::default(),
            &[],
            &mut Strikes::default(),
        );
        at.push(started.elapsed().as_secs_f64().round());
    }
    assert_eq!(at, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
}

#[tokio::test(start_paused = true)]
async fn tokens_are_reserved_by_estimate_and_settled_by_usage() {
    let admission = Admission::new();
    // 10 tokens a second; the bucket holds 60, and 400 bytes are estimated at 100.
    admission.apply(Limit::PerMinute(Dimension::Tokens, Some(600.0)));
    let started = Instant::now();
    let first = admission.admit_free(NEED, None).await;
    // Really 200: the debt of 40 becomes one of 140, and the next, estimated at 200, waits for a full bucket.
    first.settle(usage(200), Cost::default(), &[], &mut Strikes::default());
    drop(admission.admit_free(NEED, None).await);
    assert!((19.9..20.1).contains(&started.elapsed().as_secs_f64()), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn five_refusals_in_a_row_close_the_account_for_as_long_as_the_server_asks() {
    let admission = Admission::new();
    let started = Instant::now();
    let retry_after = Some(Duration::from_millis(1500));
    let refusal = Settlement::Refused(Refusal { retry_after, by: None, overloaded: false, slots: None });
    for nth in 1..=5 {
        let refused = admission.admit_free(NEED, None).now_or_never().expect("the account is open");
        let blame = refused.settle(refusal, Cost::default(), &[], &mut Strikes::default());
        assert_eq!(blame, if nth < 5 { Blame::Chance } else { Blame::Row }, "{nth}");
    }
    assert!(admission.admit_free(NEED, None).now_or_never().is_none());
    drop(admission.admit_free(NEED, None).await);
    assert!((1.5..1.66).contains(&started.elapsed().as_secs_f64()), "{:?}", started.elapsed());
    assert!(admission.limited_for() >= Duration::from_millis(1500));
    admission.admit_free(NEED, None).await.settle(usage(10), Cost::default(), &[], &mut Strikes::default());
    assert_eq!(admission.limited_for(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn no_permit_is_lost_wherever_a_waiter_is_cancelled() {
    let admission = with_slots(3);
    admission.apply(Limit::PerMinute(Dimension::Requests, Some(6000.0)));
    for round in 0..200_u64 {
        let held: Vec<_> =
            futures_util::future::join_all((0..3).map(|_| admission.admit_free(NEED, None))).await;
        let mut waiters: Vec<_> = (0..5).map(|_| Box::pin(admission.admit_free(NEED, None))).collect();
        for waiter in &mut waiters {
            assert!(waiter.now_or_never().is_none());
        }
        for (nth, permit) in held.into_iter().enumerate() {
            if nth as u64 == round % 3 {
                drop(permit);
            } else {
                permit.settle(Settlement::Unknown, Cost::default(), &[], &mut Strikes::default());
            }
            drop(waiters.remove(fastrand::usize(..waiters.len())));
        }
        for waiter in waiters {
            drop(waiter.await);
        }
        assert_eq!(admission.lock().in_flight, 0);
        assert!(admission.lock().queues.is_empty());
        assert!(admission.lock().shares.are_sole(), "no attempt wants to start any more");
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_waiters_return_spread_out_and_none_before_the_servers_time() {
    let admission = with_slots(2000);
    let started = Instant::now();
    let retry_after = Some(Duration::from_secs(2));
    let refusal = Settlement::Refused(Refusal { retry_after, by: None, overloaded: true, slots: None });
    for _ in 0..5 {
        admission.admit_free(NEED, None).await.settle(refusal, Cost::default(), &[], &mut Strikes::default());
    }
    let starts = (0..1000).map(|_| async {
        let permit = admission.admit_free(NEED, None).await;
        let at = started.elapsed().as_secs_f64();
        // None is answered before the last has started.
        tokio::time::sleep(Duration::from_mins(1)).await;
        permit.settle(Settlement::Unknown, Cost::default(), &[], &mut Strikes::default());
        at
    });
    let mut starts = futures_util::future::join_all(starts).await;
    starts.sort_by(f64::total_cmp);
    assert!(starts[0] >= 2.0, "the first at {}", starts[0]);
    let most_in_10_ms = starts.windows(30).filter(|window| window[29] - window[0] < 0.010).count();
    assert_eq!(most_in_10_ms, 0, "no 30 within 10 ms");
    assert!(starts[999] < 4.5, "the last at {}", starts[999]);
}

#[tokio::test(start_paused = true)]
async fn a_few_small_ones_may_overtake_a_huge_one_but_not_forever() {
    let admission = with_slots(1000);
    // 100 tokens a second; the bucket holds 600.
    admission.apply(Limit::PerMinute(Dimension::Tokens, Some(6000.0)));
    let huge = Need { bytes: 2400, output_limit: Some(0), stake: Stake::FREE };
    drop(admission.admit_free(huge, None).await);
    let order = std::cell::RefCell::new(Vec::new());
    let ask = |name, bytes| {
        let (admission, order) = (&admission, &order);
        async move {
            let permit =
                admission.admit_free(Need { bytes, output_limit: Some(0), stake: Stake::FREE }, None).await;
            order.borrow_mut().push(name);
            permit.settle(Settlement::Unknown, Cost::default(), &[], &mut Strikes::default());
        }
    };
    let all = std::iter::once(ask("huge", 2400)).chain((0..40).map(|_| ask("small", 40)));
    futures_util::future::join_all(all).await;
    let position = order.borrow().iter().position(|name| *name == "huge").expect("it is admitted");
    assert!((1..=8).contains(&position), "{position} small ones were first");
}

proptest::proptest! {
    /// Over any interval no more is admitted than the burst and the inflow, whichever waiters give up.
    #[test]
    fn over_any_interval_no_more_is_admitted_than_burst_and_rate(
        per_minute in 60.0..6000.0_f64,
        waits in proptest::collection::vec(0..300_u64, 1..120),
        gives_up in proptest::collection::vec(proptest::bool::weighted(0.2), 120),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let mut starts = runtime.block_on(async {
            let admission = with_slots(1000);
            admission.apply(Limit::PerMinute(Dimension::Requests, Some(per_minute)));
            let started = Instant::now();
            let asks = waits.iter().zip(&gives_up).map(|(wait, gives_up)| {
                let admission = &admission;
                async move {
                    tokio::time::sleep(Duration::from_millis(*wait)).await;
                    let asked = admission.admit_free(NEED, None);
                    let permit = if *gives_up {
                        tokio::time::timeout(Duration::from_millis(*wait), asked).await.ok()
                    } else {
                        Some(asked.await)
                    };
                    permit.map(|permit| {
                        permit.settle(Settlement::Unknown, Cost::default(), &[], &mut Strikes::default());
                        started.elapsed().as_secs_f64()
                    })
                }
            });
            let starts: Vec<f64> = futures_util::future::join_all(asks).await.into_iter().flatten().collect();
            assert_eq!(admission.lock().in_flight, 0);
            assert!(admission.lock().queues.is_empty());
            starts
        });
        starts.sort_by(f64::total_cmp);
        let burst = (per_minute / 10.0).max(1.0);
        for (n, from) in starts.iter().enumerate() {
            for (m, to) in starts.iter().enumerate().skip(n) {
                let most = burst + per_minute / 60.0 * (to - from) + 1e-6;
                // One more, since an attempt that was given up keeps its reservation.
                proptest::prop_assert!((m - n + 1) as f64 <= most + 1.0, "{} from {from} to {to}", m - n + 1);
            }
        }
    }

    /// Every waiter is admitted: only few that came later go first, and no time is wasted in which an attempt could have
    /// started.
    #[test]
    fn every_waiter_is_admitted_within_a_bound(
        per_minute in 600.0..60_000.0_f64,
        rows in proptest::collection::vec((0..300_u64, 4..8_000_usize), 1..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let mut admitted = runtime.block_on(async {
            let admission = with_slots(1000);
            admission.apply(Limit::PerMinute(Dimension::Tokens, Some(per_minute)));
            let started = Instant::now();
            let asks = rows.iter().enumerate().map(|(row, (wait, bytes))| {
                let admission = &admission;
                async move {
                    tokio::time::sleep(Duration::from_millis(*wait)).await;
                    let came = started.elapsed().as_secs_f64();
                    let permit = admission.admit_free(Need { bytes: *bytes, output_limit: Some(0), stake: Stake::FREE }, None).await;
                    permit.settle(Settlement::Unknown, Cost::default(), &[], &mut Strikes::default());
                    (row, came, started.elapsed().as_secs_f64(), *bytes as f64 / 4.0)
                }
            });
            futures_util::stream::iter(asks).buffer_unordered(1000).collect::<Vec<_>>().await
        });
        // Waiters that arrive at the same time are in row order.
        let came_before = |one: &(usize, f64, f64, f64), other: &(usize, f64, f64, f64)| (one.1, one.0) < (other.1, other.0);
        admitted.sort_by(|one, other| one.2.total_cmp(&other.2));
        let rate = per_minute / 60.0;
        let capacity = (per_minute / 10.0).max(1.0);
        for one in &admitted {
            let earlier = admitted.iter().filter(|other| came_before(other, one));
            let ahead = earlier.filter(|other| other.2 >= one.1).count();
            let overtaken = admitted.iter().filter(|other| came_before(one, other) && other.2 < one.2).count();
            proptest::prop_assert!(overtaken <= 8 * (ahead + 1), "{one:?} was overtaken by {overtaken}, with {ahead} ahead");
            // While it waited, the others took no more than had flowed in, less what its own turn needs.
            let meanwhile: f64 = admitted.iter().filter(|other| other.2 >= one.1 && other.2 < one.2).map(|other| other.3).sum();
            let debt: f64 = admitted.iter().filter(|other| other.2 < one.1).map(|other| other.3).sum();
            let most = (debt + meanwhile + one.3.min(capacity)) / rate + 0.01;
            proptest::prop_assert!(one.2 - one.1 <= most, "{one:?} waited longer than {most} s");
        }
    }
}
