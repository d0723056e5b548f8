//! Clients that send the same rows, each with no more than its kind needs: raw sockets, hyper-util's pooled client,
//! the same with a semaphore, and rowcall. One process measures one client once; `cargo xtask bench` compares them.
#![expect(clippy::print_stdout, reason = "the figures are the output")]

mod arguments;
mod chat;
mod hyper_util_loop;
mod library;
mod meter;
mod person;
mod raw;
mod semaphore;

use std::process::ExitCode;

use crate::arguments::{Arguments, Client, Runtime};
use crate::meter::Meter;

fn main() -> ExitCode {
    let meter = Meter::start();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let arguments = match Arguments::parse(&words) {
        Ok(arguments) => arguments,
        Err(problem) => return fail(&format!("{problem}\n{}", arguments::USAGE)),
    };
    match ask(&arguments) {
        Ok(ok) => {
            println!("{}", meter.report(&arguments, ok));
            ExitCode::SUCCESS
        }
        Err(problem) => fail(&problem),
    }
}

#[expect(clippy::print_stderr, reason = "a program that cannot go on says why")]
fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(2)
}

/// Sends all rows and returns how many answers were correct. The first failure ends it: figures of a client that did
/// not do its work are worthless.
fn ask(arguments: &Arguments) -> Result<u64, String> {
    let mut runtime = match arguments.runtime {
        Runtime::CurrentThread => tokio::runtime::Builder::new_current_thread(),
        Runtime::Multi => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        match arguments.client {
            Client::Raw => raw::ask(arguments).await,
            Client::HyperUtil => hyper_util_loop::ask(arguments).await,
            Client::Rowcall => library::ask(arguments).await,
            Client::Semaphore => semaphore::ask(arguments).await,
        }
    })
}
