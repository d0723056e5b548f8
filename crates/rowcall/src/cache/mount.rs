//! Whether a file is on a network drive. SQLite's locks are unreliable there, and several machines that write to one file corrupt it.

use std::path::Path;

use super::file::CACHE;
use crate::error::Problem;
use crate::sqlite::Ailment;

/// Linux' names of network file systems.
const NETWORKED: [&str; 14] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ncpfs",
    "afs",
    "ceph",
    "lustre",
    "gpfs",
    "beegfs",
    "fuse.sshfs",
    "fuse.glusterfs",
    "fuse.s3fs",
];

/// Checks that the file at `path`, which need not exist, is on a local disk, as far as the system can say.
///
/// # Errors
/// If it is on a network drive.
pub(super) fn check_local(path: &Path) -> Result<(), Problem> {
    let there = path.canonicalize().ok();
    let folder = || std::path::absolute(path).ok()?.parent()?.canonicalize().ok();
    let folder = there.or_else(folder);
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let Some(kind) = folder.and_then(|folder| networked(&mounts, &folder)) else { return Ok(()) };
    Err(Problem::new(format!("the cache `{}` is on a network drive ({kind})", path.display()))
        .hint((CACHE.hint)(Ailment::NotLocal)))
}

/// The kind of network drive that the folder is on, by the lines of Linux' `mountinfo`. The deepest mount above the folder decides, and of
/// several at the same path the last.
fn networked<'a>(mounts: &'a str, folder: &Path) -> Option<&'a str> {
    let mount = |line: &'a str| {
        let (mounted, system) = line.split_once(" - ")?;
        let at = unescaped(mounted.split(' ').nth(4)?);
        let depth = Path::new(&at).components().count();
        folder.starts_with(&at).then_some((depth, system.split(' ').next()?))
    };
    // Of equals, the last is the one.
    let (_, kind) = mounts.lines().filter_map(mount).max_by_key(|(depth, _)| *depth)?;
    NETWORKED.contains(&kind).then_some(kind)
}

/// A path with its blanks and the like as they are, which are written as `\040`.
fn unescaped(text: &str) -> String {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    escapes.iter().fold(text.to_owned(), |text, (escape, character)| text.replace(escape, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_mount_decides_what_a_folder_is_on() {
        let mounts = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
            30 22 0:40 / /mnt/share rw shared:5 master:2 - nfs4 server:/x rw,vers=4.2\n\
            31 30 0:41 / /mnt/share/local rw - tmpfs none rw\n\
            32 22 0:42 / /mnt/my\\040drive rw - cifs //server/y rw\n\
            33 22 0:43 / /over rw - nfs server:/z rw\n\
            34 22 0:44 / /over rw - ext4 /dev/vdb rw\n";
        for (folder, expected) in [
            ("/home/ann", None),
            ("/mnt/share", Some("nfs4")),
            ("/mnt/share/deep/er", Some("nfs4")),
            ("/mnt/shared", None),
            ("/mnt/share/local/x", None),
            ("/mnt/my drive/x", Some("cifs")),
            ("/over/x", None),
        ] {
            assert_eq!(networked(mounts, Path::new(folder)), expected, "{folder}");
        }
        assert_eq!(networked("", Path::new("/x")), None);
    }
}
