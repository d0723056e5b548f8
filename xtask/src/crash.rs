//! `cargo xtask crash`: runs are killed at any instant and at each write to their journal, and resumed to the end. Nothing may be
//! lost or wrong then, and all that may have been paid for twice must be told.

mod case;
mod difference;
mod instants;
mod journal;
mod strace;
mod syscalls;
mod tally;
mod workload;

use std::path::Path;

use crate::{Result, binaries, option, python};
use instants::Plan;
pub(crate) use strace::is_there as has_strace;
use tally::Tally;
use workload::{Runner, Size, Workload};

/// The run that is killed at its journal's calls: small, since each of them is a case of its own.
const SMALL: Size = Size { rows: 60, concurrency: 8, latency: "5ms" };

/// Of the kills at random instants of a full form, as many hundredths must find requests in flight to prove anything.
const LEAST_IN_FLIGHT: u64 = 75;

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    form: Form,
    kills: u64,
    rows: u64,
    seed: u64,
    calls: Calls,
    driver: Driver,
}

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Everything, with the program as it is shipped.
    Full,
    /// Some of it, with the program as it is tested.
    Short,
}

/// What starts the runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Driver {
    /// The program itself.
    CommandLine,
    /// The Python package, in an interpreter.
    Python,
}

/// Whether runs are killed at the calls on their journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calls {
    Tried,
    LeftOut,
}

impl Options {
    /// The options in `words`, or what is wrong with them.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = if words.contains(&"--short") { Self::short() } else { Self::full() };
        let mut words = words.iter();
        while let Some(&option) = words.next() {
            let mut number = |least| option::number(option, &mut words, least);
            match option {
                "--kills" => options.kills = number(1)?,
                // Fewer are done before they can be killed.
                "--rows" => options.rows = number(200)?,
                "--seed" => options.seed = number(0)?,
                "--no-strace" => options.calls = Calls::LeftOut,
                // The journal's calls are the same ones; only who waits for them differs.
                "--python" => (options.driver, options.calls) = (Driver::Python, Calls::LeftOut),
                "--short" => {}
                _ => return Err(option::unknown(option)),
            }
        }
        Ok(options)
    }

    fn full() -> Self {
        Self {
            form: Form::Full,
            kills: 200,
            rows: 5000,
            seed: 0,
            calls: Calls::Tried,
            driver: Driver::CommandLine,
        }
    }

    /// What `cargo xtask test` runs.
    pub(crate) fn short() -> Self {
        Self { form: Form::Short, kills: 6, rows: 400, ..Self::full() }
    }

    /// What it runs of the Python package.
    pub(crate) fn short_from_python() -> Self {
        Self { driver: Driver::Python, calls: Calls::LeftOut, ..Self::short() }
    }

    fn size(&self) -> Size {
        match self.form {
            Form::Full => Size { rows: self.rows, concurrency: 64, latency: "50ms" },
            Form::Short => Size { rows: self.rows, concurrency: 32, latency: "40ms" },
        }
    }

    fn plan(&self) -> Plan {
        match self.form {
            Form::Full => Plan { kills: self.kills, of_one_run: 10 },
            Form::Short => Plan { kills: self.kills, of_one_run: 3 },
        }
    }

    /// How many of the calls on a journal runs are killed at.
    fn most_calls(&self) -> usize {
        match self.form {
            Form::Full => 1000,
            Form::Short => 12,
        }
    }
}

/// Kills, resumes, judges, and prints what it came to.
///
/// # Errors
/// What does not build or start, and cases that are not as they must be, whose folders are kept.
pub(crate) fn run(options: &Options) -> Result<()> {
    let program = match options.form {
        Form::Full => binaries::release("rowcall-cli")?,
        Form::Short => binaries::tested("rowcall")?,
    };
    let runner = match options.driver {
        Driver::CommandLine => Runner::Program,
        Driver::Python => Runner::Python { interpreter: python::installed()? },
    };
    let folder = tempfile::Builder::new().prefix("rowcall-crash-").tempdir();
    let folder = folder.map_err(|error| format!("no folder for the runs: {error}"))?;
    // strace knows files by their names without links.
    let place = folder.path().canonicalize().map_err(|error| format!("the folder is gone: {error}"))?;
    let mut tally = Tally::default();
    let done = try_all(options, &program, &runner, &place, &mut tally);
    println!("\n{tally}");
    if tally.problems.is_empty() {
        return done;
    }
    let kept = folder.keep();
    Err(match &*tally.problems {
        [problem] => problem.clone(),
        problems => format!("{} cases are not as they must be, kept in `{}`", problems.len(), kept.display()),
    })
}

fn try_all(
    options: &Options,
    program: &Path,
    runner: &Runner,
    folder: &Path,
    tally: &mut Tally,
) -> Result<()> {
    let (size, plan) = (options.size(), options.plan());
    let Size { rows, concurrency, latency } = size;
    let workload = Workload::prepare(program, runner, folder.join("instants"), size)?;
    println!(
        "{} kills at random instants (seed {}) of runs of {rows} rows, {concurrency} in flight, {latency} latency; undisturbed they take {:.1} s",
        plan.kills,
        options.seed,
        workload.wall.as_secs_f64()
    );
    instants::kill(&workload, plan, &mut fastrand::Rng::with_seed(options.seed), tally)?;
    if options.form == Form::Full && tally.in_flight * 100 < tally.kills * LEAST_IN_FLIGHT {
        return Err(format!("only {} kills found requests in flight, which proves little", tally.in_flight));
    }

    if options.calls == Calls::LeftOut {
        return Ok(());
    }
    println!("\nkills at the journal's writes, syncs and removals");
    if !strace::is_there() {
        let problem = "strace is not here or may not trace, so no run was killed at its journal's calls";
        return match options.form {
            Form::Full => Err(format!("{problem}; `--no-strace` does without")),
            Form::Short => {
                println!("{problem}");
                Ok(())
            }
        };
    }
    let workload = Workload::prepare(program, runner, folder.join("calls"), SMALL)?;
    syscalls::kill(&workload, options.most_calls(), tally)
}

#[cfg(test)]
mod tests {
    use super::{Calls, Driver, Form, Options};

    #[test]
    fn options_are_checked() {
        let full = Options {
            form: Form::Full,
            kills: 200,
            rows: 5000,
            seed: 0,
            calls: Calls::Tried,
            driver: Driver::CommandLine,
        };
        assert_eq!(Options::parse(&[]), Ok(full.clone()));
        assert_eq!(
            Options::parse(&["--kills", "9", "--rows", "1000", "--seed", "3", "--no-strace"]),
            Ok(Options { kills: 9, rows: 1000, seed: 3, calls: Calls::LeftOut, ..full })
        );
        assert_eq!(Options::parse(&["--short"]), Ok(Options::short()));
        assert_eq!(Options::parse(&["--python", "--short"]), Ok(Options::short_from_python()));
        let expected = Options { kills: 1, ..Options::short() };
        assert_eq!(Options::parse(&["--kills", "1", "--short"]), Ok(expected));
        for (words, expected) in [
            (&["--kills"][..], "`--kills` needs a number"),
            (&["--kills", "0"], "`0` is no value for `--kills`, expected a number from 1"),
            (&["--rows", "199"], "`199` is no value for `--rows`, expected a number from 200"),
            (&["--hard"], "unknown option `--hard`"),
        ] {
            assert_eq!(Options::parse(words), Err(expected.to_owned()));
        }
    }
}
