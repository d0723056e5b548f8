//! Examples: rows whose values are known, asked about in the words of the template and answered. What is wrong with one is
//! found before any request.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::Problem;
use crate::row::AnsweredRow;
use crate::turn::Example;
use crate::violation::Violation;

/// How many violations of an example's value are told: the first ones show what is wrong with all.
const VIOLATIONS_TOLD: usize = 3;

/// Each row as a question, which `question` renders, with its value, which `judge` finds no violations of.
///
/// # Errors
/// The first row that gives none, with its place.
pub(super) fn rendered(
    rows: &[AnsweredRow],
    question: impl Fn(&Map<String, Value>) -> Result<String, String>,
    judge: impl Fn(&Value) -> Vec<Violation>,
) -> Result<Vec<Arc<Example>>, Problem> {
    let render = |(at, row): (usize, &AnsweredRow)| {
        let AnsweredRow { fields, value, place } = row;
        let refused = |reason: String| {
            let place = place.clone().unwrap_or_else(|| format!("example {}", at + 1));
            Problem::new(format!("{place}: {reason}")).hint(
                "an example has the fields that the template uses, and a value that satisfies the schema",
            )
        };
        let violations = judge(value);
        if !violations.is_empty() {
            let told: Vec<_> = violations.iter().take(VIOLATIONS_TOLD).map(ToString::to_string).collect();
            return Err(refused(format!("the value is not valid: {}", told.join("; "))));
        }
        let question = question(fields).map_err(refused)?;
        Ok(Arc::new(Example { question, value: value.clone() }))
    };
    rows.iter().enumerate().map(render).collect()
}
