//! Estimates the number of tokens in a text.

/// A plain estimate of tokens: a quarter of the bytes, rounded up, at least 1.
pub(crate) fn tokens(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(4).max(1)
}
