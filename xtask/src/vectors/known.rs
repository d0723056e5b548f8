//! Our intended differences from the vectors: the last table of `docs/faults.md`, which is the only list of them.

use std::fs;

use crate::{Result, workspace};

const HEADING: &str = "## Where we differ from the vectors\n";

/// The table: the patterns in each line, and the line's reason.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) lines: Vec<(Vec<String>, String)>,
}

impl Known {
    /// Reads the table.
    ///
    /// # Errors
    /// If the document or its table does not exist.
    pub(super) fn read() -> Result<Self> {
        let path = workspace().join("docs/faults.md");
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        let known = Self::parse(&text);
        if known.lines.is_empty() {
            return Err(format!("`{}` has no table under `{}`", path.display(), HEADING.trim_end()));
        }
        Ok(known)
    }

    fn parse(document: &str) -> Self {
        let section = document.split_once(HEADING).map_or("", |(_, section)| section);
        let section = section.split("\n## ").next().unwrap_or_default();
        let lines = section.lines().filter(|line| line.starts_with('|')).skip(2);
        let lines = lines.filter_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let (first, last) = (cells.first()?, cells.last()?);
            // Every second piece is between backticks.
            let patterns = first.split('`').skip(1).step_by(2).map(str::to_owned);
            Some((patterns.collect(), (*last).to_owned()))
        });
        Self { lines: lines.collect() }
    }

    /// The reason for a case, or for what is special about it, if it is listed.
    pub(super) fn why(&self, name: &str) -> Option<&str> {
        let listed = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, name));
        self.lines.iter().find(|(patterns, _)| listed(patterns)).map(|(_, why)| why.as_str())
    }
}

/// Whether `name` matches `pattern`, in which `*` matches anything.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.filter_map(|at| rest.get(at..)).any(|rest| fits(tail, rest))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, fits};

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, expected) in [
            ("status_425_*", "status_425_true", true),
            ("status_425_*", "status_425_", true),
            ("status_425_*", "status_42_true", false),
            ("status_2*_true", "status_200_true", true),
            ("status_2*_true", "status_200_true_", false),
            ("*", "", true),
            ("*é", "éé", true),
            ("over_a_week", "over_a_week", true),
            ("over_a_week", "", false),
            ("", "", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern}: {name}");
        }
    }

    #[test]
    fn the_table_is_read() {
        let known = Known::parse(
            "## Where we differ from the vectors\nWords.\n\n| case | theirs | why |\n|---|---|---|\n\
             | `a_*`, `b` | 1 | because |\n\n## Next\n| `c` | 2 | no |\n",
        );
        assert_eq!(
            ["a_1", "b", "c", ""].map(|name| known.why(name)),
            [Some("because"), Some("because"), None, None]
        );
    }
}
