//! Installs programs that a fresh Debian lacks, if this process may.

use std::process::{Command, Stdio};

/// Installs a package; returns whether that succeeded.
pub(crate) fn install(package: &str) -> bool {
    let is_root =
        || Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    let apt = |arguments: &[&str]| succeeds(Command::new("apt-get").args(arguments));
    let install = || apt(&["install", "-y", package]);
    // A fresh machine may not have the package lists yet.
    is_root() && (install() || (apt(&["update"]) && install()))
}

/// Runs `command` silently; returns whether it succeeds.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
