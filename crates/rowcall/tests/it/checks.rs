//! A check sees every row, including those that share an answer with an equal row and those that a journal knows.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use rowcall::journal::Contents;
use rowcall::{
    Check, Client, Extractor, ExtractorBuilder, FailureKind, Halt, IntoSource, OrderBy, Outcome, Row, Scope,
    Sink, Violation,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A model that takes the age from the question. When corrected, it answers the expected age if that is not lower, or its last
/// answer plus one if the correction names no expected age.
struct Model {
    base_url: String,
    asked: Arc<Mutex<u64>>,
}

impl Model {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let asked = Arc::<Mutex<u64>>::default();
        let counter = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let counter = Arc::clone(&counter);
                std::thread::spawn(move || serve(stream, &counter));
            }
        });
        Self { base_url, asked }
    }

    /// The requests since the last call.
    fn take_asked(&self) -> u64 {
        std::mem::take(&mut *self.asked.lock().expect("no panic"))
    }

    fn client(&self) -> Client {
        Client::builder("vllm/any").base_url(&self.base_url).build().expect("a client")
    }

    /// An extractor of ages that must match what the row expects, which its prompt does not say.
    fn ages(&self, reasks: u32) -> Extractor<Person> {
        asking(self.client().extractor::<Person>().max_reasks(reasks)).check(as_expected)
    }
}

fn serve(mut stream: TcpStream, counter: &Mutex<u64>) {
    let (mut bytes, mut piece) = (Vec::new(), [0; 8192]);
    loop {
        let Some(body) = whole_body(&bytes) else {
            match stream.read(&mut piece) {
                Ok(read) if read > 0 => bytes.extend_from_slice(&piece[..read]),
                _ => return,
            }
            continue;
        };
        *counter.lock().expect("no panic") += 1;
        let messages = body["messages"].as_array().expect("a list");
        let said = messages.iter().rev().find(|message| message["role"] == "assistant");
        let said: Option<Value> =
            said.map(|said| serde_json::from_str(said["content"].as_str().expect("text")).expect("JSON"));
        let asked = messages.iter().find(|message| message["role"] == "user").expect("a question");
        let asked = asked["content"]
            .as_str()
            .expect("text")
            .trim_start_matches("Ann is ")
            .parse::<i64>()
            .expect("an age");
        let last = messages.last().expect("a message")["content"].as_str().expect("text");
        let expected = last
            .split("expected ")
            .nth(1)
            .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<i64>().ok());
        let corrected = |said: Value| expected.unwrap_or_else(|| said["age"].as_i64().expect("an age") + 1);
        let age = said.map_or(asked, corrected).max(asked);
        let content = json!({ "age": age }).to_string();
        let answer = json!({
            "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        })
        .to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        if stream.write_all((head + &answer).as_bytes()).is_err() {
            return;
        }
        bytes.clear();
    }
}

/// The body of the request in these bytes, if it is complete.
fn whole_body(bytes: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok())?;
    (body.len() == length).then(|| serde_json::from_str(body).expect("JSON"))
}

#[derive(Debug, Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Person {
    age: i64,
}

fn asking<T>(builder: ExtractorBuilder<T>) -> Extractor<T> {
    builder.prompt("Ann is {{ said }}").expect("an extractor")
}

fn as_expected(row: &Row, person: &Person) -> Vec<Violation> {
    let expected = row.fields.as_ref().ok().and_then(|fields| fields["expected"].as_i64()).expect("an age");
    if person.age == expected {
        return Vec::new();
    }
    vec![Violation::at("/age", format!("is {}, expected {expected}", person.age))]
}

/// Rows with the age that their prompt says and the one that their check expects.
fn rows(ages: &[(i64, i64)]) -> Vec<Value> {
    ages.iter().map(|(said, expected)| json!({"said": said, "expected": expected})).collect()
}

/// The ages found, or the failures' kinds.
fn found(outcomes: Vec<Outcome<Person>>) -> Vec<Result<i64, FailureKind>> {
    outcomes
        .into_iter()
        .map(|outcome| outcome.result.map(|person| person.age).map_err(|failure| failure.kind))
        .collect()
}

