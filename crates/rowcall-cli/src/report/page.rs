//! Renders a report as one small HTML file that loads nothing and is readable without its script. The template escapes everything that
//! comes from data or answers.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Serde, Value as Shown};
use minijinja::{Environment, context};
use rowcall::journal::Contents;
use rowcall::{Error, Problem, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::field::Distribution;
use super::plot::{charts, histogram, short};
use super::story::{Lengths, StoryReader};
use super::text::{Escaped, cut, harmless};
use super::verdict::percent;
use super::{Report, time};
use crate::summary::counted;

const PAGE: &str = include_str!("page.html");
const PARTS: &str = include_str!("parts.html");
const LIVE: &str = include_str!("live.html");
const ROW: &str = include_str!("row.html");
pub(crate) const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const LIVE_SCRIPT: &str = include_str!("live.js");

/// The length of texts of a single row, in bytes.
const LONGEST_IN_ROW: usize = 100_000;

/// The maximum size of a page, in bytes.
const LARGEST: usize = 2_000_000;

/// Texts are cut to the first of these lengths with which the page is small enough.
const TEXTS: [usize; 5] = [1_200, 800, 400, 150, 40];

/// Whether a page can follow and steer the run that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Liveness {
    /// It is a file that anyone may read later.
    Still,
    /// It is served by the process of the run.
    Live,
}

/// The page of a report.
///
/// # Errors
/// If the template fails, which is a bug.
pub(crate) fn page(report: &Report, liveness: Liveness) -> Result<String> {
    let script = match liveness {
        Liveness::Still => SCRIPT.to_owned(),
        Liveness::Live => format!("{SCRIPT}{LIVE_SCRIPT}"),
    };
    let defect = |error: &dyn std::fmt::Display| {
        Error::Sink(Problem::new(format!("the report's page cannot be made: {error}")))
    };
    let environment = environment(PAGE).map_err(|error| defect(&error))?;
    let template = environment.get_template("page.html").map_err(|error| defect(&error))?;
    let data = serde_json::to_value(report).map_err(|error| defect(&error))?;
    let svg = |distribution: &Option<Distribution>| Shown::from(distribution.as_ref().map(histogram));
    let plots = report.fields.iter().map(|field| {
        context! { numbers => svg(&field.numbers), lengths => svg(&field.lengths) }
    });
    let plots = Shown::from(plots.collect::<Vec<_>>());
    let mut page = String::new();
    for longest in TEXTS {
        // By their names as the page has them.
        let places =
            report.fields.iter().enumerate().map(|(at, field)| (presentable(&field.name, longest), at));
        let places =
            Shown::from(places.map(|(name, at)| (name, Shown::from(at))).collect::<BTreeMap<_, _>>());
        page = template
            .render(context! {
                report => shown(&data, longest),
                charts => Shown::from(Serde(charts(&report.curves))),
                plots => plots.clone(),
                places => places,
                latency => svg(&report.latency_ms),
                schema => presentable(&format!("{:#}", report.settings.schema), 20 * longest),
                style => STYLE,
                script => script.as_str(),
                script_hash => STANDARD.encode(Sha256::digest(&script)),
                live => liveness == Liveness::Live,
                process => std::process::id(),
            })
            .map_err(|error| defect(&error))?;
        if page.len() <= LARGEST {
            break;
        }
    }
    Ok(page)
}

/// The data of the template.
pub(crate) fn environment(page: &'static str) -> std::result::Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.add_filter("grouped", |count: u64| indicatif::HumanCount(count).to_string());
    environment.add_filter("short", short);
    environment.add_filter("start", |text: &str, most: usize| cut(text, most, Escaped::No).into_owned());
    environment.add_filter("percent", percent);
    environment.add_filter("long", time::long);
    environment.add_filter("usd", usd);
    environment.add_filter("counted", counted);
    environment.add_template("parts.html", PARTS)?;
    environment.add_template("live.html", LIVE)?;
    environment.add_template("row.html", ROW)?;
    environment.add_template("page.html", page)?;
    Ok(environment)
}

/// The story of one row as a part of a page; `None` if it has not ended.
///
/// # Errors
/// If the journal cannot be read.
pub(crate) fn row(journal: &Path, row: u64) -> Result<Option<String>> {
    let contents = Contents::open(journal)?;
    let lengths = Lengths { text: LONGEST_IN_ROW, escaped: Escaped::No };
    let Some(story) = StoryReader::new(&contents)?.story(row, lengths)? else { return Ok(None) };
    let defect = |error: &dyn std::fmt::Display| {
        Error::Sink(Problem::new(format!("the row's story cannot be made: {error}")))
    };
    let environment = environment(PAGE).map_err(|error| defect(&error))?;
    let template = environment.get_template("row.html").map_err(|error| defect(&error))?;
    let data = serde_json::to_value(&story).map_err(|error| defect(&error))?;
    let rendered = template.render(context! { row => shown(&data, LONGEST_IN_ROW) });
    rendered.map(Some).map_err(|error| defect(&error))
}

/// An amount in US dollars, in full also where it is small: `0.000099`.
fn usd(amount: f64) -> String {
    if amount == 0.0 || amount.abs() >= 0.01 {
        return short(amount);
    }
    // Three significant digits.
    let decimals = (2.0 - amount.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{amount:.decimals$}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A text as a page has it: without characters that could mislead its reader, and cut to a length.
fn presentable(text: &str, longest: usize) -> String {
    cut(&harmless(text), longest, Escaped::Html).into_owned()
}

/// JSON for the template, with texts as a page has them. Numbers that no float holds become the nearest one.
pub(crate) fn shown(value: &Value, longest: usize) -> Shown {
    match value {
        Value::Null => Shown::from(()),
        Value::Bool(truth) => Shown::from(*truth),
        Value::Number(number) => match number.as_u64() {
            Some(whole) => Shown::from(whole),
            None => Shown::from(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Shown::from(presentable(text, longest)),
        Value::Array(items) => Shown::from(items.iter().map(|item| shown(item, longest)).collect::<Vec<_>>()),
        Value::Object(object) => {
            let fields =
                object.iter().map(|(name, value)| (harmless(name).into_owned(), shown(value, longest)));
            Shown::from(fields.collect::<BTreeMap<_, _>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_amounts_are_written_in_full() {
        for (amount, text) in [
            (0.0, "0"),
            (1.5, "1.5"),
            (0.0123, "0.0123"),
            (0.000_099, "0.000099"),
            (0.000_123_456, "0.000123"),
            (0.000_000_001, "0.000000001"),
        ] {
            assert_eq!(usd(amount), text);
        }
    }
}
