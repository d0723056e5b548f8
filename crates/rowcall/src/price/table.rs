//! A price table: the one that is compiled in, or the user's file in the same format, which `docs/cost.md` describes. A model is found
//! by its provider and its exact name, or by that name plus a date if the table says so.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::{Moment, Period, Price};
use crate::error::Problem;
use crate::repeated_key::repeated_key;

/// A table older than this may be out of date: of 1,400 entries, eight changed in the week before the bundled one was taken.
pub const OLD_AFTER_DAYS: i64 = 14;

/// An entry as `build.rs` writes it: provider, model, and the entry as JSON.
type Priced = (&'static str, &'static str, &'static str);

mod bundled {
    use super::Priced;
    include!(concat!(env!("OUT_DIR"), "/prices.rs"));
}

static BUNDLED: LazyLock<Prices> = LazyLock::new(|| Prices {
    taken: Some(bundled::TAKEN.to_owned()),
    sources: bundled::SOURCES.iter().map(|source| PriceSource::from(*source)).collect(),
    hash: bundled::HASH.to_owned(),
    entries: Entries::Bundled,
});

/// A price table.
#[derive(Clone)]
pub struct Prices {
    taken: Option<String>,
    sources: Vec<PriceSource>,
    hash: String,
    entries: Entries,
}

/// The entries of a table, parsed only when a model is looked up.
#[derive(Clone)]
enum Entries {
    /// The compiled-in entries, sorted by provider and name.
    Bundled,
    /// Each provider's models.
    Read(BTreeMap<String, Box<RawValue>>),
}

/// A source of a price table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PriceSource {
    /// The package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of the file in the package.
    pub sha256: String,
    /// Its licence.
    pub licence: String,
}

impl From<[&str; 4]> for PriceSource {
    fn from(of: [&str; 4]) -> Self {
        let [name, version, sha256, licence] = of.map(str::to_owned);
        Self { name, version, sha256, licence }
    }
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    about: About,
    providers: BTreeMap<String, Box<RawValue>>,
}

#[derive(Default, Deserialize)]
struct About {
    #[serde(default)]
    taken: Option<String>,
    #[serde(default)]
    sources: Vec<PriceSource>,
}

/// The part of a model's entry that concerns prices; `models.rs` reads the rest.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    prices: Vec<Period>,
    /// Whether the name plus a date is the same model.
    #[serde(default)]
    dated: bool,
}

