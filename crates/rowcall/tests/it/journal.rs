//! The journal from the library's side: calls that come after one another, in one process or in another, ask only what is new.

use std::sync::{Arc, Mutex};

use rowcall::journal::Contents;
use rowcall::{Client, Error, EventKind, Extractor, JournalOptions, Totals};
use rowcall_sim::{Options, Scenario, Simulator};
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
async fn what_one_call_has_asked_the_next_knows() {
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
        let outcome = outcome.expect("the run goes on");
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
async fn two_runs_at_a_time_share_outcomes_and_one_has_the_places() {
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
async fn a_plan_that_asks_something_else_is_told_how_much_it_would_ask() {
    let (simulator, folder) = (simulator(), TempDir::new().expect("a folder"));
    let path = folder.path().join("people.journal");
    extractor(&simulator).journal(&path).expect("a journal").gather(texts(0..4)).await.expect("values");
    let client = Client::builder("sim").base_url(simulator.base_url()).build().expect("a client");
    let other = client.extractor::<Person>().prompt("Ann is {{ text[7:] }}").expect("an extractor");
    let Err(Error::Config(problem)) = other.journal(&path) else { panic!("it is another prompt") };
    assert!(problem.message.ends_with("was made with another prompt"), "{problem}");
    // The prompts that it gives are known, but for the last one.
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
