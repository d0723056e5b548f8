//! Rows and their requests as spans: one for each row, with one below it for each request. Rows that failed, or had a failed request, are
//! always kept, of the others a share.
#![expect(clippy::disallowed_methods, reason = "spans have the time of day")]

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use rowcall::{Event, EventKind};

use super::names;
use super::otlp::{About, float, integer, text};

/// The most spans that wait to be sent. Later ones are dropped and counted, since telemetry must not fill the memory.
const MOST_WAITING: usize = 8_192;

/// The most requests of a row that have a span each.
const MOST_OF_ROW: usize = 64;

/// The spans of a run.
pub(super) struct Spans {
    about: About,
    /// The share of rows without a failure that are kept, from 0 to 1.
    share: f64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The rows under way.
    rows: HashMap<u64, OpenRow>,
    ended: Vec<Span>,
    dropped: u64,
}

/// A row under way.
struct OpenRow {
    trace: [u8; 16],
    span: [u8; 8],
    began: SystemTime,
    is_kept: bool,
    /// Requests without an answer, and then with one.
    requests: Vec<OpenRequest>,
}

struct OpenRequest {
    attempt: u32,
    attributes: Vec<KeyValue>,
    ended: Option<Span>,
}

impl Spans {
    pub(super) fn new(about: About, share: f64) -> Self {
        Self { about, share, state: Mutex::default() }
    }

    /// Takes what has ended since the last call, and how many spans were dropped so far.
    pub(super) fn take(&self) -> (Vec<Span>, u64) {
        let mut state = self.state();
        (std::mem::take(&mut state.ended), state.dropped)
    }

    /// Puts back spans that could not be sent, as far as there is room.
    pub(super) fn put_back(&self, spans: Vec<Span>) {
        let mut state = self.state();
        for span in spans {
            state.add(span);
        }
    }

    /// Notes an event.
    pub(super) fn note(&self, event: &Event) {
        match &event.kind {
            EventKind::Taken => self.begin(event.row),
            EventKind::Sent { attempt, prompt, waited_for, waited } => {
                let mut attributes = vec![
                    integer(names::ROW, event.row),
                    integer(names::ATTEMPT, u64::from(*attempt)),
                    integer(names::PROMPT, u64::from(*prompt)),
                ];
                if let Some(bound) = waited_for {
                    attributes.push(text(names::WAITED_FOR, &bound.to_string()));
                    attributes.push(float(names::WAITED, waited.as_secs_f64()));
                }
                if let Some(row) = self.state().rows.get_mut(&event.row)
                    && row.requests.len() < MOST_OF_ROW
                {
                    row.requests.push(OpenRequest { attempt: *attempt, attributes, ended: None });
                }
            }
            EventKind::Answered { attempt, latency, processing: _, result, cost } => {
                let mut more = Vec::new();
                if cost.unknown == 0 {
                    more.push(float(names::COST, cost.known.dollars()));
                }
                let status = match result {
                    Ok(usage) => {
                        if let Some(usage) = usage {
                            more.push(integer(names::SPAN_INPUT_TOKENS, usage.input_tokens));
                            more.push(integer(names::SPAN_OUTPUT_TOKENS, usage.output_tokens));
                        }
                        None
                    }
                    Err(fault) => {
                        more.push(text(names::ERROR, fault.kind.name()));
                        Some(fault.to_string())
                    }
                };
                self.end_request(event.row, *attempt, *latency, more, status);
            }
            EventKind::Ended { failure, effort } => {
                let mut attributes = vec![
                    integer(names::ROW, event.row),
                    integer(names::ATTEMPTS, u64::from(effort.attempts)),
                    integer(names::PROMPTS, u64::from(effort.prompts)),
                ];
                let status = failure.as_ref().map(|failure| {
                    attributes.push(text(names::FAILURE, failure.kind.name()));
                    attributes.push(text(names::ERROR, failure.kind.name()));
                    failure.message.to_string()
                });
                self.end(event.row, attributes, status);
            }
            EventKind::Known { .. } | EventKind::Abandoned => {
                self.state().rows.remove(&event.row);
            }
            EventKind::Resumed { .. }
            | EventKind::Probed { .. }
            | EventKind::Waits(_)
            | EventKind::Adapted(_)
            | EventKind::Warned(_)
            | EventKind::Reasked { .. }
            | EventKind::Retried { .. }
            | EventKind::Adjusted(_)
            | EventKind::Collected { .. }
            | EventKind::Batch(_) => {}
        }
    }

    fn begin(&self, row: u64) {
        let open = OpenRow {
            trace: random_id(),
            span: random_id(),
            began: SystemTime::now(),
            is_kept: fastrand::f64() < self.share,
            requests: Vec::new(),
        };
        self.state().rows.insert(row, open);
    }

    fn end_request(
        &self,
        row: u64,
        attempt: u32,
        latency: Duration,
        more: Vec<KeyValue>,
        status: Option<String>,
    ) {
        let now = SystemTime::now();
        let mut state = self.state();
        let Some(row) = state.rows.get_mut(&row) else { return };
        row.is_kept |= status.is_some();
        let (trace, parent) = (row.trace, row.span);
        let Some(open) = row.requests.iter_mut().find(|open| open.attempt == attempt) else { return };
        let mut attributes = std::mem::take(&mut open.attributes);
        attributes.extend(more);
        open.ended = Some(Span {
            trace_id: trace.to_vec(),
            span_id: random_id::<8>().to_vec(),
            parent_span_id: parent.to_vec(),
            kind: SpanKind::Client.into(),
            start_time_unix_nano: nanoseconds(now.checked_sub(latency).unwrap_or(now)),
            end_time_unix_nano: nanoseconds(now),
            attributes,
            status: status.map(error),
            ..Span::default()
        });
    }

    fn end(&self, row: u64, attributes: Vec<KeyValue>, status: Option<String>) {
        let mut state = self.state();
        let Some(open) = state.rows.remove(&row) else { return };
        if !(open.is_kept || status.is_some()) {
            return;
        }
        state.add(Span {
            trace_id: open.trace.to_vec(),
            span_id: open.span.to_vec(),
            name: "row".to_owned(),
            kind: SpanKind::Internal.into(),
            start_time_unix_nano: nanoseconds(open.began),
            end_time_unix_nano: nanoseconds(SystemTime::now()),
            attributes,
            status: status.map(error),
            ..Span::default()
        });
        for mut span in open.requests.into_iter().filter_map(|request| request.ended) {
            // Most rows are not kept, so what all requests have in common is added only here.
            span.name = format!("{} {}", names::CHAT, self.about.model);
            span.attributes.extend(self.about.attributes());
            span.attributes.push(text(names::OUTPUT_TYPE, "json"));
            state.add(span);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, span: Span) {
        if self.ended.len() < MOST_WAITING {
            self.ended.push(span);
        } else {
            self.dropped += 1;
        }
    }
}

fn error(message: String) -> Status {
    Status { message, code: StatusCode::Error.into() }
}

/// A random number that is not 0, which would not be valid.
fn random_id<const BYTES: usize>() -> [u8; BYTES] {
    let mut id = [0; BYTES];
    fastrand::fill(&mut id);
    if id == [0; BYTES] { [1; BYTES] } else { id }
}

/// Nanoseconds since 1970.
pub(super) fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
