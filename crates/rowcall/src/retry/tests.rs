//! Scenarios of faults and the decisions about them.

use proptest::prelude::*;

use super::*;

fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind, "as reported")
}

fn tried(faults: u32) -> Tried {
    Tried { faults, answered: true, ..Tried::default() }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn five_retries_follow_the_first_attempt() {
    let server = fault(FaultKind::Server);
    for faults in 1..=5 {
        assert!(matches!(decide(&server, tried(faults), RetryPolicy::default(), 0.5), Decision::Retry(_)));
    }
    assert_eq!(decide(&server, tried(6), RetryPolicy::default(), 0.5), Decision::GiveUp);
}

#[test]
fn no_retries_means_one_attempt() {
    let policy = RetryPolicy { retries: 0, ..RetryPolicy::default() };
    assert_eq!(decide(&fault(FaultKind::Timeout), tried(1), policy, 0.5), Decision::GiveUp);
}

#[test]
fn a_server_that_was_never_reached_stops_the_run() {
    let refused = fault(FaultKind::Unreachable);
    let unreached = |faults| Tried { faults, ..Tried::default() };
    assert!(matches!(decide(&refused, unreached(5), RetryPolicy::default(), 0.5), Decision::Retry(_)));
    assert_eq!(decide(&refused, unreached(6), RetryPolicy::default(), 0.5), Decision::Stop);
    assert_eq!(decide(&refused, tried(6), RetryPolicy::default(), 0.5), Decision::GiveUp);
}

#[test]
fn limits_are_waited_out_however_often_they_come() {
    let limited = Tried { limits: 1000, limited_for: Duration::from_secs(599), ..Tried::default() };
    assert!(matches!(
        decide(&fault(FaultKind::RateLimit), limited, RetryPolicy::default(), 0.5),
        Decision::Retry(_)
    ));
}

#[test]
fn a_row_that_is_refused_by_chance_again_does_not_repeat_the_servers_wait() {
    let asks = Fault { retry_after: Some(seconds(30.0)), ..fault(FaultKind::RateLimit) };
    let decided = |limits, by_chance| {
        let tried = Tried { limits, by_chance, answered: true, ..Tried::default() };
        decide(&asks, tried, RetryPolicy::default(), 0.5)
    };
    assert_eq!(decided(1, true), Decision::Retry(seconds(30.0)));
    assert_eq!(decided(2, true), Decision::Retry(seconds(0.05)));
    assert_eq!(decided(3, true), Decision::Retry(seconds(0.1)));
    assert_eq!(decided(3, false), Decision::Retry(seconds(30.5)));
}

#[test]
fn a_row_that_is_refused_for_an_hour_by_chance_does_not_stop_the_run() {
    let asks = Fault { retry_after: Some(Duration::from_hours(1)), ..fault(FaultKind::RateLimit) };
    let by_chance = |by_chance| Tried { limits: 1, by_chance, answered: true, ..Tried::default() };
    let decided = |tried| decide(&asks, tried, RetryPolicy::default(), 0.5);
    assert_eq!(decided(by_chance(true)), Decision::Retry(seconds(0.05)));
    assert_eq!(decided(by_chance(false)), Decision::Stop);
}

#[test]
fn an_account_that_answers_nothing_but_limits_for_ten_minutes_stops_the_run() {
    let limited = Tried { limited_for: Duration::from_mins(10), ..Tried::default() };
    assert_eq!(decide(&fault(FaultKind::Overloaded), limited, RetryPolicy::default(), 0.5), Decision::Stop);
}

#[test]
fn a_server_may_ask_for_the_longest_wait_of_ten_minutes() {
    let asks = Fault { retry_after: Some(Duration::from_mins(10)), ..fault(FaultKind::RateLimit) };
    let decided = decide(&asks, tried(0), RetryPolicy::default(), 0.0);
    assert_eq!(decided, Decision::Retry(Duration::from_mins(10)));
}

#[test]
fn a_server_that_asks_for_an_hour_stops_the_run() {
    for kind in [FaultKind::RateLimit, FaultKind::Server] {
        let hour = Fault { retry_after: Some(Duration::from_hours(1)), ..fault(kind) };
        assert_eq!(decide(&hour, tried(1), RetryPolicy::default(), 0.5), Decision::Stop);
    }
}

#[test]
fn faults_shared_by_every_row_stop_the_run_and_those_of_one_row_do_not() {
    for (kind, expected) in [
        (FaultKind::Quota, Decision::Stop),
        (FaultKind::Auth, Decision::Stop),
        (FaultKind::Permission, Decision::Stop),
        (FaultKind::NotFound, Decision::Stop),
        (FaultKind::InvalidSchema, Decision::Stop),
        (FaultKind::ContextLength, Decision::GiveUp),
        (FaultKind::ContentPolicy, Decision::GiveUp),
        (FaultKind::TooLarge, Decision::GiveUp),
        (FaultKind::RequestExceedsLimit, Decision::GiveUp),
        (FaultKind::InvalidRequest, Decision::GiveUp),
    ] {
        assert_eq!(decide(&fault(kind), tried(1), RetryPolicy::default(), 0.5), expected, "{}", kind.name());
    }
}

#[test]
fn a_server_may_override_what_its_status_means() {
    let no = Fault { should_retry: Some(false), ..fault(FaultKind::Server) };
    assert_eq!(decide(&no, tried(1), RetryPolicy::default(), 0.5), Decision::GiveUp);
    let outage = Tried { outage: Some(Duration::from_secs(1)), ..tried(1) };
    assert_eq!(decide(&no, outage, RetryPolicy::default(), 0.5), Decision::Retry(Duration::ZERO));
    let yes = Fault { should_retry: Some(true), ..fault(FaultKind::InvalidRequest) };
    assert!(matches!(decide(&yes, tried(1), RetryPolicy::default(), 0.5), Decision::Retry(_)));
    let spent = Fault { should_retry: Some(true), status: Some(429), ..fault(FaultKind::Quota) };
    assert_eq!(decide(&spent, tried(1), RetryPolicy::default(), 0.5), Decision::Stop);
    // Here only the status indicates a quota.
    let unpaid = Fault { status: Some(402), ..spent };
    assert!(matches!(decide(&unpaid, tried(1), RetryPolicy::default(), 0.5), Decision::Retry(_)));
}

proptest! {
    #[test]
    fn waits_end_not_before_the_servers_time_nor_much_after(asked in 0.001_f64..600.0, random in 0.0_f64..1.0) {
        let waited = wait(Some(seconds(asked)), 3, random);
        prop_assert!(waited >= seconds(asked));
        prop_assert!(waited <= seconds(asked * 1.25 + 1e-6).min(seconds(asked + 1.0 + 1e-6)));
    }

    #[test]
    fn backoff_is_fully_jittered_and_bounded(tries in 0_u32..100, random in 0.0_f64..1.0) {
        let most = (0.5 * 2_f64.powf(f64::from(tries.min(20)))).min(30.0);
        let waited = wait(None, tries, random);
        prop_assert!(waited <= seconds(most));
        prop_assert!((waited.as_secs_f64() - most * random).abs() < 1e-6);
    }
}
