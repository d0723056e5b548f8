//! `rowcall compare`: reproduces the guide's table. Runs five methods over the same rows, each with its own client, so that the time
//! to connect counts against it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rowcall::{AccountOptions, Error, Event, EventKind, Extractor, Problem, Result, Schema, Source};
use rowcall_data::{Input, InputOptions};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::args::CompareArguments;
use crate::exit::Exit;
use crate::model::Model;
use crate::printing;
use crate::table::table;
use crate::text_argument::text_or_file;

/// The sentences of the guide "asyncio.gather and asyncio.as_completed for LLM processing".
const SENTENCES: [&str; 7] = [
    "John Smith is a 30-year-old software engineer",
    "Sarah Johnson is a 25-year-old data scientist",
    "Mike Davis is a 35-year-old product manager",
    "Lisa Wilson is a 28-year-old UX designer",
    "Tom Brown is a 32-year-old DevOps engineer",
    "Emma Garcia is a 27-year-old frontend developer",
    "David Lee is a 33-year-old backend developer",
];

/// A way to ask about many rows.
#[derive(Debug, Clone, Copy)]
enum Way {
    Sequential,
    Gather,
    AsCompleted,
}

/// One line of the table.
#[derive(Debug)]
struct Line {
    method: &'static str,
    taken: Duration,
    ideal: Duration,
    concurrency: usize,
    purpose: &'static str,
}

impl Line {
    fn ratio(&self) -> f64 {
        self.taken.as_secs_f64() / self.ideal.as_secs_f64().max(1e-9)
    }
}

pub(crate) fn compare(arguments: &CompareArguments) -> Result<Exit> {
    let schema = Schema::load(&arguments.schema).map_err(Error::Config)?;
    let prompt = text_or_file("prompt", &arguments.prompt)?;
    let model = Model::new(AccountOptions {
        model: arguments.model.clone(),
        base_url: arguments.base_url.clone(),
        ..AccountOptions::default()
    })?;
    let lines = crate::block_on(async {
        let rows = rows(arguments.input.as_deref()).await?;
        if rows.is_empty() {
            return Err(Error::Config(Problem::new("the input has no rows, expected at least one")));
        }
        let (all, limit) = (rows.len(), arguments.limit.get().min(rows.len()));
        let mut lines = Vec::new();
        for (method, way, concurrency, purpose) in [
            ("sequential", Way::Sequential, 1, "baseline"),
            ("gather", Way::Gather, all, "all at once, results in input order, all must succeed"),
            ("as_completed", Way::AsCompleted, all, "results streamed as they arrive"),
            ("rate-limited gather", Way::Gather, limit, "ordered, kind to the API"),
            ("rate-limited as_completed", Way::AsCompleted, limit, "streamed, kind to the API"),
        ] {
            let extractor = model.client()?.extractor_with(schema.clone()).prompt(prompt.clone())?;
            let (taken, latencies) = time(&extractor.concurrency(concurrency), way, &rows).await?;
            let ideal = list_schedule(&latencies, concurrency);
            lines.push(Line { method, taken, ideal, concurrency, purpose });
        }
        Ok(lines)
    })?;
    let text = if arguments.json { as_json(&lines) } else { as_table(&lines) };
    printing::result(&text).map_err(|error| printing::unprintable(&error))?;
    Ok(Exit::Done)
}

/// The rows of the input, or the guide's sentences.
async fn rows(input: Option<&Path>) -> Result<Vec<Value>> {
    let Some(path) = input else { return Ok(SENTENCES.iter().map(|&text| text.into()).collect()) };
    let mut input = Input::open(path, InputOptions::default())?;
    let mut rows = Vec::new();
    loop {
        let taken = input.next(1024).await?;
        if taken.is_empty() {
            return Ok(rows);
        }
        for row in taken {
            let fields = row.fields.map_err(|unreadable| Error::Source(Problem::new(unreadable.message)))?;
            rows.push(Value::Object(fields));
        }
    }
}

/// How long one way takes, and the latencies of the rows' requests in input order: as the server reports them, or else as measured.
async fn time(extractor: &Extractor<Value>, way: Way, rows: &[Value]) -> Result<(Duration, Vec<Duration>)> {
    let latencies = Arc::new(Mutex::new(BTreeMap::<u64, Duration>::new()));
    let seen = Arc::clone(&latencies);
    let extractor = extractor.on_event(move |event: &Event| {
        if let EventKind::Answered { attempt: _, latency, processing, result: _, cost: _ } = &event.kind {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            *seen.entry(event.row).or_default() += processing.unwrap_or(*latency);
        }
    });
    let started = Instant::now();
    match way {
        Way::Sequential => drop(extractor.sequential(rows).await?),
        Way::Gather => drop(extractor.gather(rows).await?),
        Way::AsCompleted => {
            let mut outcomes = extractor.as_completed(rows);
            while let Some(outcome) = outcomes.next().await {
                let outcome = outcome?;
                let index = outcome.index;
                outcome.result.map_err(|failure| Error::Row { index, failure })?;
            }
        }
    }
    let taken = started.elapsed();
    let latencies = latencies.lock().unwrap_or_else(PoisonError::into_inner).values().copied().collect();
    Ok((taken, latencies))
}

/// How long jobs of these lengths take if each starts, in order, in the first free slot.
fn list_schedule(lengths: &[Duration], slots: usize) -> Duration {
    let mut free_at: BinaryHeap<_> = (0..slots.max(1)).map(|_| Reverse(Duration::ZERO)).collect();
    let mut end = Duration::ZERO;
    for length in lengths {
        let Reverse(start) = free_at.pop().unwrap_or(Reverse(Duration::ZERO));
        end = end.max(start + *length);
        free_at.push(Reverse(start + *length));
    }
    end
}

fn as_json(lines: &[Line]) -> String {
    let round = |seconds: f64| (seconds * 10_000.0).round() / 10_000.0;
    let list: Vec<_> = lines
        .iter()
        .map(|line| {
            json!({
                "method": line.method,
                "seconds": round(line.taken.as_secs_f64()),
                "ideal_seconds": round(line.ideal.as_secs_f64()),
                "ratio": round(line.ratio()),
                "concurrency": line.concurrency,
                "for": line.purpose,
            })
        })
        .collect();
    json!(list).to_string()
}

fn as_table(lines: &[Line]) -> String {
    let rows = lines.iter().map(|line| {
        vec![
            line.method.to_owned(),
            format!("{:.2} s", line.taken.as_secs_f64()),
            format!("{:.2} s", line.ideal.as_secs_f64()),
            format!("{:.3}", line.ratio()),
            line.concurrency.to_string(),
            line.purpose.to_owned(),
        ]
    });
    table(&["method", "time", "ideal", "time ÷ ideal", "concurrency", "for"], rows, 1..5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_guides_latencies_give_the_guides_ideals() {
        let lengths: Vec<_> = [800, 950, 850, 900, 870, 920, 880].map(ms).to_vec();
        assert_eq!(list_schedule(&lengths, 1), ms(6170));
        assert_eq!(list_schedule(&lengths, 7), ms(950));
        assert_eq!(list_schedule(&lengths, 2), ms(3400));
    }

    #[test]
    fn an_empty_schedule_takes_no_time() {
        assert_eq!(list_schedule(&[], 3), Duration::ZERO);
    }
}
