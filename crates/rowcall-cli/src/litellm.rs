//! Converts LiteLLM's price table to our format, which `docs/cost.md` describes. `xtask/prices/snapshot.py` reads it in the same way for
//! the table that is built in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// LiteLLM's name of a provider, the prefix of its models there, and our name. Where two of theirs are one of ours, the later one counts.
const PROVIDERS: [(&str, &str, &str); 14] = [
    ("openai", "", "openai"),
    ("azure", "azure/", "azure"),
    ("anthropic", "", "anthropic"),
    ("gemini", "gemini/", "google"),
    ("mistral", "mistral/", "mistral"),
    ("groq", "groq/", "groq"),
    ("deepseek", "deepseek/", "deepseek"),
    ("together_ai", "together_ai/", "together"),
    ("fireworks_ai", "fireworks_ai/", "fireworks"),
    ("cerebras", "cerebras/", "cerebras"),
    ("xai", "xai/", "xai"),
    ("perplexity", "perplexity/", "perplexity"),
    ("bedrock_mantle", "bedrock_mantle/", "bedrock"),
    ("bedrock_converse", "", "bedrock"),
];

/// Our letters for a rate, and LiteLLM's name.
const RATES: [(&str, &str); 5] = [
    ("i", "input_cost_per_token"),
    ("o", "output_cost_per_token"),
    ("r", "cache_read_input_token_cost"),
    ("w", "cache_creation_input_token_cost"),
    ("t", "output_cost_per_reasoning_token"),
];

/// LiteLLM's suffix for a service tier, and our name.
const SERVICES: [(&str, &str); 4] =
    [("batches", "batch"), ("flex", "flex"), ("priority", "priority"), ("ultrafast", "ultrafast")];

/// Minutes of a day.
const DAY: u64 = 24 * 60;

/// The prices of one model, as our table has them.
type Periods = Vec<Value>;

/// The prices of all text models of our providers, by provider and name. Models without a price are omitted.
pub(crate) fn prices(table: &Map<String, Value>) -> BTreeMap<(String, String), Periods> {
    let mut found = BTreeMap::new();
    for (theirs, prefix, ours) in PROVIDERS {
        let is_of = |facts: &Value| facts.get("litellm_provider").and_then(Value::as_str) == Some(theirs);
        let mut models: Vec<_> = table.iter().filter(|(_, facts)| is_of(facts)).collect();
        // A name with the prefix is the surer one.
        models.sort_by_key(|(name, _)| name.starts_with(prefix));
        for (name, facts) in models {
            let mode = facts.get("mode").and_then(Value::as_str);
            let Value::Object(facts) = facts else { continue };
            if !matches!(mode, Some("chat" | "responses")) || name.starts_with("together-ai-") {
                continue;
            }
            let periods = periods(ours, facts);
            if !periods.is_empty() {
                let name = name.strip_prefix(prefix).unwrap_or(name);
                found.insert((ours.to_owned(), name.to_owned()), periods);
            }
        }
    }
    found
}

fn periods(provider: &str, facts: &Map<String, Value>) -> Periods {
    // What is paid by the request does not follow from tokens.
    let is_set = |name: &str| facts.get(name).is_some_and(|value| !value.is_null());
    if is_set("input_cost_per_request")
        || (provider == "perplexity" && is_set("search_context_cost_per_query"))
    {
        return Vec::new();
    }
    let thresholds: BTreeSet<u64> =
        facts.iter().filter(|(_, cost)| !cost.is_null()).filter_map(|(key, _)| threshold(key)).collect();
    let mut periods = Vec::new();
    let services = SERVICES.map(|(theirs, ours)| (format!("_{theirs}"), Some(ours)));
    for (suffix, service) in [(String::new(), None)].into_iter().chain(services) {
        let Some(mut period) = rates(facts, &suffix) else { continue };
        let tier = |thousands: &u64| {
            // xAI's upper tier begins at its threshold, the others' behind it.
            let limit = thousands * 1_000 - u64::from(provider == "xai");
            match rates(facts, &format!("_above_{thousands}k_tokens{suffix}")) {
                Some(rates) => json!([limit, rates]),
                // There is such a tier, and its price is not known, or not for this service.
                None => json!([limit, {}]),
            }
        };
        let above: Vec<Value> = thresholds.iter().map(tier).collect();
        if !above.is_empty() {
            period.insert("above".to_owned(), above.into());
        }
        if let Some(service) = service {
            period.insert("for".to_owned(), service.into());
        }
        periods.push(Value::Object(period));
    }
    periods.extend(off_peak(facts));
    periods
}

/// The thousands of tokens in the name of a rate of input or output, such as `input_cost_per_token_above_200k_tokens`.
fn threshold(key: &str) -> Option<u64> {
    let (rate, rest) = key.split_once("_above_")?;
    RATES.iter().find(|(letter, theirs)| matches!(*letter, "i" | "o") && *theirs == rate)?;
    rest.split_once("k_tokens")?.0.parse().ok()
}

/// The rates under the names that end with `suffix`, if both input and output have one.
fn rates(facts: &Map<String, Value>, suffix: &str) -> Option<Map<String, Value>> {
    let rate = |name: &str| facts.get(&format!("{name}{suffix}")).and_then(picodollars);
    let mut found: Map<String, Value> =
        RATES.iter().filter_map(|(letter, name)| Some(((*letter).to_owned(), rate(name)?.into()))).collect();
    for long in ["above_1hr", "above_12hr"] {
        if let Some(amount) = rate(&format!("cache_creation_input_token_cost_{long}")) {
            found.insert("h".to_owned(), amount.into());
        }
    }
    if found.get("t") == found.get("o") {
        found.remove("t");
    }
    (found.contains_key("i") && found.contains_key("o")).then_some(found)
}

