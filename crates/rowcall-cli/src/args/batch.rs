//! How rows are sent in batches.

use std::time::Duration;

use clap::{Args, ValueEnum};
use rowcall::{BatchOptions, Reask, Stay};

use super::values::{batch_rows, duration};

/// Whether rows are sent in batches, at the provider's price for batches.
#[derive(Debug, Args)]
pub(crate) struct BatchArguments {
    /// Send the rows in batches, at about half the price; results may take a day
    #[arg(long, conflicts_with = "no_journal")]
    pub(crate) batch: bool,
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
    /// The options for the engine, if rows are sent in batches.
    pub(crate) fn options(&self) -> Option<BatchOptions> {
        let stay = if self.detach { Stay::Detach } else { Stay::Wait };
        self.batch.then(|| self.way.options(stay))
    }
}
