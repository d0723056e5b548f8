//! `rowcall diff`: two journals side by side, as tables, as JSON, or as an HTML file.

use indicatif::HumanCount;
use rowcall::{Error, Problem, Result};

use crate::args::DiffArguments;
use crate::command::report;
use crate::diff::{By, Comparison, page};
use crate::exit::Exit;
use crate::printing;
use crate::report::text::{harmless_json, one_line};
use crate::report::time::long;
use crate::report::verdict::percent;
use crate::table::table;

/// The most fields and examples that are printed.
const MOST: usize = 30;

/// The maximum printed length of a value, in characters.
const LONGEST: usize = 40;

pub(crate) fn diff(arguments: &DiffArguments) -> Result<Exit> {
    let output = arguments.output.as_deref().filter(|output| output.as_os_str() != "-");
    for journal in [&arguments.first, &arguments.second] {
        report::check_output(output, journal, arguments.force)?;
    }
    let comparison = Comparison::of([&arguments.first, &arguments.second], arguments.key.as_deref())?;
    let text = if arguments.json {
        let json = serde_json::to_string_pretty(&comparison).map_err(|error| {
            Error::Sink(Problem::new(format!("the comparison cannot be written as JSON: {error}")))
        })?;
        harmless_json(json)
    } else if arguments.output.is_some() {
        page(&comparison)?
    } else {
        as_text(&comparison)
    };
    match output {
        Some(output) => {
            report::write(output, &text)?;
            printing::note(&format!("{} Comparison: `{}`", comparison.verdict(), output.display()));
        }
        None => printing::result(&text).map_err(|error| printing::unprintable(&error))?,
    }
    Ok(Exit::Done)
}

fn as_text(comparison: &Comparison) -> String {
    let count = |n: u64| HumanCount(n).to_string();
    let sides = table(
        &[
            "journal",
            "model",
            "rows",
            "only here",
            "failed",
            "cost",
            "tokens in",
            "tokens out",
            "median",
            "p95",
        ],
        comparison.sides.iter().map(|side| {
            let time = |ms: Option<f64>| ms.map_or_else(String::new, long);
            vec![
                one_line(&side.journal),
                one_line(&side.model),
                count(side.rows),
                count(side.only_here),
                count(side.failed),
                side.cost.clone(),
                count(side.input_tokens),
                count(side.output_tokens),
                time(side.latency_median_ms),
                time(side.latency_p95_ms),
            ]
        }),
        2..10,
    );
    let mut parts = vec![comparison.verdict(), sides];
    if !comparison.fields.is_empty() {
        parts.push(table(
            &["field", "agreement", "same", "changed", "filled", "emptied"],
            comparison.fields.iter().take(MOST).map(|field| {
                vec![
                    one_line(&field.name),
                    percent(field.agreement),
                    count(field.same),
                    count(field.changed),
                    count(field.filled),
                    count(field.emptied),
                ]
            }),
            1..6,
        ));
    }
    let changes =
        comparison.fields.iter().flat_map(|field| field.examples.iter().map(move |change| (field, change)));
    let changes: Vec<_> = changes.take(MOST).collect();
    if !changes.is_empty() {
        let short = |text: &str| {
            let line = one_line(text);
            match line.char_indices().nth(LONGEST) {
                Some((end, _)) => format!("{}…", &line[..end]),
                None => line,
            }
        };
        let rows = changes.iter().map(|(field, change)| {
            vec![place(change.rows), one_line(&field.name), short(&change.before), short(&change.after)]
        });
        parts.push(table(&["row", "field", "first", "second"], rows, 0..1));
    }
    for failed in comparison.failed_on_one_side.iter().take(5) {
        let message = one_line(&failed.message);
        parts.push(format!(
            "row {} failed in the {} only: {}: {message}",
            place(failed.rows),
            failed.failed,
            failed.kind
        ));
    }
    if comparison.by == By::Place {
        parts.push("rows are compared by their places, as a journal has no records".to_owned());
    }
    parts.join("\n\n")
}

/// The position of a row in both journals, if it is the same.
fn place([one, other]: [u64; 2]) -> String {
    if one == other { one.to_string() } else { format!("{one}/{other}") }
}
