//! The allowed ranges of the user's limits. A limit of zero would send nothing, and an absurdly large one is a typo; both are
//! rejected before anything is sent. `docs/mistakes.md` has the table, which a test compares with this file.

use std::fmt::Display;
use std::time::Duration;

use serde_json::Value;

use crate::adjustment::Adjustment;
use crate::error::{Error, Problem, Result};
use crate::hint::{Hint, Setting};
use crate::money::Usd;
use crate::provider::Parameters;
use crate::retry::RetryPolicy;

/// The highest concurrency that may be set: more than one address has ports.
pub const MOST_CONCURRENCY: usize = 100_000;

const SHORTEST_TIMEOUT: Duration = Duration::from_millis(1);
const LONGEST_TIMEOUT: Duration = Duration::from_hours(30 * 24);
const MOST_OUTPUT_TOKENS: u32 = 10_000_000;
/// The names of an output limit among the additional fields of a request, in lower case without underscores.
const OUTPUT_LIMITS: [&str; 3] = ["maxtokens", "maxcompletiontokens", "maxoutputtokens"];
/// The fields that ask for several answers to one request, spelled the same way.
const ANSWERS: [&str; 3] = ["n", "bestof", "candidatecount"];
/// The field of a request in which Google nests others, spelled the same way.
const CONFIG: &str = "generationconfig";

const REQUESTS_PER_MINUTE: (f64, f64) = (0.001, 1e9);
const TOKENS_PER_MINUTE: (f64, f64) = (1.0, 1e12);
const MOST_RETRIES: u32 = 1_000;
const MOST_REASKS: u32 = 100;
const HIGHEST_TEMPERATURE: f64 = 10.0;

/// How long an attempt may take.
pub(super) fn timeout(timeout: Duration) -> Result<Duration> {
    if (SHORTEST_TIMEOUT..=LONGEST_TIMEOUT).contains(&timeout) {
        return Ok(timeout);
    }
    Err(refused(&format!("timeout `{timeout:?}` is"), "a time from 1 ms to 30 days"))
}

/// The most attempts in flight.
pub(super) fn concurrency(attempts: usize) -> Result<usize> {
    within("concurrency", attempts, 1, MOST_CONCURRENCY)
}

/// The most requests per minute.
pub(super) fn requests_per_minute(requests: f64) -> Result<f64> {
    rate("requests per minute", requests, REQUESTS_PER_MINUTE)
}

/// The most tokens per minute.
pub(super) fn tokens_per_minute(tokens: f64) -> Result<f64> {
    rate("tokens per minute", tokens, TOKENS_PER_MINUTE)
}

/// The most that all requests may cost.
pub(super) fn budget(budget: Usd) -> Result<Usd> {
    if budget > Usd::ZERO {
        return Ok(budget);
    }
    Err(refused("budget `$0` is", "an amount above 0"))
}

/// How often an attempt is repeated and an answer asked for again.
pub(super) fn repetitions(retry: RetryPolicy, max_reasks: u32) -> Result<()> {
    within("retries", retry.retries, 0, MOST_RETRIES)?;
    within("re-asks", max_reasks, 0, MOST_REASKS)?;
    Ok(())
}

/// The parameters of the answers, in whatever form they are given.
pub(super) fn parameters(parameters: &Parameters) -> Result<()> {
    if let Some(tokens) = parameters.max_output_tokens {
        within("output limit in tokens", tokens, 1, MOST_OUTPUT_TOKENS)?;
    }
    if let Some(degrees) = parameters.temperature {
        temperature(degrees)?;
    }
    for (name, value) in &parameters.extra {
        match value {
            Value::Object(fields) if plain(name) == CONFIG => {
                fields.iter().try_for_each(|(name, value)| further(name, value))?;
            }
            value => further(name, value)?,
        }
    }
    Ok(())
}

