//! A budget is a promise: tested in virtual time against servers that bill in every nasty way, with random prices, rows and budgets,
//! and with runs that are killed and resumed. Also, the known failures of other budgets.

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;

use super::*;
use crate::price::{Moment, Most, Price, Prices};

const AT: i64 = 1_795_000_000;
const EVERY: u64 = 200;

/// How a server bills requests, answered or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Billing {
    /// The actual usage.
    Honest,
    /// The whole output limit, regardless of the answer.
    FullLimits,
    /// One and a half times as many input tokens as at four bytes per token.
    MoreInput,
}

/// What a request takes and how it ends, drawn from the seed.
#[derive(Debug, Clone, Copy)]
struct Asked {
    bytes: u64,
    limit: u64,
    usage: Usage,
    latency: Duration,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Answered,
    /// The answer is lost, or is a 5xx, and is billed nevertheless.
    Lost,
    /// It is refused and not billed.
    Refused,
    /// It is answered without usage.
    NoUsage,
}

/// A world: prices, rows, a budget.
struct World {
    price: Price,
    rows: Vec<Asked>,
    slots: usize,
    budget: Usd,
}

fn price(random: &mut fastrand::Rng) -> Price {
    let mut rates = |factor: u64| {
        let (input, output) =
            (random.u64(20_000..3_000_000) * factor, random.u64(100_000..15_000_000) * factor);
        let mut rates = format!(r#""i":{input},"o":{output},"r":{},"w":{}"#, input / 10, input * 5 / 4);
        if random.bool() {
            rates.push_str(&format!(r#","t":{}"#, output * 2));
        }
        rates
    };
    let (base, upper) = (rates(1), rates(2));
    let tier = if random.bool() {
        format!(r#","above":[[{},{{{upper}}}]]"#, random.u64(1_000..40_000))
    } else {
        String::new()
    };
    let table = format!(r#"{{"providers":{{"p":{{"m":{{"prices":[{{{base}{tier}}}]}}}}}}}}"#);
    Prices::parse(&table).expect("a table").find("p", "m").expect("readable").expect("a price")
}

fn asked(random: &mut fastrand::Rng, billing: Billing, largest: u64, limit: u64) -> Asked {
    let bytes = random.u64(100..largest);
    let input_tokens = match billing {
        Billing::Honest | Billing::FullLimits => random.u64(bytes / 8..=bytes),
        Billing::MoreInput => bytes * 3 / 8,
    };
    let output_tokens = match billing {
        Billing::FullLimits => limit,
        Billing::Honest | Billing::MoreInput => random.u64(limit / 20..=limit / 2),
    };
    let cached_tokens = if random.bool() { random.u64(0..=input_tokens / 2) } else { 0 };
    let cache_write_tokens = if random.u8(0..4) == 0 { input_tokens / 4 } else { 0 };
    let reasoning_tokens = random.u64(0..=output_tokens);
    let usage = Usage {
        input_tokens,
        cached_tokens,
        cache_write_tokens,
        output_tokens,
        reasoning_tokens,
        ..Usage::default()
    };
    let end = match random.u8(0..40) {
        0 => End::Lost,
        1 => End::Refused,
        2 => End::NoUsage,
        _ => End::Answered,
    };
    let latency = Duration::from_millis(random.u64(200..900));
    Asked { bytes, limit, usage, latency, end }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let price = price(&mut random);
        let billing = [Billing::Honest, Billing::FullLimits, Billing::MoreInput][seed as usize % 3];
        let (largest, limit) = (random.u64(200..20_000), random.u64(20..2_000));
        let rows: Vec<_> = (0..400).map(|_| asked(&mut random, billing, largest, limit)).collect();
        let mut world = Self { price, rows, slots: random.usize(1..24), budget: Usd::ZERO };
        let all: Usd = world.rows.iter().map(|row| world.billed(*row)).sum();
        world.budget =
            Usd::from_picodollars((all.picodollars() as f64 * (0.02 + 0.85 * random.f64())) as u64);
        world
    }

    fn most(&self, row: Asked) -> Usd {
        let most = Most { input_tokens: row.bytes, output_tokens: Some(row.limit) };
        self.price.at_most(most, None, Moment::from_seconds(AT)).expect("a most")
    }

    /// What the server charges.
    fn billed(&self, row: Asked) -> Usd {
        match row.end {
            End::Answered | End::Lost | End::NoUsage => {
                self.price.cost(&row.usage, None, Moment::from_seconds(AT)).expect("a cost")
            }
            End::Refused => Usd::ZERO,
        }
    }

    fn dearest(&self) -> Usd {
        self.rows.iter().map(|row| self.most(*row)).max().unwrap_or_default()
    }
}

/// What has happened in a world, over all its processes.
#[derive(Debug, Default)]
struct Account {
    bill: Usd,
    /// What a journal records: the most that ended attempts cost, and the most of those in flight, by row.
    ended: Usd,
    in_flight: BTreeMap<usize, Usd>,
    /// When each amount was billed.
    times: Vec<(Duration, Usd)>,
    done: usize,
    denied: Option<Denial>,
}

/// Plays the rows from `next` on in one process, until it is killed, if at all; returns how far it came.
async fn play(
    world: &World,
    account: &RefCell<Account>,
    mut next: usize,
    budget: Option<Usd>,
    killed_after: Option<Duration>,
) -> usize {
    let admission = with_slots(world.slots);
    let journal = Path::new("a.journal");
    if let Some(budget) = budget {
        admission.apply(Limit::Budget(Some(budget)));
    }
    let spent = {
        let mut account = account.borrow_mut();
        let lost: Usd = std::mem::take(&mut account.in_flight).into_values().sum();
        account.ended += lost;
        account.ended
    };
    let purse = Some(admission.spent_before(journal, Cost::known(spent)));
    let started = Instant::now();
    let ask = async |number: usize| {
        let mut row = world.rows[number];
        loop {
            let most = world.most(row);
            let need = Need {
                bytes: row.bytes as usize,
                output_limit: None,
                stake: Stake { most: Some(most), purse },
            };
            let permit = match admission.admit(need, None).await {
                Ok(permit) => permit,
                Err(denial) => return account.borrow_mut().denied = Some(denial),
            };
            // The server bills when a request comes, even if its answer is lost.
            account.borrow_mut().in_flight.insert(number, most);
            let billed = world.billed(row);
            let check = |account: &Account| {
                if let Some(budget) = budget {
                    assert!(account.bill <= budget, "{} of {budget} are billed", account.bill);
                    assert!(admission.lock().budget.committed() <= budget);
                }
            };
            {
                let mut account = account.borrow_mut();
                account.bill += billed;
                account.times.push((started.elapsed(), billed));
                check(&account);
            }
            tokio::time::sleep(row.latency).await;
            let (settlement, cost) = match row.end {
                End::Answered => (Settlement::Exact(row.usage), Cost::known(billed)),
                End::NoUsage => (Settlement::Unknown, Cost::at_most(most)),
                End::Lost => {
                    let failed = Settlement::Failed { failing: Failing::Server, retry_after: None };
                    (failed, Cost::at_most(most))
                }
                End::Refused => {
                    let refusal = Refusal { retry_after: None, by: None, overloaded: false, slots: None };
                    (Settlement::Refused(refusal), Cost::default())
                }
            };
            permit.settle(settlement, cost, &[], &mut Strikes::default());
            {
                let mut account = account.borrow_mut();
                account.in_flight.remove(&number);
                account.ended += cost.ceiling().expect("a most");
                check(&account);
            }
            match row.end {
                End::Answered | End::NoUsage => return account.borrow_mut().done += 1,
                End::Lost | End::Refused => row.end = End::Answered,
            }
        }
    };
    let all = async {
        let mut waiting: FuturesUnordered<_> = FuturesUnordered::new();
        loop {
            while waiting.len() < 64 && next < world.rows.len() && account.borrow().denied.is_none() {
                waiting.push(ask(next));
                next += 1;
            }
            if waiting.next().await.is_none() {
                return;
            }
        }
    };
    match killed_after {
        // A killed process settles nothing: what it had in flight stays in the journal.
        Some(after) => drop(tokio::time::timeout(after, all).await),
        None => all.await,
    }
    next
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_never_exceeded_and_nearly_all_of_it_is_used_in_nearly_the_same_time() {
    let (mut used_up, mut judged, mut timed) = (0, 0, Vec::new());
    for seed in 0..EVERY {
        let world = World::new(seed);
        let account = RefCell::new(Account::default());
        play(&world, &account, 0, Some(world.budget), None).await;
        let Account { bill, ended, denied, times, done, .. } = account.into_inner();
        assert!(bill <= ended && ended <= world.budget, "seed {seed}");
        let Some(Denial::UsedUp { budget, spent, most, .. }) = denied else {
            assert_eq!((denied, done), (None, world.rows.len()), "seed {seed}");
            continue;
        };
        used_up += 1;
        assert!(budget == world.budget && spent == ended && spent + most > budget, "seed {seed}");
        let share = |amount: Usd| amount.picodollars() as f64 / budget.picodollars() as f64;
        if share(world.dearest()) <= 0.05 {
            judged += 1;
            assert!(share(ended) >= 0.95, "seed {seed}: {:.3} of the budget is used", share(ended));
        }
        if share(world.dearest().times(world.slots as u64)) <= 0.1 {
            let unlimited = RefCell::new(Account::default());
            play(&world, &unlimited, 0, None, None).await;
            // The time until nineteen twentieths of the final bill had been sent.
            let until = |times: &[(Duration, Usd)]| {
                let mut sum = Usd::ZERO;
                let enough = Usd::from_picodollars(bill.picodollars() / 20 * 19);
                times.iter().find_map(|(at, billed)| {
                    sum += *billed;
                    (sum >= enough).then_some(at.as_secs_f64())
                })
            };
            let (ours, theirs) =
                (until(&times).expect("a time"), until(&unlimited.borrow().times).expect("a time"));
            timed.push(ours / theirs);
        }
    }
    timed.sort_by(f64::total_cmp);
    let longest = timed.last().copied().unwrap_or_default();
    println!(
        "{used_up} of {EVERY} used up, {judged} judged for use, {} for time, at most {longest:.3}",
        timed.len()
    );
    assert!(used_up >= 150 && judged >= 60 && timed.len() >= 30, "too few are judged");
    assert!(longest <= 1.10, "{timed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_budget_covers_all_runs_of_a_journal_however_often_they_are_killed() {
    for seed in 0..EVERY {
        let world = World::new(1_000 + seed);
        let mut random = fastrand::Rng::with_seed(seed);
        let account = RefCell::new(Account::default());
        let mut next = 0;
        for _ in 0..4 {
            let after = Duration::from_millis(random.u64(100..6_000));
            next = play(&world, &account, next, Some(world.budget), Some(after)).await;
            account.borrow_mut().denied = None;
        }
        play(&world, &account, next, Some(world.budget), None).await;
        let Account { bill, ended, .. } = account.into_inner();
        assert!(bill <= ended && ended <= world.budget, "seed {seed}");
    }
}

fn usd(text: &str) -> Usd {
    Usd::parse(text).expect("an amount")
}

fn staking(most: Usd) -> Need {
    Need { stake: Stake { most: Some(most), purse: None }, ..NEED }
}

fn with_budget(budget: &str) -> Arc<Admission> {
    let admission = Admission::new();
    admission.apply(Limit::Budget(Some(usd(budget))));
    admission
}

fn settle(permit: Permit, cost: &str) {
    permit.settle(usage(1), Cost::known(usd(cost)), &[], &mut Strikes::default());
}

/// litellm PR 40002: five calls of 300,000 tokens were reserved at the price of short ones; four were admitted, and $0.60 was spent of
/// $0.45.
#[tokio::test(start_paused = true)]
async fn a_long_prompt_is_reserved_at_the_price_of_long_prompts() {
    let table = r#"{"providers":{"p":{"m":{"prices":[{"i":250000,"o":1000,"above":[[200000,{"i":500000,"o":1000}]]}]}}}}"#;
    let price = Prices::parse(table).expect("a table").find("p", "m").expect("readable").expect("a price");
    let at = Moment::from_seconds(AT);
    let most = Most { input_tokens: 300_000, output_tokens: Some(0) };
    let call = price.at_most(most, None, at).expect("a most");
    assert_eq!(call, usd("0.15"));
    let admission = with_budget("0.45");
    let permits: Vec<_> = (0..5).map(|_| admission.admit(staking(call), None).now_or_never()).collect();
    assert_eq!(permits.iter().flatten().count(), 3);
    let mut fourth = Box::pin(admission.admit(staking(call), None));
    assert!((&mut fourth).now_or_never().is_none(), "it waits for the actual cost of the three");
    let usage = Usage { input_tokens: 300_000, ..Usage::default() };
    let cost = price.cost(&usage, None, at).expect("a cost");
    for permit in permits.into_iter().flatten() {
        permit.expect("admitted").settle(
            Settlement::Exact(usage),
            Cost::known(cost),
            &[],
            &mut Strikes::default(),
        );
    }
    let denial = fourth.await.expect_err("nothing is left");
    assert_eq!(
        denial,
        Denial::UsedUp { budget: usd("0.45"), spent: usd("0.45"), unsure: Usd::ZERO, most: call }
    );
}

/// litellm PR 38647: the worst case of a burst filled $25 while nothing was spent, and everything was refused.
#[tokio::test(start_paused = true)]
async fn a_burst_that_could_cost_too_much_waits_and_all_of_it_is_answered() {
    let admission = with_budget("25");
    let ask = async |_| {
        let permit = admission.admit(staking(usd("1.20")), None).await.expect("it can be paid for");
        assert!(admission.lock().budget.committed() <= usd("25"));
        let waited = permit.waited_for();
        tokio::time::sleep(Duration::from_millis(300)).await;
        settle(permit, "0.01");
        waited
    };
    let waited = join_all((0..500).map(ask)).await;
    assert!(waited.contains(&Some(Bound::Budget)), "the budget held it back");
    assert_eq!(admission.lock().budget.committed(), usd("5"));
}

/// litellm issue 36926: reservations were never given back, and a single process was refused under load with nothing spent.
#[tokio::test(start_paused = true)]
async fn unbilled_attempts_leave_nothing_reserved() {
    let admission = with_budget("1");
    let most = usd("0.25");
    for round in 0..400 {
        let permit = admission.admit(staking(most), None).await.expect("nothing has been spent");
        match round % 4 {
            0 => permit.hand_back(),
            1 => {
                let refusal = Refusal { retry_after: None, by: None, overloaded: false, slots: None };
                let _ = permit.settle(
                    Settlement::Refused(refusal),
                    Cost::default(),
                    &[],
                    &mut Strikes::default(),
                );
            }
            2 => {
                let failed = Settlement::Failed { failing: Failing::Unreachable, retry_after: None };
                let _ = permit.settle(failed, Cost::default(), &[], &mut Strikes::default());
            }
            _ => {
                // One is cancelled while it waits, and one after it was granted but before it noticed.
                let others = [(); 3].map(|()| admission.admit(staking(most), None).now_or_never());
                let mut waits = Box::pin(admission.admit(staking(most), None));
                assert!((&mut waits).now_or_never().is_none());
                others.into_iter().flatten().flatten().for_each(Permit::hand_back);
                permit.hand_back();
                drop(waits);
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(admission.lock().budget.committed(), Usd::ZERO);
    assert!(admission.lock().queues.is_empty());
}

/// litellm issue 34732: spending was checked and then added, so that requests at the same time all passed.
#[test]
fn many_threads_cannot_pass_together() {
    let admission = with_budget("1");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build();
    let runtime = runtime.expect("a runtime");
    let admitted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let _entered = runtime.enter();
                    let permits =
                        (0..100).filter_map(|_| admission.admit(staking(usd("0.01")), None).now_or_never());
                    permits.flatten().map(|permit| settle(permit, "0.01")).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert!(admitted <= 100 && admission.lock().budget.committed() <= usd("1"), "{admitted}");
}

#[tokio::test(start_paused = true)]
async fn a_large_attempt_lets_others_go_and_is_denied_once_nothing_is_in_flight() {
    let admission = with_slots(8);
    admission.apply(Limit::Budget(Some(usd("1"))));
    let held = admission.admit(staking(usd("0.40")), None).await.expect("it fits");
    let mut large = Box::pin(admission.admit(staking(usd("0.95")), None));
    let mut small: Vec<_> = (0..20).map(|_| Box::pin(admission.admit(staking(usd("0.10")), None))).collect();
    assert!((&mut large).now_or_never().is_none());
    settle(held, "0.40");
    let mut granted = 0;
    for _ in 0..20 {
        let ready: Vec<_> = small.iter_mut().map(FutureExt::now_or_never).collect();
        small = small
            .into_iter()
            .zip(&ready)
            .filter(|(_, ready)| ready.is_none())
            .map(|(waits, _)| waits)
            .collect();
        for permit in ready.into_iter().flatten().flatten() {
            granted += 1;
            settle(permit, "0.10");
        }
    }
    assert_eq!(granted, 6, "0.60 was left");
    let denial = large.await.expect_err("nothing is in flight");
    assert_eq!(
        denial,
        Denial::UsedUp { budget: usd("1"), spent: usd("1"), unsure: Usd::ZERO, most: usd("0.95") }
    );
    for waits in small {
        waits.await.expect_err("nothing is left");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cost_above_the_maximum_stops_everything() {
    for (cost, denial) in [
        (
            Cost::known(usd("0.30")),
            Denial::Overrun { cost: usd("0.30"), most: usd("0.20"), beyond: Usd::ZERO, tier: None },
        ),
        (
            Cost::known(usd("1.50")),
            Denial::Overrun { cost: usd("1.50"), most: usd("0.20"), beyond: usd("0.50"), tier: None },
        ),
        (Cost::UNKNOWN, Denial::Unpriced { tier: None }),
    ] {
        let admission = with_slots(2);
        admission.apply(Limit::Budget(Some(usd("1"))));
        let first = admission.admit(staking(usd("0.20")), None).await.expect("it fits");
        let _second = admission.admit(staking(usd("0.20")), None).await.expect("it fits");
        let mut waits = Box::pin(admission.admit(staking(usd("0.20")), None));
        assert!((&mut waits).now_or_never().is_none());
        first.settle(usage(1), cost, &[], &mut Strikes::default());
        assert_eq!(waits.await.expect_err("it is over"), denial);
        assert_eq!(admission.admit(staking(Usd::ZERO), None).await.expect_err("for all"), denial);
    }
    let unknown = with_budget("1").admit(Need { stake: Stake::FREE, ..NEED }, None).await;
    assert_eq!(unknown.expect_err("there is no most"), Denial::Unbounded);
}

#[test]
fn the_spending_in_a_journal_is_counted_once_however_often_it_is_opened() {
    let admission = with_budget("10");
    let (one, other) = (Path::new("one.journal"), Path::new("other.journal"));
    let purse = admission.spent_before(one, Cost::known(usd("2")));
    admission.spent_before(other, Cost::known(usd("1")));
    let stake = Stake { most: Some(usd("0.50")), purse: Some(purse) };
    let permit =
        admission.admit(Need { stake, ..NEED }, None).now_or_never().expect("at once").expect("it fits");
    settle(permit, "0.25");
    assert_eq!(admission.lock().budget.committed(), usd("3.25"));
    // It is opened again with what was spent here, and then with what another process has spent meanwhile.
    admission.spent_before(one, Cost::known(usd("2.25")));
    assert_eq!(admission.lock().budget.committed(), usd("3.25"));
    admission.spent_before(one, Cost::known(usd("3.25")));
    assert_eq!(admission.lock().budget.committed(), usd("4.25"));
}

#[tokio::test(start_paused = true)]
async fn what_may_not_have_been_billed_is_not_reported_as_spent() {
    for (before, lost, said) in [
        (Cost::known(usd("0.20")), None, "$0.20 is spent"),
        (Cost::at_most(usd("0.20")), None, "requests without an answer may have cost up to $0.20"),
        (
            Cost::known(usd("0.125")),
            Some("0.075"),
            "$0.125 is spent, requests without an answer may have cost up to $0.075 more",
        ),
    ] {
        let admission = with_budget("0.23456");
        admission.spent_before(Path::new("one.journal"), before);
        if let Some(most) = lost {
            let permit = admission.admit(staking(usd(most)), None).await.expect("it fits");
            permit.settle(Settlement::Unknown, Cost::at_most(usd(most)), &[], &mut Strikes::default());
        }
        let denial = admission.admit(staking(usd("0.05")), None).await.expect_err("it does not fit");
        let expected =
            format!("the budget of $0.23456 is used up: {said}, and the next request may cost up to $0.05");
        assert_eq!(denial.problem().message, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_budget_is_a_new_promise_whether_the_old_one_was_removed_or_not() {
    for removed in [false, true] {
        let admission = with_budget("1");
        for _ in 0..2 {
            let permit = admission.admit(staking(usd("0.10")), None).await.expect("it fits");
            permit.settle(usage(1), Cost::known(usd("0.30")), &[], &mut Strikes::default());
            let denied = admission.admit(staking(usd("0.10")), None).await.expect_err("it is broken");
            assert!(matches!(denied, Denial::Overrun { .. }), "{denied:?}");
            if removed {
                admission.apply(Limit::Budget(None));
            }
            admission.apply(Limit::Budget(Some(usd("2"))));
        }
    }
}
