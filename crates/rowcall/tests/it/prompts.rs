//! What is sent besides a row's text, through the library's API: examples and images.

use std::path::Path;

use rowcall::{AnsweredRow, Client, Error, ExtractorBuilder, FailureKind, Row};
use rowcall_sim::{Options, Scenario, Simulator};
use serde_json::{Value, json};
use tempfile::TempDir;

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Person {
    name: String,
    /// The schema allows any number, but the type none over 150.
    #[serde(deserialize_with = "age")]
    age: u32,
}

fn age<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let age: u32 = serde::Deserialize::deserialize(deserializer)?;
    if age > 150 { Err(serde::de::Error::custom("nobody is that old")) } else { Ok(age) }
}

fn people() -> ExtractorBuilder<Person> {
    let client = Client::builder("sim").base_url("http://127.0.0.1:9/v1").build();
    client.expect("a client").extractor::<Person>()
}

/// The messages of the first request for a row.
fn messages(extractor: &rowcall::Extractor<Person>, row: &Row) -> Vec<Value> {
    let body = extractor.preview(row).expect("a request").request.body;
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    body["messages"].as_array().expect("messages").clone()
}

#[test]
fn examples_may_have_rows_and_values_of_any_type() {
    #[derive(serde::Serialize)]
    struct Note {
        text: &'static str,
    }
    let extractor = people()
        .examples([("Ann is 3", Person { name: "Ann".to_owned(), age: 3 })])
        .examples([(Note { text: "Bob is 4" }, json!({"name": "Bob", "age": 4}))])
        .prompt("Who? {{ text }}")
        .expect("an extractor");
    let said: Vec<_> = messages(&extractor, &Row::new(0, "Eve is 5"))
        .iter()
        .map(|message| message["content"].clone())
        .collect();
    let [first, ann, second, bob, row] = &said[..] else { panic!("not five messages: {said:?}") };
    assert_eq!(
        (first, second, row),
        (&json!("Who? Ann is 3"), &json!("Who? Bob is 4"), &json!("Who? Eve is 5"))
    );
    for (answer, expected) in
        [(ann, json!({"name": "Ann", "age": 3})), (bob, json!({"name": "Bob", "age": 4}))]
    {
        let answer: Value = serde_json::from_str(answer.as_str().expect("text")).expect("JSON");
        assert_eq!(answer, expected);
    }
    assert_eq!(extractor.identity().examples.len(), 2);
}

#[test]
fn an_example_must_be_as_valid_as_an_answer() {
    let refused = |value: Value| match people().examples([("x", value)]).prompt("{{ text }}") {
        Err(Error::Config(problem)) => problem.message,
        other => panic!("not refused: {other:?}"),
    };
    assert!(refused(json!({"name": "Ann"})).starts_with("example 1: the value is not valid: "));
    let too_old = refused(json!({"name": "Ann", "age": 200}));
    assert_eq!(too_old, "example 1: the value is not valid: `/age`: nobody is that old");

    let no_text = people().examples([(7, f64::NAN)]).prompt("{{ text }}");
    assert!(matches!(no_text, Err(Error::Config(_))), "{no_text:?}");
    let unserialisable = std::collections::BTreeMap::from([((1, 2), 3)]);
    let refused =
        people().examples([("x", unserialisable)]).prompt("{{ text }}").expect_err("it is not JSON");
    assert!(refused.to_string().starts_with("an example does not serialise: "), "{refused}");
}

#[test]
fn the_origin_of_an_example_is_not_serialised() {
    let row = AnsweredRow::new("x", &json!(1)).expect("a row");
    let placed = AnsweredRow { place: Some("line 7".to_owned()), ..row };
    assert_eq!(serde_json::to_value(placed).expect("JSON"), json!({"fields": {"text": "x"}, "value": 1}));
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

fn row(text: &str, photo: &str) -> Value {
    json!({"text": text, "photo": photo})
}

#[test]
fn a_preview_includes_the_files() {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("a.png"), PNG).expect("a file");
    let extractor =
        |folder: &Path| people().image("photo").folder(folder).prompt("{{ text }}").expect("an extractor");
    let here = extractor(folder.path());
    let sent = messages(&here, &Row::new(0, &row("Who?", "a.png")))[0].to_string();
    assert!(sent.contains("data:image/png;base64,iVBORw0KGgo="), "{sent}");
    assert_eq!(here.variables(), ["photo", "text"]);

    let elsewhere = extractor(&folder.path().join("none"));
    let Err(Error::Row { index: 4, failure }) = elsewhere.preview(&Row::new(4, &row("Who?", "a.png"))) else {
        panic!("the file is not there");
    };
    assert_eq!(failure.kind, FailureKind::Attachment);
    assert!(failure.message.starts_with("the file `a.png` cannot be read: "), "{}", failure.message);
    assert!(failure.hint().is_some());
}

#[tokio::test]
async fn a_row_whose_file_is_missing_fails_alone_and_unasked() {
    let simulator =
        Simulator::start(Scenario::instant("for images"), Options::default()).expect("a simulator");
    let client = Client::builder("sim").base_url(simulator.base_url()).build().expect("a client");
    let people = client.extractor::<Person>().image("photo").prompt("{{ text }}").expect("an extractor");
    let rows: Vec<_> = (0..100)
        .map(|age| row(&format!("Ann is a {age}-year-old nurse"), if age % 3 == 0 { "none.png" } else { "" }))
        .collect();
    let outcomes = people.gather_outcomes(rows).await.expect("outcomes");
    for outcome in &outcomes {
        match (outcome.index % 3, &outcome.result) {
            (0, Err(failure)) => assert_eq!(failure.kind, FailureKind::Attachment),
            (_, Ok(person)) => assert_eq!(u64::from(person.age), outcome.index),
            (_, other) => panic!("row {}: {other:?}", outcome.index),
        }
    }
    assert_eq!((outcomes.len(), simulator.stats().requests.all), (100, 66));
    assert_eq!(people.stats().failed.get(&FailureKind::Attachment), Some(&34));
}
