//! The sample of a report: some rows of each stratum, so that rare ones are included.

use std::collections::BTreeMap;

use rowcall::{AttemptResult, Outcome, Result};
use serde::Serialize;

use super::sketch::Reservoir;
use super::story::{Lengths, Story, StoryReader};
use super::text::Escaped;

/// The most rows of a sample.
const MOST: usize = 200;

/// Texts are cut to this length at first; a page that is too large is made again with shorter ones.
pub(crate) const LENGTHS: Lengths = Lengths { text: 1_200, escaped: Escaped::Html };

/// The strata: rows by what happened to them.
#[derive(Debug, Default)]
pub(crate) struct Strata(BTreeMap<String, Reservoir>);

/// Some rows of each kind.
#[derive(Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) strata: Vec<Stratum>,
    pub(crate) rows: Vec<Sampled>,
}

/// Rows with the same history.
#[derive(Debug, Serialize)]
pub(crate) struct Stratum {
    pub(crate) name: String,
    /// How many rows there are.
    pub(crate) rows: u64,
    /// How many of them are in the sample.
    pub(crate) shown: usize,
}

/// A row of the sample.
#[derive(Debug, Serialize)]
pub(crate) struct Sampled {
    pub(crate) stratum: String,
    #[serde(flatten)]
    pub(crate) story: Story,
}

impl Strata {
    pub(crate) fn add(&mut self, outcome: &Outcome) {
        let is_fault = |result: &AttemptResult| matches!(result, AttemptResult::Fault { .. });
        let stratum = match &outcome.result {
            Err(failure) => format!("failed: {}", failure.kind.name()),
            Ok(_) if outcome.effort.prompts > 1 => "asked again".to_owned(),
            Ok(_) if outcome.history.iter().any(|attempt| is_fault(&attempt.result)) => "retried".to_owned(),
            Ok(_) if !outcome.repairs.is_empty() => "repaired".to_owned(),
            Ok(_) if outcome.from_cache => "from the cache".to_owned(),
            Ok(_) => "without trouble".to_owned(),
        };
        if let Some(rows) = self.0.get_mut(&stratum) {
            rows.add(outcome.index);
        } else {
            let mut rows = Reservoir::new(MOST);
            rows.add(outcome.index);
            self.0.insert(stratum, rows);
        }
    }

    /// Some rows of each kind: as many of each as there is room for.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(crate) fn sample(self, reader: &StoryReader<'_>) -> Result<Sample> {
        let sizes: Vec<u64> = self.0.values().map(Reservoir::seen).collect();
        let shares = shares(&sizes, MOST);
        let mut sample = Sample { strata: Vec::new(), rows: Vec::new() };
        for ((name, reservoir), share) in self.0.into_iter().zip(shares) {
            let rows = reservoir.seen();
            let drawn = reservoir.draw(share);
            sample.strata.push(Stratum { name: name.clone(), rows, shown: drawn.len() });
            for row in drawn {
                let story = reader.story(row, LENGTHS)?;
                sample.rows.extend(story.map(|story| Sampled { stratum: name.clone(), story }));
            }
        }
        Ok(sample)
    }
}

/// How many rows of each stratum to take so that `room` are taken in all: small strata are taken whole, the others equally.
fn shares(sizes: &[u64], room: usize) -> Vec<usize> {
    let mut shares = vec![0; sizes.len()];
    let mut left = room;
    loop {
        let open: Vec<usize> = (0..sizes.len()).filter(|at| (shares[*at] as u64) < sizes[*at]).collect();
        if left == 0 || open.is_empty() {
            return shares;
        }
        let each = (left / open.len()).max(1);
        for at in open {
            let wanted = usize::try_from(sizes[at]).unwrap_or(usize::MAX) - shares[at];
            let taken = each.min(wanted).min(left);
            shares[at] += taken;
            left -= taken;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_strata_are_shown_whole_and_large_ones_share_the_rest() {
        assert_eq!(shares(&[3, 1_000_000, 500], 200), [3, 99, 98]);
        assert_eq!(shares(&[3, 4], 200), [3, 4]);
        assert_eq!(shares(&[], 200), Vec::<usize>::new());
        assert_eq!(shares(&vec![9; 300], 200).iter().sum::<usize>(), 200);
    }
}
