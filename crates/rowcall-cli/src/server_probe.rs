//! A server's schema support: from a probe, from a file that `rowcall schema --probe --json` wrote, or from a journal; and how it is
//! shown to the user.

use std::path::Path;

use indicatif::HumanCount;
use rowcall::schema::{Dialect, Feature, Finding, Observation, Observed};
use rowcall::{
    Client, Cost, Effort, Error, Mode, Parameters, ProbeOptions, Probed, Problem, Result, Schema, Usd,
};
use serde_json::{Value, json};

use crate::args::DialectArgument;
use crate::summary::counted;

/// The order in which findings are shown.
const ORDER: [Finding; 4] = [Finding::Refused, Finding::Ignored, Finding::Unknown, Finding::Enforced];

/// What is assumed of a server.
#[derive(Debug, Clone, Default)]
pub struct Assumed {
    /// The dialect; `None` for the provider's usual one.
    pub dialect: Option<Dialect>,
    /// What a probe observed beside it.
    pub observed: Observed,
    /// Whether to probe the server for what is not known yet.
    pub asks: bool,
}

impl Assumed {
    /// From a dialect's name, `auto`, or the path of a `.json` file.
    ///
    /// # Errors
    /// An unknown name, or a file that cannot be used.
    pub fn named(name: &str) -> Result<Self> {
        let argument =
            DialectArgument::parse(name).map_err(|message| Error::Config(Problem::new(message)))?;
        Self::of(Some(&argument))
    }

    /// # Errors
    /// A file that cannot be used.
    pub(crate) fn of(argument: Option<&DialectArgument>) -> Result<Self> {
        match argument {
            None => Ok(Self::default()),
            Some(DialectArgument::Auto) => Ok(Self { asks: true, ..Self::default() }),
            Some(DialectArgument::Named(dialect)) => Ok(Self { dialect: Some(*dialect), ..Self::default() }),
            Some(DialectArgument::Saved(path)) => read(path).map_err(Error::Config),
        }
    }

    /// The name that a journal remembers, beside the observations.
    pub fn name(&self) -> Option<String> {
        match (self.asks, self.dialect) {
            (true, _) => Some("auto".to_owned()),
            (false, dialect) => dialect.map(|dialect| dialect.name().to_owned()),
        }
    }
}

/// Reads a file that `rowcall schema --probe --json` wrote.
fn read(path: &Path) -> std::result::Result<Assumed, Problem> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Problem::new(format!("the dialect file `{shown}` cannot be read: {error}")))?;
    let wrong = |why: String| {
        Problem::new(format!("the dialect file `{shown}` {why}"))
            .hint("write one with `rowcall schema FILE --for PROVIDER/MODEL --probe --json`")
    };
    let file: Value = serde_json::from_str(&text).map_err(|error| wrong(format!("is not JSON: {error}")))?;
    let found = file.get("probe").ok_or_else(|| wrong("has no `probe`".to_owned()))?;
    let dialect = found.get("dialect").and_then(Value::as_str).unwrap_or_default();
    let observed = found.get("observed").cloned().unwrap_or_default();
    let observed = serde_json::from_value(observed)
        .map_err(|error| wrong(format!("has an invalid `observed`: {error}")))?;
    Ok(Assumed { dialect: Some(Dialect::named(dialect)?), observed, asks: false })
}

/// How a probe asks for a schema.
#[derive(Debug, Clone)]
pub struct Manner {
    /// The mode; `None` for the best one that the provider has.
    pub mode: Option<Mode>,
    /// The parameters of the run; a probe ignores the temperature and the output limit.
    pub parameters: Parameters,
}

/// What is known of a server after a probe.
#[derive(Debug, Clone)]
pub struct FoundOut {
    /// All observations, new and earlier.
    pub observed: Observed,
    /// What the probe took; `None` if none was necessary.
    pub effort: Option<Effort>,
    /// A one-line note for the user.
    pub note: String,
}

