//! Summaries of many values in bounded memory: distinct counts, frequent values, distributions of numbers, samples, the largest.
//! All are deterministic.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The number of hashes kept to estimate distinct counts, with a standard error of 1.6 %.
const HASHES: usize = 4_096;

/// The maximum number of values whose frequencies are tracked.
const FREQUENT: usize = 512;

/// The number of distinct numbers that are kept exactly.
const EXACT: usize = 2_048;

/// Beyond that, the number of classes from a number to its double: each is about 1 % wide.
const CLASSES_PER_OCTAVE: f64 = 64.0;

/// The seed of the samples: the same journal gives the same report.
const SEED: u64 = 7;

/// Counts distinct values: exactly below 4,096, else estimated from the smallest hashes.
#[derive(Debug, Default)]
pub(crate) struct Distinct(BTreeSet<u64>);

impl Distinct {
    pub(crate) fn add(&mut self, value: &str) {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        let hash = hasher.finish();
        if self.0.len() < HASHES {
            self.0.insert(hash);
        } else if self.0.last().is_some_and(|last| hash < *last) && self.0.insert(hash) {
            self.0.pop_last();
        }
    }

    /// The count, and whether it is exact.
    pub(crate) fn count(&self) -> (u64, bool) {
        match self.0.last() {
            Some(last) if self.0.len() == HASHES => {
                let share = (*last as f64 + 1.0) / (u64::MAX as f64 + 1.0);
                (((HASHES - 1) as f64 / share).round() as u64, false)
            }
            Some(_) | None => (self.0.len() as u64, true),
        }
    }
}

/// Frequent values by the algorithm of Misra and Gries: exact up to 512 distinct values; beyond that a count may be too small by up to
/// [`Frequent::error`], never too large.
#[derive(Debug, Default)]
pub(crate) struct Frequent {
    counts: HashMap<String, u64>,
    error: u64,
}

impl Frequent {
    pub(crate) fn add(&mut self, value: &str) {
        if let Some(count) = self.counts.get_mut(value) {
            *count += 1;
            return;
        }
        if self.counts.len() == FREQUENT {
            self.error += 1;
            self.counts.retain(|_, count| {
                *count -= 1;
                *count > 0
            });
        } else {
            self.counts.insert(value.to_owned(), 1);
        }
    }

    /// The maximum error of a count.
    pub(crate) fn error(&self) -> u64 {
        self.error
    }

    /// The most frequent values, without those too rare to rank.
    pub(crate) fn top(&self, most: usize) -> Vec<(String, u64)> {
        let mut all: Vec<_> = self.counts.iter().filter(|(_, count)| **count > self.error.min(1)).collect();
        all.sort_by(|(a, m), (b, n)| n.cmp(m).then(a.cmp(b)));
        all.into_iter().take(most).map(|(value, count)| (value.clone(), *count)).collect()
    }
}

/// The distribution of numbers.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    count: u64,
    sum: f64,
    /// The least and the greatest.
    range: Option<(f64, f64)>,
    /// The count of each number or class, by the number or the middle of the class.
    counts: BTreeMap<Ordered, u64>,
    is_coarse: bool,
    has_fractions: bool,
}

/// A number with an order.
#[derive(Debug, Clone, Copy)]
struct Ordered(f64);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// A histogram's bar: its range and its count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bar {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) count: u64,
}

impl Numbers {
    pub(crate) fn add(&mut self, number: f64) {
        if !number.is_finite() {
            return;
        }
        self.count += 1;
        self.sum += number;
        let (least, greatest) = self.range.unwrap_or((number, number));
        self.range = Some((least.min(number), greatest.max(number)));
        self.has_fractions |= number.fract() != 0.0;
        let key = if self.is_coarse { class(number) } else { number };
        *self.counts.entry(Ordered(key)).or_default() += 1;
        if !self.is_coarse && self.counts.len() > EXACT {
            self.is_coarse = true;
            for (Ordered(number), count) in std::mem::take(&mut self.counts) {
                *self.counts.entry(Ordered(class(number))).or_default() += count;
            }
        }
    }

    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// The least and the greatest number.
    pub(crate) fn range(&self) -> Option<(f64, f64)> {
        self.range
    }

    /// The number that this share (0 to 1) of all did not exceed, to about 1 % where many differ.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let (least, greatest) = self.range?;
        let mut left = ((self.count as f64 * share).ceil() as u64).max(1);
        for (Ordered(number), count) in &self.counts {
            if left <= *count {
                return Some(number.clamp(least, greatest));
            }
            left -= count;
        }
        Some(greatest)
    }

    /// About `bars` bars of equal width over the range of nearly all numbers, and the count of numbers beyond it.
    pub(crate) fn histogram(&self, bars: usize) -> (Vec<Bar>, u64) {
        let Some((least, greatest)) = self.range else { return (Vec::new(), 0) };
        let (low, high) = (self.quantile(0.005).unwrap_or(least), self.quantile(0.995).unwrap_or(greatest));
        // A few far-off numbers would leave one bar for all others.
        let is_wide = greatest - least > 3.0 * (high - low) && high > low;
        let (low, high) = if is_wide { (low, high) } else { (least, greatest) };
        let step = nice((high - low) / bars as f64, self.has_fractions);
        let first = (low / step).floor();
        let last = (high / step).floor();
        let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
        let mut beyond = 0;
        for (Ordered(number), count) in &self.counts {
            let at = (number / step).floor();
            if at < first || at > last {
                beyond += count;
            } else {
                *counts.entry((at - first) as i64).or_default() += count;
            }
        }
        let bar = |at: i64| {
            let from = (first + at as f64) * step;
            Bar { from, to: from + step, count: counts.get(&at).copied().unwrap_or_default() }
        };
        ((0..=(last - first) as i64).take(2 * bars + 2).map(bar).collect(), beyond)
    }
}

