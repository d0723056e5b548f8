//! How many connections the system lets us have: the limit on open files is raised as far as it goes.

/// Files that are open for other reasons than connections.
const OTHERS: u64 = 64;

/// How many requests may be in flight at most, one connection each. `None` where the system does not say.
pub(crate) fn most_connections() -> Option<usize> {
    let files = rlimit::increase_nofile_limit(rlimit::INFINITY).ok()?;
    usize::try_from(files.saturating_sub(OTHERS).max(1)).ok()
}
