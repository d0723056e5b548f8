//! The cache as the library sees it: types and checks decide about values that others asked for, and extractors in one process
//! share the cache just as processes do.

use rowcall::{CacheOptions, Client, Error, EventKind, Extractor, KnownFrom, Row, Violation};
use rowcall_sim::{Options, Scenario, Simulator};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

#[derive(Debug, Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Aged {
    age: u32,
}

fn simulator() -> Simulator {
    Simulator::start(Scenario::instant("for the cache"), Options::default()).expect("the simulator starts")
}

fn requests(simulator: &Simulator) -> u64 {
    simulator.stats().requests.all
}

fn extractor(simulator: &Simulator) -> Extractor<Aged> {
    let client = Client::builder("sim").base_url(simulator.base_url()).build().expect("a client");
    client.extractor::<Aged>().prompt("{{ text }}").expect("an extractor")
}

fn texts(rows: std::ops::Range<u32>) -> Vec<String> {
    rows.map(|age| format!("Ann is {age}")).collect()
}

fn at_most(most: u32) -> impl Fn(&Row, &Aged) -> Vec<Violation> + Send + Sync + 'static {
    move |_, aged| {
        let wrong = aged.age > most;
        wrong.then(|| Violation::at("/age", format!("is over {most}"))).into_iter().collect()
    }
}

#[tokio::test]
async fn extractors_of_one_process_ask_about_each_row_once() {
    let (simulator, folder) = (simulator(), TempDir::new().expect("a folder"));
    let path = folder.path().join("answers.cache");
    let known = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&known);
    let one = extractor(&simulator).cache(&path).expect("a cache");
    let other = extractor(&simulator).cache(&path).expect("the same").on_event(move |event| {
        let from_cache = matches!(event.kind, EventKind::Known { from: KnownFrom::Cache, .. });
        counted.fetch_add(u64::from(from_cache), Ordering::Relaxed);
    });
    let (first, second, third) = tokio::join!(
        one.gather(texts(0..100)),
        other.gather(texts(0..100)),
        // From the same extractor, concurrently.
        one.gather(texts(50..150)),
    );
    assert_eq!(first.expect("values"), second.expect("values"));
    assert_eq!(third.expect("values").len(), 100);
    assert_eq!(requests(&simulator), 150);
    assert_eq!(one.stats().requests + other.stats().requests, 150);
    assert_eq!(other.stats().cached, known.load(Ordering::Relaxed));
    let outcomes = other.gather_outcomes(texts(0..10)).await.expect("outcomes");
    assert!(outcomes.iter().all(|outcome| outcome.from_cache && outcome.effort.attempts == 0));
    assert_eq!(one.extract("Ann is 7").await.expect("a value"), Aged { age: 7 });
    assert_eq!(requests(&simulator), 150);
}

#[tokio::test]
async fn a_check_decides_about_values_that_others_asked_for() {
    let (simulator, folder) = (simulator(), TempDir::new().expect("a folder"));
    let path = folder.path().join("answers.cache");
    let checked = |most: u32| extractor(&simulator).cache(&path).expect("a cache").check(at_most(most));
    let outcomes = checked(100).gather_outcomes(texts(0..20)).await.expect("outcomes");
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()));
    assert_eq!(requests(&simulator), 20);
    // Values that the stricter rule rejects are asked for again with their violations, and fail; the others are known.
    let stricter = checked(9);
    let outcomes = stricter.gather_outcomes(texts(0..20)).await.expect("outcomes");
    let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
    assert_eq!((failed, stricter.stats().cached), (10, 10));
    assert_eq!(requests(&simulator), 20 + 10 * 3, "the known answer is the first of four");
    // Failures are not stored, and stored values stay for checks that accept them.
    let lenient = checked(100);
    lenient.gather(texts(0..20)).await.expect("values");
    assert_eq!((lenient.stats().cached, requests(&simulator)), (20, 50));
    // Without the check, the row's fields are not in the key.
    let unchecked = extractor(&simulator).cache(&path).expect("a cache");
    unchecked.gather(texts(0..20)).await.expect("values");
    assert_eq!(requests(&simulator), 70);
}

#[tokio::test]
async fn each_validator_name_has_its_own_answers() {
    let (simulator, folder) = (simulator(), TempDir::new().expect("a folder"));
    let path = folder.path().join("answers.cache");
    for (name, asked) in [("Person 1", 5), ("Person 1", 5), ("Person 2", 10)] {
        let options = CacheOptions { validated_by: Some(name.to_owned()), ..CacheOptions::at(&path) };
        let people = extractor(&simulator).cache_with(&options).expect("a cache");
        people.gather(texts(0..5)).await.expect("values");
        assert_eq!(requests(&simulator), asked, "{name}");
    }
    let refused = extractor(&simulator).cache(folder.path()).expect_err("a folder is not a cache");
    assert!(matches!(refused, Error::Config(_)), "{refused}");
}

#[tokio::test]
async fn a_dropped_stream_releases_its_claims() {
    let (simulator, folder) = (simulator(), TempDir::new().expect("a folder"));
    let path = folder.path().join("answers.cache");
    let one = extractor(&simulator).cache(&path).expect("a cache");
    let mut stream = one.as_completed(texts(0..200));
    assert!(stream.next().await.is_some());
    drop(stream);
    let other = extractor(&simulator).cache(&path).expect("a cache");
    assert_eq!(other.gather(texts(0..200)).await.expect("values").len(), 200);
    drop((one, other));
    let contents = rowcall::cache::CacheContents::open(&path).expect("a cache");
    assert_eq!(contents.claims().expect("a count"), 0);
}
