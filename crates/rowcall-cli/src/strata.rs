//! A sample of rows, stratified by prompt length: which rows are asked first, and what their costs say about all rows. Pure:
//! `sample.rs` reads the rows and asks.

use std::ops::Range;

/// The ratio of the longest to the shortest prompt within one class.
const STEP: f64 = 1.25;

/// The minimum number of sampled rows in a stratum: fewer say nothing about their variance.
const FEWEST_ROWS: usize = 4;

/// Widens the interval. Costs are skewed, since a few rows are long or re-asked, so a sample is too cheap more often than Student's
/// distribution predicts; a tenth made up for that on three kinds of data.
const WIDENING: f64 = 1.1;

/// The population: items in classes of similar prompt length, each of which keeps a random subset.
#[derive(Debug)]
pub(crate) struct Classes<T> {
    wanted: usize,
    all: Vec<Class<T>>,
    random: fastrand::Rng,
}

#[derive(Debug)]
struct Class<T> {
    rows: u64,
    kept: Vec<T>,
}

/// A sample, by stratum, the shortest rows first.
#[derive(Debug)]
pub(crate) struct Sample<T> {
    pub(crate) strata: Vec<Stratum<T>>,
}

/// Rows of about the same length.
#[derive(Debug)]
pub(crate) struct Stratum<T> {
    /// The classes that it covers.
    classes: Range<usize>,
    /// How many rows it has.
    pub(crate) rows: u64,
    pub(crate) sampled: Vec<T>,
}