/// An additional field of a request: `null` leaves it to the server.
fn further(name: &str, value: &Value) -> Result<()> {
    let spelled = plain(name);
    let is_limit = OUTPUT_LIMITS.contains(&&*spelled);
    if value.is_null() || !is_limit && spelled != "temperature" && !ANSWERS.contains(&&*spelled) {
        return Ok(());
    }
    if ANSWERS.contains(&&*spelled) {
        return if value.as_f64() == Some(1.0) { Ok(()) } else { Err(several(name, value)) };
    }
    let Some(number) = value.as_f64() else {
        let problem = Problem::new(format!("parameter `{name}` is `{value}`, expected a number"));
        return Err(Error::Config(problem.hint("leave it out for the default")));
    };
    if !is_limit {
        return temperature(number);
    }
    if number.fract() != 0.0 {
        let problem = Problem::new(format!("parameter `{name}` is `{value}`, expected a whole number"));
        return Err(Error::Config(problem.hint("leave it out for the default")));
    }
    within("output limit in tokens", number, 1.0, f64::from(MOST_OUTPUT_TOKENS)).map(drop)
}

/// Every answer is paid for, but a row has only one value.
fn several(name: &str, value: &Value) -> Error {
    let message = format!("parameter `{name}` is `{value}`, expected `1`: each row gets one answer");
    let hint = Hint::from("leave it out, or repeat the row in the input with ").with(Setting::Dedup.off());
    Error::Config(Problem::new(message).hint(hint))
}

fn temperature(degrees: f64) -> Result<()> {
    if (0.0..=HIGHEST_TEMPERATURE).contains(&degrees) {
        return Ok(());
    }
    Err(refused(&format!("temperature `{degrees}` is"), "a number from 0 to 10"))
}

/// A field's name in lower case without underscores: Google accepts `snake_case` as well as `camelCase`.
fn plain(name: &str) -> String {
    name.replace('_', "").to_ascii_lowercase()
}

/// A change to a run while it is under way.
pub(crate) fn adjustment(adjustment: &Adjustment) -> Result<()> {
    match *adjustment {
        Adjustment::Concurrency(Some(attempts)) => concurrency(attempts).map(drop),
        Adjustment::Requests(Some(requests)) => requests_per_minute(requests).map(drop),
        Adjustment::Tokens(Some(tokens))
        | Adjustment::InputTokens(Some(tokens))
        | Adjustment::OutputTokens(Some(tokens)) => tokens_per_minute(tokens).map(drop),
        Adjustment::Budget(Some(amount)) => budget(amount).map(drop),
        Adjustment::Pause
        | Adjustment::Resume
        | Adjustment::Concurrency(None)
        | Adjustment::Requests(None)
        | Adjustment::Tokens(None)
        | Adjustment::InputTokens(None)
        | Adjustment::OutputTokens(None)
        | Adjustment::Budget(None)
        | Adjustment::Deadline(_)
        | Adjustment::RetryFailed
        | Adjustment::Stop => Ok(()),
    }
}

fn within<T: PartialOrd + Display + Copy>(what: &str, given: T, least: T, most: T) -> Result<T> {
    if least <= given && given <= most {
        return Ok(given);
    }
    Err(refused(&format!("{what} `{given}` is"), &format!("a number from {least} to {most}")))
}

fn rate(what: &str, per_minute: f64, (least, most): (f64, f64)) -> Result<f64> {
    if (least..=most).contains(&per_minute) {
        return Ok(per_minute);
    }
    let expected = if per_minute > most {
        format!("at most {most}")
    } else {
        format!("a number above 0, at least {least}")
    };
    Err(refused(&format!("`{per_minute}` {what} is"), &expected))
}

