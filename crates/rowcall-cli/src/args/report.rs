//! What the user typed to look at a journal.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// The journal, such as `people.jsonl.journal`
    pub(crate) journal: PathBuf,
    /// Where the report goes, `-` for stdout; by default beside the journal, such as `people.report.html`
    #[arg(short, long)]
    pub(crate) output: Option<PathBuf>,
    /// The same data as JSON, on stdout unless `-o` says otherwise
    #[arg(long)]
    pub(crate) json: bool,
    /// Write over a file that is not a report
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// The journal, such as `people.jsonl.journal`
    pub(crate) journal: PathBuf,
    /// The row's number, counted from 0, or its key
    pub(crate) row: String,
    /// Print JSON instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// The first journal
    pub(crate) first: PathBuf,
    /// The second journal, of the same rows
    pub(crate) second: PathBuf,
    /// The input's field by which rows are recognised; the whole row if left out
    #[arg(long, value_name = "FIELD")]
    pub(crate) key: Option<String>,
    /// Write an HTML file, `-` for stdout, instead of tables
    #[arg(short, long)]
    pub(crate) output: Option<PathBuf>,
    /// Print JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Write over a file that is not a report
    #[arg(long)]
    pub(crate) force: bool,
}
