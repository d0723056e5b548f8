//! `cargo xtask vectors DIR`: checks a folder of vector files, those pinned in `crates/rowcall/tests/vectors` or any
//! others of the same form. Each kind of file has its own module; `known.rs` has the intended differences.

mod answers;
mod batch;
mod case;
mod chat;
mod compat;
mod errors;
mod known;
mod limits;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use rowcall::provider::Protocol;
use rowcall::provider::batch::BatchApi;
use serde_json::Value;

use crate::Result;
use case::{Case, Verdict};
use known::Known;

/// Checks a case: returns how it differs, or how it is malformed.
type Judge = fn(Case<'_>) -> std::result::Result<Verdict, String>;

/// The files that can be checked.
const KINDS: [(&str, Judge); 12] = [
    ("openai_chat.json", chat::judge),
    ("openai_responses.json", |case| answers::response(case, Protocol::OpenAiResponses)),
    ("anthropic_messages.json", |case| answers::response(case, Protocol::Anthropic)),
    ("gemini_generate.json", |case| answers::response(case, Protocol::Gemini)),
    ("compat_servers.json", compat::judge),
    ("openai_errors.json", |case| errors::judge(case, Protocol::OpenAiChat)),
    ("anthropic_errors.json", |case| errors::judge(case, Protocol::Anthropic)),
    ("gemini_errors.json", |case| errors::judge(case, Protocol::Gemini)),
    ("openai_batch.json", |case| batch::judge(case, BatchApi::OpenAi, Protocol::OpenAiChat)),
    ("anthropic_batches.json", |case| batch::judge(case, BatchApi::Anthropic, Protocol::Anthropic)),
    ("gemini_batch.json", |case| batch::judge(case, BatchApi::Gemini, Protocol::Gemini)),
    ("retry_and_limits.json", limits::judge),
];

/// Checks the files of `folder` and prints a line for each case.
///
/// # Errors
/// If the folder cannot be read or a case differs that `docs/faults.md` does not list.
pub(crate) fn run(folder: &Path) -> Result<()> {
    let known = Known::read()?;
    let mut lines = Vec::new();
    for path in files(folder)? {
        lines.extend(judge_file(&path, &known));
    }
    for line in &lines {
        println!("{line}");
    }
    let count =
        |is_counted: fn(&Finding) -> bool| lines.iter().filter(|line| is_counted(&line.finding)).count();
    let differ = count(|finding| matches!(finding, Finding::Differs(_)));
    println!(
        "{} ok, {} known, {differ} differ, {} skipped",
        count(|finding| matches!(finding, Finding::Ok)),
        count(|finding| matches!(finding, Finding::Known(_))),
        count(|finding| matches!(finding, Finding::Skipped(_))),
    );
    if differ > 0 {
        return Err(format!("{differ} cases differ and are not in the last table of docs/faults.md"));
    }
    Ok(())
}

/// One line of the output.
#[derive(Debug)]
struct Line {
    file: String,
    /// The case; `None` for the whole file.
    case: Option<String>,
    finding: Finding,
}

/// The result for a case or a file.
#[derive(Debug, PartialEq)]
enum Finding {
    Ok,
    /// An intended difference, for this reason.
    Known(String),
    Differs(String),
    Skipped(String),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, words) = match &self.finding {
            Finding::Ok => ("ok", None),
            Finding::Known(why) => ("known", Some(why)),
            Finding::Differs(how) => ("differs", Some(how)),
            Finding::Skipped(why) => ("skipped", Some(why)),
        };
        write!(f, "{word} {}", self.file)?;
        if let Some(case) = &self.case {
            write!(f, " {case}")?;
        }
        words.map_or(Ok(()), |words| write!(f, ": {words}"))
    }
}

/// The files in a folder, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |error| format!("cannot read the folder `{}`: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn judge_file(path: &Path, known: &Known) -> Vec<Line> {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let whole = |finding| vec![Line { file: file.clone(), case: None, finding }];
    let Some((_, judge)) = KINDS.iter().find(|(name, _)| *name == file) else {
        return whole(Finding::Skipped("not judged yet".to_owned()));
    };
    let cases = match cases(path) {
        Ok(cases) => cases,
        Err(problem) => return whole(Finding::Differs(format!("malformed: {problem}"))),
    };
    let judged = cases.iter().enumerate().map(|(at, case)| {
        let id = case.get("id").and_then(Value::as_str).map_or_else(|| format!("#{at}"), str::to_owned);
        let finding = finding(&id, judge(Case(case)), known);
        Line { file: file.clone(), case: Some(id), finding }
    });
    judged.collect()
}

fn cases(path: &Path) -> Result<Vec<Value>> {
    let text = fs::read(path).map_err(|error| error.to_string())?;
    let mut file: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    match file.get_mut("cases").map(Value::take) {
        Some(Value::Array(cases)) => Ok(cases),
        Some(_) | None => Err("no list of `cases`".to_owned()),
    }
}

fn finding(id: &str, verdict: std::result::Result<Verdict, String>, known: &Known) -> Finding {
    let differences = match verdict {
        Err(problem) => return Finding::Differs(format!("malformed: {problem}")),
        Ok(Verdict::Skipped(why)) => return Finding::Skipped(why),
        Ok(Verdict::Judged(differences)) => differences,
    };
    // A case is known if it is listed, or if all its differences are.
    let reasons: Option<Vec<&str>> = differences
        .iter()
        .map(|difference| known.why(id).or_else(|| known.why(difference.special.unwrap_or_default())))
        .collect();
    match reasons.as_deref() {
        Some([]) => Finding::Ok,
        Some([why, ..]) => Finding::Known((*why).to_owned()),
        None => {
            let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
            Finding::Differs(differences.join("; "))
        }
    }
}

#[cfg(test)]
mod tests;
