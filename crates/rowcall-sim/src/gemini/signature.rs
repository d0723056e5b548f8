//! Signs the simulator's function calls, and recognises its signatures.

use crate::chance::hash;

/// The signature of a call that the simulator issued, in Base64.
pub(super) fn signature(number: u64) -> String {
    format!("c2lt{number:016x}{:016x}", hash(number, b"a simulated call"))
}

/// Whether the signature is one of the simulator's.
pub(super) fn is_signature(text: &str) -> bool {
    let number = text.strip_prefix("c2lt").and_then(|rest| rest.get(..16));
    number
        .and_then(|number| u64::from_str_radix(number, 16).ok())
        .is_some_and(|number| signature(number) == text)
}
