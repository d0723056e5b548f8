//! How the simulator signs its calls of functions, and whether it has signed one that comes back.

use crate::chance::hash;

/// What proves that a call was given out by the simulator, in Base64.
pub(super) fn signature(number: u64) -> String {
    format!("c2lt{number:016x}{:016x}", hash(number, b"a simulated call"))
}

/// Whether the simulator has signed like this.
pub(super) fn is_signature(text: &str) -> bool {
    let number = text.strip_prefix("c2lt").and_then(|rest| rest.get(..16));
    number
        .and_then(|number| u64::from_str_radix(number, 16).ok())
        .is_some_and(|number| signature(number) == text)
}