async fn asked(ages: &Extractor<Person>, rows_of: &[(i64, i64)]) -> Vec<Result<i64, FailureKind>> {
    found(ages.gather_outcomes(rows(rows_of)).await.expect("outcomes"))
}

#[tokio::test]
async fn equal_rows_are_checked_individually() {
    let model = Model::start();
    let ages = model.ages(3);
    let outcomes = asked(&ages, &[(5, 5), (5, 6), (5, 7), (5, 5), (5, 6)]).await;
    assert_eq!(outcomes, [Ok(5), Ok(6), Ok(7), Ok(5), Ok(6)]);
    // The first prompt is paid for only once: another row's answer counts as this row's first, invalid answer.
    assert_eq!(model.take_asked(), 3);
    let stats = ages.stats();
    assert_eq!((stats.done, stats.known, stats.failures()), (5, 2, 0));
}

#[tokio::test]
async fn a_row_without_reasks_is_asked_from_scratch() {
    let model = Model::start();
    let outcomes = asked(&model.ages(0), &[(5, 5), (5, 6)]).await;
    assert_eq!(outcomes, [Ok(5), Err(FailureKind::Invalid)]);
    assert_eq!(model.take_asked(), 2);
}

#[tokio::test]
async fn a_row_without_a_valid_answer_says_nothing_about_equal_ones() {
    let model = Model::start();
    for journal in [None, Some(TempDir::new().expect("a folder"))] {
        let ages = model.ages(1);
        let ages = match &journal {
            Some(folder) => ages.journal(folder.path().join("a.journal")).expect("a journal"),
            None => ages,
        };
        let rows = [(5, 4), (5, 5), (5, 4), (5, 6)];
        let invalid = Err(FailureKind::Invalid);
        assert_eq!(asked(&ages, &rows).await, [invalid, Ok(5), invalid, Ok(6)], "{journal:?}");
        // Two for the first, whose failure the third shares, one for the second, and one more for the last.
        assert_eq!(model.take_asked(), 4, "{journal:?}");
        if journal.is_some() {
            assert_eq!(asked(&ages, &rows).await, [invalid, Ok(5), invalid, Ok(6)]);
            assert_eq!(model.take_asked(), 0, "failed rows are known as well");
        }
    }
}

#[tokio::test]
async fn a_journal_keeps_separate_outcomes_for_one_prompt() {
    let (model, folder) = (Model::start(), TempDir::new().expect("a folder"));
    let path = folder.path().join("a.journal");
    let mut of = vec![(5, 5), (5, 6), (7, 9), (7, 7), (5, 6), (8, 8)];
    let expected = |of: &[(i64, i64)]| of.iter().map(|(_, expected)| Ok(*expected)).collect::<Vec<_>>();
    let ages = model.ages(3).journal(&path).expect("a journal");
    assert_eq!(asked(&ages, &of).await, expected(&of));
    drop(ages);
    model.take_asked();
    for _ in 0..of.len() {
        of.rotate_left(1);
        let ages = model.ages(3).journal(&path).expect("it is resumed");
        assert_eq!(asked(&ages, &of).await, expected(&of));
        assert_eq!((model.take_asked(), ages.stats().known), (0, of.len() as u64), "{of:?}");
    }
    // Only values that are now rejected are asked for again.
    let changed = [(5, 5), (5, 7), (7, 9), (7, 7), (8, 8)];
    let ages = model.ages(3).journal(&path).expect("it is resumed");
    assert_eq!(asked(&ages, &changed).await, expected(&changed));
    assert_eq!((model.take_asked(), ages.stats().known), (1, 4));
    assert_eq!(asked(&ages, &of).await, expected(&of));
    assert_eq!(
        model.take_asked(),
        0,
        "the outcome that it replaced for one row is still there for the others"
    );
}

/// A sink that keeps all outcomes.
#[derive(Default)]
struct Kept(HashMap<u64, Outcome>);

impl Sink for Kept {
    async fn write(&mut self, done: Vec<(Row, Outcome)>) -> rowcall::Result<()> {
        self.0.extend(done.into_iter().map(|(row, outcome)| (row.index, outcome)));
        Ok(())
    }
}

