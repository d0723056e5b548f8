//! The journal as a kind of SQLite file, and the hints for problems with one.

use crate::sqlite::{Ailment, Kind};

/// A journal: marked by the ASCII letters `rowc`. Format 1 had no examples or images; up to format 2 the output limit was part of
/// the keys.
pub(super) const JOURNAL: Kind = Kind { noun: "journal", application: 0x726f_7763, format: 3, hint };

fn hint(ailment: Ailment) -> &'static str {
    match ailment {
        Ailment::Foreign => "give another file with `--journal PATH`",
        Ailment::Newer => "use that version, or `--fresh` to start over",
        Ailment::Damaged => "save what you can with SQLite's `.recover`, or use `--fresh` to start over",
        Ailment::Full => "make room and run the same command again: finished rows are kept",
        Ailment::ReadOnly => "check who may write to it, or give another file with `--journal PATH`",
        Ailment::Unopened => "check that its directory exists and may be written to",
        Ailment::Disk => {
            "nothing more was sent; check the disk and run the same command again: finished rows are kept"
        }
        Ailment::Held => "close what writes to it; reading it does no harm",
        Ailment::Unlockable => {
            "check that its directory exists and may be written to, or keep it elsewhere with `--journal PATH`"
        }
        Ailment::Locked => "wait for it to end, or keep another journal with `--journal PATH`",
        Ailment::NotLocal => "keep it on a local disk with `--journal PATH`",
        Ailment::Unremovable => "remove it yourself, or keep another journal with `--journal PATH`",
        Ailment::Defect => "this is a bug in rowcall: please report it; finished rows are kept",
        Ailment::Other => "keep another journal with `--journal PATH`",
    }
}
