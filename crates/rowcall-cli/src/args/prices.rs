//! Tables of prices, as typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What is to be done with a table of prices.
#[derive(Debug, Subcommand)]
pub(crate) enum PricesCommand {
    /// Read a newer table of LiteLLM's and print one for `--prices`: what is built in, with the prices that are new or have changed
    Update(UpdateArguments),
}

#[derive(Debug, Args)]
pub(crate) struct UpdateArguments {
    /// `model_prices_and_context_window.json`, as LiteLLM publishes it
    pub(crate) file: PathBuf,
    /// Where the table goes; stdout if left out
    #[arg(short, long)]
    pub(crate) output: Option<PathBuf>,
    /// The day on which the file was taken; that of its last change if left out
    #[arg(long, value_name = "DAY")]
    pub(crate) taken: Option<String>,
}
