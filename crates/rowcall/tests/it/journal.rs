//! The journal as the library sees it: consecutive calls, in the same process or another, ask only about new rows.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rowcall::journal::Contents;
use rowcall::{
    Client, Error, EventKind, Extractor, Halt, IntoSource, JournalOptions, OrderBy, Outcome, Problem, Row,
    Sink, Totals,
};
use rowcall_sim::{Latency, Options, Scenario, Simulator, TextLatency};
use serde_json::json;
use tempfile::TempDir;

#[derive(Debug, Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Person {
    name: String,
    age: u32,
}

fn texts(rows: std::ops::Range<u32>) -> Vec<String> {
    rows.map(|age| format!("Ann is {age}")).collect()
}

fn ages(people: &[Person]) -> Vec<u32> {
    people.iter().map(|person| person.age).collect()
}

fn extractor(simulator: &Simulator) -> Extractor<Person> {
    let client = Client::builder("sim").base_url(simulator.base_url()).build().expect("a client");
    client.extractor::<Person>().prompt("{{ text }}").expect("an extractor")
}

fn simulator() -> Simulator {
    Simulator::start(Scenario::instant("calm"), Options::default()).expect("the simulator starts")
}

fn requests(simulator: &Simulator) -> u64 {
    simulator.stats().requests.all
}

#[tokio::test]
async fn a_call_knows_what_earlier_calls_asked() {
    let (simulator, folder) = (simulator(), TempDir::new().expect("a folder"));
    let path = folder.path().join("people.journal");
    let totals: Arc<Mutex<Vec<Totals>>> = Arc::default();
    {
        let people = extractor(&simulator).journal(&path).expect("a journal");
        assert_eq!(ages(&people.gather(texts(0..20)).await.expect("values")), (0..20).collect::<Vec<_>>());
        assert_eq!(ages(&people.gather(texts(10..30)).await.expect("values")), (10..30).collect::<Vec<_>>());
        assert_eq!(people.extract("Ann is 5").await.expect("a value").age, 5);
        assert_eq!((requests(&simulator), people.stats().known), (30, 11));
    }
    let seen = Arc::clone(&totals);
    let people = extractor(&simulator).journal(&path).expect("it is resumed").on_event(move |event| {
        if let EventKind::Resumed { totals } = &event.kind {
            seen.lock().expect("no panic").push(Totals::clone(totals));
        }
    });
    let mut ordered = people.ordered(texts(0..40));
    let mut found = Vec::new();
    while let Some(outcome) = ordered.next().await {
        let outcome = outcome.expect("the run continues");
        found.push((outcome.index, outcome.result.expect("a value").age));
    }
    assert_eq!(found, (0..40).map(|n| (u64::from(n), n)).collect::<Vec<_>>());
    assert_eq!(requests(&simulator), 40);
    let stats = people.stats();
    assert_eq!((stats.taken, stats.done, stats.known, stats.requests), (40, 40, 30, 40));
    let totals = totals.lock().expect("no panic");
    assert_eq!(
        totals.iter().map(|totals| (totals.requests, totals.outcomes)).collect::<Vec<_>>(),
        [(30, 30)]
    );
}

#[tokio::test]
async fn concurrent_runs_share_outcomes_and_one_has_the_places() {
    let (simulator, folder) = (simulator(), TempDir::new().expect("a folder"));
    let path = folder.path().join("people.journal");
    let people = extractor(&simulator).journal(&path).expect("a journal");
    let (low, high) = tokio::join!(people.gather(texts(0..50)), people.gather(texts(50..100)));
    assert_eq!(ages(&low.expect("values")), (0..50).collect::<Vec<_>>());
    assert_eq!(ages(&high.expect("values")), (50..100).collect::<Vec<_>>());
    drop(people);
    let contents = Contents::open(&path).expect("it can be read");
    assert_eq!((contents.totals().rows, contents.totals().outcomes), (50, 100));
}

