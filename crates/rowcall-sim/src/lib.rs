//! A simulated language model provider: a real HTTP server on 127.0.0.1 that speaks OpenAI's Chat Completions and
//! Responses, Anthropic's Messages and Gemini's generateContent, answers always alike for the same seed, and says in
//! every answer that it is a simulator.
//!
//! It shares no code with the library it is tested against, so that a protocol misread there is not mirrored here.
//!
//! ```
//! use rowcall_sim::{Options, Scenario, Simulator};
//!
//! let simulator = Simulator::start(Scenario::named("flaky")?, Options::default().with_seed(7))?;
//! println!("base URL: {}", simulator.base_url());
//! let stats = simulator.stop();
//! assert_eq!(stats.requests.all, 0);
//! # Ok::<(), rowcall_sim::SimError>(())
//! ```
//!
//! # What it serves
//!
//! | protocol | `POST` |
//! |---|---|
//! | Chat Completions | `/v1/chat/completions` |
//! | Responses | `/v1/responses`; `/v1/responses/input_tokens` |
//! | Messages | `/v1/messages`; `/v1/messages/count_tokens` |
//! | Gemini | `/v1beta/models/MODEL:generateContent`, `:streamGenerateContent` with and without `?alt=sse`; `:countTokens` |
//!
//! Besides `GET /v1/models`, `GET /health`, `GET /stats` and `POST /reset`. `/v1` may be missing, or stand there twice where
//! a client adds its own to a base URL that has one. The model's name is free, but names of models with rules of their own
//! are heeded: Anthropic's newest cannot be forced to call a tool, Gemini's since version 3 want signatures back.
//!
//! Requests are judged as the provider judges them, field by field, and refused in its words and form. A schema asked for by
//! the provider's own field or by a tool is satisfied by every answer, unless a fault says otherwise; it must lie in the
//! subset that the provider takes (for OpenAI and Anthropic's tools with `strict: true`), and a keyword the simulator could
//! only ignore is refused and named. Without a native schema, one that stands in the prompt is used. Images and documents
//! are accepted and not read; earlier answers, also with calls of tools and thoughts, are accepted if what belongs to them
//! is there. Nothing is stored, and nothing is made in the background.
//!
//! Values are read from the row's text where it says something for a property (names, ages, occupations, dates,
//! sums, addresses, moods, members of an enum, anything after `label:`), and made up otherwise. They depend on the
//! seed, the text and the schema only. The row's text is that of the last user message that is no correction: one
//! is, if the answer before it does not satisfy the schema, or if it begins as corrections do.
//!
//! Tokens are estimated as a text's bytes divided by four, rounded up, at least one; an image or a document counts 258.
//! Who asks for thinking gets a thought and its tokens in the provider's form.
//!
//! # TLS and HTTP/2
//!
//! Both HTTP/1.1 and HTTP/2 are spoken unless [`Options::with_http`] says otherwise. A connection of HTTP/2 takes at
//! most 100 requests at a time; further ones wait at the client. With [`Tls::On`] the certificate is signed by an
//! authority of the simulator's own, [`Simulator::ca_pem`], whose key is thrown away once the simulator has started.
//!
//! # What goes wrong, and when
//!
//! Each admitted request of a row has a number, counted from 1; which fault hits it and how long it takes is a
//! function of the seed, the row's text and that number. Requests that the quota refuses have no number, since
//! how many there are depends on the client's timing. The quota is charged at admission with the prompt's tokens and those of the answer to come.
//!
//! # Scenario files
//!
//! A scenario is a TOML file with a sentence about itself and, each optional, a key, what the model refuses, a latency, rows
//! that are held back, a quota, places to wait for, a bill and faults. Unknown keys are refused. Its times count from the first request.
//!
//! ```
//! let scenario = rowcall_sim::Scenario::from_toml(r#"
//!     about = "A Monday: slow, tight, and failing now and then."
//!     key = "sk-simulated"         # absent: any key or none is let in
//!     refuses = ["temperature"]    # parameters that the model does not take: 400
//!     modes = ["json_object", "tool", "prompt"]   # ways to ask for a schema that the server knows; absent, "json_schema" too
//!
//!     [engine]                     # a constrained decoder in the place of the provider's own rules, in Chat Completions
//!     ignores = ["pattern", "order"]   # keywords that are taken and not held to; also "format=date", "order", "json_schema"
//!     refuses = ["multipleOf"]     # keywords with which a schema is answered with 400
//!     babbles = false              # whether the model never writes the JSON that the prompt ends in
//!
//!     [latency.log_normal]
//!     median_seconds = 0.3
//!     sigma = 0.8
//!
//!     [held]                       # answered only after others
//!     contains = "Ann"             # rows with this text
//!     until_answered = 99          # once so many answers have been sent
//!
//!     [quota]                      # what is absent is not limited
//!     requests_per_minute = 600
//!     tokens_per_minute = 60000    # also input_tokens_per_minute and output_tokens_per_minute
//!     requests_per_day = 10000
//!     in_flight = 32
//!     burst_seconds = 10           # a bucket holds what ten seconds refill; 60 unless given
//!     headers = "anthropic"        # or "openai", "none"; those of the protocol's provider unless given
//!     headers_factor = 2.0         # limits and what remains of them are told so many times too large
//!
//!     [[quota.changes]]            # what buckets hold is kept, up to what they then can hold
//!     after_seconds = 8.0
//!     requests_per_minute = 300    # or any other of the limits
//!
//!     [[quota.closed]]             # everything is answered with 529 (Gemini's 503) meanwhile
//!     from_seconds = 3.0
//!     for_seconds = 1.5
//!
//!     [quota.ramp]                 # faster than this is 429 (OpenAI's `slow_down`), even below the limits
//!     from_per_second = 5.0        # as many requests a second at first,
//!     doubling_seconds = 4.0       # and twice as many every four seconds while there is traffic
//!
//!     [slots]                      # no refusal: requests wait for a place, and take their latency from then on
//!     places = 4
//!
//!     [bill]                       # in picodollars a token, as `GET /stats` sums them up
//!     input = 150000
//!     output = 600000
//!     cached = 75000
//!     tiers = [{ above = 200000, input = 300000, output = 900000 }]   # of the whole request
//!     prompt_factor = 1.5          # so many tokens of a prompt are counted for each
//!     cached_share = 0.5           # of a prompt's tokens
//!     full_output = true           # every answer takes its whole output limit,
//!     output_factor = 2.0          # and so many tokens for each, also beyond it
//!     failures = true              # requests that fail on the way are charged as well
//!
//!     [[faults]]
//!     rate = 0.05                  # the share of requests; one draw decides among all faults
//!     kind = { status = { code = 503, retry_after = 2 } }
//!
//!     [[faults]]
//!     rate = 1.0
//!     contains = "no money"        # only rows with this text
//!     kind = { status = { code = 429, type = "insufficient_quota", error_code = "insufficient_quota" } }
//!
//!     [[faults]]
//!     rate = 0.5
//!     attempts = 1                 # only the first request of a row
//!     kind = "schema_violation"
//!
//!     [[faults]]
//!     rate = 0.01
//!     kind = { reset = "midway" }
//!
//!     [[faults]]
//!     rate = 1.0
//!     during = { from_seconds = 60, for_seconds = 20 }   # an outage
//!     kind = { status = { code = 502, body = "html" } }
//!
//!     [[away]]                     # the server is away: connections are closed and refused
//!     from_seconds = 120
//!     for_seconds = 2.5
//! "#)?;
//! assert_eq!(scenario.faults.len(), 5);
//! # Ok::<(), rowcall_sim::SimError>(())
//! ```
//!
//! The latency is one of [`fixed`](Latency::Fixed), [`log_normal`](Latency::LogNormal),
//! [`per_token`](Latency::PerToken) and [`by_text`](Latency::ByText). A [`status`](StatusFault) may also have a `body`
//! (`"provider"`, `"html"`, `"empty"`, `"string"`), `retry_after_ms`, `should_retry` and `message`. Connections fail by
//! `reset`, `cut` and `stall`, each `"before"` the answer or `"midway"`; over HTTP/2 a reset and a stall
//! concern their own request, a cut all those of the connection. The other [kinds](FaultKind) are words:
//! `invalid_json`, `truncated_json`, `schema_violation`, `fenced`, `prose`, `refusal`, `content_filter`, `length`,
//! `empty`, `wrong_tool`, `two_tools`, `error_in_200`, `garbage_body`. Each is played in the protocol's own form, down to
//! what a provider cannot say: where arguments of tools are objects, text that is no JSON becomes Gemini's
//! `MALFORMED_FUNCTION_CALL` or an object that wraps it, and a fence an answer in words.
//!
//! A refused request is told when it would fit: by `retry-after` in whole seconds (rounded up), by OpenAI in
//! `retry-after-ms` as well, by Gemini in the error's `RetryInfo` instead; one beyond `in_flight` is not, since nobody
//! knows when another will end. An answer's headers tell of the moment at which its request came.

