//! `rowcall ctl`: looks at a run under way and changes it, over the Unix socket of its process.

use std::time::Duration;

use indicatif::HumanCount;
use rowcall::{Error, Problem, Result};
use serde_json::{Map, Value, json};

use crate::args::{CtlAction, CtlArguments};
use crate::exit::Exit;
use crate::live::socket::{Found, all, find};
use crate::live::{State, Status, refusal};
use crate::printing;
use crate::report::text::one_line;

/// How often a run is looked at while `--wait` waits.
const LOOKED_EVERY: Duration = Duration::from_millis(50);

pub(crate) fn ctl(arguments: &CtlArguments) -> Result<Exit> {
    match carried_out(arguments) {
        Ok(answer) => {
            print(&if arguments.json { pretty(&answer.json()) } else { answer.text() })?;
            Ok(Exit::Done)
        }
        Err(Error::Config(problem)) if arguments.json => {
            print(&pretty(&refusal(&problem)))?;
            Ok(Exit::Usage)
        }
        Err(error) => Err(error),
    }
}

fn print(text: &str) -> Result<()> {
    printing::result(text).map_err(|error| printing::unprintable(&error))
}

fn pretty(answer: &Value) -> String {
    serde_json::to_string_pretty(answer).unwrap_or_default()
}

/// What came of a command.
enum Answer {
    /// All runs of this user.
    Runs(Vec<Status>),
    /// The run's state, after a change if there was one.
    Run(Box<Status>, Option<String>),
}

fn carried_out(arguments: &CtlArguments) -> Result<Answer> {
    let Some(run) = &arguments.run else {
        return Ok(Answer::Runs(all().iter().filter_map(|found| status(found).ok()).collect()));
    };
    let found = find(run).map_err(Error::Config)?;
    let status = match arguments.action.as_ref().unwrap_or(&CtlAction::Status) {
        CtlAction::Status => return Ok(Answer::Run(Box::new(status(&found)?), None)),
        CtlAction::Pause { wait } => {
            let status = set(&found, &json!({ "pause": true }))?;
            if *wait { waited(&found, status, State::Paused)? } else { status }
        }
        CtlAction::Resume => set(&found, &json!({ "resume": true }))?,
        CtlAction::Stop { wait } => {
            let status = set(&found, &json!({ "stop": true }))?;
            if *wait { waited(&found, status, State::Ended)? } else { status }
        }
        CtlAction::RetryFailed => set(&found, &json!({ "retry_failed": true }))?,
        CtlAction::Set { changes } => set(&found, &Value::Object(parsed(changes)?))?,
    };
    let done = match arguments.action.as_ref() {
        Some(CtlAction::Set { changes }) => Some(format!("set {}", changes.join(" "))),
        Some(CtlAction::RetryFailed) => Some("failed rows are asked about again".to_owned()),
        Some(CtlAction::Status | CtlAction::Pause { .. } | CtlAction::Resume | CtlAction::Stop { .. })
        | None => None,
    };
    Ok(Answer::Run(Box::new(status), done))
}

/// The changes as an object. A name given twice is refused: only one of its values could hold.
fn parsed(changes: &[String]) -> Result<Map<String, Value>> {
    let mut all = Map::new();
    for change in changes {
        let Some((name, value)) = change.split_once('=') else {
            let message = format!("`{change}` is not a change, expected NAME=VALUE such as `concurrency=8`");
            return Err(Error::Config(Problem::new(message)));
        };
        if all.insert(name.to_owned(), Value::from(value)).is_some() {
            return Err(Error::Config(Problem::new(format!("`{name}` is given twice, expected once"))));
        }
    }
    Ok(all)
}

fn set(found: &Found, changes: &Value) -> Result<Status> {
    asked(found, &json!({ "set": changes }))
}

fn status(found: &Found) -> Result<Status> {
    asked(found, &json!("status"))
}

fn asked(found: &Found, request: &Value) -> Result<Status> {
    let gone = |what: &dyn std::fmt::Display| {
        Error::Config(Problem::new(format!("the run of process {} does not answer: {what}", found.process)))
    };
    let mut answer = found.ask(request).map_err(|error| gone(&error))?;
    if let Some(error) = answer.get("error") {
        let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
        let problem = Problem::new(text("message").unwrap_or_default());
        return Err(Error::Config(match text("hint") {
            Some(hint) => problem.hint(hint),
            None => problem,
        }));
    }
    let status = answer.get_mut("ok").map(Value::take).unwrap_or_default();
    serde_json::from_value(status).map_err(|error| gone(&error))
}

/// Waits until the run is in this state, or has ended.
fn waited(found: &Found, mut status: Status, state: State) -> Result<Status> {
    while status.state != state {
        std::thread::park_timeout(LOOKED_EVERY);
        status = match self::status(found) {
            Ok(status) => status,
            // It has ended.
            Err(_) if state == State::Ended => Status { state, ..status },
            Err(error) => return Err(error),
        };
    }
    Ok(status)
}

impl Answer {
    fn json(&self) -> Value {
        match self {
            Self::Runs(runs) => json!(runs),
            Self::Run(status, _) => json!(status),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Runs(runs) if runs.is_empty() => "no runs".to_owned(),
            Self::Runs(runs) => {
                let lines: Vec<_> = runs.iter().map(line).collect();
                lines.join("\n")
            }
            Self::Run(status, None) => text(status),
            Self::Run(status, Some(done)) => format!("{done}\n{}", text(status)),
        }
    }
}

fn line(status: &Status) -> String {
    let journal = status.journal.as_deref().map_or_else(|| "no journal".to_owned(), one_line);
    format!("{}  {}  {}  {journal}", status.process, name(status.state), rows(status))
}

fn name(state: State) -> &'static str {
    match state {
        State::Running => "running",
        State::Draining => "pausing",
        State::Paused => "paused",
        State::Stopping => "stopping",
        State::Ended => "ended",
    }
}

fn rows(status: &Status) -> String {
    let rows = status.rows;
    let noun = if rows.total.unwrap_or_else(|| rows.ended()) == 1 { "row" } else { "rows" };
    format!("{rows} {noun}")
}

fn text(status: &Status) -> String {
    let Status { rows: of, requests, settings, .. } = status;
    let mut lines = vec![format!("state     {} (process {})", name(status.state), status.process)];
    let retried =
        if of.retried > 0 { format!(", {} retried", HumanCount(of.retried)) } else { String::new() };
    lines.push(format!(
        "rows      {}, {} failed{retried}, {:.1} rows/s",
        rows(status),
        HumanCount(of.failed),
        status.rows_per_second
    ));
    lines.push(format!(
        "requests  {} sent, {} in flight of at most {}",
        HumanCount(requests.sent),
        HumanCount(requests.in_flight),
        HumanCount(settings.concurrency as u64)
    ));
    lines.push(format!("cost      {}", status.cost));
    lines.extend(settings.limits.iter().map(|limit| format!("limit     {limit}")));
    lines.extend(settings.budget().map(|budget| format!("budget    {budget}")));
    lines.extend(settings.deadline().map(|deadline| format!("deadline  {deadline} after the start")));
    if let Some(waits_for) = &status.waits_for {
        lines.push(format!("bound by  {waits_for}"));
    }
    if let Some(live) = &status.live {
        lines.push(format!("live      {live}"));
    }
    lines.join("\n")
}
