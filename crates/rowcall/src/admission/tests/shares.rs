//! Extractors with their own limits: the account's limit begins at the sum of theirs.

use futures_util::future::join_all;

use super::*;

const OVERLOADED: Settlement =
    Settlement::Refused(Refusal { retry_after: None, by: None, overloaded: true, slots: None });

async fn admitted(admission: &Arc<Admission>, attempts: usize, share: Option<&Share>) -> Vec<Permit> {
    join_all((0..attempts).map(|_| admission.admit_free(NEED, share))).await
}

fn settle(permit: Permit, settlement: Settlement) {
    permit.settle(settlement, Cost::default(), &[], &mut Strikes::default());
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_the_only_extractor_is_the_accounts_and_is_reported_as_binding() {
    let admission = Admission::new();
    let share = admission.share(20);
    let mut permits = admitted(&admission, 20, Some(&share)).await;
    assert_eq!(admission.concurrency(), 20);
    let mut next = Box::pin(admission.admit_free(NEED, Some(&share)));
    assert!((&mut next).now_or_never().is_none());
    settle(permits.pop().expect("a permit"), Settlement::Unknown);
    let next = next.now_or_never().expect("it is admitted");
    assert_eq!(next.waited_for(), Some(Bound::Concurrency));
    // A server's overload concerns these, not the default of 64.
    settle(next, OVERLOADED);
    assert_eq!(admission.concurrency(), 18);
}

#[tokio::test(start_paused = true)]
async fn an_extractor_without_a_free_slot_does_not_hold_up_others() {
    let admission = Admission::new();
    let (few, more) = (admission.share(1), admission.share(3));
    let held = admission.admit_free(NEED, Some(&few)).await;
    let mut waits = Box::pin(admission.admit_free(NEED, Some(&few)));
    assert!((&mut waits).now_or_never().is_none());
    let others = admitted(&admission, 3, Some(&more)).await;
    assert_eq!(admission.concurrency(), 4);
    let mut last = Box::pin(admission.admit_free(NEED, Some(&more)));
    assert!((&mut last).now_or_never().is_none());
    assert!((&mut waits).now_or_never().is_none());
    drop(others);
    assert!((&mut waits).now_or_never().is_none(), "the slots of others are not its own");
    assert!(last.now_or_never().is_some());
    drop(held);
    assert!(waits.now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn the_limit_adapts_if_extractors_without_a_limit_ask_as_well() {
    let admission = Admission::new();
    let share = admission.share(5);
    let first = admission.admit_free(NEED, Some(&share)).await;
    assert_eq!(admission.concurrency(), 5);
    let other = admission.admit_free(NEED, None).await;
    assert_eq!((admission.concurrency(), share.concurrency()), (DEFAULT_CONCURRENCY, 5));
    let more = admitted(&admission, 4, Some(&share)).await;
    assert!(admission.admit_free(NEED, Some(&share)).now_or_never().is_none(), "its own limit stays");
    drop((first, other, more));
    drop(admission.admit_free(NEED, Some(&share)).await);
    assert_eq!(admission.concurrency(), 5, "it is alone again");
}

#[tokio::test(start_paused = true)]
async fn dropped_extractors_do_not_count_in_the_sum_of_limits() {
    let admission = Admission::new();
    let (one, other) = (admission.share(100), admission.share(2));
    drop(admission.admit_free(NEED, Some(&other)).await);
    assert_eq!(admission.concurrency(), 102);
    drop(one);
    drop(admission.admit_free(NEED, Some(&other)).await);
    assert_eq!(admission.concurrency(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_users_limit_of_the_account_overrides_those_of_extractors() {
    let admission = with_slots(5);
    let share = admission.share(100);
    let permits = admitted(&admission, 5, Some(&share)).await;
    assert_eq!(admission.concurrency(), 5);
    assert!(admission.admit_free(NEED, Some(&share)).now_or_never().is_none());
    drop(permits);
}
