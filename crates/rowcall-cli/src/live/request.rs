//! What others may ask of a run, as one JSON object: its status, or changes. Anything unknown changes nothing.

use rowcall::{Adjustment, Error, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

use super::UnderWay;
use crate::flags;

/// The maximum length of a request, in bytes.
pub(super) const LONGEST: usize = 64 * 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    Status,
    Set(Value),
}

/// The answer to a request: `{"ok": …}` with the status after it, or `{"error": …}`.
pub(super) fn answer(run: &UnderWay, request: &[u8]) -> Value {
    match carry_out(run, request) {
        Ok(()) => json!({ "ok": run.status() }),
        Err(problem) => refusal(&problem),
    }
}

/// The answer to a request that was refused.
pub(crate) fn refusal(problem: &Problem) -> Value {
    let hint = problem.hint.as_ref().map(flags::spelled);
    json!({ "error": { "message": problem.message, "hint": hint } })
}

fn carry_out(run: &UnderWay, request: &[u8]) -> Result<(), Problem> {
    let request = serde_json::from_slice(request).map_err(|error| {
        Problem::new(format!(
            "the request is not understood, expected `\"status\"` or {{\"set\": …}}: {error}"
        ))
    })?;
    match request {
        Request::Status => Ok(()),
        Request::Set(_) if *run.over.borrow() => Err(Problem::new("the run has ended")),
        Request::Set(changes) => {
            let changes = Adjustment::parse_all(&changes)?;
            run.control.apply(&changes).map_err(|error| match error {
                Error::Config(problem) => problem,
                other => Problem::new(other.to_string()),
            })
        }
    }
}