// From outside in: what its users hold, ...
mod options;
mod simulator;

// ... the server, ...
mod body;
mod connection;
mod exchange;
mod route;
mod server;
mod shared;
mod tls;

// ... one request: play it, in four protocols, ...
mod foretold;
mod protocol;
mod simulation;

// ... each of which has its words, ...
mod chat;
mod gemini;
mod messages;
mod openai;
mod responses;

// ... for the same things: what is asked, what is answered, what goes wrong, ...
mod answer;
mod ask;
mod engine;
mod envelope;
mod form;
mod invalid;
mod rate_limit;
mod reply;
mod timestamp;
mod tokens;
mod trouble;
mod written;

// ... the value in the answer, ...
mod complaint;
mod reading;
mod recursion;
mod value;

// ... and the story that is played, with what it is played from.
mod bill;
mod chance;
mod error;
mod fault;
mod latency;
mod mode;
pub mod quota;
mod rules;
mod scenario;
mod slots;
mod span;
mod stats;
mod tally;

pub use bill::{Bill, Tier};
pub use engine::Engine;
pub use error::SimError;
pub use fault::{ErrorBody, Fault, FaultKind, Moment, StatusFault};
pub use foretold::Foretold;
pub use latency::{Latency, TextLatency};
pub use mode::Mode;
pub use options::{Counting, Http, Options, Tls};
pub use scenario::{Held, Scenario};
pub use simulator::Simulator;
pub use slots::Slots;
pub use span::Span;
pub use stats::{Level, Requests, Stats, Tokens};
