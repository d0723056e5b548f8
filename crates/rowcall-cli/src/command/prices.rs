//! `rowcall prices update FILE`: converts a newer LiteLLM table for `--prices`. If our entry for a model has the same price at any time, our
//! entry stays, since it also has dates and hours.

use std::collections::BTreeMap;
use std::path::Path;

use indicatif::HumanCount;
use rowcall::{Error, Prices, Problem, Result};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::args::{PricesCommand, UpdateArguments};
use crate::exit::Exit;
use crate::summary::counted;
use crate::{litellm, printing};

/// The maximum number of changed prices listed.
const MOST_LISTED: usize = 20;

pub(crate) fn prices(command: &PricesCommand) -> Result<Exit> {
    match command {
        PricesCommand::Update(arguments) => update(arguments),
    }
}

fn update(UpdateArguments { file, output, taken }: &UpdateArguments) -> Result<Exit> {
    if let Some(output) = output {
        check_output(file, output)?;
    }
    let text = std::fs::read_to_string(file).map_err(|error| wrong(file, "cannot be read", &error))?;
    let theirs: Map<String, Value> = serde_json::from_str(&text).map_err(|error| {
        wrong(file, "is not a table of LiteLLM's, expected an object with a member for each model", &error)
    })?;
    let theirs = litellm::prices(&theirs);
    if theirs.is_empty() {
        let problem =
            Problem::new(format!("`{}` has no price of any provider that is known here", file.display()));
        return Err(Error::Config(problem.hint("expected LiteLLM's `model_prices_and_context_window.json`")));
    }
    let taken = match taken {
        Some(day) => day.clone(),
        None => last_change(file)?,
    };
    let mut merged = Merged::from_ours()?;
    for ((provider, model), periods) in theirs {
        match check(&provider, &model, &periods) {
            Ok(()) => merged.add(provider, model, &periods),
            Err(problem) => merged.left_out.push(problem.message),
        }
    }
    let source = json!({
        "name": "litellm",
        "version": format!("of {taken}"),
        "sha256": format!("{:x}", Sha256::digest(text.as_bytes())),
        "licence": "MIT",
    });
    let table =
        json!({"about": {"taken": taken, "sources": [source]}, "providers": merged.providers}).to_string();
    // It is read back as `--prices` reads it, so that a wrong day or price is found now.
    Prices::parse(&table).and_then(|prices| prices.check()).map_err(Error::Config)?;
    match output {
        Some(path) => std::fs::write(path, format!("{table}\n"))
            .map_err(|error| wrong(path, "cannot be written", &error))?,
        None => printing::result(&table).map_err(|error| printing::unprintable(&error))?,
    }
    merged.report();
    Ok(Exit::Done)
}

/// Checks that the output replaces nothing but an earlier table.
///
/// # Errors
/// If it is the input, or another file.
fn check_output(input: &Path, output: &Path) -> Result<()> {
    let is_input = output.canonicalize().is_ok_and(|output| input.canonicalize().ok() == Some(output));
    let message = if is_input {
        format!("`{}` is both the input and the output", output.display())
    } else if std::fs::metadata(output).is_ok_and(|there| there.is_dir() || there.len() > 0)
        && Prices::read(output).is_err()
    {
        format!("`{}` exists and is not a price table, so it is not overwritten", output.display())
    } else {
        return Ok(());
    };
    Err(Error::Config(Problem::new(message).hint("give another file with `-o`")))
}

fn wrong(path: &Path, what: &str, error: &dyn std::fmt::Display) -> Error {
    Error::Config(Problem::new(format!("`{}` {what}: {error}", path.display())))
}

/// The day on which the file was changed last, in UTC.
fn last_change(file: &Path) -> Result<String> {
    let changed = std::fs::metadata(file).and_then(|file| file.modified());
    let changed =
        changed.map_err(|error| wrong(file, "has no time of its last change, give `--taken`", &error))?;
    Ok(humantime::format_rfc3339_seconds(changed).to_string().chars().take(10).collect())
}

/// Checks a price as `--prices` does.
fn check(provider: &str, model: &str, periods: &[Value]) -> std::result::Result<(), Problem> {
    let table = json!({"providers": {provider: {model: {"prices": periods}}}}).to_string();
    Prices::parse(&table)?.check()
}

/// The built-in table, updated from theirs.
struct Merged {
    providers: BTreeMap<String, BTreeMap<String, Value>>,
    same: u64,
    new: u64,
    changed: Vec<String>,
    /// Why prices are not taken over.
    left_out: Vec<String>,
}

impl Merged {
    fn from_ours() -> Result<Self> {
        let mut providers: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
        for (provider, model, text) in Prices::bundled().entries().map_err(Error::Config)? {
            let entry: Value = serde_json::from_str(&text).unwrap_or_default();
            if entry["prices"].as_array().is_none_or(Vec::is_empty) {
                continue;
            }
            providers.entry(provider).or_default().insert(model, entry);
        }
        Ok(Self { providers, same: 0, new: 0, changed: Vec::new(), left_out: Vec::new() })
    }

    fn add(&mut self, provider: String, model: String, periods: &[Value]) {
        let pair = |period: &Value| {
            period
                .get("for")
                .is_none()
                .then(|| (period.get("i").cloned(), period.get("o").cloned(), period.get("r").cloned()))
        };
        let theirs = periods.first().and_then(pair);
        let path = format!("{provider}/{model}");
        let models = self.providers.entry(provider).or_default();
        let ours: Vec<Value> =
            models.get(&model).and_then(|entry| entry["prices"].as_array()).cloned().unwrap_or_default();
        if theirs.is_some() && ours.iter().any(|period| pair(period) == theirs) {
            self.same += 1;
            return;
        }
        match ours.iter().rev().find(|period| pair(period).is_some()) {
            Some(before) => {
                self.changed.push(format!("{path}: {} was {}", shown(periods.first()), shown(Some(before))));
            }
            None => self.new += 1,
        }
        let is_dated = models.get(&model).is_some_and(|entry| entry["dated"] == true);
        models.insert(model, json!({"prices": periods, "dated": is_dated}));
    }

    /// Prints what has changed.
    fn report(&self) {
        printing::note(&format!(
            "{} as before, {} new, {} changed",
            counted(self.same, "price"),
            HumanCount(self.new),
            HumanCount(self.changed.len() as u64)
        ));
        list(&self.changed);
        if !self.left_out.is_empty() {
            printing::note(&format!("{} left out", counted(self.left_out.len() as u64, "price")));
            list(&self.left_out);
        }
    }
}

/// Prints the first of these lines.
fn list(lines: &[String]) {
    for line in lines.iter().take(MOST_LISTED) {
        printing::note(&format!("  {line}"));
    }
    if lines.len() > MOST_LISTED {
        printing::note(&format!("  and {} more", lines.len() - MOST_LISTED));
    }
}

/// Input and output in US dollars per million tokens.
fn shown(period: Option<&Value>) -> String {
    let price = |letter: &str| {
        let picodollars = period.and_then(|period| period[letter].as_u64()).unwrap_or_default();
        rowcall::Usd::from_picodollars(picodollars).times(1_000_000).decimal()
    };
    format!("{}/{}", price("i"), price("o"))
}
