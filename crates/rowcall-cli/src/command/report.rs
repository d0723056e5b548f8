//! `rowcall report`: summarises a journal in one HTML file or as JSON. The journal is only read.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rowcall::{Error, Problem, Result};

use crate::args::ReportArguments;
use crate::exit::Exit;
use crate::files::Files;
use crate::printing;
use crate::report::Report;
use crate::report::page::{Liveness, page};
use crate::report::text::{harmless, harmless_json};

/// The extension of a report's file.
const ENDING: &str = "report.html";

pub(crate) fn report(arguments: &ReportArguments) -> Result<Exit> {
    let output = match (&arguments.output, arguments.json) {
        (Some(output), _) => Some(output.clone()),
        (None, true) => None,
        (None, false) => Some(beside(&arguments.journal)),
    };
    let output = output.filter(|output| output.as_os_str() != "-");
    check_output(output.as_deref(), &arguments.journal, arguments.force)?;
    let report = Report::of(&arguments.journal)?;
    let text = if arguments.json {
        let json = serde_json::to_string_pretty(&report).map_err(|error| {
            Error::Sink(Problem::new(format!("the report cannot be written as JSON: {error}")))
        })?;
        harmless_json(json)
    } else {
        page(&report, Liveness::Still)?
    };
    match &output {
        Some(output) => {
            write(output, &text)?;
            printing::note(&format!("{} Report: `{}`", harmless(&report.verdict), output.display()));
        }
        None => printing::result(&text).map_err(|error| printing::unprintable(&error))?,
    }
    Ok(Exit::Done)
}

/// The report's own name: `people.report.html` of `people.jsonl.journal`.
fn beside(journal: &Path) -> PathBuf {
    let name = journal.with_extension("");
    name.with_extension(ENDING)
}

/// Checks that only a report is overwritten, unless forced, and never the journal.
///
/// # Errors
/// If the file exists and is something else.
pub(crate) fn check_output(output: Option<&Path>, journal: &Path, force: bool) -> Result<()> {
    Files { input: None, output, failed: None, journal: Some(journal), cache: None }.check_apart()?;
    match output.filter(|output| !force && !may_be_replaced(output)) {
        Some(output) => {
            let message = format!("`{}` exists and is not a report", output.display());
            Err(Error::Config(Problem::new(message).hint("`--force` overwrites it")))
        }
        None => Ok(()),
    }
}

/// Whether the file may be overwritten: it does not exist, is empty, or is a report.
fn may_be_replaced(path: &Path) -> bool {
    let Ok(mut file) = File::open(path) else { return true };
    let mut beginning = Vec::new();
    let read = file.by_ref().take(4_096).read_to_end(&mut beginning);
    let beginning = String::from_utf8_lossy(&beginning);
    read.is_ok()
        && (beginning.is_empty() || beginning.contains("rowcall report") || beginning.contains("\"made_by\""))
}

/// Writes the file under a temporary name first, so that a reader never sees a partial one. A pipe or a device is written to directly,
/// since the file would take its place; of a link, the file that it points to is replaced.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    let written = match std::fs::canonicalize(path) {
        Ok(there) if !there.is_file() => std::fs::write(there, text),
        Ok(there) => replace(&there, text),
        Err(_) => replace(path, text),
    };
    written.map_err(|error| {
        Error::Sink(Problem::new(format!("the report `{}` cannot be written: {error}", path.display())))
    })
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let part = path.with_added_extension("part");
    std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, path))
}
