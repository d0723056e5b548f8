//! Runs that are changed while they are under way, over real sockets against the simulator.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rowcall::journal::Contents;
use rowcall::{
    Adjustment, Client, Error, EventKind, Extractor, Halt, IntoSource, OrderBy, Outcome, Row, Sink,
};
use rowcall_sim::{Fault, FaultKind, Latency, Options, Scenario, Simulator};
use serde_json::Value;
use tempfile::TempDir;

/// Long enough for many answers, if anything were sent.
const QUIET: Duration = Duration::from_millis(300);

#[derive(Debug, Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Person {
    name: String,
    age: u32,
}

fn texts(n: u32) -> Vec<String> {
    (0..n).map(|age| format!("Ann is {age}")).collect()
}

fn simulator(milliseconds: u64) -> Simulator {
    let latency = Latency::fixed(Duration::from_millis(milliseconds));
    Simulator::start(Scenario::instant("steered").with_latency(latency), Options::default())
        .expect("a simulator")
}

fn people(simulator: &Simulator) -> Extractor<Person> {
    let client = Client::builder("sim").base_url(simulator.base_url()).build().expect("a client");
    client.extractor::<Person>().prompt("{{ text }}").expect("an extractor")
}

/// Refuses to answer the first request about each row.
fn refusing_at_first() -> Simulator {
    let fault = Fault { attempts: Some(1), ..Fault::new(FaultKind::Refusal, 1.0) };
    let scenario = Scenario { faults: vec![fault], ..Scenario::instant("declines at first") };
    let scenario = scenario.with_latency(Latency::fixed(Duration::from_millis(10)));
    Simulator::start(scenario, Options::default()).expect("a simulator")
}

/// Calls `each` with the number of rows so far.
struct Counting<F>(u64, F);

impl<F: FnMut(u64) + Send> Sink for Counting<F> {
    async fn write(&mut self, done: Vec<(Row, Outcome)>) -> rowcall::Result<()> {
        self.0 += done.len() as u64;
        (self.1)(self.0);
        Ok(())
    }
}

#[tokio::test]
async fn a_paused_run_sends_nothing_after_what_was_in_flight_and_then_goes_on() {
    let simulator = simulator(5);
    let adjustments: Arc<Mutex<Vec<Adjustment>>> = Arc::default();
    let seen = Arc::clone(&adjustments);
    let people = people(&simulator).concurrency(8).on_event(move |event| {
        if let EventKind::Adjusted(adjustment) = event.kind {
            seen.lock().expect("no panic").push(adjustment);
        }
    });
    let control = people.control();
    let mut outcomes = people.as_completed(texts(200));
    let mut done = 0;
    for _ in 0..50 {
        outcomes.next().await.expect("an outcome").expect("the run continues");
        done += 1;
    }
    control.pause();
    while let Ok(next) = tokio::time::timeout(QUIET, outcomes.next()).await {
        next.expect("an outcome").expect("the run continues");
        done += 1;
    }
    let stats = people.stats();
    let requests = simulator.stats().requests.all;
    assert_eq!((stats.in_flight, stats.is_paused, stats.done), (0, true, done));
    assert!((50..100).contains(&done) && requests == done, "{done} rows, {requests} requests");
    control.resume();
    while let Some(outcome) = outcomes.next().await {
        outcome.expect("the run continues");
        done += 1;
    }
    assert_eq!((done, people.stats().is_paused), (200, false));
    assert_eq!(*adjustments.lock().expect("no panic"), [Adjustment::Pause, Adjustment::Resume]);
}

#[tokio::test]
async fn the_server_sees_another_concurrency() {
    let simulator = simulator(20);
    let people = people(&simulator).concurrency(2);
    let control = people.control();
    let mut outcomes = people.as_completed(texts(120));
    for row in 0..120 {
        outcomes.next().await.expect("an outcome").expect("the run continues");
        if row == 20 {
            assert_eq!(simulator.stats().in_flight.max, 2);
            control.set_concurrency(Some(10)).expect("it is in range");
        }
    }
    assert_eq!((simulator.stats().in_flight.max, control.settings().concurrency), (10, 10));
}

#[tokio::test]
async fn a_change_that_cannot_be_made_changes_nothing() {
    let simulator = simulator(0);
    let control = people(&simulator).control();
    let before = control.settings();
    for (adjustments, expected) in [
        (vec![Adjustment::Pause, Adjustment::Concurrency(Some(0))], "concurrency `0` is out of range"),
        (
            vec![Adjustment::Requests(Some(5.0)), Adjustment::Tokens(Some(-1.0))],
            "tokens per minute is out of range",
        ),
        (vec![Adjustment::Pause, Adjustment::RetryFailed], "only with a journal"),
        (vec![Adjustment::Pause, Adjustment::Resume], "expected one of them"),
        (vec![Adjustment::Concurrency(Some(1)), Adjustment::Concurrency(Some(2))], "expected one of them"),
        (
            vec![Adjustment::Pause, Adjustment::Budget(rowcall::Usd::parse("1").ok())],
            "answers is not limited",
        ),
    ] {
        let error = control.apply(&adjustments).expect_err("it is refused");
        assert!(matches!(&error, Error::Config(problem) if problem.message.contains(expected)), "{error}");
        assert_eq!(control.settings(), before, "{adjustments:?}");
    }
}

