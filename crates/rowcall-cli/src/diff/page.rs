//! Renders a comparison as one HTML file, in the style of a report.

use minijinja::context;
use rowcall::{Error, Problem, Result};

use super::Comparison;
use crate::report::page::{STYLE, environment, shown};

const PAGE: &str = include_str!("page.html");

/// The maximum length of a shown text, in bytes.
const LONGEST: usize = 400;

/// The page of a comparison.
///
/// # Errors
/// If the template fails, which is a bug.
pub(crate) fn page(comparison: &Comparison) -> Result<String> {
    let defect = |error: &dyn std::fmt::Display| {
        Error::Sink(Problem::new(format!("the comparison's page cannot be made: {error}")))
    };
    let environment = environment(PAGE).map_err(|error| defect(&error))?;
    let template = environment.get_template("page.html").map_err(|error| defect(&error))?;
    let data = serde_json::to_value(comparison).map_err(|error| defect(&error))?;
    template
        .render(context! { diff => shown(&data, LONGEST), verdict => comparison.verdict(), style => STYLE })
        .map_err(|error| defect(&error))
}
