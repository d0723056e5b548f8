//! `cargo xtask bench peers`: what a row costs in rowcall, in the bare loop, and in other libraries. All clients get the same rows from
//! the same server, each in a process of its own and in alternation, and all have the same job: a strict schema out, a typed and
//! validated value in.

mod case;
mod client;
mod machine;
mod programs;
mod table;

use self::case::{CASES, Case};
use self::client::{CLIENTS, Client};
use self::programs::{Figures, Programs};
use crate::{Result, option};

/// The options of the command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// The names of the cases; empty for the first.
    cases: Vec<&'static str>,
    /// The names of the clients; empty for all.
    clients: Vec<&'static str>,
    rounds: u64,
    /// Divides the number of rows.
    scale: u64,
    list: bool,
}

impl Options {
    /// Parses the options in `words`, or returns what is wrong with them.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self { cases: vec![], clients: vec![], rounds: 5, scale: 1, list: false };
        let mut words = words.iter();
        while let Some(&option) = words.next() {
            let mut name = |kind, names: Vec<&'static str>| {
                let name = words.next().ok_or_else(|| format!("`{option}` needs a value"))?;
                names
                    .into_iter()
                    .find(|known| known == name)
                    .ok_or_else(|| format!("unknown {kind} `{name}`"))
            };
            match option {
                "--case" => options.cases.push(name("case", CASES.iter().map(|case| case.name).collect())?),
                "--client" => {
                    let names = CLIENTS.iter().map(|client| client.name()).collect();
                    options.clients.push(name("client", names)?);
                }
                "--rounds" => options.rounds = option::number(option, &mut words, 1)?,
                "--scale" => options.scale = option::number(option, &mut words, 1)?,
                "--list" => options.list = true,
                _ => return Err(option::unknown(option)),
            }
        }
        Ok(options)
    }

    fn cases(&self) -> Vec<&'static Case> {
        let named = CASES.iter().filter(|case| self.cases.contains(&case.name)).collect();
        if self.cases.is_empty() { CASES.iter().take(1).collect() } else { named }
    }

    /// The clients to measure in `case`.
    fn clients(&self, case: &Case) -> Vec<Client> {
        let wanted = |client: &Client| self.clients.is_empty() || self.clients.contains(&client.name());
        CLIENTS.into_iter().filter(|client| case.has(*client) && wanted(client)).collect()
    }
}

/// Measures and prints.
///
/// # Errors
/// A program that does not build, install or start, and a client that did not do its work.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.list {
        println!("{}", table::list());
        return Ok(());
    }
    let cases = options.cases();
    let used: Vec<Client> = cases.iter().flat_map(|case| options.clients(case)).collect();
    let programs = Programs::build(&used)?;
    println!("{}", machine::description(&programs));
    for case in cases {
        let clients = options.clients(case);
        let mut runs: Vec<Vec<Figures>> = clients.iter().map(|_| Vec::new()).collect();
        let before = machine::load();
        for _ in 0..options.rounds {
            for (client, runs) in clients.iter().zip(&mut runs) {
                runs.push(programs.measure(case, *client, options.scale)?);
            }
        }
        println!("\n{}", table::of(case, &clients, &runs, options));
        println!("\nLoad average before: {before:.1}; after: {:.1}.", machine::load());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
