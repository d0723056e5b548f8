//! Runs in batches against the simulator: whatever goes wrong, no row is lost, the values are those of an online run, and nothing is
//! executed twice that need not be.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rowcall::journal::{Collection, Contents, RemoteStage};
use rowcall::provider::Protocol;
use rowcall::{
    BatchOptions, Client, EventKind, Extractor, Halt, OrderBy, Outcome, Price, Reask, Row, Sink, Stay,
};
use rowcall_sim::{Batches, Bill, Fault, FaultKind, LineOrder, Options, Scenario, Simulator, StatusFault};
use tempfile::TempDir;

#[derive(Debug, Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Person {
    name: String,
    age: u32,
}

const ROWS: u32 = 60;

/// A provider as the simulator plays it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Provider {
    model: &'static str,
    /// The path below which it is.
    path: &'static str,
    protocol: Protocol,
}

const fn sim(protocol: Protocol) -> Provider {
    Provider { model: "sim", path: "/v1", protocol }
}

const CHAT: Provider = sim(Protocol::OpenAiChat);

const ANTHROPIC: Provider = sim(Protocol::Anthropic);

/// One for each form of a batch API.
const PROVIDERS: [Provider; 6] = [
    CHAT,
    sim(Protocol::OpenAiResponses),
    ANTHROPIC,
    sim(Protocol::Gemini),
    Provider { model: "together/a", path: "/together/v1", protocol: Protocol::OpenAiChat },
    Provider { model: "mistral/a", path: "/mistral/v1", protocol: Protocol::OpenAiChat },
];

fn texts() -> Vec<String> {
    (0..ROWS).map(|age| format!("Ann is {age}")).collect()
}

/// Batches of which each takes a few hundredths of a second.
fn quick() -> Batches {
    Batches { speed: 6000.0, ..Batches::default() }
}

fn start(batches: Batches) -> Simulator {
    simulator(Scenario::instant("batches").with_batches(batches))
}

fn simulator(scenario: Scenario) -> Simulator {
    Simulator::start(scenario, Options::default()).expect("the simulator starts")
}

fn options() -> BatchOptions {
    BatchOptions { poll: Some(Duration::from_millis(20)), ..BatchOptions::default() }
}

/// An extractor that sends its rows in batches and keeps a journal in this folder.
fn batched(
    simulator: &Simulator,
    Provider { model, path, protocol }: Provider,
    folder: &TempDir,
    options: BatchOptions,
) -> Extractor<Person> {
    let client = Client::builder(model)
        .base_url(simulator.base_url().replace("/v1", path))
        .api_key("sk-simulated")
        .protocol(protocol)
        .price(Price::parse("in=2,out=4").expect("a price"))
        .build()
        .expect("a client");
    let people =
        client.extractor::<Person>().max_output_tokens(1000).prompt("{{ text }}").expect("an extractor");
    let people = people.journal(folder.path().join("people.journal")).expect("a journal");
    people.in_batches(options).expect("it has batches")
}

/// A sink that keeps what it is given.
#[derive(Debug, Default)]
struct Kept(Vec<(u64, Option<u64>)>);

impl Sink for Kept {
    async fn write(&mut self, done: Vec<(Row, Outcome)>) -> rowcall::Result<()> {
        let age = |outcome: &Outcome| outcome.result.as_ref().ok().and_then(|value| value["age"].as_u64());
        self.0.extend(done.iter().map(|(row, outcome)| (row.index, age(outcome))));
        Ok(())
    }
}

async fn run(people: &Extractor<Person>, halt: Halt) -> (Vec<(u64, Option<u64>)>, rowcall::Result<()>) {
    let mut kept = Kept::default();
    let source = rowcall::IntoSource::into_source(texts());
    let ran = people.run(source, &mut kept, OrderBy::Input, halt).await;
    (kept.0, ran)
}

/// All rows in order, each with its age.
fn all() -> Vec<(u64, Option<u64>)> {
    (0..u64::from(ROWS)).map(|row| (row, Some(row))).collect()
}

