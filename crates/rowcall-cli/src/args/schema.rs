//! The options of `rowcall schema`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::values::{duration, header, parameter};
use super::{DialectArgument, ModeArgument, ProtocolArgument};

#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// Fields such as `name, age int, tags str[]?: keywords`, a JSON Schema, or a `.json` file with one
    pub(crate) schema: String,
    /// The provider to show the schema for [default: openai]; if repeated, compares the providers side by side
    #[arg(long = "for", value_name = "PROVIDER[/MODEL]")]
    pub(crate) providers: Vec<String>,
    /// As in `run`
    #[arg(long, value_enum)]
    pub(crate) mode: Option<ModeArgument>,
    /// As in `run`
    #[arg(long, value_enum)]
    pub(crate) protocol: Option<ProtocolArgument>,
    /// As in `run`
    #[arg(long, value_name = "NAME|FILE", value_parser = DialectArgument::parse)]
    pub(crate) dialect: Option<DialectArgument>,
    /// Find out by about 40 tiny requests what the server enforces, ignores and refuses in a schema
    #[arg(long, requires = "providers")]
    pub(crate) probe: bool,
    /// As in `run`
    #[arg(long, value_name = "URL", requires = "probe")]
    pub(crate) base_url: Option<String>,
    /// As in `run`
    #[arg(long, value_name = "COMMAND", requires = "probe")]
    pub(crate) key_command: Option<String>,
    /// As in `run`
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header, requires = "probe")]
    pub(crate) headers: Vec<(String, String)>,
    /// As in `run`
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "probe")]
    pub(crate) timeout: Option<Duration>,
    /// As in `run`
    #[arg(long, value_name = "FILE", requires = "probe")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// As in `run`
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter, requires = "probe")]
    pub(crate) parameters: Vec<(String, Value)>,
    /// Print no progress during the probe
    #[arg(short, long, requires = "probe")]
    pub(crate) quiet: bool,
    /// Print JSON instead of text
    #[arg(long)]
    pub(crate) json: bool,
}
