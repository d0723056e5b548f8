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

const PROTOCOLS: [Protocol; 4] =
    [Protocol::OpenAiChat, Protocol::OpenAiResponses, Protocol::Anthropic, Protocol::Gemini];

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
    protocol: Protocol,
    folder: &TempDir,
    options: BatchOptions,
) -> Extractor<Person> {
    let client = Client::builder("sim")
        .base_url(simulator.base_url())
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
async fn every_protocol_gives_the_same_values_as_online_at_half_the_price() {
    for protocol in PROTOCOLS {
        let bill = Bill::new(2_000_000, 4_000_000);
        let simulator = simulator(Scenario::instant("billed").with_batches(quick()).with_bill(bill));
        let folder = TempDir::new().expect("a folder");
        let people = batched(&simulator, protocol, &folder, options());
        let (found, ran) = run(&people, Halt::default()).await;
        ran.unwrap_or_else(|error| panic!("{protocol:?}: {error}"));
        assert_eq!(found, all(), "{protocol:?}");
        let (stats, seen) = (people.stats(), simulator.stats());
        assert_eq!((seen.batches, seen.batched, seen.requests.all), (1, u64::from(ROWS), 0), "{protocol:?}");
        assert_eq!((stats.batches, stats.batches_collected, stats.in_batches), (1, 1, 0), "{protocol:?}");
        let cost = stats.cost.exact().expect("the whole cost is known").picodollars();
        assert_eq!(cost, seen.bill_picodollars, "{protocol:?}");
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
        ("results that are never named", Batches { without_results: true, ..quick() }, 10 * rows),
        ("results that vanish", Batches { kept_seconds: 1.0, ..quick() }, 10 * rows),
    ]
}

/// Plays a trap in a protocol.
async fn play(protocol: Protocol, trap: &str, batches: Batches, most: u64) {
    let simulator = start(batches);
    let folder = TempDir::new().expect("a folder");
    let people = batched(&simulator, protocol, &folder, options());
    let found = tokio::time::timeout(Duration::from_secs(100), run(&people, Halt::default())).await;
    let (found, ran) = found.unwrap_or_else(|_| panic!("{protocol:?}, {trap}: it does not end"));
    ran.unwrap_or_else(|error| panic!("{protocol:?}, {trap}: {error}"));
    assert_eq!(found, all(), "{protocol:?}, {trap}");
    let executed = simulator.stats().batched + simulator.stats().requests.all;
    assert!(executed >= u64::from(ROWS) && executed <= most, "{protocol:?}, {trap}: {executed} executed");
}

#[tokio::test]
async fn no_trap_loses_a_row_or_pays_for_one_twice() {
    for protocol in PROTOCOLS {
        // Gemini's results are in the batch itself.
        let has_file = protocol != Protocol::Gemini;
        let traps = traps().into_iter().filter(|(trap, ..)| has_file || !trap.contains("vanish"));
        let played = traps.map(|(trap, batches, most)| play(protocol, trap, batches, most));
        futures_util::future::join_all(played).await;
    }
}

#[tokio::test]
async fn a_create_is_sent_once_even_if_labels_are_forgotten() {
    for protocol in PROTOCOLS {
        let simulator = start(Batches { lost_creates: 1, forgets_labels: true, ..quick() });
        let folder = TempDir::new().expect("a folder");
        let people = batched(&simulator, protocol, &folder, options());
        let (found, ran) = run(&people, Halt::default()).await;
        ran.expect("the run ends");
        assert_eq!(found, all());
        // Gemini's batches with requests inside have nothing else to be found by.
        let most = if protocol == Protocol::Gemini { 2 } else { 1 };
        assert!(simulator.stats().batches <= most, "{protocol:?}");
    }
}

#[tokio::test]
async fn an_invalid_answer_is_asked_again_online_or_in_the_next_batch() {
    let fault = || Fault::new(FaultKind::SchemaViolation, 1.0).with_attempts(1).with_contains("is 7");
    for (reask, batches, online) in [(Reask::Online, 1, 1), (Reask::Batch, 2, 0)] {
        let scenario = Scenario::instant("violations").with_batches(quick()).with_fault(fault());
        let simulator = simulator(scenario);
        let folder = TempDir::new().expect("a folder");
        let people = batched(&simulator, Protocol::OpenAiChat, &folder, BatchOptions { reask, ..options() });
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
    let people = batched(&simulator, Protocol::OpenAiChat, &folder, options());
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
    let people = batched(&simulator, Protocol::OpenAiChat, &folder, options());
    let (found, ran) = run(&people, Halt::default()).await;
    ran.expect("the run ends");
    assert_eq!(found, all());
    assert!(simulator.stats().batches > 2);
    let simulator = start(Batches { rejected: 1, ..quick() });
    let folder = TempDir::new().expect("a folder");
    let people = batched(&simulator, Protocol::OpenAiChat, &folder, options());
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
    let people = batched(&simulator, Protocol::OpenAiChat, &folder, options);
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
            let people = batched(&simulator, Protocol::Anthropic, &folder, detached);
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
        let people = batched(&simulator, Protocol::Anthropic, &folder, options());
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
async fn an_interrupted_run_continues_where_it_was() {
    let simulator = start(Batches { speed: 2000.0, ..Batches::default() });
    let folder = TempDir::new().expect("a folder");
    {
        let halt = Halt::default();
        let people = batched(&simulator, Protocol::OpenAiChat, &folder, options());
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
    let people = batched(&simulator, Protocol::OpenAiChat, &folder, options());
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
        let simulator = start(slow);
        let folder = TempDir::new().expect("a folder");
        let client = Client::builder("sim").base_url(simulator.base_url()).build().expect("a client");
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
    let people = batched(&simulator, Protocol::OpenAiChat, &folder, options());
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