/// Probes the server for what `schema` uses and is not `known` yet.
///
/// # Errors
/// As [`Client::probe`].
pub async fn find_out(
    client: &Client,
    schema: &Schema,
    manner: &Manner,
    known: Observed,
) -> Result<FoundOut> {
    let lacking = known.lacking(&Feature::of_schema(schema.as_json()));
    if lacking.is_empty() {
        let note = "the server's schema support is known from the journal and is not probed again";
        return Ok(FoundOut { observed: known, effort: None, note: note.to_owned() });
    }
    let parameters = Parameters { extra: manner.parameters.extra.clone(), ..Parameters::default() };
    let options = ProbeOptions { mode: manner.mode, parameters, features: lacking };
    let probed = client.probe(&options, |_| {}).await?;
    let note = note(&probed);
    let mut observed = probed.observed;
    observed.0.extend(known.0.into_iter().filter(|old| old.feature != Feature::Schema));
    Ok(FoundOut { observed, effort: Some(probed.effort), note })
}

/// The findings in one line.
fn note(probed: &Probed) -> String {
    let observed = &probed.observed;
    let whole = observed.0.iter().find(|observation| observation.feature == Feature::Schema);
    if let Some(whole) = whole.filter(|whole| whole.finding != Finding::Enforced) {
        let why = whole.note.clone().unwrap_or_default();
        return format!(
            "the server does not seem to enforce a schema, which was requested by {}: {why}",
            probed.mode.phrase()
        );
    }
    let said = [
        (Finding::Enforced, "it enforces"),
        (Finding::Ignored, "it ignores"),
        (Finding::Refused, "it refuses"),
        (Finding::Unknown, "unknown:"),
    ];
    let mut parts = Vec::new();
    for (finding, words) in said {
        let features = observed.with(finding).into_iter().filter(|feature| *feature != Feature::Schema);
        let names: Vec<String> = features.map(Feature::phrase).collect();
        if !names.is_empty() {
            parts.push(format!("{words} {}", names.join(", ")));
        }
    }
    format!("the server was probed for its schema support ({}): {}", spent(probed), parts.join("; "))
}

/// What the probe took.
fn spent(probed: &Probed) -> String {
    let Effort { attempts, usage, cost, .. } = probed.effort;
    let tokens = usage.input_tokens + usage.output_tokens;
    let is_unknown = cost.known == Usd::ZERO && cost.exact().is_none() && cost.ceiling().is_none();
    let cost = match cost {
        none if none == Cost::default() => String::new(),
        // It is shown as `unknown, of 3 requests`.
        unknown if is_unknown => format!(", cost {unknown}"),
        known => format!(", {known}"),
    };
    format!("{}, {} tokens{cost}", counted(u64::from(attempts), "tiny request"), HumanCount(tokens))
}

/// The findings as a table, bad news first.
pub(crate) fn as_text(probed: &Probed, model: &str) -> String {
    let mut seen: Vec<&Observation> = probed.observed.0.iter().collect();
    let rank = |finding: Finding| ORDER.iter().position(|each| *each == finding);
    seen.sort_by_key(|seen| rank(seen.finding));
    let count = |finding: Finding| seen.iter().filter(|seen| seen.finding == finding).count();
    let counts = ORDER.into_iter().rev().map(|finding| (count(finding), finding.name()));
    let counts: Vec<String> =
        counts.filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
    let mut text = format!(
        "schema support of `{model}`, by {} ({}): {}\n",
        probed.mode.phrase(),
        spent(probed),
        counts.join(", ")
    );
    let phrases: Vec<String> = seen.iter().map(|seen| seen.feature.phrase()).collect();
    let width = phrases.iter().map(|phrase| phrase.chars().count()).max().unwrap_or_default();
    for (seen, phrase) in seen.into_iter().zip(phrases) {
        let why = match (&seen.note, seen.answers) {
            (Some(note), _) => note.split_whitespace().collect::<Vec<_>>().join(" "),
            (None, answers) => counted(u64::from(answers), "answer"),
        };
        text.push_str(&format!("  {:8}  {phrase:width$}  {why}\n", seen.finding.name()));
    }
    text
}

/// The findings as JSON, which [`Assumed::named`] reads.
pub(crate) fn as_json(probed: &Probed, model: &str, dialect: Dialect) -> Value {
    json!({
        "model": model,
        "mode": probed.mode.name(),
        "dialect": dialect.name(),
        "requests": probed.effort.attempts,
        "input_tokens": probed.effort.usage.input_tokens,
        "output_tokens": probed.effort.usage.output_tokens,
        "observed": probed.observed,
    })
}
