//! What the user typed, as typed. What it means is checked by the commands, before any request.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use rowcall::{MaxFailures, Mode, OrderBy, Price, Protocol, Usd};
use rowcall_data::OutputFormat;
use rowcall_sim::Http;
use serde_json::Value;

mod cache;
mod dialect;
mod input;
mod schema;
mod values;

pub(crate) use cache::{CacheArguments, CacheCommand, PruneArguments};
pub(crate) use dialect::DialectArgument;
pub(crate) use input::InputArguments;
pub(crate) use schema::SchemaArguments;
use values::{
    attempts, concurrency, duration, header, max_failures, output_tokens, parameter, price, reasks, retries,
    rows, usd,
};

/// Calls a language model on every row of a data set and writes a typed, validated value for each.
#[derive(Debug, Parser)]
#[command(name = "rowcall", version, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 every row has a value; 1 stopped by an error; 2 wrong usage, nothing was sent; \
                        3 finished with failed rows; 4 stopped at a limit of yours (budget, deadline, failures); 130 or 143 interrupted; 141 the reader of stdout went away."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask about every row of a file
    Run(Box<RunArguments>),
    /// Compare sequential, gather, as_completed and their rate-limited forms
    Compare(CompareArguments),
    /// Run a simulated provider on 127.0.0.1, for trying things without a key
    Sim(SimArguments),
    /// Tell what a journal holds: rows, failures, tokens, what may have been paid for in vain
    Status(StatusArguments),
    /// Rebuild an output from a journal without the input, in input order unless `--order` says otherwise
    Export(Box<ExportArguments>),
    /// Ask again about the failed rows of a journal, then rebuild its output
    Rerun(Box<RerunArguments>),
    /// Show, prune or export a cache of answers
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Show a schema as given, as it goes on the wire, and what is lost on the way
    Schema(SchemaArguments),
    /// List the providers, or the known models of one: prices, limits, modes
    Models(ModelsArguments),
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
    pub(crate) cache: CacheArguments,
    /// Stop after this many rows of the input
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u64).range(1..), allow_negative_numbers = true)]
    pub(crate) limit_rows: Option<u64>,
    /// Stop at the first failed row
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Print the requests of the first rows exactly as they would go out, and send nothing
    #[arg(long, value_name = "ROWS", value_parser = rows, allow_negative_numbers = true)]
    pub(crate) show_requests: Option<NonZeroUsize>,
    /// Say what all rows would take and cost, and send nothing
    #[arg(long, conflicts_with_all = ["show_requests", "sample"])]
    pub(crate) estimate: bool,
    /// Ask about so many rows first, of all lengths, and say what all rows will cost
    #[arg(long, value_name = "ROWS", conflicts_with = "show_requests", allow_negative_numbers = true)]
    pub(crate) sample: Option<NonZeroUsize>,
    /// Go on after the sample without asking
    #[arg(short, long, requires = "sample")]
    pub(crate) yes: bool,
    /// No progress and no summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Log each attempt
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// Where outcomes go, and how they look there.
#[derive(Debug, Args)]
pub(crate) struct ViewArguments {
    /// Where the outcomes go, `.jsonl` or `.csv`; stdout if left out
    #[arg(short, long)]
    pub(crate) output: Option<PathBuf>,
    /// The output's format, whatever its name
    #[arg(long, value_name = "jsonl|csv")]
    pub(crate) output_format: Option<OutputFormat>,
    /// In which order outcomes are written
    #[arg(long, value_enum, default_value = "input")]
    pub(crate) order: OrderArgument,
    /// Put the whole value under this name instead of its fields beside the input's
    #[arg(long, value_name = "NAME")]
    pub(crate) into: Option<String>,
    /// Add what each row took: attempts, prompts, tokens, cost, latency, model, finish reason, whether it came from the cache
    #[arg(long)]
    pub(crate) meta: bool,
    /// Write failed rows to this file as well, as JSON Lines
    #[arg(long, value_name = "FILE")]
    pub(crate) failed: Option<PathBuf>,
}