#[tokio::test]
async fn equal_rows_are_asked_once_without_a_journal_too() {
    let simulator = simulator();
    let people = extractor(&simulator);
    let found = people.gather(["Ann is 5", "Ann is 6", "Ann is 5", "Ann is 5"]).await.expect("values");
    assert_eq!(ages(&found), [5, 6, 5, 5]);
    assert_eq!((requests(&simulator), people.stats().known, people.stats().done), (2, 2, 4));
}

#[tokio::test]
async fn a_changed_plan_can_count_how_much_it_would_ask() {
    let (simulator, folder) = (simulator(), TempDir::new().expect("a folder"));
    let path = folder.path().join("people.journal");
    extractor(&simulator).journal(&path).expect("a journal").gather(texts(0..4)).await.expect("values");
    let client = Client::builder("sim").base_url(simulator.base_url()).build().expect("a client");
    let other = client.extractor::<Person>().prompt("Ann is {{ text[7:] }}").expect("an extractor");
    let Err(Error::Config(problem)) = other.journal(&path) else { panic!("it is another prompt") };
    assert!(problem.message.ends_with("was made with another prompt"), "{problem}");
    // All prompts that it renders are known except the last one.
    let rows = ["Ann is 0", "Ann is 3", "Ann is 77"];
    let source = rowcall::IntoSource::into_source(rows);
    assert_eq!(other.count_unknown(source, &path).await.expect("counted"), (1, 3));
}

