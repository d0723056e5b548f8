//! `cargo xtask crash`: kills runs at random instants and at each write to their journal or their cache, and resumes them to the
//! end. Nothing may be lost or wrong then, and all possible double billing must be reported.

mod batches;
mod cache;
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

/// The run that is killed at its journal's system calls: small, since each call is a separate case.
const SMALL: Size = Size { rows: 60, concurrency: 8, latency: "5ms" };

/// The percentage of kills at random instants that must find requests in flight for a full run to prove anything.
const LEAST_IN_FLIGHT: u64 = 75;

/// The options of the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    form: Form,
    kills: u64,
    rows: u64,
    seed: u64,
    calls: Calls,
    driver: Driver,
    route: Route,
}

/// How the killed runs send their rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Online,
    Batches,
}

/// How much is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Everything, with the release build.
    Full,
    /// A part of it, with the test build.
    Short,
}

/// The program that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Driver {
    /// The program itself.
    CommandLine,
    /// The Python package, in an interpreter.
    Python,
}

/// Whether runs are killed at the system calls on their journal and on their cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calls {
    Tried,
    LeftOut,
}

impl Options {
    /// Parses the options in `words`, or returns what is wrong with them.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = if words.contains(&"--short") { Self::short() } else { Self::full() };
        if words.contains(&"--batches") {
            options = options.of_batches();
        }
        let mut words = words.iter();
        while let Some(&option) = words.next() {
            let mut number = |least| option::number(option, &mut words, least);
            match option {
                "--kills" => options.kills = number(1)?,
                // Fewer rows are done before they can be killed.
                "--rows" => options.rows = number(200)?,
                "--seed" => options.seed = number(0)?,
                "--no-strace" => options.calls = Calls::LeftOut,
                // The journal's system calls are the same; only the process that waits for them differs.
                "--python" => (options.driver, options.calls) = (Driver::Python, Calls::LeftOut),
                "--short" | "--batches" => {}
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
            route: Route::Online,
        }
    }

    /// The form for batches.
    fn of_batches(self) -> Self {
        let (kills, rows) = match self.form {
            Form::Full => (100, 2000),
            Form::Short => (6, 400),
        };
        Self { kills, rows, calls: Calls::LeftOut, route: Route::Batches, ..self }
    }

    /// The form for batches that `cargo xtask test` runs.
    pub(crate) fn short_of_batches() -> Self {
        Self::short().of_batches()
    }

    /// The form that `cargo xtask test` runs.
    pub(crate) fn short() -> Self {
        Self { form: Form::Short, kills: 6, rows: 400, ..Self::full() }
    }

    /// The form that it runs of the Python package.
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

    /// The most system calls on a journal, and on a cache, at which runs are killed.
    fn most_calls(&self) -> usize {
        match self.form {
            Form::Full => 1000,
            Form::Short => 12,
        }
    }
}

/// Kills, resumes, checks, and prints the results.
///
/// # Errors
/// A program that does not build or start, and failed cases, whose folders are kept.
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
    let folder = folder.map_err(|error| format!("cannot make a folder for the runs: {error}"))?;
    // strace identifies files by their names without links.
    let canonical =
        folder.path().canonicalize().map_err(|error| format!("the folder has disappeared: {error}"))?;
    let mut tally = Tally::default();
    let done = try_all(options, &program, &runner, &canonical, &mut tally);
    println!("\n{tally}");
    if tally.problems.is_empty() {
        return done;
    }
    let kept = folder.keep();
    Err(match &*tally.problems {
        [problem] => problem.clone(),
        problems => format!("{} cases failed, kept in `{}`", problems.len(), kept.display()),
    })
}

fn try_all(
    options: &Options,
    program: &Path,
    runner: &Runner,
    folder: &Path,
    tally: &mut Tally,
) -> Result<()> {
    if options.route == Route::Batches {
        let Options { kills, rows, seed, .. } = *options;
        println!("{kills} kills at random instants (seed {seed}) of runs of {rows} rows in batches");
        let mut rng = fastrand::Rng::with_seed(seed);
        return batches::kill(program, &folder.join("batches"), rows, kills, &mut rng, tally);
    }
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
        return Err(format!(
            "only {} kills found requests in flight, which proves too little",
            tally.in_flight
        ));
    }

    if options.calls == Calls::LeftOut {
        return Ok(());
    }
    println!("\nkills at the journal's writes, syncs and removals");
    if !strace::is_there() {
        let problem =
            "strace is not available or may not trace, so no run was killed at its journal's system calls";
        return match options.form {
            Form::Full => Err(format!("{problem}; skip it with `--no-strace`")),
            Form::Short => {
                println!("{problem}");
                Ok(())
            }
        };
    }
    let workload = Workload::prepare(program, runner, folder.join("calls"), SMALL)?;
    syscalls::kill(&workload, options.most_calls(), tally)?;
    println!("\nkills at the cache's writes, syncs and removals");
    let workload = Workload::prepare(program, runner, folder.join("cache"), SMALL)?;
    cache::kill(&workload, options.most_calls(), tally)
}

#[cfg(test)]
mod tests {
    use super::{Calls, Driver, Form, Options, Route};

    #[test]
    fn options_are_checked() {
        let full = Options {
            form: Form::Full,
            kills: 200,
            rows: 5000,
            seed: 0,
            calls: Calls::Tried,
            driver: Driver::CommandLine,
            route: Route::Online,
        };
        assert_eq!(Options::parse(&[]), Ok(full.clone()));
        assert_eq!(
            Options::parse(&["--kills", "9", "--rows", "1000", "--seed", "3", "--no-strace"]),
            Ok(Options { kills: 9, rows: 1000, seed: 3, calls: Calls::LeftOut, ..full })
        );
        assert_eq!(Options::parse(&["--short"]), Ok(Options::short()));
        assert_eq!(Options::parse(&["--python", "--short"]), Ok(Options::short_from_python()));
        assert_eq!(Options::parse(&["--batches", "--short"]), Ok(Options::short_of_batches()));
        let batches = Options::parse(&["--kills", "7", "--batches"]);
        assert_eq!(batches.map(|options| (options.kills, options.route)), Ok((7, Route::Batches)));
        let expected = Options { kills: 1, ..Options::short() };
        assert_eq!(Options::parse(&["--kills", "1", "--short"]), Ok(expected));
        for (words, expected) in [
            (&["--kills"][..], "`--kills` needs a number"),
            (&["--kills", "0"], "`0` is not a valid value for `--kills`, expected a number from 1"),
            (&["--rows", "199"], "`199` is not a valid value for `--rows`, expected a number from 200"),
            (&["--hard"], "unknown option `--hard`"),
        ] {
            assert_eq!(Options::parse(words), Err(expected.to_owned()));
        }
    }
}