/// What survives a crash, and what is done with what has survived.
#[derive(Debug, Args)]
pub(crate) struct JournalArguments {
    /// Where outcomes are kept as they come; by default beside the output, named like it with `.journal` after it
    #[arg(long, value_name = "FILE", conflicts_with = "no_journal")]
    pub(crate) journal: Option<PathBuf>,
    /// Keep no journal: a crash loses what is not in the output
    #[arg(long)]
    pub(crate) no_journal: bool,
    /// Whether the journal keeps the input's records, so that an output can be rebuilt without the input
    #[arg(long, value_enum, value_name = "on|off", default_value = "on")]
    pub(crate) journal_records: Switch,
    /// Remove the journal and start over
    #[arg(long, conflicts_with = "accept_changes")]
    pub(crate) fresh: bool,
    /// Go on although the journal was made with another model, prompt, schema or parameters: what is new is asked
    #[arg(long)]
    pub(crate) accept_changes: bool,
    /// Write over an output that has no journal
    #[arg(long)]
    pub(crate) force: bool,
    /// Ask about each of several equal rows instead of once for all
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
    /// Write over a file that is not the journal's own output
    #[arg(long)]
    pub(crate) force: bool,
    /// Go on with a journal of Python's, whose values a model of Python's has validated, without that model; values are marked
    #[arg(long)]
    pub(crate) without_validators: bool,
    /// No progress and no summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RerunArguments {
    /// The journal, such as `people.jsonl.journal`
    pub(crate) journal: PathBuf,
    /// Where the outcomes of all rows go; by default the output that the journal was made for
    #[arg(short, long)]
    pub(crate) output: Option<PathBuf>,
    /// Write over a file that is not the journal's own output
    #[arg(long)]
    pub(crate) force: bool,
    /// Another model for the failed rows; by default the one that the journal was made with
    #[arg(short, long, value_name = "PROVIDER/MODEL")]
    pub(crate) model: Option<String>,
    /// Another prompt for the failed rows, a template or `@FILE` with one
    #[arg(short, long, value_name = "TEMPLATE|@FILE")]
    pub(crate) prompt: Option<String>,
    /// Allow a prompt that uses no field of the row
    #[arg(long, requires = "prompt")]
    pub(crate) same_prompt: bool,
    /// Another limit on the tokens of an answer for the failed rows, reasoning included
    #[arg(long, value_name = "TOKENS", value_parser = output_tokens, allow_negative_numbers = true)]
    pub(crate) max_output_tokens: Option<u32>,
    #[command(flatten)]
    pub(crate) retrying: RetryArguments,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    #[command(flatten)]
    pub(crate) cache: CacheArguments,
    /// Go on with a journal of Python's, whose values a model of Python's has validated, without that model
    #[arg(long)]
    pub(crate) without_validators: bool,
    /// No progress and no summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Log each attempt
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// What is asked of the model.
#[derive(Debug, Args)]
pub(crate) struct TaskArguments {
    /// Fields such as `name, age int, tags str[]?: keywords`, a JSON Schema, or a `.json` file with one
    #[arg(short, long)]
    pub(crate) schema: String,
    /// The prompt, a Jinja template over the row's fields, or `@FILE` with one
    #[arg(short, long, value_name = "TEMPLATE|@FILE")]
    pub(crate) prompt: String,
    /// Allow a prompt that uses no field of the row: every row is asked the same
    #[arg(long)]
    pub(crate) same_prompt: bool,
    /// What holds for every row: a template or `@FILE` as well
    #[arg(long, value_name = "TEMPLATE|@FILE")]
    pub(crate) system: Option<String>,
    /// Rows with their values for the model to go by, such as an output: `.jsonl`, `.json` or `.csv`
    #[arg(long, value_name = "FILE")]
    pub(crate) examples: Option<PathBuf>,
    /// A column with an image or PDF for each row: a path, an `https:` or a `data:` URL; may be repeated
    #[arg(long = "image", value_name = "COLUMN")]
    pub(crate) images: Vec<String>,
    /// How the schema is asked for; the best way that the model has, if left out
    #[arg(long, value_enum)]
    pub(crate) mode: Option<ModeArgument>,
    /// Sampling temperature; not sent unless given
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) temperature: Option<f64>,
    /// The most tokens an answer may have, reasoning included
    #[arg(long, value_name = "TOKENS", value_parser = output_tokens, allow_negative_numbers = true)]
    pub(crate) max_output_tokens: Option<u32>,
    /// A further field of the request, its value JSON or text; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, Value)>,
    #[command(flatten)]
    pub(crate) retrying: RetryArguments,
}

