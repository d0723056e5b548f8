//! The journal as a kind of SQLite file, and the hints for problems with one.

use crate::hint::{Hint, Setting};
use crate::sqlite::{Ailment, Kind};

/// A journal: marked by the ASCII letters `rowc`. Format 1 had no examples or images; up to format 2 the output limit was part of
/// the keys.
pub(super) const JOURNAL: Kind = Kind { noun: "journal", application: 0x726f_7763, format: 3, hint };

fn hint(ailment: Ailment) -> Hint {
    let start_over =
        |otherwise: &str| Hint::from(format!("{otherwise}, or start over with ")).with(Setting::Fresh.on());
    let elsewhere = |hint: &str| Hint::from(format!("{hint} with ")).with(Setting::Journal.like("PATH"));
    match ailment {
        Ailment::Foreign => elsewhere("give another file"),
        Ailment::Newer => start_over("use that version"),
        Ailment::Damaged => start_over("save what you can with SQLite's `.recover`"),
        Ailment::Full => "make room and run the same command again: finished rows are kept".into(),
        Ailment::ReadOnly => elsewhere("check who may write to it, or give another file"),
        Ailment::Unopened => "check that its directory exists and may be written to".into(),
        Ailment::Disk => {
            "nothing more was sent; check the disk and run the same command again: finished rows are kept"
                .into()
        }
        Ailment::Held => "close what writes to it; reading it does no harm".into(),
        Ailment::Unlockable => {
            elsewhere("check that its directory exists and may be written to, or keep it elsewhere")
        }
        Ailment::Locked => elsewhere("wait for it to end, or keep another journal"),
        Ailment::NotLocal => elsewhere("keep it on a local disk"),
        Ailment::Unremovable => elsewhere("remove it yourself, or keep another journal"),
        Ailment::Defect => "this is a bug in rowcall: please report it; finished rows are kept".into(),
        Ailment::Other => elsewhere("keep another journal"),
    }
}
