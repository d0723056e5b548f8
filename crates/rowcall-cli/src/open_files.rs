//! The number of connections that the system allows: raises the limit on open files as far as it goes.

/// Open files that are not connections.
const OTHERS: u64 = 64;

/// The maximum number of requests in flight, one connection each. `None` if the system does not report it.
pub(crate) fn most_connections() -> Option<usize> {
    let files = rlimit::increase_nofile_limit(rlimit::INFINITY).ok()?;
    usize::try_from(files.saturating_sub(OTHERS).max(1)).ok()
}