fn refused(found: &str, expected: &str) -> Error {
    Error::Config(
        Problem::new(format!("{found} out of range, expected {expected}"))
            .hint("leave it out for the default"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    const DOCS: &str = include_str!("../../../../docs/mistakes.md");

    #[test]
    fn the_bounds_are_those_of_the_docs() {
        for line in [
            format!("| `--concurrency` | 1 | {MOST_CONCURRENCY} |"),
            format!("| `--rpm` | {} | {} |", REQUESTS_PER_MINUTE.0, REQUESTS_PER_MINUTE.1),
            format!("| `--tpm` | {} | {} |", TOKENS_PER_MINUTE.0, TOKENS_PER_MINUTE.1),
            format!("| `--max-output-tokens` | 1 | {MOST_OUTPUT_TOKENS} |"),
            format!("| `--temperature` | 0 | {HIGHEST_TEMPERATURE} |"),
            format!("| `--retries` | 0 | {MOST_RETRIES} |"),
            format!("| `--max-reasks` | 0 | {MOST_REASKS} |"),
            "| `--timeout` | 1 ms | 30 days |".to_owned(),
            "| `--budget` | above $0 |".to_owned(),
        ] {
            assert!(DOCS.contains(&line), "{line}");
        }
    }

    #[test]
    fn zero_and_absurd_limits_are_rejected() {
        let retry = |retries| RetryPolicy { retries, ..RetryPolicy::default() };
        let set = |temperature: Option<f64>, max_output_tokens| Parameters {
            temperature,
            max_output_tokens,
            extra: Map::new(),
        };
        let taken = [
            timeout(SHORTEST_TIMEOUT).is_ok(),
            timeout(LONGEST_TIMEOUT).is_ok(),
            budget(Usd::from_picodollars(1)).is_ok(),
            concurrency(1).is_ok(),
            requests_per_minute(0.5).is_ok(),
            tokens_per_minute(1e6).is_ok(),
            repetitions(retry(0), 0).is_ok(),
            parameters(&set(Some(0.0), Some(1))).is_ok(),
            parameters(&set(None, None)).is_ok(),
        ];
        assert_eq!(taken, [true; 9]);
        let refused = [
            timeout(Duration::ZERO).is_err(),
            timeout(Duration::from_nanos(1)).is_err(),
            timeout(Duration::MAX).is_err(),
            budget(Usd::ZERO).is_err(),
            concurrency(0).is_err(),
            concurrency(usize::MAX).is_err(),
            requests_per_minute(0.0).is_err(),
            requests_per_minute(-1.0).is_err(),
            requests_per_minute(f64::NAN).is_err(),
            requests_per_minute(f64::INFINITY).is_err(),
            tokens_per_minute(0.1).is_err(),
            tokens_per_minute(1e300).is_err(),
            repetitions(retry(u32::MAX), 0).is_err(),
            repetitions(retry(0), u32::MAX).is_err(),
            parameters(&set(Some(f64::NAN), None)).is_err(),
            parameters(&set(Some(-0.1), None)).is_err(),
            parameters(&set(Some(1e9), None)).is_err(),
            parameters(&set(None, Some(0))).is_err(),
            parameters(&set(None, Some(u32::MAX))).is_err(),
        ];
        assert_eq!(refused, [true; 19]);
    }

    #[test]
    fn additional_fields_are_checked_as_the_parameters_they_set() {
        let parameters = |name: &str, value: &Value| {
            let extra = Map::from_iter([(name.to_owned(), value.clone())]);
            parameters(&Parameters { extra, ..Parameters::default() })
        };
        for (name, value) in [
            ("temperature", json!(1.5)),
            ("temperature", Value::Null),
            ("max_tokens", json!(100)),
            ("max_tokens", json!(100.0)),
            ("max_completion_tokens", Value::Null),
            ("n", json!(1)),
            ("generationConfig", json!({ "maxOutputTokens": 5, "candidateCount": 1, "topK": "x" })),
            ("stop", json!("abc")),
            ("seed", json!("n")),
        ] {
            assert!(parameters(name, &value).is_ok(), "{name} {value}");
        }
        for (name, value, said) in [
            ("temperature", json!(-1), "temperature `-1`"),
            ("temperature", json!("abc"), "`temperature` is `\"abc\"`, expected a number"),
            ("max_tokens", json!("abc"), "expected a number"),
            ("max_tokens", json!("0"), "expected a number"),
            ("max_tokens", json!([5]), "expected a number"),
            ("max_tokens", json!(1.5), "expected a whole number"),
            ("max_completion_tokens", json!(0), "from 1"),
            ("maxOutputTokens", json!(-1), "from 1"),
            ("generationConfig", json!({ "maxOutputTokens": 0 }), "from 1"),
            ("generation_config", json!({ "max_output_tokens": "x" }), "expected a number"),
            ("generation_config", json!({ "temperature": 99 }), "temperature `99`"),
            ("generationConfig", json!({ "candidateCount": 2 }), "one answer"),
            ("candidate_count", json!(2), "one answer"),
            ("n", json!(2), "`n` is `2`, expected `1`"),
            ("n", json!("2"), "one answer"),
            ("best_of", json!(4), "one answer"),
        ] {
            let problem = parameters(name, &value).expect_err("refused").to_string();
            assert!(problem.contains(said), "{name} {value}: {problem}");
        }
    }
}
