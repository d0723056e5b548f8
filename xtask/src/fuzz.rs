//! `cargo xtask fuzz TARGET`: runs a fuzzer in `fuzz/` for a while, on a nightly toolchain if there is one.
//! `fuzz/corpus` keeps the inputs that it found useful, `fuzz/artifacts` those that failed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::{Result, cargo, option, workspace};

const TARGETS: [&str; 2] = ["completion", "sse"];

/// libFuzzer's limits besides the time: bytes per input, seconds per input, memory in MB. The target itself is
/// stricter about time.
const LIMITS: [&str; 3] = ["-max_len=100000", "-timeout=10", "-rss_limit_mb=2048"];

/// The options of the command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    target: &'static str,
    minutes: u16,
}

impl Options {
    /// Parses the options in `words`, or returns what is wrong with them.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let [target, words @ ..] = words else {
            return Err(format!("no fuzz target is given, expected one of {TARGETS:?}"));
        };
        let target = TARGETS
            .into_iter()
            .find(|known| known == target)
            .ok_or_else(|| format!("`{target}` cannot be fuzzed, expected one of {TARGETS:?}"))?;
        let mut options = Self { target, minutes: 10 };
        let mut words = words.iter();
        while let Some(&option) = words.next() {
            match option {
                "--minutes" => options.minutes = option::number(option, &mut words, 1)?,
                _ => return Err(option::unknown(option)),
            }
        }
        Ok(options)
    }
}

/// Runs the fuzzer.
///
/// # Errors
/// A failed installation or build, and a finding, with the file of its input.
pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = workspace().join("fuzz");
    let of_target = |kind: &str| folder.join(kind).join(options.target);
    let (corpus, seeds) = (of_target("corpus"), of_target("seeds"));
    fs::create_dir_all(&corpus).map_err(|error| format!("cannot make `{}`: {error}", corpus.display()))?;
    install()?;
    let artifacts = of_target("artifacts");
    let before = newest(&artifacts);
    let mut fuzz = toolchain();
    // In safe code a sanitizer has nothing to find, and without one it runs several times as fast.
    fuzz.args(["fuzz", "run", "--release", "--sanitizer", "none", options.target]).args([&corpus, &seeds]);
    fuzz.arg("--").args(LIMITS).arg(format!("-max_total_time={}", u64::from(options.minutes) * 60));
    fuzz.arg(format!("-dict={}", folder.join(options.target).with_extension("dict").display()))
        .arg("-print_final_stats=1");
    let status = fuzz.current_dir(&folder).status();
    if status.map_err(|error| format!("cannot run cargo-fuzz: {error}"))?.success() {
        println!("no finding in {} min", options.minutes);
        return Ok(());
    }
    match found_since(before.as_ref(), &artifacts) {
        Some(input) => {
            let input = input.strip_prefix(workspace()).unwrap_or(&input);
            Err(format!("found a failure, see above; its input is in `{}`", input.display()))
        }
        None => Err("the fuzzer did not finish, see above".to_owned()),
    }
}

/// Installs cargo-fuzz if it is missing.
fn install() -> Result<()> {
    let is_there = cargo().args(["fuzz", "--version"]).output().is_ok_and(|output| output.status.success());
    if is_there {
        return Ok(());
    }
    println!("cargo-fuzz is missing; `cargo install cargo-fuzz --locked` installs it");
    let status = cargo().args(["install", "cargo-fuzz", "--locked"]).status();
    let is_installed = status.map_err(|error| format!("cannot run cargo: {error}"))?.success();
    if is_installed { Ok(()) } else { Err("cargo-fuzz could not be installed".to_owned()) }
}

/// A cargo that accepts the coverage flags: a nightly one if there is one, else this one with nightly features
/// allowed.
fn toolchain() -> Command {
    let listed = Command::new("rustup").args(["toolchain", "list"]).output();
    let has_nightly = listed.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).lines().any(|line| line.starts_with("nightly"))
    });
    if has_nightly {
        let mut nightly = Command::new("rustup");
        nightly.args(["run", "nightly", "cargo"]);
        return nightly;
    }
    let mut stable = cargo();
    stable.env("RUSTC_BOOTSTRAP", "1");
    stable
}

/// The input of a finding that is newer than `before`. A recurring one is written again, to the same file.
fn found_since(before: Option<&(SystemTime, PathBuf)>, artifacts: &Path) -> Option<PathBuf> {
    newest(artifacts).filter(|found| before != Some(found)).map(|(_, input)| input)
}

/// The newest file of a folder, and when it was written.
fn newest(folder: &Path) -> Option<(SystemTime, PathBuf)> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    entries.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).max()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    use super::{Options, found_since, newest};

    #[test]
    fn a_recurring_finding_counts_as_new() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, seconds) in [("crash-a", 1), ("crash-b", 2), ("crash-b", 3), ("crash-a", 4)] {
            let before = newest(folder.path());
            assert_eq!(found_since(before.as_ref(), folder.path()), None, "{name} at {seconds} s");
            let path = folder.path().join(name);
            let written = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            File::create(&path).and_then(|file| file.set_modified(written)).expect("written");
            assert_eq!(found_since(before.as_ref(), folder.path()), Some(path), "{name} at {seconds} s");
        }
    }

    #[test]
    fn options_are_read() {
        assert_eq!(Options::parse(&["sse"]), Ok(Options { target: "sse", minutes: 10 }));
        let two = Ok(Options { target: "completion", minutes: 2 });
        assert_eq!(Options::parse(&["completion", "--minutes", "2"]), two);
        for wrong in [
            &[][..],
            &["--minutes", "2"],
            &["json"],
            &["sse", "--minutes"],
            &["sse", "--minutes", "0"],
            &["sse", "--minutes", "x"],
            &["sse", "--hours", "1"],
        ] {
            assert!(Options::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