#[tokio::test]
async fn every_provider_gives_the_same_values_as_online_at_half_the_price() {
    for provider in PROVIDERS {
        let bill = Bill::new(2_000_000, 4_000_000);
        let simulator = simulator(Scenario::instant("billed").with_batches(quick()).with_bill(bill));
        let folder = TempDir::new().expect("a folder");
        let people = batched(&simulator, provider, &folder, options());
        let (found, ran) = run(&people, Halt::default()).await;
        ran.unwrap_or_else(|error| panic!("{provider:?}: {error}"));
        assert_eq!(found, all(), "{provider:?}");
        let (stats, seen) = (people.stats(), simulator.stats());
        assert_eq!((seen.batches, seen.batched, seen.requests.all), (1, u64::from(ROWS), 0), "{provider:?}");
        assert_eq!((stats.batches, stats.batches_collected, stats.in_batches), (1, 1, 0), "{provider:?}");
        let cost = stats.cost.exact().expect("the whole cost is known").picodollars();
        assert_eq!(cost, seen.bill_picodollars, "{provider:?}");
        assert_eq!(seen.uploaded_files, 0, "{provider:?}: what was uploaded is deleted");
        drop(people);
        let files: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
        assert_eq!(files.len(), 1, "only the journal is left: {files:?}");
    }
}

/// Traps: what each is called, how its batches run, and the most requests that are executed.
fn traps() -> Vec<(&'static str, Batches, u64)> {
    let rows = u64::from(ROWS);
    vec![
        ("results in order", Batches { order: LineOrder::Input, ..quick() }, rows),
        ("doubled lines", Batches { doubled: 0.3, ..quick() }, rows),
        ("missing lines", Batches { missing: 0.3, ..quick() }, 2 * rows),
        ("doubled and missing lines", Batches { missing: 0.3, doubled: 0.3, ..quick() }, 2 * rows),
        ("a create without an answer", Batches { lost_creates: 1, ..quick() }, rows),
        ("a create that is refused for now", Batches { refused_creates: 1, ..quick() }, rows),
        ("a state that nobody knows", Batches { state: Some("dreaming".to_owned()), ..quick() }, rows),
        ("a download that breaks", Batches { broken_downloads: 1, ..quick() }, rows),
        ("an expired batch", Batches { seconds: 600.0, window_seconds: 300.0, ..quick() }, rows),
        // Six batches, by the default number of retries, and then online.
        ("results that are never named", Batches { without_results: true, ..quick() }, 7 * rows),
        ("results that vanish", Batches { kept_seconds: 1.0, ..quick() }, 7 * rows),
    ]
}

/// Plays a trap with a provider.
async fn play(provider: Provider, trap: &str, batches: Batches, most: u64) {
    let simulator = start(batches);
    let folder = TempDir::new().expect("a folder");
    let people = batched(&simulator, provider, &folder, options());
    let found = tokio::time::timeout(Duration::from_secs(100), run(&people, Halt::default())).await;
    let (found, ran) = found.unwrap_or_else(|_| panic!("{provider:?}, {trap}: it does not end"));
    ran.unwrap_or_else(|error| panic!("{provider:?}, {trap}: {error}"));
    assert_eq!(found, all(), "{provider:?}, {trap}");
    let executed = simulator.stats().batched + simulator.stats().requests.all;
    assert!(executed >= u64::from(ROWS) && executed <= most, "{provider:?}, {trap}: {executed} executed");
}

#[tokio::test]
async fn no_trap_loses_a_row_or_pays_for_one_twice() {
    for provider in PROVIDERS {
        let played = traps().into_iter().map(|(trap, batches, most)| play(provider, trap, batches, most));
        futures_util::future::join_all(played).await;
    }
}

#[tokio::test]
async fn a_create_is_sent_once_even_if_labels_are_forgotten() {
    for provider in PROVIDERS {
        let simulator = start(Batches { lost_creates: 1, forgets_labels: true, ..quick() });
        let folder = TempDir::new().expect("a folder");
        let people = batched(&simulator, provider, &folder, options());
        let (found, ran) = run(&people, Halt::default()).await;
        ran.expect("the run ends");
        assert_eq!(found, all());
        // Gemini's batches have nothing else to be found by: the API does not say which file a batch was made from.
        let most = if provider.protocol == Protocol::Gemini { 2 } else { 1 };
        assert!(simulator.stats().batches <= most, "{provider:?}");
    }
}

#[tokio::test]
async fn an_invalid_answer_is_asked_again_online_or_in_the_next_batch() {
    let fault = || Fault::new(FaultKind::SchemaViolation, 1.0).with_attempts(1).with_contains("is 7");
    for (reask, batches, online) in [(Reask::Online, 1, 1), (Reask::Batch, 2, 0)] {
        let scenario = Scenario::instant("violations").with_batches(quick()).with_fault(fault());
        let simulator = simulator(scenario);
        let folder = TempDir::new().expect("a folder");
        let people = batched(&simulator, CHAT, &folder, BatchOptions { reask, ..options() });
        let (found, ran) = run(&people, Halt::default()).await;
        ran.expect("the run ends");
        assert_eq!(found, all(), "{reask:?}");
        let seen = simulator.stats();
        assert_eq!((seen.batches, seen.requests.all), (batches, online), "{reask:?}");
        assert_eq!((people.stats().reasks, people.stats().requests), (1, u64::from(ROWS) + 1));
        assert_eq!(seen.requests.re_ask, 1, "it is a re-ask, with the invalid answer");
    }
}

