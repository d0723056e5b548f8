//! The quota in simulated time: refusals, waits, changes, closed times and growth.

use proptest::prelude::*;

use super::*;

fn one(tokens: u64) -> Need {
    Need { requests: 1, input_tokens: tokens, output_tokens: 0 }
}

#[test]
fn a_refusal_has_the_dimension_that_takes_longest() {
    let limits = Limits {
        requests_per_minute: Some(60),
        tokens_per_minute: Some(6_000),
        burst_seconds: 1.0,
        ..Limits::default()
    };
    let mut quota = Quota::new(&limits);
    assert_eq!(quota.admit(Duration::ZERO, one(100)), Admission::Admitted);
    let Admission::Refused(refusal) = quota.admit(Duration::from_millis(300), one(80)) else {
        panic!("the bucket was empty")
    };
    assert_eq!(refusal.dimension, Dimension::Requests);
    assert_eq!(refusal.wait, Wait::For(Duration::from_millis(700)));
    assert_eq!((refusal.limit, refusal.used, refusal.requested), (60, 1, 1));

    let Admission::Refused(refusal) = quota.admit(Duration::from_secs(9), one(101)) else {
        panic!("more than the bucket holds")
    };
    assert_eq!((refusal.dimension, refusal.wait), (Dimension::Tokens, Wait::Forever));
}

#[test]
fn a_slot_in_flight_is_free_again_once_released() {
    let mut quota = Quota::new(&Limits { in_flight: Some(1), ..Limits::default() });
    assert_eq!(quota.admit(Duration::ZERO, one(1)), Admission::Admitted);
    assert!(matches!(quota.admit(Duration::ZERO, one(1)), Admission::Refused(_)));
    quota.release();
    assert_eq!(quota.admit(Duration::ZERO, one(1)), Admission::Admitted);
}

#[test]
fn standing_has_the_limit_per_minute_and_the_time_until_full() {
    let mut quota = Quota::new(&Limits { requests_per_minute: Some(600), ..Limits::default() });
    for _ in 0..30 {
        quota.admit(Duration::ZERO, one(1));
    }
    let standing = quota.standing(Duration::from_secs(1), Dimension::Requests).unwrap();
    assert_eq!((standing.limit, standing.remaining, standing.reset), (600, 580, Duration::from_secs(2)));
    assert_eq!(quota.standing(Duration::from_secs(1), Dimension::Tokens), None);
}