#[tokio::test]
async fn a_rerun_replaces_a_rows_own_outcome() {
    let (model, folder) = (Model::start(), TempDir::new().expect("a folder"));
    let path = folder.path().join("a.journal");
    let of = [(5, 5), (5, 6), (5, 7), (5, 6)];
    let first = model.ages(0).journal(&path).expect("a journal");
    let invalid = Err(FailureKind::Invalid);
    assert_eq!(asked(&first, &of).await, [Ok(5), invalid, invalid, invalid]);
    drop(first);
    model.take_asked();
    let failed = Contents::open(&path).expect("it can be read").into_failed_rows().expect("rows");
    let failed = rows_of(failed);
    assert_eq!(failed.len(), 3);
    let again = model.ages(3).journal(&path).expect("a journal");
    let mut kept = Kept::default();
    again.rerun(Given(failed), &mut kept, Halt::default()).await.expect("the run ends");
    let mut ages: Vec<_> = kept
        .0
        .iter()
        .map(|(index, outcome)| (*index, outcome.result.as_ref().expect("a value")["age"].clone()))
        .collect();
    ages.sort_by_key(|(index, _)| *index);
    assert_eq!(ages, [(1, json!(6)), (2, json!(7)), (3, json!(6))]);
    assert_eq!(model.take_asked(), 4);
    assert_eq!(asked(&again, &of).await, [Ok(5), Ok(6), Ok(7), Ok(6)]);
    assert_eq!(model.take_asked(), 0);
}

fn rows_of(mut rows: rowcall::journal::Rows) -> Vec<Row> {
    let mut all = Vec::new();
    loop {
        let page = rows.next_page().expect("it can be read");
        if page.is_empty() {
            return all;
        }
        all.extend(page.into_iter().map(|(row, _)| row));
    }
}

/// A source of given rows.
struct Given(Vec<Row>);

impl rowcall::Source for Given {
    async fn next(&mut self, max: usize) -> rowcall::Result<Vec<Row>> {
        let count = max.min(self.0.len());
        Ok(self.0.drain(..count).collect())
    }
}

/// A check that records which rows it sees.
#[derive(Default)]
struct Noting(Mutex<Vec<u64>>);

impl Check for Noting {
    fn check<'a>(
        &'a self,
        rows: Vec<(Row, Value)>,
    ) -> Pin<Box<dyn Future<Output = Vec<Vec<Violation>>> + Send + 'a>> {
        self.0.lock().expect("no panic").extend(rows.iter().map(|(row, _)| row.index));
        Box::pin(std::future::ready(rows.iter().map(|_| Vec::new()).collect()))
    }
}

#[tokio::test]
async fn no_row_is_released_unchecked() {
    let (model, folder) = (Model::start(), TempDir::new().expect("a folder"));
    let path = folder.path().join("a.journal");
    for (run, requests) in [(1, 3), (2, 0)] {
        let noting = Arc::<Noting>::default();
        let ages = asking(model.client().extractor::<Person>()).check_with(Arc::clone(&noting) as _);
        let ages = ages.journal(&path).expect("a journal");
        let mut kept = Kept::default();
        let source = rows(&[(1, 0), (2, 0), (1, 0), (3, 0), (1, 1), (2, 0)]).into_source();
        ages.run(source, &mut kept, OrderBy::Input, Halt::default()).await.expect("the run ends");
        let mut seen = noting.0.lock().expect("no panic").clone();
        seen.sort_unstable();
        assert_eq!((seen, kept.0.len()), ((0..6).collect::<Vec<_>>(), 6), "run {run}");
        assert_eq!(model.take_asked(), requests, "run {run}");
    }
}

// The same schema as `Person`, including the description, but it accepts only even ages.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Person")]
struct Even {
    #[serde(deserialize_with = "even")]
    age: i64,
}

fn even<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let age = <i64 as serde::Deserialize>::deserialize(deserializer)?;
    if age % 2 == 0 { Ok(age) } else { Err(serde::de::Error::custom("is odd")) }
}