#[tokio::test]
async fn refusals_and_errors_of_rows_are_failures_and_others_are_asked_again() {
    let status = |code: u16| FaultKind::Status(StatusFault::new(code));
    let scenario = Scenario::instant("faults")
        .with_batches(quick())
        .with_fault(Fault::new(FaultKind::Refusal, 1.0).with_contains("is 3"))
        .with_fault(Fault::new(status(400), 1.0).with_contains("is 40"))
        .with_fault(Fault::new(status(503), 1.0).with_attempts(1).with_contains("is 5"));
    let simulator = simulator(scenario);
    let folder = TempDir::new().expect("a folder");
    let people = batched(&simulator, CHAT, &folder, options());
    let (found, ran) = run(&people, Halt::default()).await;
    ran.expect("the run ends");
    let failed: Vec<u64> = found.iter().filter(|(_, age)| age.is_none()).map(|(row, _)| *row).collect();
    assert_eq!(failed, [3, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40]);
    assert_eq!(found.len(), ROWS as usize);
    assert_eq!(simulator.stats().batches, 2);
}

#[tokio::test]
async fn a_full_queue_makes_batches_smaller_and_a_rejected_file_stops_the_run() {
    let simulator = start(Batches { enqueued_tokens: Some(3_000), ..quick() });
    let folder = TempDir::new().expect("a folder");
    let people = batched(&simulator, CHAT, &folder, options());
    let (found, ran) = run(&people, Halt::default()).await;
    ran.expect("the run ends");
    assert_eq!(found, all());
    let created = simulator.stats().batches;
    assert!((3..20).contains(&created), "{created} batches: they become larger again once there is room");
    let simulator = start(Batches { rejected: 1, ..quick() });
    let folder = TempDir::new().expect("a folder");
    let people = batched(&simulator, CHAT, &folder, options());
    let (_, ran) = run(&people, Halt::default()).await;
    let error = ran.expect_err("the file was rejected").to_string();
    assert!(error.contains("invalid_json_line"), "{error}");
    let (found, ran) = run(&people, Halt::default()).await;
    ran.expect("the rows are still there");
    assert_eq!(found, all());
}

#[tokio::test]
async fn rows_are_split_by_the_limit_and_equal_rows_are_asked_once() {
    let simulator = start(quick());
    let folder = TempDir::new().expect("a folder");
    let options = BatchOptions { most_rows: Some(25), ..options() };
    let people = batched(&simulator, CHAT, &folder, options);
    let texts: Vec<String> = (0..ROWS).chain(0..ROWS).map(|age| format!("Ann is {age}")).collect();
    let found = people.gather(texts).await.expect("values");
    assert_eq!(
        found.iter().map(|person| person.age).collect::<Vec<_>>(),
        (0..ROWS).chain(0..ROWS).collect::<Vec<_>>()
    );
    let seen = simulator.stats();
    assert_eq!((seen.batches, seen.batched, seen.requests.all), (3, u64::from(ROWS), 0));
}

#[tokio::test]
async fn a_detached_run_is_collected_by_another_one_or_without_the_input() {
    for with_input in [true, false] {
        let simulator = start(Batches { speed: 3000.0, ..Batches::default() });
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("people.journal");
        let detached = BatchOptions { stay: Stay::Detach, ..options() };
        {
            let people = batched(&simulator, ANTHROPIC, &folder, detached);
            let (found, ran) = run(&people, Halt::default()).await;
            ran.expect("everything is sent");
            assert_eq!(
                (found.len(), simulator.stats().batches, people.stats().in_batches),
                (0, 1, u64::from(ROWS))
            );
        }
        let contents = Contents::open(&path).expect("a journal");
        let batches = contents.batches().expect("batches");
        assert_eq!((batches[0].remote, batches[0].collection), (RemoteStage::Running, Collection::NotReady));
        assert!(!contents.totals().complete && batches[0].results_until_ms.is_some());
        assert_eq!(contents.parked().expect("rows"), (0, u64::from(ROWS)));
        drop(contents);
        let people = batched(&simulator, ANTHROPIC, &folder, options());
        if with_input {
            let (found, ran) = run(&people, Halt::default()).await;
            ran.expect("the rest is collected");
            assert_eq!(found, all());
        } else {
            let mut kept = Kept::default();
            people.collect_batches(&mut kept, Halt::default()).await.expect("it is collected");
            kept.0.sort_unstable();
            assert_eq!(kept.0, all());
        }
        drop(people);
        assert_eq!((simulator.stats().batches, simulator.stats().batched), (1, u64::from(ROWS)));
        let contents = Contents::open(&path).expect("a journal");
        assert_eq!(contents.batches().expect("batches")[0].collection, Collection::Collected);
        assert_eq!((contents.totals().complete, contents.totals().rows), (true, u64::from(ROWS)));
        assert_eq!(contents.totals().requests, u64::from(ROWS));
        assert_eq!(contents.parked().expect("rows"), (0, 0));
    }
}

