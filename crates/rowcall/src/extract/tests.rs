//! Runs each line of the tables in `docs/faults.md` through the code it describes. Connections are tested over real sockets.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::*;
use crate::provider::{self, Form, Mode, Parameters, Protocol};
use crate::request::Response;
use crate::retry::RetryPolicy;
use crate::schema::{Dialect, Schema};
use crate::turn::{Content, Finish, ToolCall};

const DOCUMENT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/faults.md"));

/// The lines of the table under a heading, as cells.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let section = DOCUMENT.split_once(&format!("## {heading}\n")).expect("the document has the heading").1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with('|')).skip(2);
    lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// A target at a server of this provider.
fn target(provider: &str) -> Target {
    let provider = provider::named(provider).expect("a provider");
    let schema = Schema::parse("name, age int").expect("a schema");
    let form = Form {
        mode: Mode::Schema,
        dialect: Dialect::OpenAiStrict,
        wire: Arc::new(schema.wire(Dialect::OpenAiStrict).expect("fits the wire")),
    };
    let quirks = provider.quirks_at("https://example.org/v1");
    Target::new(Protocol::OpenAiChat, quirks, "m".to_owned(), form, Parameters::default())
}

/// The text between the outermost backticks.
fn code(cell: &str) -> &str {
    cell.split_once('`').and_then(|(_, rest)| rest.rsplit_once('`')).map_or("", |(code, _)| code).trim()
}

fn response(status: &str, answer: &str) -> Response {
    let (body, header) =
        answer.split_once(" with ").map_or((answer, None), |(body, header)| (body, Some(code(header))));
    let headers = header.and_then(|header| header.split_once(": ")).map(|(name, value)| {
        (HeaderName::try_from(name).expect("a name"), HeaderValue::try_from(value).expect("a value"))
    });
    Response {
        status: status.parse().expect("a status"),
        headers: headers.into_iter().collect(),
        body: Bytes::copy_from_slice(code(body).as_bytes()),
        received: SystemTime::UNIX_EPOCH,
    }
}

#[test]
fn every_response_has_the_decision_that_is_documented() {
    let lines = table("Responses");
    assert!(lines.len() > 40, "the table was read");
    let (any, groq) = (target("openai"), target("groq"));
    for line in lines {
        let [status, answer, kind, expected] = line[..] else { panic!("not four cells: {line:?}") };
        let (answer, target) =
            answer.strip_suffix(" from Groq").map_or((answer, &any), |answer| (answer, &groq));
        let Err(fault) = target.decode(&response(status, answer)) else {
            assert_eq!((kind, expected), ("an answer without a value", "re-ask"), "{line:?}");
            continue;
        };
        assert_eq!(fault.kind.name(), kind, "{line:?}: {fault}");
        let tried = Tried {
            faults: 1,
            limits: 1,
            limited_for: Duration::from_mins(9),
            answered: true,
            ..Tried::default()
        };
        let decided =
            match (retry::decide(&fault, tried, RetryPolicy::default(), 0.5), retry::is_limit(fault.kind)) {
                (Decision::Retry(_), true) => "wait",
                (Decision::Retry(_), false) => "retry",
                (Decision::GiveUp, _) => "row",
                (Decision::Stop, _) => "run",
            };
        assert_eq!(decided, expected, "{line:?}");
    }
}

fn content(answer: &str) -> Content {
    let call = |of: &str| {
        let (name, arguments) = of.split_once(" with ").expect("a call has arguments");
        (code(name).to_owned(), code(arguments).to_owned())
    };
    if let Some(words) = answer.strip_prefix("refusal ") {
        return Content::Refusal(code(words).to_owned());
    }
    if let Some(one) = answer.strip_prefix("call of ") {
        let (name, arguments) = call(one);
        return Content::Calls(vec![ToolCall { name, arguments, came_parsed: false }]);
    }
    if let Some(one) = answer.strip_prefix("parsed call of ") {
        let (name, arguments) = call(one);
        return Content::Calls(vec![ToolCall { name, arguments, came_parsed: true }]);
    }
    if let Some(several) = answer.strip_prefix("calls of ") {
        let (name, arguments) = several.split_once(" with ").expect("calls have arguments");
        let calls = arguments.split(" and ").map(|arguments| ToolCall {
            name: code(name).to_owned(),
            arguments: code(arguments).to_owned(),
            came_parsed: false,
        });
        return Content::Calls(calls.collect());
    }
    // A fence is on separate lines, which a table cannot show.
    Content::Text(code(answer).replace("```json ", "```json\n").replace(" ```", "\n```"))
}

#[test]
fn every_answer_is_read_as_documented() {
    let schema = Schema::parse("name, age int").expect("a schema");
    let wire = schema.wire(Dialect::OpenAiStrict).expect("fits the wire");
    let lines = table("Answers");
    assert!(lines.len() > 20, "the table was read");
    for line in lines {
        let [answer, finish, expected] = line[..] else { panic!("not three cells: {line:?}") };
        let completion = Completion {
            content: content(answer),
            finish: match finish {
                "length" => Finish::Length,
                "content_filter" => Finish::ContentFilter,
                "none" => Finish::Unstated,
                _ => Finish::Stop,
            },
            finish_reason: finish.to_owned(),
            usage: None,
            model: String::new(),
            raw_turn: Value::Null,
            service_tier: None,
            continuation: None,
            body: bytes::Bytes::new(),
        };
        let reading = completion::read(&completion, &schema, &wire);
        let read = match &reading {
            Reading::Value { value, .. } => {
                assert_eq!(value, &serde_json::json!({"name": "Ann", "age": 30}), "{line:?}");
                "value"
            }
            Reading::Invalid { .. } => "invalid: re-ask",
            Reading::Refused(_) => "refusal: row",
            Reading::Truncated => "truncated: again with twice the output limit, twice",
            Reading::Filtered => "content_filter: row",
            Reading::Paused => "paused: the rest is asked for",
        };
        assert_eq!(read, expected, "{line:?}: {reading:?}");
    }
}