#[tokio::test]
async fn records_of_rust_values_can_be_read_by_any_sqlite_tool() {
    let (simulator, folder) = (simulator(), TempDir::new().expect("a folder"));
    let options =
        JournalOptions { memo: "mine".to_owned(), ..JournalOptions::at(folder.path().join("a.journal")) };
    let people = extractor(&simulator).journal_with(&options).expect("a journal");
    people.gather([json!({"text": "Ann is 5", "id": 7})]).await.expect("values");
    drop(people);
    let contents = Contents::open(&options.path).expect("it can be read");
    assert_eq!((contents.memo(), contents.identity().model.as_str()), ("mine", "sim/sim"));
    let file = rusqlite::Connection::open(&options.path).expect("it opens");
    let found: (String, String) = file
        .query_row("SELECT record, value FROM places JOIN outcomes ON outcome = seq", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("a row");
    assert_eq!(found, (r#"{"text":"Ann is 5","id":7}"#.to_owned(), r#"{"name":"Ann","age":5}"#.to_owned()));
}

/// A sink that accepts nothing.
struct Full;

impl Sink for Full {
    async fn write(&mut self, _: Vec<(Row, Outcome)>) -> rowcall::Result<()> {
        Err(Error::Sink(Problem::new("the disk is full")))
    }
}

#[tokio::test]
async fn requests_in_flight_when_the_output_fails_are_awaited_and_recorded() {
    let first = TextLatency { contains: "Ann is 0".to_owned(), seconds: 0.0 };
    let latency = Latency::ByText { otherwise_seconds: 0.3, texts: vec![first] };
    let scenario = Scenario::instant("the first is answered first").with_latency(latency);
    let simulator = Simulator::start(scenario, Options::default()).expect("the simulator starts");
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("people.journal");
    let people = extractor(&simulator).concurrency(16).journal(&path).expect("a journal");
    let ended = people.run(texts(0..200).into_source(), &mut Full, OrderBy::Completed, Halt::default()).await;
    let Err(Error::Sink(problem)) = ended else { panic!("it cannot be written: {ended:?}") };
    assert_eq!(problem.message, "the disk is full");
    drop(people);
    let contents = Contents::open(&path).expect("it can be read");
    assert!(requests(&simulator) > 1, "others were in flight");
    assert_eq!((contents.totals().outcomes, contents.totals().possibly_paid), (requests(&simulator), 0));
    assert_eq!(contents.intents().expect("counted"), 0);
}

#[test]
fn a_stream_can_be_made_before_there_is_a_runtime() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let folder = TempDir::new().expect("a folder");
    let (simulator, people) = runtime.block_on(async {
        let simulator = simulator();
        let people = extractor(&simulator).journal(folder.path().join("people.journal")).expect("a journal");
        (simulator, people)
    });
    let mut ordered = people.ordered(texts(0..3));
    let first = runtime.block_on(ordered.next()).expect("a row").expect("the run continues");
    assert_eq!((first.index, first.result.map(|person| person.age)), (0, Ok(0)));
    drop((ordered, people));
    assert!(requests(&simulator) > 0);
}

#[tokio::test]
async fn a_row_whose_place_cannot_be_written_is_abandoned_and_not_also_known() {
    let (simulator, folder) = (simulator(), TempDir::new().expect("a folder"));
    let path = folder.path().join("people.journal");
    let people = extractor(&simulator).journal(&path).expect("a journal");
    people.gather(texts(0..8)).await.expect("values");
    let before = people.stats();
    let file = rusqlite::Connection::open(&path).expect("it opens");
    file.execute_batch("CREATE TRIGGER no BEFORE UPDATE ON places BEGIN SELECT RAISE(ABORT, 'no'); END")
        .expect("it is changed");
    // They are known, but at other places.
    let ended = people.gather(texts(1..8)).await;
    assert!(matches!(ended, Err(Error::Journal(_))), "{ended:?}");
    let after = people.stats();
    assert_eq!((after.taken - before.taken, after.ended() - before.ended(), after.abandoned), (7, 0, 7));
}

#[tokio::test]
async fn nothing_is_sent_by_a_run_that_was_halted_while_its_intents_were_written() {
    let (simulator, folder) = (simulator(), TempDir::new().expect("a folder"));
    let path = folder.path().join("people.journal");
    let people = extractor(&simulator).journal(&path).expect("a journal");
    let file = rusqlite::Connection::open(&path).expect("it opens");
    file.execute_batch("BEGIN IMMEDIATE").expect("no one else writes");
    let halt = Halt::default();
    let mut sink = Full;
    let run = people.run(texts(0..4).into_source(), &mut sink, OrderBy::Completed, halt.clone());
    let (ended, ()) = tokio::join!(run, async {
        while people.stats().taken < 4 {
            tokio::task::yield_now().await;
        }
        // All rows get to the point where they wait for their intents.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        halt.set();
        file.execute_batch("COMMIT").expect("it gives way");
    });
    ended.expect("it was halted");
    assert_eq!((requests(&simulator), people.stats().requests, people.stats().abandoned), (0, 0, 4));
    drop(people);
    let contents = Contents::open(&path).expect("it can be read");
    assert_eq!((contents.totals().requests, contents.totals().possibly_paid), (0, 0));
    assert_eq!(contents.intents().expect("counted"), 0);
}

#[tokio::test]
async fn requests_of_a_dropped_stream_count_as_possibly_billed() {
    let scenario = Scenario::instant("takes its time").with_latency(Latency::fixed(Duration::from_secs(30)));
    let simulator = Simulator::start(scenario, Options::default()).expect("the simulator starts");
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("people.journal");
    let people = extractor(&simulator).concurrency(8).journal(&path).expect("a journal");
    let mut stream = people.as_completed(texts(0..100));
    tokio::select! {
        _ = stream.next() => panic!("nothing is answered for half a minute"),
        () = async { while simulator.stats().in_flight.now < 8 { tokio::task::yield_now().await } } => {}
    }
    drop(stream);
    while simulator.stats().in_flight.now > 0 {
        tokio::task::yield_now().await;
    }
    let stats = people.stats();
    assert_eq!((stats.requests, stats.in_flight, stats.unmetered), (8, 0, 8));
    assert_eq!(stats.abandoned, stats.taken);
    drop(people);
    let contents = Contents::open(&path).expect("it can be read");
    assert_eq!((contents.intents().expect("counted"), contents.totals().possibly_paid), (0, 8));
}
