//! The methods of an extractor, over real sockets against the simulator: order, failures, cancellation, bounds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rowcall::{Client, Error, Extractor, FailureKind, FaultKind as Kind, Schema, Violation};
use rowcall_sim::{Fault, FaultKind, Latency, Moment, Options, Scenario, Simulator, TextLatency};
use serde_json::{Value, json};

#[derive(Debug, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Person {
    name: String,
    age: u32,
}

fn texts(n: u32) -> Vec<String> {
    (0..n).map(|age| format!("Ann is a {age}-year-old nurse")).collect()
}

fn simulator(scenario: Scenario) -> Simulator {
    Simulator::start(scenario, Options::default()).expect("the simulator starts")
}

fn people(simulator: &Simulator) -> Extractor<Person> {
    let client = Client::builder("sim").base_url(simulator.base_url()).build().expect("a client");
    client.extractor::<Person>().prompt("Extract person info: {{ text }}").expect("an extractor")
}

/// Later rows are answered sooner: 750 ms for the first text, then 150 ms less each, enough to keep the order even on a busy
/// machine.
fn slower_first() -> Scenario {
    let texts = (0..5_u8).map(|n| {
        let seconds = 0.75 - 0.15 * f64::from(n);
        TextLatency { contains: format!(" {n}-year"), seconds }
    });
    by_text("the earlier a row, the later its answer", texts.collect())
}

/// Answers at once, except for rows with these texts.
fn by_text(about: &str, texts: Vec<TextLatency>) -> Scenario {
    Scenario::instant(about).with_latency(Latency::ByText { otherwise_seconds: 0.0, texts })
}

fn slow(contains: &str, seconds: f64) -> Vec<TextLatency> {
    vec![TextLatency { contains: contains.to_owned(), seconds }]
}

/// A fault that declines to answer for rows with this text.
fn refusing(text: &str) -> Fault {
    let mut refusal = Fault::new(FaultKind::Refusal, 1.0);
    refusal.contains = Some(text.to_owned());
    refusal
}

#[tokio::test]
async fn every_method_returns_every_rows_value() {
    let simulator = simulator(Scenario::instant("for the many ways"));
    let people = people(&simulator);
    let ages: Vec<_> = (0..100).collect();
    let of = |people: Vec<Person>| people.into_iter().map(|person| person.age).collect::<Vec<_>>();
    assert_eq!(of(people.sequential(texts(100)).await.expect("values")), ages);
    assert_eq!(of(people.gather(texts(100)).await.expect("values")), ages);
    assert_eq!(of(people.concurrency(2).gather(texts(100)).await.expect("values")), ages);
    let outcomes = people.gather_outcomes(texts(100)).await.expect("outcomes");
    assert_eq!(outcomes.iter().map(|outcome| outcome.index as u32).collect::<Vec<_>>(), ages);
    for mut stream in [
        people.as_completed(texts(100)),
        people.ordered(texts(100)),
        people.concurrency(3).as_completed(texts(100)),
    ] {
        let mut seen = Vec::new();
        while let Some(outcome) = stream.next().await {
            let outcome = outcome.expect("an outcome");
            let person = outcome.result.expect("a value");
            assert_eq!(u64::from(person.age), outcome.index);
            seen.push(person.age);
        }
        seen.sort_unstable();
        assert_eq!(seen, ages);
    }
    let person = people.extract("Bob is a 41-year-old pilot").await.expect("a value");
    assert_eq!(person, Person { name: "Bob".to_owned(), age: 41 });
    assert_eq!(people.stats().done, 701);
}

#[tokio::test]
async fn as_completed_gives_the_fastest_first_and_ordered_the_first() {
    let simulator = simulator(slower_first());
    let people = people(&simulator);
    let order = async |mut stream: rowcall::Outcomes<'_, Person>| {
        let mut indexes = Vec::new();
        while let Some(outcome) = stream.next().await {
            indexes.push(outcome.expect("an outcome").index);
        }
        indexes
    };
    assert_eq!(order(people.as_completed(texts(5))).await, (0..5).rev().collect::<Vec<_>>());
    assert_eq!(order(people.ordered(texts(5))).await, (0..5).collect::<Vec<_>>());
}

