//! Compares two outputs of the same rows.

use std::collections::BTreeMap;

use crate::people;

/// How many rows of `expected` are missing in `found`, and how many lines of `found` differ from `expected`; both are
/// 0 only for identical texts.
pub(super) fn difference(expected: &str, found: &str) -> (u64, u64) {
    if expected == found {
        return (0, 0);
    }
    let rows = |text: &'_ str| -> BTreeMap<Option<u64>, String> {
        text.lines().map(|line| (people::row(line), line.to_owned())).collect()
    };
    let (expected_rows, found_rows) = (rows(expected), rows(found));
    let lost = expected_rows.keys().filter(|row| !found_rows.contains_key(row)).count();
    let other = found_rows.iter().filter(|(row, line)| expected_rows.get(row) != Some(line)).count();
    let doubled = found.lines().count() - found_rows.len();
    let wrong = match (lost, other + doubled) {
        // All lines are there once: some are out of order, or the last one is incomplete.
        (0, 0) => expected.lines().zip(found.lines()).filter(|(one, other)| one != other).count().max(1),
        (_, wrong) => wrong,
    };
    (lost as u64, wrong as u64)
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn only_identical_texts_have_no_difference() {
        let expected = "[row 0] a\n[row 1] b\n[row 2] c\n";
        for (found, difference_of_it) in [
            (expected, (0, 0)),
            ("[row 0] a\n[row 2] c\n", (1, 0)),
            ("[row 0] a\n[row 1] x\n[row 2] c\n", (0, 1)),
            ("[row 0] a\n[row 1] b\n[row 1] b\n[row 2] c\n", (0, 1)),
            ("[row 1] b\n[row 0] a\n[row 2] c\n", (0, 2)),
            ("[row 0] a\n[row 1] b\n[row 2] c", (0, 1)),
            ("[row 0] a\n[row 1] b\n[ro", (1, 1)),
            ("", (3, 0)),
        ] {
            assert_eq!(difference(expected, found), difference_of_it, "{found}");
        }
    }
}