impl Prices {
    /// The table that is compiled in.
    pub fn bundled() -> &'static Self {
        &BUNDLED
    }

    /// The table in a file.
    ///
    /// # Errors
    /// If the file cannot be read, is not a price table, or has a price that cannot be meant.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Problem::new(format!("the prices `{name}` cannot be read: {error}")))?;
        let read = Self::parse(&text).and_then(|prices| prices.check().map(|()| prices));
        read.map_err(|problem| Problem {
            message: format!("the prices `{name}` cannot be used: {}", problem.message),
            ..problem
        })
    }

    /// The table in a text.
    ///
    /// # Errors
    /// If it is not a price table.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let not_a_table = |error: serde_json::Error| {
            Problem::new(format!("not a price table, expected `{{\"providers\": …}}`: {error}"))
        };
        // A model that occurs twice would have the later price, unnoticed.
        let repeated = |name: String| {
            let message = format!("it has `{name}` twice, expected each provider, model and price once");
            Problem::new(message)
        };
        let File { about, providers } = serde_json::from_str(text).map_err(not_a_table)?;
        if let Some(name) = repeated_key(text) {
            return Err(repeated(name));
        }
        if let Some(day) = about.taken.as_deref().filter(|day| Moment::of_day(day).is_none()) {
            return Err(Problem::new(format!(
                "it was taken on `{day}`, expected a day such as `2026-11-28`"
            )));
        }
        let mut hash = String::with_capacity(64);
        for byte in Sha256::digest(text.as_bytes()) {
            let _ = write!(hash, "{byte:02x}");
        }
        Ok(Self { taken: about.taken, sources: about.sources, hash, entries: Entries::Read(providers) })
    }

    /// The price of a model at a provider, by the catalog's name of the provider; `None` if the table has none.
    ///
    /// # Errors
    /// If the table's entries for that provider cannot be read.
    pub fn find(&self, provider: &str, model: &str) -> Result<Option<Price>, Problem> {
        let entry = match (self.entry(provider, model)?, without_date(model)) {
            (Some(entry), _) => Some(entry),
            (None, Some(stem)) => self.entry(provider, stem)?.filter(|entry| entry.dated),
            (None, None) => None,
        };
        Ok(entry.and_then(|entry| Price::new(entry.prices)))
    }

    /// The entry with exactly this name.
    fn entry(&self, provider: &str, model: &str) -> Result<Option<Entry>, Problem> {
        let text = match &self.entries {
            Entries::Bundled => {
                let name = (provider, model);
                let found =
                    bundled::PRICES.binary_search_by_key(&name, |(provider, model, _)| (*provider, *model));
                found.ok().and_then(|at| bundled::PRICES.get(at)).map(|(_, _, text)| *text)
            }
            Entries::Read(providers) => match providers.get(provider) {
                Some(raw) => models(provider, raw)?.get(model).map(|raw| raw.get()),
                None => None,
            },
        };
        text.map(|text| entry(provider, model, text)).transpose()
    }

    /// Checks every price.
    ///
    /// # Errors
    /// For the first price that cannot be read or cannot be meant, and for a model of a user's table without one.
    pub fn check(&self) -> Result<(), Problem> {
        for (name, entry) in self.all()? {
            match &self.entries {
                Entries::Read(_) if entry.prices.is_empty() => {
                    return Err(Problem::new(format!(
                        "`{name}` has no price, expected `prices` with at least one"
                    ))
                    .hint("leave out models without a price: their cost is unknown"));
                }
                Entries::Read(_) | Entries::Bundled => {}
            }
        }
        Ok(())
    }

    /// All entries.
    fn all(&self) -> Result<Vec<(String, Entry)>, Problem> {
        let entries = self.entries()?.into_iter();
        entries
            .map(|(provider, model, text)| {
                Ok((format!("{provider}/{model}"), entry(&provider, &model, &text)?))
            })
            .collect()
    }

    /// Every entry: the provider, the model, and what the table says of its price as JSON text, in the format of the table.
    ///
    /// # Errors
    /// A provider whose models cannot be read.
    pub fn entries(&self) -> Result<Vec<(String, String, String)>, Problem> {
        let owned = |provider: &str, model: &str, text: &str| {
            (provider.to_owned(), model.to_owned(), text.to_owned())
        };
        match &self.entries {
            Entries::Bundled => Ok(bundled::PRICES
                .iter()
                .map(|(provider, model, text)| owned(provider, model, text))
                .collect()),
            Entries::Read(providers) => {
                let mut all = Vec::new();
                for (provider, raw) in providers {
                    all.extend(
                        models(provider, raw)?.iter().map(|(model, raw)| owned(provider, model, raw.get())),
                    );
                }
                Ok(all)
            }
        }
    }

    /// The day on which it was taken, such as `2026-11-28`, if it says so.
    pub fn taken_on(&self) -> Option<&str> {
        self.taken.as_deref()
    }

    /// How many days ago it was taken, if it says when.
    pub fn age_in_days(&self, now: Moment) -> Option<i64> {
        Some(now.day() - Moment::of_day(self.taken.as_deref()?)?.day())
    }

    /// Its sources.
    pub fn sources(&self) -> &[PriceSource] {
        &self.sources
    }

    /// The SHA-256 of its text, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// A short identification of the table, as a journal records it: the day and the beginning of the hash.
    pub fn basis(&self) -> String {
        let day = self.taken.as_deref().unwrap_or("undated");
        format!("{day} sha256:{}", self.hash.get(..16).unwrap_or(&self.hash))
    }
}

impl fmt::Debug for Prices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Prices").field(&self.basis()).finish()
    }
}

/// A provider's models, each as text.
fn models<'a>(provider: &str, raw: &'a RawValue) -> Result<BTreeMap<&'a str, &'a RawValue>, Problem> {
    serde_json::from_str(raw.get())
        .map_err(|error| Problem::new(format!("the models of `{provider}` cannot be read: {error}")))
}

/// Parses a model's entry.
fn entry(provider: &str, model: &str, text: &str) -> Result<Entry, Problem> {
    let of_it = |what: &str, why: &str| format!("the price of `{provider}/{model}` {what}: {why}");
    let entry: Entry = serde_json::from_str(text).map_err(|error| {
        let why = error.to_string();
        // The line is that of the entry, not of the file.
        let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why);
        Problem::new(of_it("cannot be read", why))
    })?;
    let check = entry.prices.iter().try_for_each(Period::check);
    check.map_err(|problem| Problem { message: of_it("cannot be right", &problem.message), ..problem })?;
    Ok(entry)
}

/// A name without the date at its end, if it has one: `-2026-03-05` or `-20260305`.
fn without_date(name: &str) -> Option<&str> {
    let dashed = |at: usize| {
        let date = name.get(at..)?.strip_prefix('-')?;
        Moment::of_day(date).and(name.get(..at))
    };
    let bare = |at: usize| {
        let digits = name.get(at..)?.strip_prefix('-')?;
        let date = format!("{}-{}-{}", digits.get(..4)?, digits.get(4..6)?, digits.get(6..)?);
        Moment::of_day(&date).and(name.get(..at))
    };
    let at = |length: usize| name.len().checked_sub(length);
    at("-2026-03-05".len()).and_then(dashed).or_else(|| at("-20260305".len()).and_then(bare))
}

#[cfg(test)]
mod tests;