#[tokio::test]
async fn no_more_than_allowed_are_in_flight_and_all_slots_are_used() {
    let simulator = simulator(
        Scenario::instant("slow enough to pile up").with_latency(Latency::fixed(Duration::from_millis(300))),
    );
    let people = people(&simulator);
    people.concurrency(5).gather(texts(50)).await.expect("values");
    assert_eq!(simulator.stats().in_flight.max, 5);
    people.concurrency(100).gather(texts(300)).await.expect("values");
    assert_eq!(simulator.stats().in_flight.max, 100);
}

#[tokio::test]
async fn the_first_failure_to_occur_ends_gather_and_cancels_its_siblings() {
    // All four have arrived before Bob's is answered.
    let texts = [slow("Ann", 30.0), slow("Bob", 0.5)].concat();
    let scenario = by_text("declines Bob, dawdles over Ann", texts).with_fault(refusing("Bob"));
    let simulator = simulator(scenario);
    let people = people(&simulator);
    let rows = ["Ann is 1", "Ann is 2", "Bob is 3", "Ann is 4"];
    let error = people.gather(rows).await.expect_err("Bob is declined");
    let Error::Row { index, failure } = error else { panic!("not a row's error: {error}") };
    assert_eq!((index, failure.kind), (2, FailureKind::Refusal));
    assert_eq!((failure.effort.attempts, failure.effort.prompts), (1, 1));
    assert!(failure.effort.usage.input_tokens > 0);
    assert!(failure.completion.is_some());
    // The siblings' connections are closed while the simulator still works on them.
    while simulator.stats().in_flight.now > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(simulator.stats().unfinished, 3);
}

#[tokio::test]
async fn failures_are_data_in_gather_outcomes() {
    let simulator = simulator(Scenario::instant("declines Bob").with_fault(refusing("Bob")));
    let outcomes =
        people(&simulator).gather_outcomes(["Ann is 1", "Bob is 2", "Eve is 3"]).await.expect("outcomes");
    let kinds: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.result.as_ref().map(|person| person.age).map_err(|f| f.kind))
        .collect();
    assert_eq!(kinds, [Ok(1), Err(FailureKind::Refusal), Ok(3)]);
}

#[tokio::test]
async fn dropping_a_stream_stops_its_work() {
    let simulator =
        simulator(Scenario::instant("takes its time").with_latency(Latency::fixed(Duration::from_secs(30))));
    let people = people(&simulator);
    let mut stream = people.concurrency(8).as_completed(texts(1000));
    tokio::select! {
        _ = stream.next() => panic!("nothing is answered for half a minute"),
        () = async { while simulator.stats().in_flight.now < 8 { tokio::task::yield_now().await } } => {}
    }
    drop(stream);
    while simulator.stats().in_flight.now > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(simulator.stats().requests.all, 8);
}

#[tokio::test]
async fn rows_are_pulled_lazily_from_an_endless_iterator() {
    let simulator = simulator(Scenario::instant("for the endless"));
    let pulled = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&pulled);
    let endless = std::iter::repeat_with(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        "Ann is 30"
    });
    let mut stream = people(&simulator).concurrency(4).ordered(endless);
    for _ in 0..10 {
        stream.next().await.expect("there is no end").expect("an outcome");
    }
    assert!(
        pulled.load(Ordering::Relaxed) <= 1024 + 64 + 10,
        "{} rows were pulled",
        pulled.load(Ordering::Relaxed)
    );
}

#[tokio::test]
async fn a_stalled_first_row_neither_stops_the_others_nor_grows_memory() {
    let simulator = simulator(by_text("the first row takes three seconds", slow("Ann is a 0-year", 3.0)));
    let people = people(&simulator);
    let mut stream = people.concurrency(16).ordered(texts(10_000));
    let first = stream.next().await.expect("a first").expect("an outcome");
    assert_eq!(first.index, 0);
    // Two windows of 1,024 rows: one in flight, one held back for order; the rest was not taken.
    let taken = people.stats().taken;
    assert!((1024..=2 * 1024 + 64).contains(&taken), "{taken} rows were taken");
    let mut next = 1;
    while let Some(outcome) = stream.next().await {
        assert_eq!(outcome.expect("an outcome").index, next);
        next += 1;
    }
    assert_eq!(next, 10_000);
}

