//! Programs that a fresh Debian has not: installed where this process may.

use std::process::{Command, Stdio};

/// Installs a package, and says whether it could.
pub(crate) fn install(package: &str) -> bool {
    let is_root = || Command::new("id").arg("-u").output().is_ok_and(|told| told.stdout.trim_ascii() == b"0");
    let apt = |arguments: &[&str]| succeeds(Command::new("apt-get").args(arguments));
    let install = || apt(&["install", "-y", package]);
    // A fresh machine may not know yet which packages there are.
    is_root() && (install() || (apt(&["update"]) && install()))
}

/// Runs `command`, whose words are nobody's business, and says whether it succeeds.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
