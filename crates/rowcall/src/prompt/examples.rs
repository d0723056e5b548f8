//! Examples: rows with known values, rendered with the template as questions and answers. Errors in an example are found before any
//! request.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::Problem;
use crate::row::AnsweredRow;
use crate::turn::Example;
use crate::violation::Violation;

/// How many violations of an example's value are reported: the first ones are representative.
const VIOLATIONS_SHOWN: usize = 3;

/// Each row as a question, rendered by `question`, with its value, for which `judge` returns no violations.
///
/// # Errors
/// The first row that gives no valid example, with its place.
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
            let shown: Vec<_> = violations.iter().take(VIOLATIONS_SHOWN).map(ToString::to_string).collect();
            return Err(refused(format!("the value is not valid: {}", shown.join("; "))));
        }
        let question = question(fields).map_err(refused)?;
        Ok(Arc::new(Example { question, value: value.clone() }))
    };
    rows.iter().enumerate().map(render).collect()
}