/// The hours and days with other prices; the plain prices apply at all other times.
fn off_peak(facts: &Map<String, Value>) -> Periods {
    let found = facts.get("off_peak_pricing").and_then(Value::as_object);
    let Some((found, rates)) = found.and_then(|found| Some((found, rates(found, "")?))) else {
        return Vec::new();
    };
    let windows = found.get("windows").and_then(Value::as_array).into_iter().flatten();
    let period = |window: &Value| {
        let spans = match window.get("hours_utc")? {
            Value::Array(spans) => spans.iter().filter_map(Value::as_str).collect(),
            span => vec![span.as_str()?],
        };
        let hours: Option<Vec<[u64; 2]>> = spans.into_iter().map(hours).collect();
        let (hours, mut period) = (hours?, rates.clone());
        if hours != [[0, DAY]] {
            period.insert("hours".to_owned(), json!(hours));
        }
        period.insert("days".to_owned(), window.get("weekdays")?.clone());
        Some(Value::Object(period))
    };
    windows.filter_map(period).collect()
}

/// `01:00-04:30` in minutes of a day; one up to `00:00` lasts until the day ends.
fn hours(span: &str) -> Option<[u64; 2]> {
    let minutes = |clock: &str| {
        let (hours, minutes) = clock.trim().split_once(':')?;
        Some(hours.parse::<u64>().ok()? * 60 + minutes.parse::<u64>().ok()?)
    };
    let (start, end) = span.split_once('-')?;
    let end = minutes(end)?;
    Some([minutes(start)?, if end == 0 { DAY } else { end }])
}

/// Whole picodollars of an amount in US dollars such as `1.5e-07`; none for zero, and for what is not a whole number of them.
fn picodollars(usd: &Value) -> Option<u64> {
    let text = match usd {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = part.trim_end_matches('0');
    let shift = exponent.parse::<i32>().ok()? + 12 - i32::try_from(part.len()).ok()?;
    let digits: u128 = format!("{whole}{part}").parse().ok()?;
    let factor = 10_u128.checked_pow(shift.unsigned_abs())?;
    let amount = if shift >= 0 {
        digits.checked_mul(factor)?
    } else if digits.is_multiple_of(factor) {
        digits / factor
    } else {
        return None;
    };
    u64::try_from(amount).ok().filter(|amount| *amount > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_picodollars_or_none() {
        for (text, expected) in [
            ("1.5e-07", Some(150_000)),
            ("0.00000015", Some(150_000)),
            ("2.5E-6", Some(2_500_000)),
            ("0.0", None),
            ("0", None),
            ("1e-13", None),
            ("-1e-6", None),
            ("1.0", Some(1_000_000_000_000)),
        ] {
            let value: Value = serde_json::from_str(text).expect("a number");
            assert_eq!(picodollars(&value), expected, "{text}");
        }
    }

    #[test]
    fn tiers_services_and_hours_are_read() {
        let table = json!({
            "sample_spec": {"mode": "chat", "litellm_provider": "one of them"},
            "gpt-x": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 4e-6,
                "cache_read_input_token_cost": 1e-7, "input_cost_per_token_above_200k_tokens": 2e-6,
                "output_cost_per_token_above_200k_tokens": 6e-6, "input_cost_per_token_batches": 5e-7, "output_cost_per_token_batches": 2e-6},
            "xai/grok-x": {"litellm_provider": "xai", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6,
                "input_cost_per_token_above_128k_tokens": 3e-6, "output_cost_per_token_above_128k_tokens": 3e-6},
            "deepseek/d": {"litellm_provider": "deepseek", "mode": "chat", "input_cost_per_token": 2e-6, "output_cost_per_token": 2e-6,
                "off_peak_pricing": {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6,
                    "windows": [{"hours_utc": ["10:00-00:00"], "weekdays": [1, 2]}, {"hours_utc": "00:00-00:00", "weekdays": [6, 7]}]}},
            "gpt-y": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 4e-6,
                "input_cost_per_token_above_200k_tokens": 2e-6, "output_cost_per_image_above_9k_tokens": 1.0,
                "output_cost_per_token_above_500k_tokens": null},
            "tts": {"litellm_provider": "openai", "mode": "audio_speech", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6},
            "free": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
            "other": {"litellm_provider": "of another", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}
        });
        let found = prices(table.as_object().expect("a table"));
        let found: Vec<_> =
            found.iter().map(|((provider, name), periods)| json!([provider, name, periods])).collect();
        assert_eq!(
            Value::from(found),
            json!([
                ["deepseek", "d", [{"i": 2_000_000, "o": 2_000_000},
                    {"i": 1_000_000, "o": 1_000_000, "hours": [[600, 1440]], "days": [1, 2]},
                    {"i": 1_000_000, "o": 1_000_000, "days": [6, 7]}]],
                ["openai", "gpt-x", [{"i": 1_000_000, "o": 4_000_000, "r": 100_000, "above": [[200_000, {"i": 2_000_000, "o": 6_000_000}]]},
                    {"i": 500_000, "o": 2_000_000, "above": [[200_000, {}]], "for": "batch"}]],
                // A tier whose price for output is missing is still a tier.
                ["openai", "gpt-y", [{"i": 1_000_000, "o": 4_000_000, "above": [[200_000, {}]]}]],
                ["xai", "grok-x", [{"i": 1_000_000, "o": 2_000_000, "above": [[127_999, {"i": 3_000_000, "o": 3_000_000}]]}]]
            ])
        );
    }
}