/// What is done about answers that are invalid and attempts that fail.
#[derive(Debug, Args)]
pub(crate) struct RetryArguments {
    /// How often an invalid answer is asked for again, with what was wrong
    #[arg(long, value_name = "TIMES", default_value_t = rowcall::DEFAULT_MAX_REASKS, value_parser = reasks, allow_negative_numbers = true)]
    pub(crate) max_reasks: u32,
    /// How often an attempt that failed is repeated; limits are waited out in any case
    #[arg(long, value_name = "TIMES", default_value_t = rowcall::RetryPolicy::default().retries, value_parser = retries, allow_negative_numbers = true)]
    pub(crate) retries: u32,
    /// Ask about every row even if the server refuses the first ones all alike
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// How long the run may send requests, such as `2h`; what is in flight then is awaited
    #[arg(long, value_name = "TIME", value_parser = duration, allow_negative_numbers = true)]
    pub(crate) deadline: Option<Duration>,
    /// How many rows may fail before the run stops: a number, or a share such as `5%` once 100 have ended
    #[arg(long, value_name = "ROWS|SHARE", value_parser = max_failures, allow_negative_numbers = true)]
    pub(crate) max_failures: Option<MaxFailures>,
}

/// Whom to ask, and how fast.
#[derive(Debug, Args)]
pub(crate) struct AccountArguments {
    /// Such as `openai/NAME` (`rowcall models` lists the providers), or `sim[/SCENARIO]` for a simulator started along the way
    #[arg(short, long, value_name = "PROVIDER/MODEL")]
    pub(crate) model: String,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

/// How an account is reached, and how fast it may be asked.
#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    /// Another address than the provider's own; any OpenAI-compatible server is `-m openai/NAME --base-url URL`
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// How the server is spoken to; the provider's usual protocol if left out
    #[arg(long, value_enum)]
    pub(crate) protocol: Option<ProtocolArgument>,
    /// The subset of JSON Schema that the server holds a model to: openai, anthropic, gemini, xgrammar, sglang, llama_cpp, ollama or
    /// plain; `auto` asks the server, a `.json` file has what `rowcall schema --probe --json` found; the provider's usual one if left out
    #[arg(long, value_name = "NAME|auto|FILE", value_parser = DialectArgument::parse)]
    pub(crate) dialect: Option<DialectArgument>,
    /// A command, run by `sh`, the first line of whose output is the key, in place of the provider's variable
    #[arg(long, value_name = "COMMAND")]
    pub(crate) key_command: Option<String>,
    /// A further header of every request; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub(crate) headers: Vec<(String, String)>,
    /// How long an attempt may take, such as `90s`
    #[arg(long, value_name = "TIME", default_value = "600s", value_parser = duration, allow_negative_numbers = true)]
    pub(crate) timeout: Duration,
    /// A PEM file with certificate authorities to trust beside the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// The most requests in flight; `auto` finds out how many are best
    #[arg(short, long, value_name = "REQUESTS|auto", default_value = "auto", value_parser = concurrency, allow_negative_numbers = true)]
    pub(crate) concurrency: Concurrency,
    /// The most requests per minute
    #[arg(long, value_name = "REQUESTS", allow_negative_numbers = true)]
    pub(crate) rpm: Option<f64>,
    /// The most tokens per minute, in and out together
    #[arg(long, value_name = "TOKENS", allow_negative_numbers = true)]
    pub(crate) tpm: Option<f64>,
    /// What the model's tokens cost, in US dollars for a million: `in=0.15,out=0.60`; also cached, written, written_long, reasoning
    #[arg(long, value_name = "in=USD,out=USD", value_parser = price)]
    pub(crate) price: Option<Price>,
    /// A table of prices in place of the one that is built in
    #[arg(long, value_name = "FILE", conflicts_with = "price")]
    pub(crate) prices: Option<PathBuf>,
    /// The most that all requests may cost, those of earlier runs of the journal included, such as `5.00` US dollars
    #[arg(long, value_name = "USD", value_parser = usd, allow_negative_numbers = true)]
    pub(crate) budget: Option<Usd>,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArguments {
    /// Rows to compare with; the guide's seven sentences if left out
    pub(crate) input: Option<PathBuf>,
    /// As in `run`
    #[arg(short, long, default_value = "name, age int, occupation")]
    pub(crate) schema: String,
    /// As in `run`
    #[arg(short, long, value_name = "TEMPLATE|@FILE", default_value = "Extract person info: {{ text }}")]
    pub(crate) prompt: String,
    /// As in `run`; by default a simulator with the guide's latencies
    #[arg(short, long, value_name = "PROVIDER/MODEL", default_value = "sim/guide")]
    pub(crate) model: String,
    /// As in `run`
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Requests in flight of the rate-limited methods
    #[arg(long, value_name = "REQUESTS", default_value = "2", value_parser = attempts, allow_negative_numbers = true)]
    pub(crate) limit: NonZeroUsize,
    /// Print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SimArguments {
    /// A scenario's name or a TOML file; 20 ms, no quota and no faults if left out
    pub(crate) scenario: Option<String>,
    /// The port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) port: u16,
    /// How long every answer takes, in place of the scenario's latency
    #[arg(long, value_name = "TIME", value_parser = duration, allow_negative_numbers = true)]
    pub(crate) latency: Option<Duration>,
    /// Which made-up values and which faults are drawn
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) seed: u64,
    /// Also count requests that repeat an answered one, in `GET /stats`
    #[arg(long)]
    pub(crate) count: bool,
    /// Serve over TLS; the certificate of the authority to trust is printed below the base URL
    #[arg(long)]
    pub(crate) tls: bool,
    /// The only version of HTTP to speak; both if left out
    #[arg(long, value_enum, value_name = "VERSION")]
    pub(crate) http: Option<HttpArgument>,
    /// With `--tls`, also write the authority's certificate to this file, for `--ca-cert` of `run`
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub(crate) ca_file: Option<PathBuf>,
    /// List the scenarios
    #[arg(long)]
    pub(crate) list: bool,
    /// With `--list`, print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum HttpArgument {
    /// HTTP/1.1
    #[value(name = "1", alias = "1.1")]
    One,
    /// HTTP/2
    #[value(name = "2")]
    Two,
}

