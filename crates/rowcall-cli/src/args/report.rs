//! The arguments of the commands that inspect a journal.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// The journal, such as `people.jsonl.journal`
    pub(crate) journal: PathBuf,
    /// The report's file, `-` for stdout; by default beside the journal, such as `people.report.html`
    #[arg(short, long)]
    pub(crate) output: Option<PathBuf>,
    /// Write JSON instead of HTML, to stdout unless `-o` is given
    #[arg(long)]
    pub(crate) json: bool,
    /// Overwrite a file that is not a report
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
    /// The input field that identifies a row; the whole row if omitted
    #[arg(long, value_name = "FIELD")]
    pub(crate) key: Option<String>,
    /// Write HTML to this file, `-` for stdout, instead of printing tables
    #[arg(short, long)]
    pub(crate) output: Option<PathBuf>,
    /// Print JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Overwrite a file that is not a report
    #[arg(long)]
    pub(crate) force: bool,
}