#[tokio::test]
async fn rows_of_a_batch_that_has_ended_are_not_sent_again_while_the_input_is_read() {
    let rows: Vec<String> = (0..3000).map(|age| format!("Ann is {age}")).collect();
    for with_input in [true, false] {
        let simulator = start(quick());
        let folder = TempDir::new().expect("a folder");
        let detached = BatchOptions { stay: Stay::Detach, ..options() };
        let people = batched(&simulator, CHAT, &folder, detached);
        let source = rowcall::IntoSource::into_source(rows.clone());
        // Results that are there by then are collected at once.
        let mut early = Kept::default();
        people.run(source, &mut early, OrderBy::Input, Halt::default()).await.expect("it is sent");
        drop(people);
        let mut kept = Kept::default();
        let people = batched(&simulator, CHAT, &folder, options());
        if with_input {
            let source = rowcall::IntoSource::into_source(rows.clone());
            people.run(source, &mut kept, OrderBy::Input, Halt::default()).await.expect("it is collected");
        } else {
            people.collect_batches(&mut kept, Halt::default()).await.expect("it is collected");
        }
        let collected = kept.0.len() + if with_input { 0 } else { early.0.len() };
        assert_eq!((collected, simulator.stats().batched), (3000, 3000), "with input: {with_input}");
    }
}

#[tokio::test]
async fn an_interrupted_run_continues_where_it_was() {
    let simulator = start(Batches { speed: 2000.0, ..Batches::default() });
    let folder = TempDir::new().expect("a folder");
    {
        let halt = Halt::default();
        let people = batched(&simulator, CHAT, &folder, options());
        let switch = halt.clone();
        let people = people.on_event(move |event| {
            if matches!(&event.kind, EventKind::Batch(_)) {
                switch.set();
            }
        });
        let (found, ran) = run(&people, halt).await;
        ran.expect("it is halted");
        assert_eq!(found, []);
    }
    let people = batched(&simulator, CHAT, &folder, options());
    let (found, ran) = run(&people, Halt::default()).await;
    ran.expect("the run ends");
    assert_eq!(found, all());
    assert_eq!((simulator.stats().batches, simulator.stats().batched), (1, u64::from(ROWS)));
}

#[tokio::test]
async fn near_the_deadline_batches_are_cancelled_and_the_rest_is_asked_online() {
    for (cancel_completes, online) in [(false, 36), (true, 0)] {
        let slow = Batches {
            speed: 100.0,
            seconds: 86_400.0,
            window_seconds: 1e6,
            cancel_seconds: 20.0,
            cancel_completes,
            ..Batches::default()
        };
        let bill = Bill::new(2_000_000, 4_000_000);
        let simulator = simulator(Scenario::instant("a deadline").with_batches(slow).with_bill(bill));
        let folder = TempDir::new().expect("a folder");
        let client = Client::builder("sim")
            .base_url(simulator.base_url())
            .price(Price::parse("in=2,out=4").expect("a price"))
            .build()
            .expect("a client");
        let people = client
            .extractor::<Person>()
            .deadline(Duration::from_secs(8))
            .prompt("{{ text }}")
            .expect("an extractor");
        let people = people.journal(folder.path().join("people.journal")).expect("a journal");
        let people = people.in_batches(options()).expect("batches");
        let (found, ran) = run(&people, Halt::default()).await;
        ran.expect("the run ends before its deadline");
        assert_eq!(found, all());
        let seen = simulator.stats();
        assert_eq!((seen.batched, seen.requests.all), (u64::from(ROWS) - online, online));
        let cost = people.stats().cost.exact().expect("the whole cost is known").picodollars();
        assert_eq!(cost, seen.bill_picodollars, "half of it at half price, the rest at full price");
    }
}

