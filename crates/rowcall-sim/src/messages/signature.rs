//! Signs the simulator's thoughts, and recognises its signatures.

use crate::chance::hash;

/// The signature of a thought that the simulator issued.
pub(super) fn signature(number: u64) -> String {
    format!("RXNpbQ{number:016x}{:016x}", hash(number, b"a simulated thought"))
}

/// Whether the signature is one of the simulator's.
pub(super) fn is_signature(text: &str) -> bool {
    let number = text.strip_prefix("RXNpbQ").and_then(|rest| rest.get(..16));
    number
        .and_then(|number| u64::from_str_radix(number, 16).ok())
        .is_some_and(|number| signature(number) == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_simulators_signatures_are_accepted() {
        assert!(is_signature(&signature(7)));
        for foreign in ["", "EqQB", "RXNpbQ", &signature(7).replace('7', "8"), "RXNpbQé000000000000000"] {
            assert!(!is_signature(foreign), "{foreign}");
        }
    }
}