fn millis(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// How many requests are admitted if one arrives every millisecond of `from..until`.
fn admitted(quota: &mut Quota, from: u64, until: u64) -> usize {
    (from..until).filter(|now| quota.admit(millis(*now), one(1)) == Admission::Admitted).count()
}

#[test]
fn limits_change_and_buckets_keep_their_level() {
    let change = |after_seconds, limit| Change {
        after_seconds,
        requests_per_minute: Some(limit),
        ..Change::default()
    };
    let limits = Limits {
        requests_per_minute: Some(6_000),
        burst_seconds: 1.0,
        // Out of order, as in a file they may be.
        changes: vec![change(4.0, 12_000), change(2.0, 3_000)],
        ..Limits::default()
    };
    let mut quota = Quota::new(&limits);
    for (from, until, expected) in [
        (0, 2_000, 300 - 1), // the burst of 100, and 100 a second, of which the last has not come
        (2_000, 3_000, 50),  // half as many a second
        (4_000, 5_000, 50 + 200), // a full bucket of 50 from the second before, and 200 a second
    ] {
        let found = admitted(&mut quota, from, until);
        assert!(found.abs_diff(expected) <= 1, "{found} instead of {expected} from {from}");
    }
    let standing = |quota: &mut Quota, now| quota.standing(millis(now), Dimension::Requests).unwrap();
    let mut idle = Quota::new(&limits);
    assert_eq!((standing(&mut idle, 1_999).limit, standing(&mut idle, 1_999).remaining), (6_000, 100));
    assert_eq!((standing(&mut idle, 2_000).limit, standing(&mut idle, 2_000).remaining), (3_000, 50));
    assert_eq!((standing(&mut idle, 4_000).limit, standing(&mut idle, 4_000).remaining), (12_000, 50));
}

#[test]
fn a_limit_may_begin_later() {
    let change =
        Change { after_seconds: 1.0, tokens_per_minute: Some(60), in_flight: Some(1), ..Change::default() };
    let mut quota = Quota::new(&Limits { changes: vec![change], ..Limits::default() });
    assert_eq!(quota.admit(millis(999), one(1_000)), Admission::Admitted);
    quota.release();
    let Admission::Refused(refusal) = quota.admit(millis(1_000), one(61)) else { panic!("61 of 60 tokens") };
    assert_eq!((refusal.dimension, refusal.wait), (Dimension::Tokens, Wait::Forever));
    assert_eq!(quota.admit(millis(1_000), one(60)), Admission::Admitted);
    assert!(matches!(quota.admit(millis(9_000), one(1)), Admission::Refused(_)), "the one place is taken");
}

#[test]
fn while_closed_all_requests_are_rejected_and_nothing_is_charged() {
    let closed = |from_seconds, for_seconds| Closed { from_seconds, for_seconds };
    let limits = Limits {
        requests_per_minute: Some(60),
        burst_seconds: 1.0,
        closed: vec![closed(3.0, 1.5), closed(4.0, 1.0)],
        ..Limits::default()
    };
    let mut quota = Quota::new(&limits);
    for (now, expected) in [
        (2_999, Admission::Admitted),
        (3_000, Admission::Closed(millis(1_500))),
        (4_400, Admission::Closed(millis(600))), // the longer of the two
        (4_999, Admission::Closed(millis(1))),
        (5_000, Admission::Admitted),
    ] {
        assert_eq!(quota.admit(millis(now), one(1)), expected, "at {now}");
    }
}

#[test]
fn traffic_may_double_and_starts_over_after_a_pause() {
    let ramp = Growth { from_per_second: 10.0, doubling_seconds: 4.0 };
    let mut quota = Quota::new(&Limits { ramp: Some(ramp), ..Limits::default() });
    for (from, until, expected) in [
        (0, 4_000, 10 + 57),   // a second's worth at once, and the integral of 10 to 20 a second
        (4_000, 8_000, 115),   // the integral of 20 to 40 a second
        (11_500, 12_500, 153), // a shorter pause: a second's worth of 73 at once, and 80 more
        (17_500, 18_500, 20),  // more than a doubling time unused: 10 at once, and 10 a second
    ] {
        let found = admitted(&mut quota, from, until);
        assert!(found.abs_diff(expected) <= 2, "{found} instead of {expected} from {from}");
    }
}

#[test]
fn the_longer_wait_of_a_limit_and_a_ramp_is_reported() {
    let ramp = Growth { from_per_second: 1.0, doubling_seconds: 1_000.0 };
    let limits = |requests_per_minute| Limits {
        requests_per_minute: Some(requests_per_minute),
        burst_seconds: 1.0,
        ramp: Some(ramp),
        ..Limits::default()
    };
    let second = |limits: &Limits| {
        let mut quota = Quota::new(limits);
        quota.admit(Duration::ZERO, one(1));
        quota.admit(Duration::ZERO, one(1))
    };
    assert!(matches!(second(&limits(600)), Admission::TooFast(wait) if wait.as_millis() == 999));
    let Admission::Refused(refusal) = second(&limits(6)) else { panic!("one in ten seconds") };
    assert_eq!(refusal.wait, Wait::For(Duration::from_secs(10)));
}

proptest! {
    #[test]
    fn no_interval_admits_more_than_the_bucket_and_its_refill(
        limit in 1_u64..5_000,
        burst in 1_u32..90,
        arrivals in prop::collection::vec((0_u64..3_000, 1_u64..60), 1..120),
    ) {
        let limits =
            Limits { tokens_per_minute: Some(limit), burst_seconds: f64::from(burst), ..Limits::default() };
        let mut quota = Quota::new(&limits);
        let capacity = (limit as f64 * f64::from(burst) / 60.0).max(1.0);
        let (mut now, mut taken) = (Duration::ZERO, vec![]);
        for (pause, tokens) in arrivals {
            now += Duration::from_millis(pause);
            if quota.admit(now, one(tokens)) == Admission::Admitted {
                taken.push((now, tokens));
            }
        }
        for (first, (from, _)) in taken.iter().enumerate() {
            let mut sum = 0;
            for (until, tokens) in &taken[first..] {
                sum += tokens;
                let refill = limit as f64 / 60.0 * until.saturating_sub(*from).as_secs_f64();
                prop_assert!(sum as f64 <= capacity + refill + 1e-6);
            }
        }
    }

    #[test]
    fn the_advertised_wait_is_enough_and_a_nanosecond_less_is_not(
        limit in 1_u64..5_000_000,
        needs in prop::collection::vec(1_u64..400, 1..60),
        per_day in prop::option::of(1_u64..40),
    ) {
        let limits = Limits {
            tokens_per_minute: Some(limit), requests_per_day: per_day, burst_seconds: 3.5, ..Limits::default()
        };
        let mut quota = Quota::new(&limits);
        let mut now = Duration::ZERO;
        for tokens in needs {
            if let Admission::Refused(refusal) = quota.admit(now, one(tokens)) {
                let Wait::For(time) = refusal.wait else {
                    prop_assert_eq!(refusal.wait, Wait::Forever);
                    continue;
                };
                let early = (now + time).saturating_sub(Duration::from_nanos(1));
                prop_assert_ne!(quota.clone().admit(early, one(tokens)), Admission::Admitted);
                now += time;
                prop_assert_eq!(quota.admit(now, one(tokens)), Admission::Admitted);
            }
        }
    }

    #[test]
    fn a_ramp_never_admits_more_than_its_growth_and_the_advertised_wait_is_enough(
        from_per_second in 0.1_f64..500.0,
        doubling_seconds in 0.05_f64..900.0,
        pauses in prop::collection::vec(0_u64..400, 1..120),
    ) {
        let ramp = Growth { from_per_second, doubling_seconds };
        let mut quota = Quota::new(&Limits { ramp: Some(ramp), ..Limits::default() });
        let (mut now, mut most, mut count) = (Duration::ZERO, from_per_second.max(1.0), 0.0);
        for pause in pauses {
            let before = now;
            now += millis(pause);
            if let Admission::TooFast(wait) = quota.admit(now, one(1)) {
                now += wait;
                prop_assert_eq!(quota.admit(now, one(1)), Admission::Admitted);
            }
            count += 1.0;
            // The rate never exceeds that of undisturbed growth.
            let rate = from_per_second * (now.as_secs_f64() / doubling_seconds).exp2();
            most += rate * now.saturating_sub(before).as_secs_f64();
            prop_assert!(count <= most.max(rate) + 1e-6, "{} of {}", count, most);
        }
    }
}