#[tokio::test]
async fn another_key_learns_which_key_sent_a_batch() {
    let simulator = start(Batches { speed: 1.0, ..Batches::default() });
    let folder = TempDir::new().expect("a folder");
    let with_key = |key: &str, stay: Stay| {
        let client =
            Client::builder("sim").base_url(simulator.base_url()).api_key(key).build().expect("a client");
        let people = client.extractor::<Person>().prompt("{{ text }}").expect("an extractor");
        let people = people.journal(folder.path().join("people.journal")).expect("a journal");
        people.in_batches(BatchOptions { stay, ..options() }).expect("batches")
    };
    run(&with_key("sk-one-of-two-keys", Stay::Detach), Halt::default()).await.1.expect("it is sent");
    let (_, ran) = run(&with_key("sk-the-other-key", Stay::Wait), Halt::default()).await;
    let error = ran.expect_err("the batch is not visible").to_string();
    let contents = Contents::open(folder.path().join("people.journal")).expect("a journal");
    let fingerprint = contents.batches().expect("batches")[0].fingerprint.clone();
    assert!(error.contains(&fingerprint) && error.contains("not visible"), "{error}");
    assert!(!error.contains("sk-"), "{error}");
}

#[tokio::test]
async fn missing_results_are_reported_as_possibly_billed() {
    let simulator = start(Batches { missing: 0.3, ..quick() });
    let folder = TempDir::new().expect("a folder");
    let people = batched(&simulator, CHAT, &folder, options());
    let notes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&notes);
    let people = people.on_event(move |event| {
        if let EventKind::Batch(news) = &event.kind {
            seen.lock().expect("no panic").push(news.to_string());
        }
    });
    let (found, ran) = run(&people, Halt::default()).await;
    ran.expect("the run ends");
    assert_eq!(found, all());
    let notes = notes.lock().expect("no panic").join("\n");
    assert!(notes.contains("without a result, which may have been billed"), "{notes}");
    assert!(people.stats().unmetered > 0);
}

#[tokio::test]
async fn rows_in_the_cache_are_not_sent_and_values_of_batches_are_kept_there() {
    let simulator = start(quick());
    let cache = TempDir::new().expect("a folder");
    let cached = |folder: &TempDir| {
        let people = batched(&simulator, CHAT, folder, options());
        people.cache(cache.path().join("a.cache")).expect("a cache")
    };
    // A third of the rows is asked first.
    let first = TempDir::new().expect("a folder");
    let people = cached(&first);
    let found = people.gather(texts().split_off(40)).await.expect("values");
    assert_eq!((found.len(), people.stats().cached), (20, 0));
    assert_eq!((simulator.stats().batches, simulator.stats().batched), (1, 20));
    drop(people);
    let second = TempDir::new().expect("a folder");
    let people = cached(&second);
    let (found, ran) = run(&people, Halt::default()).await;
    ran.expect("the run ends");
    assert_eq!(found, all());
    assert_eq!((people.stats().cached, simulator.stats().batched), (20, u64::from(ROWS)));
    drop(people);
    // All of them are there by now, and nothing is sent.
    let third = TempDir::new().expect("a folder");
    let people = cached(&third);
    let (found, ran) = run(&people, Halt::default()).await;
    ran.expect("the run ends");
    assert_eq!((found, people.stats().cached), (all(), u64::from(ROWS)));
    let seen = simulator.stats();
    assert_eq!((seen.batches, seen.batched, seen.requests.all), (2, u64::from(ROWS), 0));
}

#[tokio::test]
async fn an_upload_that_cannot_be_deleted_is_reported_and_does_no_harm() {
    let simulator = start(Batches { keeps_files: true, ..quick() });
    let folder = TempDir::new().expect("a folder");
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&warnings);
    let people = batched(&simulator, CHAT, &folder, options()).on_event(move |event| {
        if let EventKind::Warned(warning) = &event.kind {
            seen.lock().expect("no panic").push(warning.clone());
        }
    });
    let (found, ran) = run(&people, Halt::default()).await;
    ran.expect("the run ends");
    assert_eq!(found, all());
    let warnings = warnings.lock().expect("no panic").join("\n");
    assert!(
        warnings.contains("the uploaded requests of batch 1") && warnings.contains("cannot be deleted"),
        "{warnings}"
    );
    assert_eq!(simulator.stats().uploaded_files, 1);
}