/// The middle of the class that a number belongs to.
fn class(number: f64) -> f64 {
    if number == 0.0 {
        return 0.0;
    }
    let class = (number.abs().log2() * CLASSES_PER_OCTAVE).floor();
    ((class + 0.5) / CLASSES_PER_OCTAVE).exp2().copysign(number)
}

/// The next step of 1, 2 or 5 times a power of ten; whole where all numbers are.
fn nice(step: f64, has_fractions: bool) -> f64 {
    if !step.is_finite() || step <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= step * 0.999);
    let nice = factor.unwrap_or(10.0) * power;
    if has_fractions { nice } else { nice.max(1.0) }
}

/// Some of many rows, each as likely as any other.
#[derive(Debug)]
pub(crate) struct Reservoir {
    most: usize,
    seen: u64,
    rows: Vec<u64>,
    chance: fastrand::Rng,
}

impl Reservoir {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, seen: 0, rows: Vec::new(), chance: fastrand::Rng::with_seed(SEED) }
    }

    pub(crate) fn add(&mut self, row: u64) {
        self.seen += 1;
        if self.rows.len() < self.most {
            self.rows.push(row);
        } else if let Some(place) = self.rows.get_mut(self.chance.u64(..self.seen) as usize) {
            *place = row;
        }
    }

    /// The number of rows that it was drawn from.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// At most `most` of the rows, in order.
    pub(crate) fn draw(mut self, most: usize) -> Vec<u64> {
        self.chance.shuffle(&mut self.rows);
        self.rows.truncate(most);
        self.rows.sort_unstable();
        self.rows
    }
}

/// The rows with the largest sizes.
#[derive(Debug)]
pub(crate) struct Largest {
    most: usize,
    heap: BinaryHeap<Reverse<(u64, Reverse<u64>)>>,
}

impl Largest {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, heap: BinaryHeap::new() }
    }

    pub(crate) fn add(&mut self, size: u64, row: u64) {
        let is_larger = self.heap.peek().is_none_or(|Reverse((least, _))| size > *least);
        if size > 0 && (is_larger || self.heap.len() < self.most) {
            self.heap.push(Reverse((size, Reverse(row))));
            if self.heap.len() > self.most {
                self.heap.pop();
            }
        }
    }

    /// The rows, the one with the largest first.
    pub(crate) fn rows(self) -> Vec<u64> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse((_, Reverse(row)))| row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_counted_exactly_and_many_to_some_percent() {
        let mut distinct = Distinct::default();
        (0..4_000).for_each(|n| distinct.add(&(n % 4_000).to_string()));
        assert_eq!(distinct.count(), (4_000, true));
        (0..200_000).for_each(|n| distinct.add(&n.to_string()));
        let (count, is_exact) = distinct.count();
        assert!(!is_exact && count.abs_diff(200_000) < 12_000, "{count}");
    }

    #[test]
    fn what_is_frequent_stands_out_of_what_is_not() {
        let mut frequent = Frequent::default();
        for n in 0..30_000 {
            frequent.add(&n.to_string());
            frequent.add(if n % 3 == 0 { "often" } else { "oftener" });
        }
        let top = frequent.top(2);
        assert_eq!(top.iter().map(|(value, _)| value.as_str()).collect::<Vec<_>>(), ["oftener", "often"]);
        assert!(top[0].1 <= 20_000 && top[0].1 + frequent.error() >= 20_000, "{top:?}");
    }

    #[test]
    fn numbers_have_the_shape_that_they_have() {
        let mut numbers = Numbers::default();
        (0..100_000).for_each(|n| numbers.add(f64::from(n % 50)));
        let (bars, beyond) = numbers.histogram(25);
        assert!(bars.iter().all(|bar| bar.count == 4_000), "{bars:?}");
        assert_eq!(
            (bars.len(), beyond, numbers.quantile(0.5), numbers.mean()),
            (25, 0, Some(24.0), Some(24.5))
        );
        let mut many = Numbers::default();
        (0..100_000).for_each(|n| many.add(f64::from(n) / 7.0));
        many.add(1e18);
        let (bars, beyond) = many.histogram(20);
        assert!(beyond < 1_100 && bars.len() <= 42, "{beyond} {}", bars.len());
        assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>() + beyond, 100_001);
        assert!(Numbers::default().histogram(20).0.is_empty());
    }

    #[test]
    fn a_sample_is_the_same_each_time_and_of_all_rows() {
        let drawn = || {
            let mut reservoir = Reservoir::new(200);
            (0..10_000).for_each(|row| reservoir.add(row));
            assert_eq!(reservoir.seen(), 10_000);
            reservoir.draw(100)
        };
        assert_eq!(drawn(), drawn());
        assert_eq!(drawn().len(), 100);
        assert!(drawn().iter().any(|row| *row > 9_000) && drawn().iter().any(|row| *row < 1_000));
    }

    #[test]
    fn the_largest_come_first() {
        let mut largest = Largest::new(3);
        for (size, row) in [(5, 0), (9, 1), (1, 2), (9, 3), (0, 4)] {
            largest.add(size, row);
        }
        assert_eq!(largest.rows(), [1, 3, 0]);
    }
}
