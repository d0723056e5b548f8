//! The `rowcall` command as a library, so that other packages can ship it and run from file to file as it does: arguments,
//! progress, messages. The engine handles rows; `rowcall-data` handles file formats.

mod args;
mod columns;
mod command;
mod diff;
mod examples;
mod exit;
mod failures;
mod files;
mod flags;
mod guard;
mod interruption;
mod journal;
mod key;
mod litellm;
mod live;
mod model;
mod monitoring;
mod open_files;
mod option;
mod printing;
mod progress;
mod report;
mod sample;
mod server_probe;
mod strata;
mod summary;
mod table;
mod task;
mod telemetry;
mod text_argument;
mod watch;

pub use columns::check_columns;
pub use files::Files;
pub use guard::FirstRows;
pub use journal::{Memo, count_spent};
pub use model::Model;
pub use server_probe::{Assumed, FoundOut, Manner, find_out};

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use rowcall_data::is_reader_gone;

use crate::args::{Arguments, Command};
use crate::exit::Exit;

/// Runs the command line `arguments`, the first of which is the program's name, and returns the exit code.
///
/// | code | meaning |
/// |---|---|
/// | 0 | every row has a value |
/// | 1 | stopped by an error |
/// | 2 | wrong usage; nothing was sent |
/// | 3 | finished, with failed rows |
/// | 4 | stopped at a limit that the user set (a budget, a deadline, failures), or by the user, with `rowcall ctl` or on the live page |
/// | 130, 143 | interrupted by Ctrl-C, or by SIGTERM |
/// | 141 | the reader of stdout went away |
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = arguments.into_iter().collect();
    let arguments = match Arguments::try_parse_from(&words) {
        Ok(arguments) => arguments,
        Err(error) => {
            match key::refusal(&error, &words).or_else(|| option::refusal(&error)) {
                Some(refusal) => printing::error(&refusal),
                // Help and version arrive here too and go to stdout; a reader that went away is not an error.
                None => drop(error.print()),
            }
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let exit = match arguments.command {
        Command::Run(arguments) => command::run::run(&arguments),
        Command::Compare(arguments) => command::compare::compare(&arguments),
        Command::Sim(arguments) => command::sim::sim(&arguments),
        Command::Status(arguments) => command::status::status(&arguments),
        Command::Report(arguments) => command::report::report(&arguments),
        Command::Show(arguments) => command::show::show(&arguments),
        Command::Diff(arguments) => command::diff::diff(&arguments),
        Command::Ctl(arguments) => command::ctl::ctl(&arguments),
        Command::Export(arguments) => command::export::export(&arguments),
        Command::Collect(arguments) => command::collect::collect(&arguments),
        Command::Rerun(arguments) => command::rerun::rerun(&arguments),
        Command::Cache(command) => command::cache::cache(&command),
        Command::Prices(command) => command::prices::prices(&command),
        Command::Schema(arguments) => command::schema::schema(&arguments),
        Command::Models(arguments) => command::models::models(&arguments),
    };
    match exit {
        Ok(exit) => exit.into(),
        Err(error) if is_reader_gone(&error) => Exit::ReaderGone.into(),
        Err(error) => {
            printing::error(&error);
            Exit::of(&error).into()
        }
    }
}

/// The page of the report of the journal at this path, as `rowcall report` writes it.
///
/// # Errors
/// If the journal cannot be read.
pub fn report_page(journal: &Path) -> rowcall::Result<String> {
    report::page::page(&report::Report::of(journal)?, report::page::Liveness::Still)
}

/// Runs a command's work on a single-threaded runtime: the engine's work per row is small, and reading and writing have their own
/// threads. At the end it does not wait for threads that are stuck.
fn block_on<T>(work: impl Future<Output = rowcall::Result<T>>) -> rowcall::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        rowcall::Error::Config(rowcall::Problem::new(format!("cannot start the async runtime: {error}")))
    })?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}
