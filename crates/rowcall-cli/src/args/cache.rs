//! The options and commands of the answer cache.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::{age, bytes};

/// The file in which runs share answers.
#[derive(Debug, Args)]
pub(crate) struct CacheArguments {
    /// A file of answers shared by runs: answers in it are reused, new ones are added
    #[arg(id = "cache", long = "cache", value_name = "FILE")]
    pub(crate) path: Option<PathBuf>,
}

/// What to do with a cache.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Show what was asked, how many answers there are, and what they cost
    Show {
        /// The cache file, as given to `--cache`
        cache: PathBuf,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Remove answers that match all the given options, then the oldest until the file is small enough; runs may go on using the cache
    Prune(PruneArguments),
    /// Print all answers as JSON Lines, oldest first
    Export {
        /// The cache file, as given to `--cache`
        cache: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PruneArguments {
    /// The cache file, as given to `--cache`
    pub(crate) cache: PathBuf,
    /// Remove answers older than this, such as `30d` or `12h`
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub(crate) older_than: Option<Duration>,
    /// Remove answers of the plan with this name, as `rowcall cache show` lists it
    #[arg(long, value_name = "NAME")]
    pub(crate) plan: Option<String>,
    /// Remove answers of this model, by the name it was asked by (`openai/NAME`) or the server's name for it
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// Remove the oldest answers until the file is no larger than this, such as `500MB`
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub(crate) max_size: Option<u64>,
}