impl From<HttpArgument> for Http {
    fn from(http: HttpArgument) -> Self {
        match http {
            HttpArgument::One => Self::One,
            HttpArgument::Two => Self::Two,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ModelsArguments {
    /// The provider whose models are listed; the providers themselves if left out
    pub(crate) provider: Option<String>,
    /// Only the models with this in their name
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ProtocolArgument {
    /// OpenAI's Chat Completions
    #[value(alias = "chat-completions", alias = "openai")]
    Chat,
    /// OpenAI's Responses
    Responses,
    /// Anthropic's Messages
    #[value(alias = "messages")]
    Anthropic,
    /// Google's generateContent
    #[value(alias = "generate-content", alias = "generatecontent", alias = "google")]
    Gemini,
}

impl From<ProtocolArgument> for Protocol {
    fn from(protocol: ProtocolArgument) -> Self {
        match protocol {
            ProtocolArgument::Chat => Self::OpenAiChat,
            ProtocolArgument::Responses => Self::OpenAiResponses,
            ProtocolArgument::Anthropic => Self::Anthropic,
            ProtocolArgument::Gemini => Self::Gemini,
        }
    }
}

/// How many requests are in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concurrency {
    /// As many as turn out to be best.
    Auto,
    /// At most so many.
    AtMost(NonZeroUsize),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum OrderArgument {
    /// As in the input
    Input,
    /// As they are completed
    Completed,
}

impl From<OrderArgument> for OrderBy {
    fn from(order: OrderArgument) -> Self {
        match order {
            OrderArgument::Input => Self::Input,
            OrderArgument::Completed => Self::Completed,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ModeArgument {
    /// The provider's own structured output
    #[value(alias = "json_schema", alias = "json-schema", alias = "native")]
    Schema,
    /// A tool that the model is made to call
    #[value(alias = "tools", alias = "forced-tool", alias = "forced_tool", alias = "function")]
    Tool,
    /// A JSON object, with the schema in the prompt
    #[value(alias = "json_object", alias = "json-object")]
    Json,
    /// The schema in the prompt, and nothing else
    #[value(alias = "text", alias = "md_json")]
    Prompt,
}

impl From<ModeArgument> for Mode {
    fn from(mode: ModeArgument) -> Self {
        match mode {
            ModeArgument::Schema => Self::Schema,
            ModeArgument::Tool => Self::Tool,
            ModeArgument::Json => Self::Json,
            ModeArgument::Prompt => Self::Prompt,
        }
    }
}
