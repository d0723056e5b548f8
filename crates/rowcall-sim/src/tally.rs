//! How often each of a very large number of 64-bit hashes was seen, at eight to thirteen bytes per hash. Owns the
//! table; the callers decide what is hashed and why.

const SHARDS: usize = 256;
const COUNT: u64 = 0xff;

/// Counts per hash up to 255.
///
/// The low eight bits of a hash choose a shard and are not stored; the entry stores the count in their place. Shards
/// grow one by one, so there are never two copies of the whole table.
#[derive(Debug)]
pub(crate) struct Tally {
    shards: Vec<Shard>,
}

/// Open addressing with linear probing; an entry of 0 is free.
#[derive(Debug, Default)]
struct Shard {
    entries: Vec<u64>,
    used: usize,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect() }
    }

    /// Adds one to `hash`; returns how often it had been seen before, at most 255.
    pub(crate) fn add(&mut self, hash: u64) -> u8 {
        self.shards.get_mut((hash & COUNT) as usize).map_or(0, |shard| shard.add(hash & !COUNT))
    }

    /// How often `hash` has been seen, at most 255.
    pub(crate) fn count(&self, hash: u64) -> u8 {
        let entry = self.shards.get((hash & COUNT) as usize).and_then(|shard| shard.get(hash & !COUNT));
        entry.map_or(0, |entry| (entry & COUNT) as u8)
    }

    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.entries.capacity() * 8).sum()
    }
}

impl Shard {
    fn add(&mut self, key: u64) -> u8 {
        if (self.used + 1) * 8 > self.entries.len() * 7 {
            self.grow();
        }
        match self.slot(key) {
            Some(entry) if *entry == 0 => {
                *entry = key | 1;
                self.used += 1;
                0
            }
            Some(entry) => {
                let before = (*entry & COUNT) as u8;
                *entry = key | u64::from(before.saturating_add(1));
                before
            }
            None => 0,
        }
    }

    fn get(&self, key: u64) -> Option<u64> {
        probe(key, self.entries.len())
            .filter_map(|at| self.entries.get(at).copied())
            .take_while(|entry| *entry != 0)
            .find(|entry| entry & !COUNT == key)
    }

    /// The entry of `key`, or the free one where it belongs.
    fn slot(&mut self, key: u64) -> Option<&mut u64> {
        let taken = |entry: u64| entry != 0 && entry & !COUNT != key;
        let at =
            probe(key, self.entries.len()).find(|at| self.entries.get(*at).is_some_and(|e| !taken(*e)))?;
        self.entries.get_mut(at)
    }

    fn grow(&mut self) {
        let capacity = (self.entries.len() + self.entries.len() / 4).max(8);
        let before = std::mem::replace(&mut self.entries, vec![0; capacity]);
        for entry in before.into_iter().filter(|entry| *entry != 0) {
            if let Some(slot) = self.slot(entry & !COUNT) {
                *slot = entry;
            }
        }
    }
}

/// Every index of a table of `length` entries, beginning where `key` belongs.
fn probe(key: u64, length: usize) -> impl Iterator<Item = usize> {
    let home = ((u128::from(key) * length as u128) >> 64) as usize;
    (home..length).chain(0..home)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::hash;

    #[test]
    fn counts_up_to_255() {
        let mut tally = Tally::new();
        for n in 0..300_u32 {
            assert_eq!(u32::from(tally.add(42)), n.min(255));
        }
        assert_eq!(tally.count(42), 255);
        assert_eq!(tally.count(42 + 256), 0);
    }

    #[test]
    fn a_million_hashes_fit_in_fourteen_megabytes() {
        let mut tally = Tally::new();
        let hashes = || (0..1_000_000_u32).map(|n| hash(0, &n.to_le_bytes()));
        assert!(hashes().all(|hash| tally.add(hash) == 0));
        assert!(hashes().all(|hash| tally.count(hash) == 1));
        assert!(tally.bytes() < 14 << 20, "{} bytes", tally.bytes());
    }
}
