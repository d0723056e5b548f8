//! Changes while attempts are in flight and waiting.

use futures_util::future::join_all;

use super::*;

fn settle(permit: Permit) {
    permit.settle(Settlement::Unknown, Cost::default(), &[], &mut Strikes::default());
}

fn costs(picodollars: u64) -> Need {
    Need { stake: Stake { most: Some(Usd::from_picodollars(picodollars)), purse: None }, ..NEED }
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_what_waits_until_it_ends_and_concerns_no_other_extractor() {
    let admission = Admission::new();
    let (share, other) = (admission.share(2), admission.share(None));
    let permits = join_all((0..2).map(|_| admission.admit_free(NEED, Some(&share)))).await;
    let mut waits = Box::pin(admission.admit_free(NEED, Some(&share)));
    assert!((&mut waits).now_or_never().is_none());
    share.set_pause(Pause::On);
    let mut late = Box::pin(admission.admit_free(NEED, Some(&share)));
    assert!((&mut late).now_or_never().is_none());
    permits.into_iter().for_each(settle);
    assert!((&mut waits).now_or_never().is_none() && share.is_paused());
    assert!(admission.admit_free(NEED, Some(&other)).now_or_never().is_some(), "the other is not paused");
    share.set_pause(Pause::Off);
    let first = waits.now_or_never().expect("the pause is over");
    assert_eq!(first.waited_for(), Some(Bound::Pause));
    assert!(late.now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn another_concurrency_holds_at_once() {
    for slots in [Some(4), None] {
        let admission = Admission::new();
        let share = admission.share(slots);
        let mut permits = join_all((0..4).map(|_| admission.admit_free(NEED, Some(&share)))).await;
        share.set_concurrency(Some(2));
        let mut waits = Box::pin(admission.admit_free(NEED, Some(&share)));
        for _ in 0..2 {
            settle(permits.pop().expect("a permit"));
            assert!((&mut waits).now_or_never().is_none(), "{slots:?}: two are still in flight");
        }
        settle(permits.pop().expect("a permit"));
        assert!((&mut waits).now_or_never().is_some());
        assert_eq!(share.concurrency(), 2);
        let mut waits = Box::pin(join_all((0..3).map(|_| admission.admit_free(NEED, Some(&share)))));
        assert!((&mut waits).now_or_never().is_none());
        share.set_concurrency(Some(5));
        assert_eq!((waits.await.len(), share.concurrency()), (3, 5));
        share.set_concurrency(None);
        let _ = admission.admit_free(NEED, Some(&share)).await;
        assert_eq!(share.concurrency(), DEFAULT_CONCURRENCY, "{slots:?}: it adapts");
    }
}

#[tokio::test(start_paused = true)]
async fn a_larger_concurrency_of_a_run_raises_that_of_the_account() {
    let admission = with_slots(2);
    let share = admission.share(None);
    share.set_concurrency(Some(6));
    let permits = join_all((0..6).map(|_| admission.admit_free(NEED, Some(&share)))).await;
    assert_eq!(permits.len(), 6);
    assert!(admission.admit_free(NEED, Some(&share)).now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_limit_per_minute_holds_from_when_it_is_set_and_is_gone_when_it_is_removed() {
    let admission = Admission::new();
    let sent = async |attempts: usize| {
        let began = Instant::now();
        for _ in 0..attempts {
            settle(admission.admit_free(NEED, None).await);
        }
        began.elapsed().as_secs()
    };
    assert_eq!(sent(100).await, 0);
    admission.apply(Limit::PerMinute(Dimension::Requests, Some(60.0)));
    assert_eq!(sent(16).await, 10, "a burst of six, then one a second");
    admission.apply(Limit::PerMinute(Dimension::Requests, Some(120.0)));
    assert_eq!(sent(20).await, 10, "another number does not allow another burst");
    let mut waits = Box::pin(sent(1_000));
    assert!((&mut waits).now_or_never().is_none());
    admission.apply(Limit::PerMinute(Dimension::Requests, None));
    assert_eq!(waits.await, 0);
    assert_eq!(admission.known_limits(), []);
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_used_up_can_be_raised_during_a_pause() {
    let admission = Admission::new();
    let share = admission.share(None);
    admission.apply(Limit::Budget(Some(Usd::from_picodollars(10))));
    let first = admission.admit(costs(8), Some(&share)).await.expect("it fits");
    let mut waits = Box::pin(admission.admit(costs(8), Some(&share)));
    assert!((&mut waits).now_or_never().is_none());
    share.set_pause(Pause::On);
    let cost = Cost::known(Usd::from_picodollars(8));
    first.settle(Settlement::Unknown, cost, &[], &mut Strikes::default());
    assert!((&mut waits).now_or_never().is_none(), "it would be denied if it were not paused");
    admission.apply(Limit::Budget(Some(Usd::from_picodollars(16))));
    assert_eq!(admission.budget(), Some((Usd::from_picodollars(16), Usd::from_picodollars(8))));
    share.set_pause(Pause::Off);
    let second = waits.now_or_never().expect("it is admitted").expect("it fits");
    second.settle(Settlement::Unknown, cost, &[], &mut Strikes::default());
    assert!(admission.admit(costs(1), Some(&share)).await.is_err());
    admission.apply(Limit::Budget(None));
    assert!(admission.admit(costs(1), Some(&share)).await.is_ok());
}
