//! `rowcall show`: everything that a journal has about one row. Control characters of data and answers are escaped.

use indicatif::HumanCount;
use rowcall::journal::Contents;
use rowcall::{Error, Problem, Result};

use crate::args::ShowArguments;
use crate::exit::Exit;
use crate::journal;
use crate::printing;
use crate::report::story::{Lengths, Story, StoryReader};
use crate::report::text::{harmless, harmless_json};
use crate::report::time::long;
use crate::summary::counted;

/// Digits of a key.
const KEY_DIGITS: usize = 32;

pub(crate) fn show(arguments: &ShowArguments) -> Result<Exit> {
    let contents = journal::open(&arguments.journal)?;
    let row = place(&contents, &arguments.row)?;
    let Some(story) = StoryReader::new(&contents)?.story(row, Lengths::WHOLE)? else {
        let rows = contents.totals().rows;
        let problem =
            Problem::new(format!("row {row} has no outcome in the journal, which has {rows} of them"));
        return Err(Error::Config(problem.hint("rows are counted from 0")));
    };
    let text = if arguments.json {
        harmless_json(serde_json::to_string_pretty(&story).unwrap_or_default())
    } else {
        as_text(&story)
    };
    printing::result(&text).map_err(|error| printing::unprintable(&error))?;
    Ok(Exit::Done)
}

/// The position of the row with this number or key.
fn place(contents: &Contents, named: &str) -> Result<u64> {
    if named.len() < KEY_DIGITS
        && let Ok(row) = named.parse()
    {
        return Ok(row);
    }
    let Some(key) = key(named) else {
        let message = format!(
            "`{named}` names no row, expected its number, counted from 0, or its key of 32 hexadecimal digits"
        );
        return Err(Error::Config(Problem::new(message)));
    };
    contents
        .place_of_key(&key)?
        .ok_or_else(|| Error::Config(Problem::new(format!("no row of the journal has the key `{named}`"))))
}

fn key(digits: &str) -> Option<Vec<u8>> {
    let is_key = digits.len() == KEY_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes = (0..KEY_DIGITS).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
    if is_key { bytes.collect() } else { None }
}

/// The story in the order in which it happened.
fn as_text(story: &Story) -> String {
    let ended = match &story.failure {
        Some(failure) => format!("failed: {}", failure.kind),
        None => "done".to_owned(),
    };
    let mut lines = vec![format!("row       {}, {ended}, at {} UTC", story.row, story.ended_at)];
    lines.extend(story.key.as_ref().map(|key| format!("key       {key}")));
    lines.extend(story.model.as_ref().map(|model| format!("model     {}", harmless(model))));
    lines.push(format!(
        "took      {}, {}, {}, {} in, {} out",
        long(story.latency_ms as f64),
        counted(u64::from(story.requests), "request"),
        counted(u64::from(story.prompts), "prompt"),
        counted(story.input_tokens, "token"),
        HumanCount(story.output_tokens),
    ));
    lines.push(format!("cost      {}", story.cost));
    if story.from_cache {
        lines.push("cache     the value comes from it".to_owned());
    }
    if !story.repairs.is_empty() {
        lines.push(format!("repaired  {}", harmless(&story.repairs.join(", "))));
    }
    for part in &story.prompt {
        lines.push(format!("\n{}", part.role));
        lines.push(indented(&part.text));
    }
    for (number, attempt) in story.attempts.iter().enumerate() {
        let times = if attempt.times > 1 { format!(", {} times", attempt.times) } else { String::new() };
        let came = match (attempt.fault, &attempt.answer) {
            (Some(fault), _) => format!("fault {fault}"),
            (None, Some(_)) if attempt.violations.is_empty() => "an answer without a value".to_owned(),
            (None, Some(_)) => "an invalid answer".to_owned(),
            (None, None) if story.failure.is_some() => "no value".to_owned(),
            (None, None) => "the value".to_owned(),
        };
        lines.push(format!(
            "\nattempt {}: prompt {}, after {}, took {}{times}: {came}",
            number + 1,
            attempt.prompt,
            long(attempt.after_ms as f64),
            long(attempt.latency_ms as f64),
        ));
        lines.extend(attempt.message.as_deref().map(indented));
        lines.extend(attempt.answer.as_deref().map(indented));
        lines.extend(attempt.violations.iter().map(|violation| indented(&format!("- {violation}"))));
    }
    if let Some(value) = &story.value {
        lines.push(format!("\nvalue\n{}", indented(value)));
    }
    if let Some(failure) = &story.failure {
        lines.push(format!("\nfailure   {}", failure.kind));
        lines.push(indented(&failure.message));
        lines.extend(failure.best.as_deref().map(|best| format!("best invalid value\n{}", indented(best))));
        lines.extend(failure.hint.as_ref().map(|hint| format!("  hint: {hint}")));
    }
    lines.join("\n")
}

/// Indents an untrusted text, so that its lines cannot be mistaken for ours.
fn indented(text: &str) -> String {
    let lines: Vec<_> = harmless(text).lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}
