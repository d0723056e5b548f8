//! rowcall calls a language model on every row of a data set and returns a typed, validated value for each: in input order or as
//! completed, as fast as the quota allows, in memory that does not grow with the data.
//!
//! ```no_run
//! use rowcall::Client;
//!
//! #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
//! struct Person {
//!     name: String,
//!     age: u32,
//!     occupation: String,
//! }
//!
//! # async fn example(texts: Vec<String>) -> rowcall::Result<()> {
//! let client = Client::new("openai/gpt-6-luna")?; // key from OPENAI_API_KEY
//! let people = client.extractor::<Person>().prompt("Extract person info: {{ text }}")?;
//! for person in people.gather(texts).await? {
//!     println!("{person:?}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Which method
//!
//! | method of [`Extractor`] | returns | for |
//! |---|---|---|
//! | [`extract`](Extractor::extract) | one value | one row |
//! | [`sequential`](Extractor::sequential) | values in input order | one request after another |
//! | [`gather`](Extractor::gather) | values in input order | all at once; the first failure ends the call |
//! | [`gather_outcomes`](Extractor::gather_outcomes) | outcomes in input order | failures as data |
//! | [`as_completed`](Extractor::as_completed) | a stream of outcomes | each as soon as it is ready, any size |
//! | [`ordered`](Extractor::ordered) | a stream of outcomes in input order | any size, bounded memory |
//! | [`run`](Extractor::run) | outcomes into a [`Sink`] | files; see `rowcall-data` |
//!
//! `concurrency(n)` limits any of them to `n` requests in flight; limits per minute belong to the [`Client`]. Rows come
//! from any iterator over strings or serialisable values, or from a [`stream`].
//!
//! # Numbers
//!
//! No number is rounded: a [`serde_json::Value`] keeps integers and decimals of any length as their digits. This requires the feature
//! `arbitrary_precision` of `serde_json`, which is then enabled in the whole program. It has one trap: a type with `#[serde(untagged)]`,
//! `#[serde(tag)]` or `#[serde(flatten)]` that your own code reads directly from text finds maps instead of numbers. Parse the text into
//! a `Value` first. This library does so for the types that it fills.
//!
//! # The route of a row
//!
//! `run` takes rows from the source and spawns `extract` for each. `extract` renders the `prompt` and begins a `conversation`. For
//! each attempt it waits for `admission`, has the `provider`'s protocol encode the request, lets `transport` send it, settles the
//! permit, and asks `retry` about a fault. `completion` reads the answer; the `conversation` decides: value, re-ask or failure.
//! `order` releases the outcome. The modules below are listed in that order.

// The front door.
mod client;
mod config;
mod control;
mod extractor;
#[cfg(feature = "garde")]
mod garde_rules;
mod outcomes;
mod renderer;

// The path: many rows, one row.
mod backlog;
mod batch;
mod conversation;
mod extract;
mod halt;
mod order;
mod probe;
mod recall;
mod refusals;
mod retries;
mod run;
mod sampler;
mod steering;
mod stops;
mod tokenizer;
mod weight;

// The stations: independent of one another.
mod admission;
mod attachment;
pub mod cache;
pub mod completion;
mod duplicates;
pub mod journal;
mod prompt;
pub mod provider;
pub mod retry;
mod transport;

// The nouns.
pub mod adjustment;
mod attempt;
mod check;
mod error;
mod estimate;
pub mod event;
mod fault;
mod hint;
mod identity;
mod interval;
mod media_type;
mod message;
mod money;
mod number;
mod outcome;
pub mod price;
mod reasons;
mod relay;
mod repeated_key;
mod request;
mod row;
pub mod schema;
mod source;
mod sqlite;
mod standing;
mod stats;
mod totals;
mod turn;
mod validity;
mod violation;

pub use adjustment::Adjustment;
pub use admission::DEFAULT_CONCURRENCY;
pub use attempt::{Attempt, AttemptResult};
pub use cache::CacheOptions;
pub use check::{Authority, Check, Scope};
pub use client::{Client, ClientBuilder};
pub use config::{
    AccountOptions, BatchOptions, DEFAULT_MAX_REASKS, DEFAULT_TIMEOUT, MOST_CONCURRENCY, Reask, Stay,
    TaskOptions,
};
pub use control::{RunControl, RunSettings};
pub use error::{Error, Problem, ProblemKind, Result};
pub use estimate::{Range, RowEstimate, RunEstimate};
pub use event::{BatchNews, BatchStep, Event, EventKind, KnownFrom};
pub use extractor::{CacheCensus, Estimator, Extractor, ExtractorBuilder, Preview, RunEstimator};
pub use fault::{AnswerForm, Fault, FaultCause, FaultKind};
pub use halt::Halt;
pub use hint::{Hint, HintPart, Setting, SettingValue};
pub use identity::{EqualRows, Identity, Key, KnownFailures};
pub use interval::{Activity, Interval};
pub use journal::{JournalHold, JournalOptions};
pub use message::pattern as message_pattern;
pub use money::{Cost, Usd};
pub use number::is_exact_as_float;
pub use order::OrderBy;
pub use outcome::{Effort, Failure, FailureKind, Outcome, Reason, Spent};
pub use outcomes::Outcomes;
pub use price::{Price, Prices};
pub use probe::{ProbeOptions, Probed};
pub use prompt::SamePrompt;
pub use provider::{Mode, Parameters, Protocol, models};
pub use reasons::{ReasonCount, Reasons};
pub use refusals::AllRefused;
pub use renderer::Renderer;
pub use request::{Call, Destination, Payload, Request, Response};
pub use retry::RetryPolicy;
pub use row::{AnsweredRow, Row, TEXT_FIELD, Unreadable, UnreadableKind};
pub use schema::{FurtherFields, Schema};
pub use source::{IntoSource, IteratorSource, Sink, Source, StreamSource, stream};
pub use standing::{Bound, Dimension, KnownLimit, LimitFrom, LimitedBy, Period};
pub use stats::{Latencies, Stats};
pub use stops::{MaxFailures, Stops};
pub use totals::Totals;
pub use turn::{
    Attachment, AttachmentContent, Completion, Content, Example, Finish, Prompt, ToolCall, Turn, Usage,
};
pub use violation::Violation;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
