//! `cargo xtask bench python`: CPU per row of the Python package compared with Instructor's, its memory, and how late
//! an event loop is. Python scripts in the package's `bench` folder measure; this prepares what they need.

use crate::python::{BUILDER, in_workspace, installed_beside, package, succeed};
use crate::{Result, option};

/// The versions of Instructor and its client were the newest when the limits were set.
const PACKAGES: [&str; 5] = [BUILDER, "instructor==1.17.0", "openai==3.3.0", "pyarrow", "pydantic>=2.5"];

/// The options of the command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    rounds: u64,
}

impl Options {
    /// Parses the options in `words`, or returns what is wrong with them.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self { rounds: 5 };
        let mut words = words.iter();
        while let Some(&option) = words.next() {
            match option {
                "--rounds" => options.rounds = option::number(option, &mut words, 1)?,
                _ => return Err(option::unknown(option)),
            }
        }
        Ok(options)
    }
}

/// Measures, prints, and evaluates.
///
/// # Errors
/// A package that cannot be installed, and a limit that is missed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let python = installed_beside("bench-python", &PACKAGES)?;
    let rounds = options.rounds.to_string();
    let mut missed = Vec::new();
    for (script, arguments) in [
        ("compare.py", &["--rounds", &rounds][..]),
        ("compare.py", &["--memory"]),
        ("lag.py", &["--rounds", &rounds]),
    ] {
        let mut measuring = in_workspace(&python);
        measuring.arg(package().join("bench").join(script)).args(arguments);
        missed.extend(succeed(script, &mut measuring).err());
        println!();
    }
    if missed.is_empty() { Ok(()) } else { Err(missed.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn options_are_checked() {
        assert_eq!(Options::parse(&[]), Ok(Options { rounds: 5 }));
        assert_eq!(Options::parse(&["--rounds", "2"]), Ok(Options { rounds: 2 }));
        assert_eq!(Options::parse(&["--rows"]), Err("unknown option `--rows`".to_owned()));
    }
}