#[tokio::test]
async fn streams_structs_and_runtime_schemas_work_as_well() {
    #[derive(serde::Serialize)]
    struct Review {
        product: &'static str,
        stars: u8,
    }
    let simulator = simulator(Scenario::instant("for reviews"));
    let client = Client::builder("sim").base_url(simulator.base_url()).build().expect("a client");
    let schema = Schema::parse("stars int").expect("a schema");
    let reviews =
        client.extractor_with(schema).prompt("{{ product }} got {{ stars }} stars").expect("an extractor");
    let rows = [Review { product: "lamp", stars: 3 }, Review { product: "desk", stars: 5 }];
    let values = reviews.gather(rowcall::stream(futures_util::stream::iter(rows))).await.expect("values");
    assert_eq!(values, [json!({"stars": 3}), json!({"stars": 5})]);
}

#[tokio::test]
async fn a_row_that_lacks_a_variable_fails_alone() {
    let simulator = simulator(Scenario::instant("for two of three"));
    let client = Client::builder("sim").base_url(simulator.base_url()).build().expect("a client");
    let people = client.extractor::<Person>().prompt("{{ bio }}").expect("an extractor");
    let rows = [json!({"bio": "Ann is 1"}), json!({"name": "Bob"}), json!({"bio": "Eve is 3"})];
    let outcomes = people.gather_outcomes(&rows).await.expect("outcomes");
    let failure = outcomes[1].result.as_ref().expect_err("no bio");
    assert_eq!(failure.kind, FailureKind::Template);
    assert_eq!(failure.message, "the prompt uses `bio`, which the row lacks (it has `name`)");
    assert_eq!(simulator.stats().requests.all, 2);
}

#[tokio::test]
async fn invalid_answers_are_asked_again_with_their_violations() {
    let mut wrong = Fault::new(FaultKind::SchemaViolation, 1.0);
    wrong.attempts = Some(2);
    let simulator = simulator(Scenario::instant("wrong twice, then right").with_fault(wrong));
    let people = people(&simulator);
    let outcomes = people.gather_outcomes(texts(3)).await.expect("outcomes");
    for outcome in outcomes {
        assert_eq!((outcome.effort.prompts, outcome.effort.attempts), (3, 3));
        assert_eq!(u64::from(outcome.result.expect("right at last").age), outcome.index);
    }
    assert_eq!((people.stats().reasks, simulator.stats().requests.re_ask), (6, 6));
}

#[tokio::test]
async fn a_users_own_rule_finds_violations_too() {
    let simulator = simulator(Scenario::instant("for the strict"));
    let people = people(&simulator).check(|row, person| {
        let text = row
            .fields
            .as_ref()
            .ok()
            .and_then(|fields| fields.get("text"))
            .map(Value::to_string)
            .unwrap_or_default();
        if person.age < 18 && text.contains("nurse") {
            vec![Violation::at("/age", format!("is {}, expected at least 18", person.age))]
        } else {
            Vec::new()
        }
    });
    let outcomes = people
        .gather_outcomes(["Ann is a 17-year-old nurse", "Eve is a 30-year-old nurse"])
        .await
        .expect("outcomes");
    let failure = outcomes[0].result.as_ref().expect_err("too young");
    assert_eq!((failure.kind, failure.effort.prompts), (FailureKind::Invalid, 4));
    assert_eq!(failure.violations, [Violation::at("/age", "is 17, expected at least 18")]);
    assert_eq!(failure.best, Some(json!({"name": "Ann", "age": 17})));
    assert!(outcomes[1].result.is_ok());
}

