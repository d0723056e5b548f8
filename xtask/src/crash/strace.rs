//! strace: finds it, starts it, and reads its log of a run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::journal::{FILES, beside};
use crate::debian::{install, succeeds};

/// System calls that change a file or sync it to disk.
const CALLS: [&str; 7] = ["pwrite64", "pwritev", "write", "fsync", "fdatasync", "ftruncate", "unlink"];

/// A system call on one of a journal's files: the `nth` of its kind on that file in a thread.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    pub(super) file: &'static str,
    pub(super) call: &'static str,
    pub(super) nth: u64,
}

/// Whether strace can be used here; installs it if this process may.
pub(crate) fn is_there() -> bool {
    // It may be installed but not allowed to trace.
    let traces = || succeeds(Command::new("strace").args(["-f", "-o", "/dev/null", "true"]));
    traces() || (install("strace") && traces())
}

/// strace that logs to the file `log` what the program does to the files of `journal`.
pub(super) fn noting(log: &Path, journal: &Path) -> Command {
    let mut strace = tracing(&format!("trace={}", CALLS.join(",")), FILES.map(|file| beside(journal, file)));
    strace.arg("-y").arg("-o").arg(log);
    strace
}

/// strace that kills the program when it is about to make this call.
pub(super) fn killing_at(moment: &Moment, journal: &Path) -> Command {
    let Moment { file, call, nth } = moment;
    let mut strace = tracing(&format!("trace={call}"), [beside(journal, file)]);
    strace.args(["-o", "/dev/null", "-e", &format!("inject={call}:signal=KILL:when={nth}")]);
    strace
}

fn tracing(calls: &str, files: impl IntoIterator<Item = PathBuf>) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", calls]);
    for file in files {
        strace.arg("-P").arg(file);
    }
    strace
}

/// The moments of a run, from strace's log of it. strace counts each thread's calls separately, and a run ends at the
/// first thread that reaches the number, so there are as many moments as the busiest thread had.
pub(super) fn moments(log: &str, journal: &Path) -> Vec<Moment> {
    let mut counts: BTreeMap<(&str, &str), BTreeMap<&str, u64>> = BTreeMap::new();
    for (thread, call, file) in log.lines().filter_map(|line| noted(line, journal)) {
        *counts.entry((file, call)).or_default().entry(thread).or_default() += 1;
    }
    let most = |threads: &BTreeMap<&str, u64>| threads.values().copied().max().unwrap_or_default();
    let all = |((file, call), threads): (&(&'static str, &'static str), &BTreeMap<&str, u64>)| {
        let (file, call) = (*file, *call);
        (1..=most(threads)).map(move |nth| Moment { file, call, nth })
    };
    counts.iter().flat_map(all).collect()
}

/// The thread, call and file of a line such as `7530 fsync(13</tmp/a.journal-wal>) = 0`.
fn noted<'l>(line: &'l str, journal: &Path) -> Option<(&'l str, &'static str, &'static str)> {
    let (thread, rest) = line.split_once(' ')?;
    let (name, arguments) = rest.trim_start().split_once('(')?;
    let call = CALLS.into_iter().find(|call| *call == name)?;
    let first = arguments.split([',', ')']).next()?;
    let is_on = |file: &&str| {
        let path = beside(journal, file).display().to_string();
        first.ends_with(&format!("<{path}>")) || first == format!("\"{path}\"")
    };
    Some((thread, call, FILES.into_iter().find(is_on)?))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Moment, moments};

    #[test]
    fn moments_are_those_of_the_busiest_thread() {
        let log = "7 pwrite64(13</a/b.journal-wal>, \"\\0\"..., 24, 32) = 24\n\
                   8 pwrite64(13</a/b.journal-wal>, \"</a/b.journal>\", 4096, 56 <unfinished ...>\n\
                   8 <... pwrite64 resumed>) = 4096\n\
                   8 pwrite64(13</a/b.journal-wal>, \"\", 24, 4152) = 24\n\
                   7 fsync(12</a/b.journal>) = 0\n\
                   7 unlink(\"/a/b.journal-journal\") = 0\n\
                   7 fcntl(12</a/b.journal>, F_SETLK) = 0\n\
                   7 +++ exited with 0 +++\n";
        let moment = |file, call, nth| Moment { file, call, nth };
        let expected = [
            moment("", "fsync", 1),
            moment("-journal", "unlink", 1),
            moment("-wal", "pwrite64", 1),
            moment("-wal", "pwrite64", 2),
        ];
        assert_eq!(moments(log, Path::new("/a/b.journal")), expected);
    }
}
