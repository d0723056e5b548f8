//! Tables of prices, as typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What is to be done with a table of prices.
#[derive(Debug, Subcommand)]
pub(crate) enum PricesCommand {
    /// Make a table for `--prices` from a newer LiteLLM table: the built-in prices, with new and changed ones
    Update(UpdateArguments),
}

#[derive(Debug, Args)]
pub(crate) struct UpdateArguments {
    /// `model_prices_and_context_window.json`, as LiteLLM publishes it
    pub(crate) file: PathBuf,
    /// The output file [default: stdout]
    #[arg(short, long)]
    pub(crate) output: Option<PathBuf>,
    /// The day on which the file was downloaded [default: the day of its last change]
    #[arg(long, value_name = "DAY")]
    pub(crate) taken: Option<String>,
}
