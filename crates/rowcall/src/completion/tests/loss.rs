//! Slips in an answer lose nothing: it is read completely or not at all.

use super::damage::{Decisions, SCHEMAS, damaged, lost};
use super::*;

/// How many answers are damaged; `cargo xtask fuzz completion` damages millions.
const ANSWERS: u64 = 20_000;

#[test]
fn a_damaged_answer_is_complete_or_invalid() {
    let asked: Vec<Asked> = SCHEMAS.iter().map(|schema| Asked::new(schema)).collect();
    let (mut whole, mut others, mut lossy) = (0_u64, 0_u64, Vec::new());
    let mut random = fastrand::Rng::with_seed(13);
    for _ in 0..ANSWERS {
        let bytes: Vec<u8> = (0..96).map(|_| random.u8(..)).collect();
        let Some(damaged) = damaged(&mut Decisions(&bytes)) else { continue };
        for finish in [Finish::Stop, Finish::Length, Finish::Unstated] {
            let reading = asked[damaged.schema].read(text(&damaged.text), finish);
            let Reading::Value { value, repairs } = reading else { continue };
            match lost(&damaged.value, &value) {
                Some(what) => lossy.push(format!(
                    "{what} of {} is lost in {value} ({finish:?}, {repairs:?}), read from: {}",
                    damaged.value, damaged.text
                )),
                None if value == damaged.value => whole += 1,
                None => others += 1,
            }
        }
    }
    let first = lossy.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(lossy.is_empty(), "{} findings, {whole} whole, {others} others:\n{first}", lossy.len());
    assert!(whole * 20 > ANSWERS, "only {whole} of {ANSWERS} were read, and {others} with something added");
}

#[test]
fn a_trailing_comma_before_a_missing_bracket_may_hide_an_item() {
    Asked::new("name str, tags str[]").check(
        Finish::Stop,
        &[
            (text(r#"{"name":"Ann","tags":["x"]"#), r#"value {"name":"Ann","tags":["x"]} missing_bracket"#),
            (
                text(r#"{"name":"Ann","tags":["x",]"#),
                "invalid; the JSON is not closed: it ends before it is complete",
            ),
            (text(r#"{"name":"Ann","tags":["x",]}"#), r#"value {"name":"Ann","tags":["x"]} trailing_comma"#),
        ],
    );
}
