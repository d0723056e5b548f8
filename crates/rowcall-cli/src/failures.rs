//! Why rows failed, where they are, and how to ask about them again: told at the end of a run. Numbers are the engine's.

use std::path::Path;

use indicatif::HumanCount;
use rowcall::{FailureKind, ReasonCount, Stats};

/// The most reasons that are shown.
const MOST: usize = 8;

/// The longest message that is shown, in characters.
const LONGEST: usize = 300;

/// Where failed rows are found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'p> {
    pub(crate) output: Option<&'p Path>,
    /// The file that has nothing but failed rows.
    pub(crate) failed: Option<&'p Path>,
    pub(crate) journal: Option<&'p Path>,
}

/// The reasons for which rows failed, the commonest first, each with its count and an example, and the command that asks again; `None`
/// if no row failed.
pub(crate) fn failures(stats: &Stats, places: Places<'_>) -> Option<String> {
    let counts = stats.reasons.by_rows();
    let shown = counts.iter().take(MOST).map(|count| line(count));
    let mut lines: Vec<String> = shown.collect();
    if lines.is_empty() {
        return None;
    }
    let further = counts.get(MOST..).unwrap_or_default();
    if !further.is_empty() {
        let rows: u64 = further.iter().map(|count| count.rows).sum();
        lines.push(format!("{} for {} other reasons", rows_of(rows), further.len()));
    }
    lines.push(found(places));
    if let Some(journal) = places.journal {
        lines.extend(way_on(&counts, journal));
    }
    Some(format!("failed    {}", lines.join("\n          ")))
}

/// The command that asks again, if there is a row that can be asked about.
fn way_on(counts: &[&ReasonCount], journal: &Path) -> Option<String> {
    let has = |wanted: FailureKind| counts.iter().any(|count| count.reason.kind == wanted);
    let cannot_be_asked = |count: &&&ReasonCount| match count.reason.kind {
        FailureKind::Input | FailureKind::Clash => true,
        FailureKind::Template
        | FailureKind::Attachment
        | FailureKind::Invalid
        | FailureKind::Refusal
        | FailureKind::Truncated
        | FailureKind::ContentFilter
        | FailureKind::Fault(_) => false,
    };
    let never: u64 = counts.iter().filter(cannot_be_asked).map(|count| count.rows).sum();
    let all: u64 = counts.iter().map(|count| count.rows).sum();
    let whom = match never {
        0 => "them",
        _ if never == all => return None,
        _ => "the others",
    };
    let cut = if has(FailureKind::Truncated) { " --max-output-tokens TOKENS" } else { "" };
    // The template that has failed for a row fails again.
    let prompt = if has(FailureKind::Template) { " --prompt TEMPLATE" } else { "" };
    let but = match never {
        0 => String::new(),
        _ => format!("; {} cannot be asked about", rows_of(never)),
    };
    Some(format!("`rowcall rerun {}{cut}{prompt}` asks about {whom} again{but}", quoted(journal)))
}

fn line(count: &ReasonCount) -> String {
    let ReasonCount { reason, rows, example } = count;
    let mut message: String = reason.message.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = message.char_indices().nth(LONGEST) {
        message.truncate(end);
        message.push('…');
    }
    let kind = reason.kind.name();
    // The message of a fault begins with its status and kind.
    let kind = if message.contains(kind) { String::new() } else { format!("{kind}: ") };
    let hint = reason.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{}: {kind}{message} (row {example}){hint}", rows_of(*rows))
}

fn found(places: Places<'_>) -> String {
    let output = match places.output {
        Some(output) => format!("failed rows have `_error` in `{}`", output.display()),
        None => "failed rows have `_error` in the output".to_owned(),
    };
    match places.failed {
        Some(failed) => format!("{output} and stand in `{}`", failed.display()),
        None => output,
    }
}

fn rows_of(rows: u64) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{} rows", HumanCount(rows)) }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = text.chars().all(|c| c.is_alphanumeric() || "/._-+,:@".contains(c));
    if is_plain && !text.starts_with('-') { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use rowcall::event::{Event, EventKind, KnownFrom};
    use rowcall::{FaultKind, Reason};

    use super::*;

    #[test]
    fn reasons_are_told_once_with_an_example_and_a_way_on() {
        let mut stats = Stats::default();
        let mut fail = |row, kind, message: &str, hint| {
            let failure = Some(Reason { kind, message: message.into(), hint });
            stats.apply(&Event { row, kind: EventKind::Known { failure, from: KnownFrom::Journal } });
        };
        let refused = FailureKind::Fault(FaultKind::InvalidRequest);
        for row in 3..2003 {
            fail(row, refused, &format!("400 invalid_request: no\n model {row}"), None);
        }
        fail(
            1,
            FailureKind::Truncated,
            "the answer was cut at 100 tokens",
            Some("raise `--max-output-tokens`"),
        );
        let (output, journal) = (Path::new("out.jsonl"), Path::new("my out.jsonl.journal"));
        let places = Places { output: Some(output), failed: None, journal: Some(journal) };
        assert_eq!(
            failures(&stats, places).expect("rows failed"),
            "failed    2,000 rows: 400 invalid_request: no model 3 (row 3)\n          \
             1 row: truncated: the answer was cut at 100 tokens (row 1); raise `--max-output-tokens`\n          \
             failed rows have `_error` in `out.jsonl`\n          \
             `rowcall rerun 'my out.jsonl.journal' --max-output-tokens TOKENS` asks about them again"
        );
        assert_eq!(failures(&Stats::default(), places), None);
    }

    #[test]
    fn what_cannot_ask_a_row_again_is_not_advised() {
        let journal = Path::new("j");
        for (kinds, expected) in [
            (&[FailureKind::Invalid][..], Some("`rowcall rerun j` asks about them again")),
            (&[FailureKind::Template], Some("`rowcall rerun j --prompt TEMPLATE` asks about them again")),
            (
                &[FailureKind::Template, FailureKind::Truncated],
                Some("`rowcall rerun j --max-output-tokens TOKENS --prompt TEMPLATE` asks about them again"),
            ),
            (
                &[FailureKind::Input, FailureKind::Refusal],
                Some("`rowcall rerun j` asks about the others again; 1 row cannot be asked about"),
            ),
            (&[FailureKind::Input, FailureKind::Clash], None),
        ] {
            let counts: Vec<_> = kinds
                .iter()
                .map(|kind| ReasonCount {
                    reason: Reason { kind: *kind, message: "m".into(), hint: None },
                    rows: 1,
                    example: 0,
                })
                .collect();
            let counts: Vec<_> = counts.iter().collect();
            assert_eq!(way_on(&counts, journal).as_deref(), expected, "{kinds:?}");
        }
    }
}