#[cfg(feature = "garde")]
#[tokio::test]
async fn rules_derived_from_garde_find_violations() {
    #[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate)]
    struct Adult {
        #[garde(skip)]
        #[expect(dead_code, reason = "only the age has a rule")]
        name: String,
        #[garde(custom(grown_up))]
        age: u32,
    }
    // A range would already be in the schema.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "garde calls it so")]
    fn grown_up(age: &u32, _: &()) -> garde::Result {
        if *age < 18 { Err(garde::Error::new("too young")) } else { Ok(()) }
    }
    let simulator = simulator(Scenario::instant("for grown-ups"));
    let client = Client::builder("sim").base_url(simulator.base_url()).build().expect("a client");
    let adults =
        client.extractor::<Adult>().max_reasks(1).prompt("{{ text }}").expect("an extractor").garde();
    let outcomes = adults
        .gather_outcomes(["Ann is a 17-year-old nurse", "Eve is a 30-year-old nurse"])
        .await
        .expect("outcomes");
    let failure = outcomes[0].result.as_ref().expect_err("too young");
    assert_eq!(failure.violations, [Violation::at("/age", "too young")]);
    assert_eq!(outcomes[1].result.as_ref().map(|adult| adult.age), Ok(30));
}

#[tokio::test]
async fn faults_are_retried_until_they_pass() {
    let once = |kind: FaultKind| {
        let mut fault = Fault::new(kind, 0.2);
        fault.attempts = Some(1);
        fault
    };
    let scenario = Scenario::instant("everything goes wrong once")
        .with_fault(once(FaultKind::Status(rowcall_sim::StatusFault::new(500))))
        .with_fault(once(FaultKind::Reset(Moment::Before)))
        .with_fault(once(FaultKind::Cut(Moment::Midway)))
        .with_fault(once(FaultKind::GarbageBody))
        .with_fault(once(FaultKind::ErrorIn200));
    let simulator = simulator(scenario);
    let ages: Vec<_> =
        people(&simulator).gather(texts(40)).await.expect("values").iter().map(|person| person.age).collect();
    assert_eq!(ages, (0..40).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_fault_that_every_row_shares_stops_the_run() {
    let simulator = simulator(Scenario::instant("for members only").with_key("sk-right"));
    let client = Client::builder("openai/x")
        .base_url(simulator.base_url())
        .api_key("sk-wrong")
        .build()
        .expect("a client");
    let people = client.extractor::<Person>().prompt("{{ text }}").expect("an extractor");
    let error = people.concurrency(4).gather_outcomes(texts(1000)).await.expect_err("the key is wrong");
    let Error::Stopped(fault) = &error else { panic!("not stopped: {error}") };
    assert_eq!(fault.kind, Kind::Auth);
    assert!(error.hint().is_some());
    assert!(!format!("{error} {error:?} {client:?}").contains("sk-wrong"));
    assert!(simulator.stats().requests.all <= 8, "{} requests", simulator.stats().requests.all);
}

#[tokio::test]
async fn a_stalled_answer_times_out_and_is_asked_for_again() {
    let mut stall = Fault::new(FaultKind::Stall(Moment::Midway), 1.0);
    stall.attempts = Some(1);
    let simulator = simulator(Scenario::instant("stalls once").with_fault(stall));
    let client = Client::builder("sim")
        .base_url(simulator.base_url())
        .timeout(Duration::from_millis(200))
        .build()
        .expect("a client");
    let people = client.extractor::<Person>().prompt("{{ text }}").expect("an extractor");
    let outcomes = people.gather_outcomes(texts(2)).await.expect("outcomes");
    for outcome in outcomes {
        assert_eq!((outcome.effort.attempts, outcome.effort.unmetered), (2, 1));
        assert!(outcome.result.is_ok());
    }
}

#[tokio::test]
async fn limits_per_minute_hold_for_all_extractors_of_a_client() {
    let simulator = simulator(Scenario::instant("for two extractors"));
    // 20 requests a second, with a burst of a tenth of a minute's worth, 120.
    let client = Client::builder("sim")
        .base_url(simulator.base_url())
        .requests_per_minute(1200.0)
        .build()
        .expect("a client");
    let people = client.extractor::<Person>().prompt("{{ text }}").expect("an extractor");
    let others = client.extractor::<Person>().prompt("Again: {{ text }}").expect("an extractor");
    let started = tokio::time::Instant::now();
    let (first, second) = tokio::join!(people.gather(texts(70)), others.gather(texts(70)));
    first.and(second).expect("values");
    // 20 more than the burst take one second; the upper bound is generous, since the machine may be busy.
    let taken = started.elapsed().as_secs_f64();
    assert!((0.94..5.0).contains(&taken), "{taken} s");
}
