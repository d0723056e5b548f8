//! A Bloom filter of fixed size for the keys in the journal: most new rows are recognised as new without reading the file.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::identity::Key;

/// 2 MiB of bits. With a million keys, about one new row in 500 is looked up unnecessarily.
const WORDS: usize = 1 << 18;

/// The number of bits that each key sets.
const PROBES: usize = 4;

/// The number of keys from which on almost every row would be looked up anyway.
pub(super) const MOST_KEYS: u64 = 4_000_000;

/// The keys that have been added, and some that have not.
pub(super) struct Filter(Vec<AtomicU64>);

impl fmt::Debug for Filter {
    /// Shows only the size.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").field("words", &self.0.len()).finish_non_exhaustive()
    }
}

impl Filter {
    /// A filter without keys.
    pub(super) fn empty() -> Self {
        Self((0..WORDS).map(|_| AtomicU64::new(0)).collect())
    }

    /// A filter that may contain any key.
    pub(super) fn full() -> Self {
        Self(Vec::new())
    }

    /// Adds a key.
    pub(super) fn add(&self, key: Key) {
        for (word, bit) in probes(key) {
            if let Some(word) = self.0.get(word) {
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
    }

    /// Whether the key may have been added; `false` is certain.
    pub(super) fn may_have(&self, key: Key) -> bool {
        probes(key)
            .all(|(word, bit)| self.0.get(word).is_none_or(|word| word.load(Ordering::Relaxed) & bit != 0))
    }
}

/// The positions of a key's bits: a key is a hash, so its own bytes are used.
fn probes(key: Key) -> impl Iterator<Item = (usize, u64)> {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(key.bytes());
    let hash = u128::from_le_bytes(bytes);
    (0..PROBES).map(move |n| {
        let part = (hash >> (n * 32)) as u32;
        ((part >> 6) as usize % WORDS, 1 << (part & 63))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_never_denied_and_what_was_not_seldom_affirmed() {
        let key = |n: u64| {
            let start = Key::from_bytes(&[7; 16]).expect("16 bytes");
            start.occurrence(n)
        };
        let filter = Filter::empty();
        (1..100_000).for_each(|n| filter.add(key(n)));
        assert!((1..100_000).all(|n| filter.may_have(key(n))));
        let wrong = (100_000..200_000).filter(|n| filter.may_have(key(*n))).count();
        assert!(wrong < 100, "{wrong} of 100,000");
        assert!(Filter::full().may_have(key(1)));
        assert_eq!(format!("{filter:?}"), format!("Filter {{ words: {WORDS}, .. }}"));
    }
}