/// The cost of all rows, projected from a sample.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Projection {
    /// The mean cost of each stratum.
    means: Vec<f64>,
    classes: Vec<Range<usize>>,
    /// The likely cost of all rows, and the bounds of its 95 % confidence interval.
    pub(crate) likely: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl<T> Classes<T> {
    /// An empty population for a sample of `wanted` rows, deterministic for a seed.
    pub(crate) fn new(wanted: usize, seed: u64) -> Self {
        Self { wanted, all: Vec::new(), random: fastrand::Rng::with_seed(seed) }
    }

    /// Adds a row with a prompt of this many bytes. `item` is called only if the row is kept.
    pub(crate) fn add(&mut self, bytes: usize, item: impl FnOnce() -> T) {
        let at = class(bytes);
        while self.all.len() <= at {
            self.all.push(Class { rows: 0, kept: Vec::new() });
        }
        let Some(class) = self.all.get_mut(at) else { return };
        class.rows += 1;
        if class.kept.len() < self.wanted {
            class.kept.push(item());
            return;
        }
        // Reservoir sampling: each row of the class is kept with the same probability.
        let index = self.random.u64(0..class.rows);
        if let Some(kept) = usize::try_from(index).ok().and_then(|index| class.kept.get_mut(index)) {
            *kept = item();
        }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> u64 {
        self.all.iter().map(|class| class.rows).sum()
    }

    /// Draws the sample: strata of about equal size, of which those with longer prompts get more sampled rows, since their costs vary more.
    pub(crate) fn draw(mut self) -> Sample<T> {
        let all = self.rows();
        let wanted = self.wanted.min(usize::try_from(all).unwrap_or(usize::MAX));
        let most = (wanted / FEWEST_ROWS).max(1) as u64;
        let mut strata = Vec::new();
        let mut from = 0;
        let mut rows = 0;
        for at in 0..self.all.len() {
            rows += self.all[at].rows;
            let is_last = at + 1 == self.all.len();
            if rows > 0 && (is_last || rows >= all.div_ceil(most)) {
                strata.push(Stratum { classes: from..at + 1, rows, sampled: Vec::new() });
                (from, rows) = (at + 1, 0);
            }
        }
        let weight = |stratum: &Stratum<T>| {
            let middle = (stratum.classes.start + stratum.classes.end) as f64 / 2.0;
            stratum.rows as f64 * STEP.powf(middle / 2.0)
        };
        let sum: f64 = strata.iter().map(weight).sum();
        for stratum in &mut strata {
            let share = (wanted as f64 * weight(stratum) / sum).round() as usize;
            let rows = usize::try_from(stratum.rows).unwrap_or(usize::MAX);
            let size = share.max(FEWEST_ROWS).min(rows);
            stratum.sampled = self.take(stratum.classes.clone(), size);
        }
        Sample { strata }
    }

    /// `size` rows of these classes, each equally likely.
    fn take(&mut self, classes: Range<usize>, size: usize) -> Vec<T> {
        let mut taken = Vec::with_capacity(size);
        let mut left: Vec<_> = self.all[classes.clone()].iter().map(|class| class.rows).collect();
        while taken.len() < size {
            let all: u64 = left.iter().sum();
            if all == 0 {
                break;
            }
            let mut drawn = self.random.u64(0..all);
            for (rows, class) in left.iter_mut().zip(&mut self.all[classes.clone()]) {
                if drawn < *rows {
                    *rows -= 1;
                    if !class.kept.is_empty() {
                        let index = self.random.usize(0..class.kept.len());
                        taken.push(class.kept.swap_remove(index));
                    }
                    break;
                }
                drawn -= *rows;
            }
        }
        taken
    }
}

impl<T> Sample<T> {
    /// Projects the cost of all rows from the costs of the sampled ones, by stratum.
    pub(crate) fn project(&self, costs: &[Vec<f64>]) -> Projection {
        let (mut likely, mut variance, mut freedom) = (0.0, 0.0, 0.0);
        let mut means = Vec::with_capacity(costs.len());
        for (stratum, costs) in self.strata.iter().zip(costs) {
            let (all, sampled) = (stratum.rows as f64, costs.len() as f64);
            let mean = if costs.is_empty() { 0.0 } else { costs.iter().sum::<f64>() / sampled };
            means.push(mean);
            likely += all * mean;
            if costs.len() > 1 {
                let sample_variance =
                    costs.iter().map(|cost| (cost - mean).powi(2)).sum::<f64>() / (sampled - 1.0);
                // Sampled rows are known, so a fully sampled stratum adds no variance.
                let of_stratum = all * all * (1.0 - sampled / all).max(0.0) * sample_variance / sampled;
                variance += of_stratum;
                freedom += of_stratum * of_stratum / (sampled - 1.0);
            }
        }
        // The Welch–Satterthwaite degrees of freedom.
        let freedom = if freedom > 0.0 { variance * variance / freedom } else { f64::INFINITY };
        let half = WIDENING * student(freedom) * variance.sqrt();
        let classes = self.strata.iter().map(|stratum| stratum.classes.clone()).collect();
        Projection { means, classes, likely, low: (likely - half).max(0.0), high: likely + half }
    }
}

impl Projection {
    /// The likely cost of a row with a prompt of this many bytes.
    pub(crate) fn of_row(&self, bytes: usize) -> f64 {
        let class = class(bytes);
        let stratum = self.classes.iter().position(|classes| class < classes.end);
        let mean = stratum.and_then(|at| self.means.get(at)).or(self.means.last());
        mean.copied().unwrap_or_default()
    }
}

/// The class of a prompt with this many bytes.
fn class(bytes: usize) -> usize {
    ((bytes.max(1) as f64).ln() / STEP.ln()) as usize
}

/// The 97.5th percentile of Student's distribution, by its expansion about the normal distribution: within 2 % from three degrees of
/// freedom up.
fn student(freedom: f64) -> f64 {
    let (z, n) = (1.959_964_f64, freedom.max(1.0));
    let (z3, z5, z7) = (z.powi(3), z.powi(5), z.powi(7));
    z + (z3 + z) / (4.0 * n)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * n * n)
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * n * n * n)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of three kinds of data: length and cost of each.
    fn data(kind: usize, random: &mut fastrand::Rng) -> Vec<(usize, f64)> {
        let normal = |random: &mut fastrand::Rng| (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        (0..3_000)
            .map(|_| {
                let bytes = match kind {
                    // Sentences, articles of all lengths, and short rows with a few very long ones among them.
                    0 => 500.0 + 80.0 * normal(random),
                    1 => 2_000.0 * (0.9 * normal(random)).exp(),
                    _ if random.u8(0..50) == 0 => 30_000.0 + 10_000.0 * random.f64(),
                    _ => 700.0 + 100.0 * random.f64(),
                };
                let bytes = bytes.max(100.0);
                let output = 30.0 * (0.4 * normal(random)).exp() + bytes / 100.0;
                // One row in twelve is re-asked.
                let times = if random.u8(0..12) == 0 { 2.0 } else { 1.0 };
                (bytes as usize, times * (bytes / 4.0 * 0.15 + output * 0.60))
            })
            .collect()
    }

    #[test]
    fn the_interval_contains_the_cost_in_95_of_100_cases() {
        for kind in 0..3 {
            let (mut hits, mut widths, mut errors) = (0, Vec::new(), Vec::new());
            for seed in 0..200 {
                let mut random = fastrand::Rng::with_seed(7_000 + seed);
                let rows = data(kind, &mut random);
                let mut classes = Classes::new(100, seed);
                for row in &rows {
                    classes.add(row.0, || *row);
                }
                assert_eq!(classes.rows(), 3_000);
                let sample = classes.draw();
                let costs: Vec<Vec<f64>> = sample
                    .strata
                    .iter()
                    .map(|stratum| stratum.sampled.iter().map(|row| row.1).collect())
                    .collect();
                let sampled: usize = costs.iter().map(Vec::len).sum();
                assert!((90..=130).contains(&sampled), "{sampled}");
                let projection = sample.project(&costs);
                let bill: f64 = rows.iter().map(|row| row.1).sum();
                hits += u32::from((projection.low..=projection.high).contains(&bill));
                widths.push((projection.high - projection.low) / 2.0 / bill);
                errors.push((projection.likely / bill - 1.0).abs());
                let by_rows: f64 = rows.iter().map(|row| projection.of_row(row.0)).sum();
                assert!((by_rows / projection.likely - 1.0).abs() < 1e-9);
            }
            let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
            println!("kind {kind}: {hits} of 200, ± {:.3}, off by {:.3}", mean(&widths), mean(&errors));
            assert!(hits >= 190, "kind {kind}: {hits} of 200");
        }
    }

    #[test]
    fn a_sample_of_all_rows_is_exact_and_a_small_one_works() {
        for (rows, wanted) in [(1, 100), (7, 100), (50, 50), (3, 1)] {
            let mut classes = Classes::new(wanted, 1);
            (0..rows).for_each(|row: usize| classes.add(100 + 50 * row, || row));
            let sample = classes.draw();
            let costs: Vec<Vec<f64>> = sample
                .strata
                .iter()
                .map(|stratum| stratum.sampled.iter().map(|row| *row as f64).collect())
                .collect();
            let projection = sample.project(&costs);
            if costs.iter().map(Vec::len).sum::<usize>() == rows {
                let sum = (0..rows).sum::<usize>() as f64;
                assert!(
                    (projection.likely - sum).abs() < 1e-9 && (projection.high - projection.low).abs() < 1e-9
                );
            }
        }
        let nothing = Classes::<u8>::new(10, 1).draw();
        assert!(nothing.project(&[]).likely.abs() < f64::EPSILON);
    }

    #[test]
    fn students_distribution_matches_the_tables() {
        for (freedom, expected) in
            [(3.0, 3.182), (5.0, 2.571), (10.0, 2.228), (30.0, 2.042), (f64::INFINITY, 1.960)]
        {
            let found = student(freedom);
            assert!((found / expected - 1.0).abs() < 0.02, "{freedom}: {found}");
        }
    }
}