#[tokio::test]
async fn a_run_stops_by_order_and_at_a_deadline_that_is_set_later() {
    let simulator = simulator(5);
    for adjustment in [Adjustment::Stop, Adjustment::Deadline(Some(Duration::ZERO))] {
        let people = people(&simulator).concurrency(4);
        let control = people.control();
        let mut sink = Counting(0, |rows| {
            if rows >= 20 {
                control.apply(&[adjustment]).expect("it is made");
            }
        });
        let source = texts(10_000).into_source();
        let ran = people.run(source, &mut sink, OrderBy::Completed, Halt::default()).await;
        match adjustment {
            Adjustment::Stop => ran.expect("stopping does not fail"),
            _ => assert!(matches!(ran, Err(Error::Limit(_))), "{ran:?}"),
        }
        assert!((20..200).contains(&sink.0), "{adjustment:?}: {} rows", sink.0);
        assert_eq!(people.stats().in_flight, 0);
    }
}

#[tokio::test]
async fn failed_rows_are_retried_while_the_run_goes_on() {
    let (simulator, folder) = (refusing_at_first(), TempDir::new().expect("a folder"));
    let path = folder.path().join("people.journal");
    let people = people(&simulator).concurrency(4).journal(&path).expect("a journal");
    let control = people.control();
    let mut retried = false;
    let mut sink = Counting(0, |rows| {
        if rows >= 20 && !std::mem::replace(&mut retried, true) {
            control.retry_failed().expect("there is a journal");
        }
    });
    let source = texts(60).into_source();
    people.run(source, &mut sink, OrderBy::Input, Halt::default()).await.expect("it ends");
    assert_eq!(sink.0, 60, "retried rows are not released twice");
    let stats = people.stats();
    assert!((20..60).contains(&stats.retried), "{stats:?}");
    assert_eq!((stats.done, stats.failures()), (stats.retried, 60 - stats.retried));
    assert_eq!((stats.taken, stats.ended(), stats.in_flight), (60, 60, 0));
    assert_eq!(simulator.stats().requests.all, 60 + stats.retried);
    assert_eq!(stats.reasons.by_rows()[0].rows, stats.failures());
    let contents = Contents::open(&path).expect("a journal");
    assert_eq!(contents.failures().expect("read").values().sum::<u64>(), stats.failures());
    assert_eq!(contents.totals().rows, 60);
    let adjustments = contents.adjustments().expect("read");
    assert_eq!(
        adjustments.iter().map(|adjusted| &*adjusted.change).collect::<Vec<_>>(),
        ["failed rows retried"]
    );
    let mut rows = contents.into_rows().expect("rows");
    let page = rows.next_page().expect("read");
    let with_value =
        page.iter().filter(|(_, outcome): &&(Row, Outcome<Value>)| outcome.result.is_ok()).count();
    assert_eq!(with_value as u64, stats.done);
}

#[tokio::test]
async fn the_next_run_begins_as_the_extractor_was_built() {
    let simulator = simulator(5);
    let people = people(&simulator).concurrency(4);
    let control = people.control();
    let mut outcomes = people.as_completed(texts(1_000));
    for _ in 0..20 {
        outcomes.next().await.expect("an outcome").expect("the run continues");
    }
    control.apply(&[Adjustment::Pause, Adjustment::Deadline(Some(Duration::from_mins(5)))]).expect("made");
    control.set_concurrency(Some(3)).expect("in range");
    drop(outcomes);
    assert!(!control.settings().is_paused, "a pause ends with the last run");
    assert_eq!(people.gather(texts(10)).await.expect("values").len(), 10);
    let settings = control.settings();
    assert_eq!((settings.deadline, settings.concurrency), (None, 3), "limits of the account stay");
    assert!(!people.stats().is_paused);

    let mut sink = Counting(0, |rows| {
        if rows >= 20 {
            control.stop();
        }
    });
    let source = texts(1_000).into_source();
    people.run(source, &mut sink, OrderBy::Completed, Halt::default()).await.expect("it stops");
    assert!(control.settings().is_stopping, "it is known that the latest run was stopped");
    assert_eq!(people.gather(texts(10)).await.expect("values").len(), 10);
    assert!(!control.settings().is_stopping);
}

#[tokio::test]
async fn clones_are_steered_together_and_others_apart() {
    let simulator = simulator(0);
    let people = people(&simulator);
    let (clone, apart) = (people.clone(), people.steered_apart());
    people.control().pause();
    assert!(clone.control().settings().is_paused && !apart.control().settings().is_paused);
    assert_eq!(apart.gather(texts(10)).await.expect("values").len(), 10);
    let waits = clone.extract("Ann is 1");
    assert!(tokio::time::timeout(QUIET, waits).await.is_err());
}
