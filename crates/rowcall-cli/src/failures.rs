//! The report on failed rows at the end of a run: why they failed, where they are, and how to retry them. Numbers are the engine's.

use std::path::Path;

use indicatif::HumanCount;
use rowcall::{FailureKind, ReasonCount, Stats};

use crate::flags;

/// The maximum number of reasons shown.
const MAX_REASONS: usize = 8;

/// The maximum length of a shown message, in characters.
const MAX_LENGTH: usize = 300;

/// The files that hold failed rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FailedRowFiles<'p> {
    pub(crate) output: Option<&'p Path>,
    /// The file with only the failed rows.
    pub(crate) failed: Option<&'p Path>,
    pub(crate) journal: Option<&'p Path>,
}

/// Why rows failed, the most common reason first, each with its count and an example, and the commands that show and retry them; `None` if no
/// row failed.
pub(crate) fn failures(stats: &Stats, files: FailedRowFiles<'_>) -> Option<String> {
    let counts = stats.reasons.by_rows();
    let shown = counts.iter().take(MAX_REASONS).map(|count| line(count));
    let mut lines: Vec<String> = shown.collect();
    if lines.is_empty() {
        return None;
    }
    let further = counts.get(MAX_REASONS..).unwrap_or_default();
    if !further.is_empty() {
        let rows: u64 = further.iter().map(|count| count.rows).sum();
        lines.push(format!("{} for {} other reasons", rows_of(rows), further.len()));
    }
    lines.push(where_found(files));
    if let Some(journal) = files.journal {
        let quoted = flags::quoted(&journal.display().to_string());
        lines.push(format!("`rowcall report {quoted}` shows them with prompts and answers"));
        lines.extend(retry_command(&counts, journal));
    }
    Some(format!("failed    {}", lines.join("\n          ")))
}

/// The command that retries failed rows, if any of them can be asked about.
fn retry_command(counts: &[&ReasonCount], journal: &Path) -> Option<String> {
    let has = |wanted: FailureKind| counts.iter().any(|count| count.reason.kind == wanted);
    let cannot_be_asked = |count: &&&ReasonCount| match count.reason.kind {
        FailureKind::Input | FailureKind::Encoding | FailureKind::Clash => true,
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
    let which = match never {
        0 => "them",
        _ if never == all => return None,
        _ => "the others",
    };
    let limit = if has(FailureKind::Truncated) { " --max-output-tokens TOKENS" } else { "" };
    // The same template would fail again.
    let prompt = if has(FailureKind::Template) { " --prompt TEMPLATE" } else { "" };
    let but = match never {
        0 => String::new(),
        _ => format!("; {} cannot be retried", rows_of(never)),
    };
    let journal = flags::quoted(&journal.display().to_string());
    Some(format!("`rowcall rerun {journal}{limit}{prompt}` retries {which}{but}"))
}

fn line(count: &ReasonCount) -> String {
    let ReasonCount { reason, rows, example } = count;
    let mut message: String = reason.message.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = message.char_indices().nth(MAX_LENGTH) {
        message.truncate(end);
        message.push('…');
    }
    // A fault's message already contains its kind.
    let is_fault = matches!(reason.kind, FailureKind::Fault(_));
    let kind = if is_fault { String::new() } else { format!("{}: ", reason.kind.name()) };
    let hint = reason.hint.as_ref().map(|hint| format!("; {}", flags::spelled(hint))).unwrap_or_default();
    format!("{}: {kind}{message} (row {example}){hint}", rows_of(*rows))
}

fn where_found(files: FailedRowFiles<'_>) -> String {
    let output = match files.output {
        Some(output) => format!("failed rows have `_error` in `{}`", output.display()),
        None => "failed rows have `_error` in the output".to_owned(),
    };
    match files.failed {
        Some(failed) => format!("{output} and are also in `{}`", failed.display()),
        None => output,
    }
}

fn rows_of(rows: u64) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{} rows", HumanCount(rows)) }
}

#[cfg(test)]
mod tests {
    use rowcall::event::{Event, EventKind, KnownFrom};
    use rowcall::{FaultKind, Hint, Reason, Setting};

    use super::*;

    #[test]
    fn each_reason_is_reported_once_with_an_example_and_a_command() {
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
            Some(Hint::from("raise ").with(Setting::MaxOutputTokens)),
        );
        let (output, journal) = (Path::new("out.jsonl"), Path::new("my out.jsonl.journal"));
        let files = FailedRowFiles { output: Some(output), failed: None, journal: Some(journal) };
        assert_eq!(
            failures(&stats, files).expect("rows failed"),
            "failed    2,000 rows: 400 invalid_request: no model 3 (row 3)\n          \
             1 row: truncated: the answer was cut at 100 tokens (row 1); raise `--max-output-tokens`\n          \
             failed rows have `_error` in `out.jsonl`\n          \
             `rowcall report 'my out.jsonl.journal'` shows them with prompts and answers\n          \
             `rowcall rerun 'my out.jsonl.journal' --max-output-tokens TOKENS` retries them"
        );
        assert_eq!(failures(&Stats::default(), files), None);
    }

    #[test]
    fn a_command_that_cannot_retry_a_row_is_not_suggested() {
        let journal = Path::new("j");
        for (kinds, expected) in [
            (&[FailureKind::Invalid][..], Some("`rowcall rerun j` retries them")),
            (&[FailureKind::Template], Some("`rowcall rerun j --prompt TEMPLATE` retries them")),
            (
                &[FailureKind::Template, FailureKind::Truncated],
                Some("`rowcall rerun j --max-output-tokens TOKENS --prompt TEMPLATE` retries them"),
            ),
            (
                &[FailureKind::Input, FailureKind::Refusal],
                Some("`rowcall rerun j` retries the others; 1 row cannot be retried"),
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
            assert_eq!(retry_command(&counts, journal).as_deref(), expected, "{kinds:?}");
        }
    }
}
