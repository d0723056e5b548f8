//! The cache of answers, as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::{age, bytes};

/// Where answers are kept for other runs.
#[derive(Debug, Args)]
pub(crate) struct CacheArguments {
    /// A file with the answers of all runs that share it: what is in it is not asked again, what is asked is put there
    #[arg(id = "cache", long = "cache", value_name = "FILE")]
    pub(crate) path: Option<PathBuf>,
}

/// What is to be done with a cache.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Show what was asked, how many answers there are, and what they took
    Show {
        /// The cache, as `--cache` names it
        cache: PathBuf,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Remove answers; those that match all that is given, then the oldest down to a size. Runs that use the cache go on
    Prune(PruneArguments),
    /// Print all answers as JSON Lines, the oldest first
    Export {
        /// The cache, as `--cache` names it
        cache: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PruneArguments {
    /// The cache, as `--cache` names it
    pub(crate) cache: PathBuf,
    /// Answers kept longer ago than this, such as `30d` or `12h`
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub(crate) older_than: Option<Duration>,
    /// Answers of the plan with this name, as `rowcall cache show` lists it
    #[arg(long, value_name = "NAME")]
    pub(crate) plan: Option<String>,
    /// Answers of this model, as it was asked for (`openai/NAME`) or as the server named it
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// The oldest answers, until the file is no larger than this, such as `500MB`
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub(crate) max_size: Option<u64>,
}