#[tokio::test]
async fn a_recorded_value_that_the_type_no_longer_accepts_is_asked_for_again() {
    let (model, folder) = (Model::start(), TempDir::new().expect("a folder"));
    let path = folder.path().join("a.journal");
    let of = rows(&[(5, 0), (6, 0), (5, 0), (5, 1)]);
    let before = asking(model.client().extractor::<Person>()).journal(&path).expect("a journal");
    before.gather(of.clone()).await.expect("values");
    drop(before);
    assert_eq!(model.take_asked(), 2);
    let now = asking(model.client().extractor::<Even>()).journal(&path).expect("it asks the same");
    let values = now.gather(of.clone()).await.expect("values");
    assert_eq!(values.iter().map(|even| even.age).collect::<Vec<_>>(), [6, 6, 6, 6]);
    assert_eq!(model.take_asked(), 1, "rows that share an outcome share the next one, too");
    drop(now);
    let later = asking(model.client().extractor::<Even>()).journal(&path).expect("it asks the same");
    later.gather(of).await.expect("values");
    assert_eq!(model.take_asked(), 0);
}

#[cfg(feature = "garde")]
#[tokio::test]
async fn a_recorded_value_that_garde_now_rejects_is_asked_for_again() {
    #[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate)]
    #[schemars(rename = "Person")]
    struct Grown {
        #[garde(custom(grown_up))]
        age: i64,
    }
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "garde calls it so")]
    fn grown_up(age: &i64, _: &()) -> garde::Result {
        if *age < 18 { Err(garde::Error::new("too young")) } else { Ok(()) }
    }
    let (model, folder) = (Model::start(), TempDir::new().expect("a folder"));
    let path = folder.path().join("a.journal");
    let of = rows(&[(17, 0), (30, 0), (17, 1)]);
    let before = asking(model.client().extractor::<Person>()).journal(&path).expect("a journal");
    before.gather(of.clone()).await.expect("values");
    drop(before);
    model.take_asked();
    for requests in [1, 0] {
        let now =
            asking(model.client().extractor::<Grown>()).garde().journal(&path).expect("it asks the same");
        let values = now.gather(of.clone()).await.expect("values");
        assert_eq!(values.iter().map(|person| person.age).collect::<Vec<_>>(), [18, 30, 18]);
        assert_eq!(model.take_asked(), requests);
    }
}

/// A rule that declares that it looks only at values.
struct ByValue;

impl Check for ByValue {
    fn check<'a>(
        &'a self,
        rows: Vec<(Row, Value)>,
    ) -> Pin<Box<dyn Future<Output = Vec<Vec<Violation>>> + Send + 'a>> {
        let violations =
            rows.iter().map(
                |(_, value)| {
                    if value["age"] == 5 { vec![Violation::at("/age", "is 5")] } else { Vec::new() }
                },
            );
        Box::pin(std::future::ready(violations.collect()))
    }

    fn scope(&self) -> Scope {
        Scope::Value
    }
}

#[tokio::test]
async fn a_failure_by_a_rule_about_values_is_shared() {
    let model = Model::start();
    let ages = asking(model.client().extractor::<Person>().max_reasks(0)).check_with(Arc::new(ByValue));
    let invalid = Err(FailureKind::Invalid);
    assert_eq!(asked(&ages, &[(5, 0), (5, 1), (6, 0), (5, 2)]).await, [invalid, invalid, Ok(6), invalid]);
    assert_eq!(model.take_asked(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// For any rows in any order, each gets a value that its own check accepts, and a second run sends no requests.
    #[test]
    fn every_row_gets_a_value_that_its_own_check_accepts(
        of in proptest::collection::vec((1..4_i64, 0..3_i64), 1..20),
        again in proptest::sample::select(vec![0_usize, 1, 5, 9]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (model, folder) = (Model::start(), TempDir::new().expect("a folder"));
            let path = folder.path().join("a.journal");
            let mut of: Vec<_> = of.into_iter().map(|(said, more)| (said, said + more)).collect();
            for run in 0..2 {
                let ages = model.ages(3).journal(&path).expect("a journal");
                let expected: Vec<_> = of.iter().map(|(_, expected)| Ok(*expected)).collect();
                prop_assert_eq!(asked(&ages, &of).await, expected);
                let requests = model.take_asked();
                prop_assert!(run == 0 || requests == 0, "{} requests in run {}", requests, run);
                let by = again % of.len();
                of.rotate_left(by);
            }
            Ok(())
        })?;
    }
}
