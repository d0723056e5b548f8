//! A sample of rows, stratified by prompt length: which rows are asked first, and what their costs say about all rows. Pure:
//! `sample.rs` reads the rows and asks.

use std::ops::Range;

/// The ratio of the longest to the shortest prompt within one class.
const STEP: f64 = 1.25;

/// The minimum number of sampled rows in a stratum: fewer say nothing about their variance.
const FEWEST_ROWS: usize = 4;

/// Widens the interval on both sides: a variance that few rows show is too small more often than too large.
const WIDENING: f64 = 1.15;

/// How many rows the variance of all strata together counts as, beside that of a stratum itself: four rows say little about it.
const SHARED_ROWS: f64 = 4.0;

/// The cost of a row of a kind that the sample may have missed, relative to what it would have been, less one: a row that is asked three
/// times. The upper bound allows for one such row beside those of the sample.
const UNSEEN: f64 = 2.0;

/// What skewness adds to the upper bound, in standard deviations. Costs are skewed, since a few rows are long, re-asked or retried, so a
/// sample is far more often too cheap than too expensive. The first term of the Cornish-Fisher expansion at 95 % is (2 z² + 1) / 6; a
/// sample shows about half of the skewness.
const SKEWING: f64 = 2.0 * (2.0 * 1.96 * 1.96 + 1.0) / 6.0;

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
        let means: Vec<f64> = costs.iter().map(|costs| mean(costs)).collect();
        let all = self.strata.iter().map(|stratum| stratum.rows as f64);
        let likely = all.zip(&means).map(|(all, mean)| all * mean).sum();
        let seen = Residuals::of(costs, &means);
        let below = self.spread(costs, &means, &seen);
        let above = self.spread(costs, &means, &seen.with(UNSEEN));
        let classes = self.strata.iter().map(|stratum| stratum.classes.clone()).collect();
        let low = likely - WIDENING * below.quantile * below.deviation;
        let high = likely + (WIDENING * above.quantile + SKEWING * above.skewness) * above.deviation;
        Projection { means, classes, likely, low: low.max(0.0), high }
    }

    /// The distribution of the projected cost about the real one.
    fn spread(&self, costs: &[Vec<f64>], means: &[f64], residuals: &Residuals) -> Spread {
        let (mut variance, mut freedom, mut third) = (0.0, 0.0, 0.0);
        for ((stratum, costs), mean) in self.strata.iter().zip(costs).zip(means) {
            if costs.is_empty() {
                continue;
            }
            let (all, sampled) = (stratum.rows as f64, costs.len() as f64);
            let own: f64 = costs.iter().map(|cost| (cost - mean).powi(2)).sum();
            let rows = sampled - 1.0 + SHARED_ROWS;
            let of_row = (own + SHARED_ROWS * residuals.variance * mean * mean) / rows;
            // Sampled rows are known, so a fully sampled stratum adds no variance.
            let unknown = (1.0 - sampled / all).max(0.0);
            let of_stratum = all * all * unknown * of_row / sampled;
            variance += of_stratum;
            freedom += of_stratum * of_stratum / rows;
            third += all.powi(3) * unknown * residuals.skewness * of_row.powf(1.5) / (sampled * sampled);
        }
        if variance <= 0.0 {
            return Spread { deviation: 0.0, quantile: student(f64::INFINITY), skewness: 0.0 };
        }
        // The Welch–Satterthwaite degrees of freedom, but not more than the sample has.
        let freedom = (variance * variance / freedom).min(residuals.freedom.max(1.0));
        let deviation = variance.sqrt();
        Spread { deviation, quantile: student(freedom), skewness: third / variance.powf(1.5) }
    }
}

/// How an estimate may deviate.
struct Spread {
    /// The standard deviation.
    deviation: f64,
    /// How many deviations 95 % of the cases are within, if the distribution is symmetric.
    quantile: f64,
    skewness: f64,
}

/// How sampled rows deviate from the mean of their stratum, relative to that mean.
#[derive(Debug, Clone)]
struct Residuals {
    variance: f64,
    freedom: f64,
    skewness: f64,
    all: Vec<f64>,
}

impl Residuals {
    fn of(costs: &[Vec<f64>], means: &[f64]) -> Self {
        let (mut squares, mut freedom, mut all) = (0.0, 0.0, Vec::new());
        for (costs, mean) in costs.iter().zip(means).filter(|(costs, mean)| costs.len() > 1 && **mean > 0.0) {
            let sampled = costs.len() as f64;
            freedom += sampled - 1.0;
            for cost in costs {
                let residual = (cost - mean) / mean;
                squares += residual * residual;
                all.push(residual * (sampled / (sampled - 1.0)).sqrt());
            }
        }
        let variance = if freedom > 0.0 { squares / freedom } else { 0.0 };
        Self { variance, freedom, skewness: skewness(&all), all }
    }

