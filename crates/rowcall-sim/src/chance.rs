//! Deterministic chance: the same seed and text always draw the same numbers. Owns hashing and drawing; what is drawn
//! is decided elsewhere.

const K0: u64 = 0x9e37_79b9_7f4a_7c15;
const K1: u64 = 0xd6e8_feb8_6659_fd93;
const K2: u64 = 0xa076_1d64_78bd_642f;

/// Multiplies to 128 bits and folds the halves together: every input bit reaches every output bit.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// A 64-bit hash of `bytes`; not for secrets.
pub(crate) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut state = fold(seed ^ K0, K1 ^ bytes.len() as u64);
    for chunk in bytes.chunks(16) {
        let (low, high) = chunk.split_at(chunk.len().min(8));
        state = fold(word(low) ^ state ^ K1, word(high) ^ K2);
    }
    fold(state ^ K2, K0)
}

fn word(bytes: &[u8]) -> u64 {
    let mut padded = [0; 8];
    for (to, from) in padded.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_le_bytes(padded)
}

/// A source from which any number of independent draws can be derived, by name or by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn of(seed: u64, text: &str) -> Self {
        Self(hash(seed, text.as_bytes()))
    }

    /// Another, independent chance for the purpose called `name`.
    pub(crate) fn at(self, name: &str) -> Self {
        Self(hash(self.0, name.as_bytes()))
    }

    /// Another, independent chance for the `n`th of several.
    pub(crate) fn nth(self, n: u64) -> Self {
        Self(fold(self.0 ^ K1, n.wrapping_add(K2)))
    }

    /// 64 bits, each equally likely.
    pub(crate) fn bits(self) -> u64 {
        fold(self.0 ^ K0, K2)
    }

    /// A number from 0 up to, not including, `end` (0 if `end` is 0).
    pub(crate) fn below(self, end: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64
    }

    /// A number from 0 up to, not including, 1.
    pub(crate) fn unit(self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A draw from the standard normal distribution (Box and Muller's method).
    pub(crate) fn normal(self) -> f64 {
        let radius = (-2.0 * (1.0 - self.nth(0).unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.nth(1).unit()).cos()
    }

    /// Four hexadecimal digits, which distinguish made-up strings.
    pub(crate) fn tag(self) -> String {
        format!("{:04x}", self.bits() >> 48)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_inputs_draw_equal_numbers() {
        let chance = Chance::of(1, "row");
        assert_eq!(chance, Chance::of(1, "row"));
        assert_ne!(chance, Chance::of(2, "row"));
        assert_ne!(chance, Chance::of(1, "row "));
        assert_ne!(hash(0, b"a"), hash(0, b"a\0"));
        assert_ne!(chance.at("age").bits(), chance.at("name").bits());
    }

    #[test]
    fn draws_are_uniform() {
        let mut tenths = [0_u32; 10];
        let mut sum = 0.0;
        for n in 0..10_000 {
            let chance = Chance::of(7, "x").nth(n);
            tenths[(chance.unit() * 10.0) as usize] += 1;
            assert!(chance.below(3) < 3);
            sum += chance.normal();
        }
        assert!(tenths.iter().all(|n| (850..1150).contains(n)), "{tenths:?}");
        assert!((sum / 10_000.0).abs() < 0.05);
    }
}
