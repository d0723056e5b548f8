//! A simulated language model provider: a real HTTP server on 127.0.0.1 that speaks OpenAI's Chat Completions and
//! Responses, Anthropic's Messages and Gemini's generateContent. It always gives the same answers for the same seed,
//! and says in every answer that it is a simulator.
//!
//! It shares no code with the library that is tested against it, so that a protocol misread there is not mirrored
//! here.
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
//! Batches are served at `/v1/files` and `/v1/batches` as by OpenAI, at `/v1/messages/batches` as by Anthropic, and at
//! `/v1beta/models/MODEL:batchGenerateContent` and `/v1beta/batches` as by Gemini, with files uploaded in two steps, at
//! `/mistral/v1/files` and `/mistral/v1/batch/jobs` as by Mistral, and at `/together/v1/files` and `/together/v1/batches` as by
//! Together. Their requests are executed, and charged at half price, once the batch has ended.
//!
//! Besides `GET /v1/models`, `GET /health`, `GET /stats` and `POST /reset`. `/v1` may be missing, or appear twice
//! where a client appends its own to a base URL that has one. Any model name is accepted, but models with rules of
//! their own are recognised by name: Anthropic's newest cannot be forced to call a tool, Gemini's since version 3
//! want signatures back.
//!
//! Requests are checked as the provider checks them, field by field, and rejected in its words and form. A schema
//! requested through the provider's own field or a tool is satisfied by every answer, unless a fault says otherwise.
//! It must be in the subset that the provider accepts (for OpenAI and Anthropic's tools with `strict: true`), and a
//! keyword that the simulator could only ignore is rejected by name. Without a native schema, one in the prompt is
//! used. Images and documents are accepted and not read. Earlier answers, including tool calls and thoughts, are
//! accepted if what belongs to them is present. Nothing is stored, and nothing runs in the background.
//!
//! Values are read from the row's text where it says something about a property (names, ages, occupations, dates,
//! sums, addresses, moods, members of an enum, anything after `label:`), and made up otherwise. They depend only on
//! the seed, the text and the schema. The row's text is that of the last user message that is not a correction. A
//! message is a correction if the answer before it does not satisfy the schema, or if it begins as corrections do.
//!
//! Tokens are estimated as a text's bytes divided by four, rounded up, at least one; an image or a document counts
//! 258. A request for thinking gets a thought and its tokens in the provider's form.
//!
//! # TLS and HTTP/2
//!
//! The server speaks HTTP/1.1 and HTTP/2 unless [`Options::with_http`] says otherwise. An HTTP/2 connection accepts
//! at most 100 concurrent requests; further ones wait at the client. With [`Tls::On`] the certificate is signed by
//! the simulator's own authority, [`Simulator::ca_pem`], whose key is discarded once the simulator has started.
//!
//! # What goes wrong, and when
//!
//! Each admitted request of a row has a number, counted from 1. Which fault hits it and how long it takes is a
//! function of the seed, the row's text and that number. Requests that the quota rejects have no number, since their
//! count depends on the client's timing. The quota is charged at admission for the prompt's tokens and those of the
//! answer to come.
//!
//! # Scenario files
//!
//! A scenario is a TOML file with a sentence about itself and, each optional, a key, parameters that the model
//! rejects, a latency, rows that are held back, a quota, slots to wait for, a bill and faults. Unknown keys are
//! rejected. Its times count from the first request.
//!
//! ```
//! let scenario = rowcall_sim::Scenario::from_toml(r#"
//!     about = "A Monday: slow, tight, and failing now and then."
//!     key = "sk-simulated"         # by default any key is accepted, or none
//!     refuses = ["temperature"]    # parameters that the model rejects with 400
//!     modes = ["json_object", "tool", "prompt"]   # ways to request a schema; by default also "json_schema"
//!
//!     [engine]                     # a constrained decoder instead of the provider's own rules, in Chat Completions
//!     ignores = ["pattern", "order"]   # keywords that are accepted but not enforced; also "format=date", "order", "json_schema"
//!     refuses = ["multipleOf"]     # keywords that are rejected with 400
//!     babbles = false              # whether the model ignores the JSON at the end of the prompt
//!
//!     [latency.log_normal]
//!     median_seconds = 0.3
//!     sigma = 0.8
//!
//!     [held]                       # answered only after others
//!     contains = "Ann"             # rows with this text
//!     until_answered = 99          # once this many answers have been sent
//!
//!     [quota]                      # a missing limit does not apply
//!     requests_per_minute = 600
//!     tokens_per_minute = 60000    # also input_tokens_per_minute and output_tokens_per_minute
//!     requests_per_day = 10000
//!     in_flight = 32
//!     burst_seconds = 10           # a bucket holds what ten seconds refill; 60 unless given
//!     headers = "anthropic"        # or "openai", "none"; those of the protocol's provider unless given
//!     headers_factor = 2.0         # limits and remaining amounts are advertised this many times too large
//!
//!     [[quota.changes]]            # buckets keep their level, up to the new capacity
//!     after_seconds = 8.0
//!     requests_per_minute = 300    # or any other of the limits
//!
//!     [[quota.closed]]             # everything is answered with 529 (Gemini's 503) meanwhile
//!     from_seconds = 3.0
//!     for_seconds = 1.5
//!
//!     [quota.ramp]                 # faster than this is 429 (OpenAI's `slow_down`), even below the limits
//!     from_per_second = 5.0        # this many requests per second at first,
//!     doubling_seconds = 4.0       # doubling every four seconds while there is traffic
//!
//!     [slots]                      # no rejections: requests wait for a slot, and their latency starts then
//!     places = 4
//!
//!     [bill]                       # in picodollars per token; `GET /stats` has the sum
//!     input = 150000
//!     output = 600000
//!     cached = 75000
//!     tiers = [{ above = 200000, input = 300000, output = 900000 }]   # of the whole request
//!     prompt_factor = 1.5          # this many tokens are counted for each prompt token
//!     cached_share = 0.5           # of a prompt's tokens
//!     full_output = true           # every answer uses its whole output limit,
//!     output_factor = 2.0          # and counts this many tokens for each, even beyond it
//!     failures = true              # requests that fail on the way are charged too
//!
//!     [batches]                    # each with a default: a batch takes ten minutes, which pass in a second
//!     speed = 3600.0               # an hour of a batch's time passes in a second
//!     seconds = 5400.0             # how long a batch takes
//!     window_seconds = 86400.0     # a batch that takes longer expires,
//!     done_share = 0.4             # with this share of its requests executed; likewise when it is cancelled
//!     order = "shuffled"           # or "input"
//!     doubled = 0.01               # results that come twice
//!     missing = 0.01               # requests that are executed and billed, but have no result
//!     lost_creates = 1             # creates that are executed but not answered
//!     enqueued_tokens = 2000000    # beyond this, a batch is rejected after its validation
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
//!     [[away]]                     # the server is down: connections are closed and refused
//!     from_seconds = 120
//!     for_seconds = 2.5
//! "#)?;
//! assert_eq!(scenario.faults.len(), 5);
//! # Ok::<(), rowcall_sim::SimError>(())
//! ```
//!
//! The latency is one of [`fixed`](Latency::Fixed), [`log_normal`](Latency::LogNormal),
//! [`per_token`](Latency::PerToken) and [`by_text`](Latency::ByText). A [`status`](StatusFault) may also have a
//! `body` (`"provider"`, `"html"`, `"empty"`, `"string"`), `retry_after_ms`, `should_retry` and `message`.
//! Connections fail by `reset`, `cut` and `stall`, each `"before"` the answer or `"midway"`. Over HTTP/2 a reset and
//! a stall affect their own request, a cut all requests on the connection. The other [kinds](FaultKind) are words:
//! `invalid_json`, `truncated_json`, `schema_violation`, `fenced`, `prose`, `refusal`, `content_filter`, `length`,
//! `empty`, `wrong_tool`, `two_tools`, `error_in_200`, `garbage_body`. Each takes the protocol's own form, including
//! what a provider cannot express: where tool arguments are objects, text that is not JSON becomes Gemini's
//! `MALFORMED_FUNCTION_CALL` or an object that wraps it, and a fence becomes an answer in words.
//!
//! A rejected request learns when it would fit: from `retry-after` in whole seconds (rounded up), with OpenAI from
//! `retry-after-ms` as well, with Gemini from the error's `RetryInfo` instead. One beyond `in_flight` does not, since
//! it is unknown when another will end. An answer's headers describe the moment at which its request arrived.

// From the outside in: the public API, ...
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

// ... batches of requests, ...
mod batches;

// ... one request, in any of four protocols, ...
mod foretold;
mod protocol;
mod simulation;

// ... each with its own wording, ...
mod chat;
mod gemini;
mod messages;
mod openai;
mod responses;

// ... for the same things: the question, the answer, the error, ...
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

// ... and the scenario, with the state that plays it.
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

pub use batches::{Batches, LineOrder};
pub use bill::{Bill, Tier};
pub use engine::Engine;
pub use error::SimError;
pub use fault::{ErrorBody, Fault, FaultKind, Moment, StatusFault};
pub use foretold::Forecast;
pub use latency::{Latency, TextLatency};
pub use mode::Mode;
pub use options::{Counting, Http, Options, Tls};
pub use scenario::{Held, Scenario};
pub use simulator::Simulator;
pub use slots::Slots;
pub use span::Span;
pub use stats::{Level, Requests, Stats, Tokens};