    /// The same with another row that deviates this much.
    fn with(&self, residual: f64) -> Self {
        let mut all = self.all.clone();
        all.push(residual);
        let freedom = self.freedom + 1.0;
        let variance = (self.variance * self.freedom + residual * residual) / freedom;
        Self { variance, freedom, skewness: skewness(&all), all }
    }
}

fn mean(costs: &[f64]) -> f64 {
    if costs.is_empty() { 0.0 } else { costs.iter().sum::<f64>() / costs.len() as f64 }
}

/// The skewness of residuals; 0 if they are skewed downwards, which costs are not.
fn skewness(residuals: &[f64]) -> f64 {
    let moment =
        |power| residuals.iter().map(|residual| residual.powi(power)).sum::<f64>() / residuals.len() as f64;
    let variance: f64 = if residuals.is_empty() { 0.0 } else { moment(2) };
    if variance > 0.0 { (moment(3) / variance.powf(1.5)).max(0.0) } else { 0.0 }
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

    /// Rows of five kinds of data: length and cost of each.
    fn data(kind: usize, random: &mut fastrand::Rng) -> Vec<(usize, f64)> {
        let normal = |random: &mut fastrand::Rng| (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        (0..2_000)
            .map(|_| {
                let bytes = match kind {
                    // Sentences, articles of all lengths, and short rows with a few very long ones among them.
                    0 => 500.0 + 80.0 * normal(random),
                    1 => 2_000.0 * (0.9 * normal(random)).exp(),
                    2 if random.u8(0..50) == 0 => 30_000.0 + 10_000.0 * random.f64(),
                    2 => 700.0 + 100.0 * random.f64(),
                    // Rows whose answers vary much more than their prompts, and rows of which a few are retried several times.
                    _ => 300.0 + 50.0 * normal(random),
                };
                let bytes = bytes.max(100.0);
                let output = match kind {
                    3 => 60.0 * normal(random).exp(),
                    _ => 30.0 * (0.4 * normal(random)).exp() + bytes / 100.0,
                };
                let times = match kind {
                    4 if random.u8(0..25) == 0 => 6.0,
                    4 => 1.0,
                    // One row in twelve is re-asked.
                    _ if random.u8(0..12) == 0 => 2.0,
                    _ => 1.0,
                };
                (bytes as usize, times * (bytes / 4.0 * 0.15 + output * 0.60))
            })
            .collect()
    }

    #[test]
    fn the_interval_contains_the_cost_in_95_of_100_cases() {
        for (kind, wanted) in (0..5).flat_map(|kind| [(kind, 50), (kind, 100)]) {
            let (mut hits, mut widths, mut errors) = (0, Vec::new(), Vec::new());
            for seed in 0..200 {
                let mut random = fastrand::Rng::with_seed(7_000 + seed);
                let rows = data(kind, &mut random);
                let mut classes = Classes::new(wanted, seed);
                for row in &rows {
                    classes.add(row.0, || *row);
                }
                assert_eq!(classes.rows(), 2_000);
                let sample = classes.draw();
                let costs: Vec<Vec<f64>> = sample
                    .strata
                    .iter()
                    .map(|stratum| stratum.sampled.iter().map(|row| row.1).collect())
                    .collect();
                let sampled: usize = costs.iter().map(Vec::len).sum();
                assert!((wanted * 9 / 10..=wanted * 13 / 10).contains(&sampled), "{sampled}");
                let projection = sample.project(&costs);
                let bill: f64 = rows.iter().map(|row| row.1).sum();
                hits += u32::from((projection.low..=projection.high).contains(&bill));
                widths.push((projection.high - projection.low) / 2.0 / bill);
                errors.push((projection.likely / bill - 1.0).abs());
                let by_rows: f64 = rows.iter().map(|row| projection.of_row(row.0)).sum();
                assert!((by_rows / projection.likely - 1.0).abs() < 1e-9);
            }
            let average = mean(&widths);
            println!(
                "kind {kind}, {wanted} rows: {hits} of 200, ± {average:.3}, off by {:.3}",
                mean(&errors)
            );
            assert!(hits >= 190, "kind {kind}, {wanted} rows: {hits} of 200");
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
