//! The command line as typed. The commands check what it means, before any request.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use rowcall::{MaxFailures, Price, Usd};
use rowcall_data::OutputFormat;
use serde_json::Value;

mod batch;
mod cache;
mod choices;
mod dialect;
mod input;
mod live;
mod prices;
mod report;
mod schema;
mod values;

pub(crate) use batch::{BatchArguments, BatchWay};
pub(crate) use cache::{CacheArguments, CacheCommand, PruneArguments};
pub(crate) use choices::{HttpArgument, ModeArgument, OrderArgument, ProtocolArgument};
pub(crate) use dialect::DialectArgument;
pub(crate) use input::InputArguments;
pub(crate) use live::{CtlAction, CtlArguments, LiveArguments};
pub(crate) use prices::{PricesCommand, UpdateArguments};
pub(crate) use report::{DiffArguments, ReportArguments, ShowArguments};
pub(crate) use schema::SchemaArguments;
use values::{
    attempts, concurrency, deadline, duration, header, max_failures, output_tokens, parameter, price, reasks,
    retries, row_limit, rows, temperature, usd,
};

/// Calls a language model on every row of a data set and writes a typed, validated value for each.
#[derive(Debug, Parser)]
#[command(name = "rowcall", version, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 every row has a value; 1 stopped by an error; 2 wrong usage, nothing was sent; \
                        3 finished with failed rows; 4 stopped at a limit you set (budget, deadline, failures), with `rowcall ctl` or on the live page; 130 or 143 interrupted; 141 the reader of stdout went away."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Call a model on every row of a file
    Run(Box<RunArguments>),
    /// Time sequential, gather, as_completed and their rate-limited forms side by side
    Compare(CompareArguments),
    /// Run a simulated provider on 127.0.0.1, to try things without a key
    Sim(SimArguments),
    /// Show what a journal holds: rows, failures, tokens, cost, and rows that may have been billed without an answer
    Status(StatusArguments),
    /// Write a report of a journal: failures and their causes, fields, runs over time, costs, a sample of rows
    Report(ReportArguments),
    /// Show one row of a journal: prompt, attempts, violations, value, cost
    Show(ShowArguments),
    /// Compare two journals of the same rows: agreement of fields, changed values, cost, latency
    Diff(DiffArguments),
    /// Look at a run under way, pause, resume or stop it, change its limits
    Ctl(CtlArguments),
    /// Rebuild an output from a journal alone, in input order unless `--order` says otherwise
    Export(Box<ExportArguments>),
    /// Retry the failed rows of a journal, then rebuild its output
    Rerun(Box<RerunArguments>),
    /// Collect the batches that a run with `--batch` has left, then rebuild its output
    Collect(Box<CollectArguments>),
    /// Show, prune or export a cache of answers
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Show a schema as given and as a provider gets it, with what is lost in between
    Schema(SchemaArguments),
    /// List the providers, or the known models of one with prices, limits and modes
    Models(ModelsArguments),
    /// Make a newer table of prices, for `--prices`
    #[command(subcommand)]
    Prices(PricesCommand),
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    #[command(flatten)]
    pub(crate) view: ViewArguments,
    #[command(flatten)]
    pub(crate) task: TaskArguments,
    #[command(flatten)]
    pub(crate) account: AccountArguments,
    #[command(flatten)]
    pub(crate) journal: JournalArguments,
    #[command(flatten)]
    pub(crate) batch: BatchArguments,
    #[command(flatten)]
    pub(crate) cache: CacheArguments,
    #[command(flatten)]
    pub(crate) live: LiveArguments,
    /// Stop after the first ROWS rows of the input
    #[arg(long, value_name = "ROWS", value_parser = row_limit, allow_negative_numbers = true)]
    pub(crate) limit_rows: Option<u64>,
    /// Stop at the first failed row
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Print the requests of the first ROWS rows exactly as they would be sent, and send nothing
    #[arg(long, value_name = "ROWS", value_parser = rows, allow_negative_numbers = true)]
    pub(crate) show_requests: Option<NonZeroUsize>,
    /// Estimate the tokens and cost of all rows, and send nothing
    #[arg(long, conflicts_with_all = ["show_requests", "sample"])]
    pub(crate) estimate: bool,
    /// Run a sample of ROWS rows of all lengths first, and project the cost of all rows from it
    #[arg(long, value_name = "ROWS", value_parser = rows, conflicts_with = "show_requests", allow_negative_numbers = true)]
    pub(crate) sample: Option<NonZeroUsize>,
    /// Continue after the sample without confirmation
    #[arg(short, long, requires = "sample")]
    pub(crate) yes: bool,
    /// Print no progress and no summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Log every attempt
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// Where outcomes are written, and in which form.
#[derive(Debug, Args)]
pub(crate) struct ViewArguments {
    /// The output: a file such as `.jsonl`, `.csv` or `.parquet`, or a folder of parts, whose name ends with `/` [default: stdout]
    #[arg(short, long)]
    pub(crate) output: Option<PathBuf>,
    /// The output's format, regardless of its file name; a folder needs one
    #[arg(long, value_name = "jsonl|csv|parquet|arrow")]
    pub(crate) output_format: Option<OutputFormat>,
    /// How many rows of the input each part of a folder has [default: as many as make 64 MB]
    #[arg(long, value_name = "ROWS", allow_negative_numbers = true)]
    pub(crate) part_rows: Option<NonZeroU64>,
    /// Write one row for each element of this list in the value
    #[arg(long, value_name = "FIELD")]
    pub(crate) explode: Option<String>,
    /// The order of the output
    #[arg(long, value_enum, default_value = "input")]
    pub(crate) order: OrderArgument,
    /// Write the value as one field of this name, instead of its fields beside the input's
    #[arg(long, value_name = "NAME")]
    pub(crate) into: Option<String>,
    /// Add what each row took: attempts, prompts, tokens, cost, latency, model, finish reason, whether it came from the cache
    #[arg(long)]
    pub(crate) meta: bool,
    /// Also write failed rows to this file, as JSON Lines
    #[arg(long, value_name = "FILE")]
    pub(crate) failed: Option<PathBuf>,
}

