//! Servers that refuse rows over real sockets: all of them alike, which stops the run, or some, which fail by themselves.

use std::sync::atomic::Ordering;

use rowcall::{Client, Error, FaultKind, Schema};

use crate::outages::{ANSWER, ages, rows, server};

const REFUSAL: &str = r#"{"error":{"message":"row 17 has the wrong 'shape'"}}"#;

#[tokio::test]
async fn a_refusal_that_every_row_meets_stops_the_run() {
    let (base_url, requests) = server(|_| Some((400, REFUSAL)));
    let error = ages(&base_url, 5).gather_outcomes(rows(500)).await.expect_err("all are refused");
    let Error::Refused { rows, fault } = &error else { panic!("not refused: {error}") };
    assert_eq!(fault.kind, FaultKind::InvalidRequest);
    assert!(*rows >= 8 && requests.load(Ordering::SeqCst) < 200, "{rows} {requests:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("--keep-going")), "{error}");
}

/// Fewer rows than show that all are refused fail as rows do, as do rows that are refused beside others that are not.
#[tokio::test]
async fn rows_that_are_refused_for_their_own_sake_fail_by_themselves() {
    for (first_answer, all) in [(u32::MAX, 7), (12, 100), (0, 100)] {
        let (base_url, _) = server(move |nth| match (nth == first_answer, nth % 2) {
            (true, _) => Some((200, ANSWER)),
            (false, 0) if first_answer == 0 => Some((200, ANSWER)),
            (false, _) => Some((400, REFUSAL)),
        });
        let outcomes = ages(&base_url, 0).gather_outcomes(rows(all)).await.expect("outcomes");
        assert_eq!(outcomes.len(), all as usize);
        assert!(outcomes.iter().any(|outcome| outcome.result.is_err()), "{first_answer}");
    }
}

#[tokio::test]
async fn who_keeps_going_asks_about_every_row() {
    let (base_url, requests) = server(|_| Some((400, REFUSAL)));
    let client = Client::builder("vllm/any").base_url(base_url).build().expect("a client");
    let ages = client.extractor_with(Schema::parse("age int").expect("a schema")).keep_going();
    let ages = ages.prompt("{{ text }}").expect("an extractor");
    let outcomes = ages.gather_outcomes(rows(40)).await.expect("outcomes");
    assert!(outcomes.iter().all(|outcome| outcome.result.is_err()));
    assert_eq!(requests.load(Ordering::SeqCst), 40);
}

/// One row after another, of which none may wait for the next.
#[tokio::test]
async fn rows_that_are_asked_about_one_by_one_are_counted_as_well() {
    let (base_url, requests) = server(|_| Some((400, REFUSAL)));
    let error = ages(&base_url, 0).sequential(rows(40)).await.expect_err("the first row is refused");
    assert!(matches!(error, Error::Row { index: 0, .. }), "{error}");
    assert_eq!(requests.load(Ordering::SeqCst), 1);
}
