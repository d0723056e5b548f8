//! The command line `rowcall`, as a library, so that other packages can ship the command and do what it does from file to file:
//! arguments, progress, messages. What is done about a row is the engine's business, what a file looks like that of `rowcall-data`.

mod args;
mod columns;
mod command;
mod examples;
mod exit;
mod failures;
mod files;
mod guard;
mod interruption;
mod journal;
mod key;
mod model;
mod open_files;
mod option;
mod printing;
mod progress;
mod sample;
mod server_probe;
mod strata;
mod summary;
mod table;
mod task;
mod text_argument;
mod watch;

pub use columns::check_columns;
pub use files::Files;
pub use guard::FirstRows;
pub use journal::{Memo, count_spent};
pub use model::Model;
pub use server_probe::{Assumed, FoundOut, Manner, find_out};

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};
use crate::exit::Exit;

/// Runs the command line `arguments`, the first of which is the program's name, and tells the exit code.
///
/// | code | meaning |
/// |---|---|
/// | 0 | every row has a value |
/// | 1 | stopped by an error |
/// | 2 | what was asked for cannot be run; nothing was sent |
/// | 3 | finished, with rows that have no value |
/// | 130, 143 | interrupted by Ctrl-C, or by SIGTERM |
/// | 141 | the reader of stdout went away |
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = arguments.into_iter().collect();
    let arguments = match Arguments::try_parse_from(&words) {
        Ok(arguments) => arguments,
        Err(error) => {
            match key::refusal(&error, &words).or_else(|| option::refusal(&error)) {
                Some(refusal) => printing::error(&refusal),
                // Help and version come this way too and go to stdout; a reader that has gone away is no trouble.
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
        Command::Export(arguments) => command::export::export(&arguments),
        Command::Rerun(arguments) => command::rerun::rerun(&arguments),
        Command::Cache(command) => command::cache::cache(&command),
        Command::Schema(arguments) => command::schema::schema(&arguments),
        Command::Models(arguments) => command::models::models(&arguments),
    };
    match exit {
        Ok(exit) => exit.into(),
        Err(error) => {
            printing::error(&error);
            Exit::of(&error).into()
        }
    }
}

/// Runs a command's work on a runtime of one thread: the engine's work per row is small, and reading and writing have threads
/// of their own. What these are stuck in at the end is not waited for.
fn block_on<T>(work: impl Future<Output = rowcall::Result<T>>) -> rowcall::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        rowcall::Error::Config(rowcall::Problem::new(format!("no runtime can be made: {error}")))
    })?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}