/// What survives a crash, and how a run continues from it.
#[derive(Debug, Args)]
pub(crate) struct JournalArguments {
    /// The journal, which keeps outcomes as they arrive [default: the output's name followed by `.journal`]
    #[arg(long, value_name = "FILE", conflicts_with = "no_journal")]
    pub(crate) journal: Option<PathBuf>,
    /// Keep no journal: a crash loses everything that is not in the output yet
    #[arg(long)]
    pub(crate) no_journal: bool,
    /// Whether the journal keeps the input's records, so that the output can be rebuilt without the input
    #[arg(long, value_enum, value_name = "on|off", default_value = "on")]
    pub(crate) journal_records: Switch,
    /// Delete the journal and start over
    #[arg(long, conflicts_with = "accept_changes")]
    pub(crate) fresh: bool,
    /// Resume a journal made with another model, prompt, schema or parameters: only what is new is asked
    #[arg(long)]
    pub(crate) accept_changes: bool,
    /// Overwrite an output that has no journal
    #[arg(long)]
    pub(crate) force: bool,
    /// Ask about each of several equal rows, instead of once for all of them
    #[arg(long)]
    pub(crate) no_dedup: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// Yes
    On,
    /// No
    Off,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The journal, such as `people.jsonl.journal`
    pub(crate) journal: PathBuf,
    /// Print JSON instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// The journal, such as `people.jsonl.journal`
    pub(crate) journal: PathBuf,
    #[command(flatten)]
    pub(crate) view: ViewArguments,
    /// Overwrite a file that is not the journal's own output
    #[arg(long)]
    pub(crate) force: bool,
    /// Use a journal from Python without the Python model that validated its values; the values are marked
    #[arg(long)]
    pub(crate) without_validators: bool,
    /// Print no progress and no summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RerunArguments {
    /// The journal, such as `people.jsonl.journal`
    pub(crate) journal: PathBuf,
    /// The output for all rows [default: the output that the journal was made for]
    #[arg(short, long)]
    pub(crate) output: Option<PathBuf>,
    /// Overwrite a file that is not the journal's own output
    #[arg(long)]
    pub(crate) force: bool,
    /// Another model for the failed rows [default: the journal's]
    #[arg(short, long, value_name = "PROVIDER/MODEL")]
    pub(crate) model: Option<String>,
    /// Another prompt for the failed rows: a template, or `@FILE` to read one
    #[arg(short, long, value_name = "TEMPLATE|@FILE")]
    pub(crate) prompt: Option<String>,
    /// Allow a prompt that uses no field of the row
    #[arg(long, requires = "prompt")]
    pub(crate) same_prompt: bool,
    /// Another limit on the tokens of an answer, reasoning included
    #[arg(long, value_name = "TOKENS", value_parser = output_tokens, allow_negative_numbers = true)]
    pub(crate) max_output_tokens: Option<u32>,
    #[command(flatten)]
    pub(crate) retrying: RetryArguments,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    #[command(flatten)]
    pub(crate) cache: CacheArguments,
    #[command(flatten)]
    pub(crate) live: LiveArguments,
    /// Use a journal from Python without the Python model that validated its values
    #[arg(long)]
    pub(crate) without_validators: bool,
    /// Print no progress and no summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Log every attempt
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CollectArguments {
    /// The journal, such as `people.jsonl.journal`
    pub(crate) journal: PathBuf,
    /// The output [default: the one that the journal was made for]
    #[arg(short, long)]
    pub(crate) output: Option<PathBuf>,
    /// Overwrite a file that is not the journal's own output
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) way: BatchWay,
    #[command(flatten)]
    pub(crate) cache: CacheArguments,
    #[command(flatten)]
    pub(crate) retrying: RetryArguments,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    #[command(flatten)]
    pub(crate) live: LiveArguments,
    /// Print no progress and no summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Log every attempt
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// What the model is asked.
#[derive(Debug, Args)]
pub(crate) struct TaskArguments {
    /// Fields such as `name, age int, tags str[]?: keywords`, a JSON Schema, or a `.json` file with one
    #[arg(short, long)]
    pub(crate) schema: String,
    /// The prompt: a Jinja template over the row's fields, or `@FILE` to read one
    #[arg(short, long, value_name = "TEMPLATE|@FILE")]
    pub(crate) prompt: String,
    /// Allow a prompt that uses no field of the row, so that every row is asked the same
    #[arg(long)]
    pub(crate) same_prompt: bool,
    /// The system prompt for every row: a template, or `@FILE` to read one
    #[arg(long, value_name = "TEMPLATE|@FILE")]
    pub(crate) system: Option<String>,
    /// Rows with their values as examples for the model, such as an earlier output: `.jsonl`, `.json` or `.csv`
    #[arg(long, value_name = "FILE")]
    pub(crate) examples: Option<PathBuf>,
    /// A column that holds an image or PDF: a path, an `https:` or a `data:` URL; may be repeated
    #[arg(long = "image", value_name = "COLUMN")]
    pub(crate) images: Vec<String>,
    /// How the schema is sent to the model [default: the best way that the model supports]
    #[arg(long, value_enum)]
    pub(crate) mode: Option<ModeArgument>,
    /// Sampling temperature; not sent unless given
    #[arg(long, value_parser = temperature, allow_negative_numbers = true)]
    pub(crate) temperature: Option<f64>,
    /// The maximum number of tokens in an answer, reasoning included
    #[arg(long, value_name = "TOKENS", value_parser = output_tokens, allow_negative_numbers = true)]
    pub(crate) max_output_tokens: Option<u32>,
    /// An extra field of the request, with JSON or text as its value; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, Value)>,
    #[command(flatten)]
    pub(crate) retrying: RetryArguments,
}

/// How invalid answers and failed attempts are handled.
#[derive(Debug, Args)]
pub(crate) struct RetryArguments {
    /// How often an invalid answer is sent back with its errors
    #[arg(long, value_name = "TIMES", default_value_t = rowcall::DEFAULT_MAX_REASKS, value_parser = reasks, allow_negative_numbers = true)]
    pub(crate) max_reasks: u32,
    /// How often a failed attempt is retried; waiting for a rate limit does not count
    #[arg(long, value_name = "TIMES", default_value_t = rowcall::RetryPolicy::default().retries, value_parser = retries, allow_negative_numbers = true)]
    pub(crate) retries: u32,
    /// Ask about every row, even if the server refuses all of the first ones for the same reason
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// How long the run may send requests, such as `2h`; requests in flight at that time are awaited
    #[arg(long, value_name = "TIME", value_parser = deadline, allow_negative_numbers = true)]
    pub(crate) deadline: Option<Duration>,
    /// How many rows may fail before the run stops: a number, or a share such as `5%`, checked once 100 rows have ended
    #[arg(long, value_name = "ROWS|SHARE", value_parser = max_failures, allow_negative_numbers = true)]
    pub(crate) max_failures: Option<MaxFailures>,
}

/// The model, and how its server is reached.
#[derive(Debug, Args)]
pub(crate) struct AccountArguments {
    /// The model, such as `openai/NAME` (`rowcall models` lists the providers), or `sim[/SCENARIO]` to start a simulator
    #[arg(short, long, value_name = "PROVIDER/MODEL")]
    pub(crate) model: String,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

/// How a server is reached, how fast it is called, and what it may cost.
#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    /// The server's address, instead of the provider's own; any OpenAI-compatible server is `-m openai/NAME --base-url URL`
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// The protocol that the server speaks [default: the provider's usual one]
    #[arg(long, value_enum)]
    pub(crate) protocol: Option<ProtocolArgument>,
    /// The subset of JSON Schema that the server enforces: openai, anthropic, gemini, xgrammar, sglang, llama_cpp, ollama or plain; `auto`
    /// asks the server, a `.json` file holds what `rowcall schema --probe --json` found [default: the provider's usual one]
    #[arg(long, value_name = "NAME|auto|FILE", value_parser = DialectArgument::parse)]
    pub(crate) dialect: Option<DialectArgument>,
    /// A command for `sh` that prints the API key on its first line, used instead of the provider's environment variable
    #[arg(long, value_name = "COMMAND")]
    pub(crate) key_command: Option<String>,
    /// An extra header for every request; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub(crate) headers: Vec<(String, String)>,
    /// How long one attempt may take, such as `90s`
    #[arg(long, value_name = "TIME", default_value = "600s", value_parser = duration, allow_negative_numbers = true)]
    pub(crate) timeout: Duration,
    /// A PEM file with certificate authorities to trust in addition to the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// The maximum number of requests in flight; `auto` finds the best number
    #[arg(short, long, value_name = "REQUESTS|auto", default_value = "auto", value_parser = concurrency, allow_negative_numbers = true)]
    pub(crate) concurrency: Concurrency,
    /// The maximum number of requests per minute
    #[arg(long, value_name = "REQUESTS", allow_negative_numbers = true)]
    pub(crate) rpm: Option<f64>,
    /// The maximum number of tokens per minute, input and output together
    #[arg(long, value_name = "TOKENS", allow_negative_numbers = true)]
    pub(crate) tpm: Option<f64>,
    /// The model's price in US dollars per million tokens: `in=0.15,out=0.60`; also cached, written, written_long, reasoning
    #[arg(long, value_name = "in=USD,out=USD", value_parser = price)]
    pub(crate) price: Option<Price>,
    /// A price table to use instead of the built-in one
    #[arg(long, value_name = "FILE", conflicts_with = "price")]
    pub(crate) prices: Option<PathBuf>,
    /// The most that all requests may cost in US dollars, such as `5.00`; earlier runs of the journal count
    #[arg(long, value_name = "USD", value_parser = usd, allow_negative_numbers = true)]
    pub(crate) budget: Option<Usd>,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArguments {
    /// The rows to compare with [default: the guide's seven sentences]
    pub(crate) input: Option<PathBuf>,
    /// As in `run`
    #[arg(short, long, default_value = "name, age int, occupation")]
    pub(crate) schema: String,
    /// As in `run`
    #[arg(short, long, value_name = "TEMPLATE|@FILE", default_value = "Extract person info: {{ text }}")]
    pub(crate) prompt: String,
    /// As in `run`; the default is a simulator with the guide's latencies
    #[arg(short, long, value_name = "PROVIDER/MODEL", default_value = "sim/guide")]
    pub(crate) model: String,
    /// As in `run`
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// How many requests the rate-limited methods have in flight
    #[arg(long, value_name = "REQUESTS", default_value = "2", value_parser = attempts, allow_negative_numbers = true)]
    pub(crate) limit: NonZeroUsize,
    /// Print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SimArguments {
    /// A scenario's name or a TOML file [default: 20 ms per answer, no quota, no faults]
    pub(crate) scenario: Option<String>,
    /// The port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) port: u16,
    /// How long every answer takes, instead of the scenario's latency
    #[arg(long, value_name = "TIME", value_parser = duration, allow_negative_numbers = true)]
    pub(crate) latency: Option<Duration>,
    /// The seed for made-up values and faults
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) seed: u64,
    /// Also count requests that repeat an answered one; `GET /stats` shows them
    #[arg(long)]
    pub(crate) count: bool,
    /// Serve over TLS; the certificate to trust is printed below the base URL
    #[arg(long)]
    pub(crate) tls: bool,
    /// The only HTTP version to speak [default: both]
    #[arg(long, value_enum, value_name = "VERSION")]
    pub(crate) http: Option<HttpArgument>,
    /// With `--tls`, also write the certificate to this file, for `--ca-cert` of `run`
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub(crate) ca_file: Option<PathBuf>,
    /// List the scenarios
    #[arg(long)]
    pub(crate) list: bool,
    /// With `--list`, print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ModelsArguments {
    /// The provider whose models to list [default: list the providers]
    pub(crate) provider: Option<String>,
    /// List only models whose name contains this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

/// How many requests are in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concurrency {
    /// As many as the server handles best.
    Auto,
    /// At most this many.
    AtMost(NonZeroUsize),
}
