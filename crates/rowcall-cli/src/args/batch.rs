//! How rows are sent in batches.

use std::time::Duration;

use clap::{Args, ValueEnum};
use rowcall::{BatchOptions, Reask, Stay};

use super::values::{batch_rows, duration};

/// The shortest deadline within which a batch is worth trying: most end within an hour, by Anthropic's documentation.
const ENOUGH: Duration = Duration::from_hours(1);

/// Whether rows are sent in batches, at the provider's price for batches.
#[derive(Debug, Args)]
pub(crate) struct BatchArguments {
    /// Send the rows in batches, at about half the price; results may take a day. `--batch=auto` does so if that is known to be cheaper and the
    /// deadline, if there is one, is an hour or more away
    #[arg(
        long,
        value_enum,
        value_name = "auto",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "always",
        conflicts_with = "no_journal"
    )]
    pub(crate) batch: Option<BatchChoice>,
    /// End once everything is sent; `rowcall collect` or the same command collects the results
    #[arg(long, requires = "batch")]
    pub(crate) detach: bool,
    #[command(flatten)]
    pub(crate) way: BatchWay,
}

/// How batches are asked again and looked at.
#[derive(Debug, Args)]
pub(crate) struct BatchWay {
    /// Where an invalid answer is sent back with its errors: at once at full price, or in the next batch
    #[arg(long, value_enum, value_name = "online|batch", default_value = "online")]
    pub(crate) reask: ReaskArgument,
    /// How often the provider is asked how far a batch is [default: every second at first, every minute at last]
    #[arg(long, value_name = "TIME", value_parser = duration, allow_negative_numbers = true)]
    pub(crate) poll: Option<Duration>,
    /// The maximum number of rows in a batch [default: the provider's limit]
    #[arg(long, value_name = "ROWS", value_parser = batch_rows, allow_negative_numbers = true)]
    pub(crate) batch_rows: Option<u32>,
}

/// When rows are sent in batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BatchChoice {
    /// In any case
    Always,
    /// If it is known to be cheaper, and there is time
    Auto,
}

/// Where an invalid answer is sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReaskArgument {
    /// At once, at full price
    Online,
    /// In the next batch
    Batch,
}

impl BatchWay {
    /// The options for the engine.
    pub(crate) fn options(&self, stay: Stay) -> BatchOptions {
        BatchOptions {
            reask: match self.reask {
                ReaskArgument::Online => Reask::Online,
                ReaskArgument::Batch => Reask::Batch,
            },
            stay,
            poll: self.poll,
            most_rows: self.batch_rows,
        }
    }
}

impl BatchArguments {
    /// The options for the engine, if rows are sent in batches. `is_cheaper` is whether batches are known to be cheaper.
    pub(crate) fn options(&self, deadline: Option<Duration>, is_cheaper: bool) -> Option<BatchOptions> {
        let has_time = deadline.is_none_or(|deadline| deadline >= ENOUGH);
        let is_chosen = match self.batch? {
            BatchChoice::Always => true,
            BatchChoice::Auto => has_time && is_cheaper,
        };
        let stay = if self.detach { Stay::Detach } else { Stay::Wait };
        is_chosen.then(|| self.way.options(stay))
    }
}
