//! The bundled table can be read, and names are found only by its own rules.

use super::*;
use crate::turn::Usage;

fn at(day: &str) -> Moment {
    Moment::of_day(day).expect(day)
}

fn usd(provider: &str, model: &str, day: &str) -> Option<String> {
    let price = Prices::bundled().find(provider, model).expect("it can be read")?;
    let million = Usage { input_tokens: 1_000_000, output_tokens: 0, ..Usage::default() };
    let thousandth = Usage { input_tokens: 1_000, ..million };
    price.cost(&thousandth, None, at(day)).map(|usd| usd.times(1_000).decimal())
}

#[test]
fn all_of_the_bundled_table_can_be_read() {
    let prices = Prices::bundled();
    prices.check().expect("every price can be read");
    assert_eq!(prices.taken_on(), Some("2026-11-28"));
    let names: Vec<_> = prices.sources().iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["litellm", "genai-prices"]);
    assert!(prices.sources().iter().all(|source| source.sha256.len() == 64 && source.licence == "MIT"));
    assert_eq!(prices.hash().len(), 64);
    assert!(prices.basis().starts_with("2026-11-28 sha256:"), "{}", prices.basis());
    assert_eq!(prices.age_in_days(at("2026-12-12")), Some(14));
}

#[test]
fn no_price_in_the_bundled_table_is_zero() {
    for (name, entry) in Prices::bundled().all().expect("all can be read") {
        for period in entry.prices {
            for rates in std::iter::once(period.base()).chain(period.above.iter().map(|(_, rates)| *rates)) {
                let all = [rates.input, rates.output, rates.cached, rates.written, rates.written_long];
                assert!(all.into_iter().flatten().all(|price| price > 0), "{name}");
            }
        }
    }
}

/// The compiled-in table is the same as the file read at run time.
#[test]
fn the_bundled_table_is_that_of_the_file() {
    let (bundled, read) = (Prices::bundled(), Prices::parse(include_str!("../../../data/prices.json")));
    let read = read.expect("the file can be read");
    assert_eq!(
        (bundled.hash(), bundled.basis(), bundled.sources()),
        (read.hash(), read.basis(), read.sources())
    );
    let prices = |prices: &Prices| -> Vec<_> {
        let all = prices.all().expect("all can be read").into_iter();
        all.filter_map(|(name, entry)| Some((name, entry.dated, Price::new(entry.prices)?))).collect()
    };
    let (bundled, read) = (prices(bundled), prices(&read));
    assert!(bundled.len() > 1000 && bundled == read);
}

#[test]
fn a_model_is_found_by_its_name_or_by_one_with_a_date() {
    for (provider, model, expected) in [
        ("openai", "gpt-6-luna", Some("0.1")),
        ("openai", "gpt-6-luna-2031-12-11", Some("0.1")),
        ("anthropic", "claude-haiku-4-5", Some("1")),
        ("anthropic", "claude-haiku-4-5-20251001", Some("1")),
        // A name that begins like another is not that one.
        ("openai", "gpt-6-luna-pro", None),
        ("openai", "gpt-6-luna-2031-12", None),
        ("openai", "gpt-6-luna-2031-13-11", None),
        ("openai", "GPT-6-luna", None),
        ("openai", "openai/gpt-6-luna", None),
        ("anthropic", "gpt-6-luna", None),
        ("anthropic", "claude-opus-9", None),
        ("nobody", "gpt-6-luna", None),
        // It is free up to a quota, with no price beyond.
        ("google", "gemma-4-31b-it", None),
        // Its searches are billed per request.
        ("perplexity", "sonar", None),
    ] {
        assert_eq!(usd(provider, model, "2026-11-28").as_deref(), expected, "{provider}/{model}");
    }
}

#[test]
fn prices_are_those_of_the_day() {
    for (provider, model, day, expected) in [
        ("google", "gemini-4-argon", "2026-11-30", "2"),
        ("google", "gemini-4-argon", "2026-12-01", "4"),
        ("google", "gemini-3.8-flash", "2026-12-31", "0.75"),
        ("google", "gemini-3.8-flash", "2027-01-01", "1.5"),
        ("mistral", "mistral-large-4", "2026-10-28", "1.36"),
        ("mistral", "mistral-large-4", "2026-10-29", "0.7"),
        ("together", "Qwen/Qwen3.7-Max", "2026-11-28", "2.5"),
        // At midnight there is no peak.
        ("deepseek", "deepseek-v4-pro", "2026-11-25", "0.66"),
        ("deepseek", "deepseek-flash", "2026-11-25", "0.15"),
    ] {
        assert_eq!(usd(provider, model, day).as_deref(), Some(expected), "{provider}/{model} on {day}");
    }
}

#[test]
fn a_users_table_is_read_or_rejected_with_the_location() {
    let own = r#"{"providers": {"openai": {"mine": {"prices": [{"i": 1000, "o": 2000}], "dated": true}}}}"#;
    let prices = Prices::parse(own).expect("a table");
    assert!(prices.find("openai", "mine-20310101").expect("it can be read").is_some());
    assert_eq!((prices.taken_on(), prices.age_in_days(at("2026-11-28"))), (None, None));
    for (text, said) in [
        ("[]", "not a price table"),
        (r#"{"models": {}}"#, "not a price table"),
        (r#"{"about": {"taken": "today"}, "providers": {}}"#, "`today`"),
        (r#"{"providers": {"openai": []}}"#, "the models of `openai`"),
        (r#"{"providers": {"openai": {}, "openai": {}}}"#, "it has `openai` twice"),
        (r#"{"providers": {"openai": {"a": {"prices": []}, "a": {"prices": []}}}}"#, "it has `a` twice"),
        (r#"{"providers": {"openai": {"mine": {}}}}"#, "`openai/mine` has no price"),
        (r#"{"providers": {"openai": {"mine": {"prices": []}}}}"#, "`openai/mine` has no price"),
    ] {
        let problem = Prices::parse(text).and_then(|prices| prices.check()).expect_err(text);
        assert!(problem.message.contains(said), "{text}: {}", problem.message);
    }
}

/// What can be read as a price but cannot be meant as one. Some of these would be a price that never applies, or one a million times too
/// low.
#[test]
fn a_price_that_cannot_be_meant_is_rejected() {
    const PICODOLLARS: &str = "expected whole picodollars per token";
    for (price, said) in [
        (r#"{"i": 1000, "o": 2000, "untl": 3}"#, "unknown field `untl`"),
        (r#"{"i": -1, "o": 2000}"#, PICODOLLARS),
        (r#"{"i": 0.5, "o": 2000}"#, PICODOLLARS),
        (r#"{"i": "150000", "o": 2000}"#, PICODOLLARS),
        (r#"{"i": 15, "o": 60}"#, "`i` is `15`, which is $0.000015 per million tokens"),
        (r#"{"i": 150000, "o": 600000, "r": 1}"#, "`r` is `1`"),
        (r#"{"i": 150000000000, "o": 600000}"#, "which is $150000.00 per million tokens"),
        (r#"{"i": 150000}"#, "it has no `i` or no `o`"),
        (r#"{"from": "x"}"#, "`x` is not a day"),
        (r#"{"i": 1000, "o": 2000, "hours": [[600, 1441]]}"#, "`[600, 1441]`, expected minutes of the day"),
        (r#"{"i": 1000, "o": 2000, "hours": [[1320, 120]]}"#, "`[1320, 120]`, expected minutes of the day"),
        (r#"{"i": 1000, "o": 2000, "hours": [[60, 60]]}"#, "the smaller first"),
        (r#"{"i": 1000, "o": 2000, "hours": [["9:00", "17:00"]]}"#, "expected minutes of the day"),
        (r#"{"i": 1000, "o": 2000, "hours": [[-60, 60]]}"#, "expected minutes of the day"),
        (r#"{"i": 1000, "o": 2000, "days": [0]}"#, "`0`, expected 1 for Monday"),
        (r#"{"i": 1000, "o": 2000, "days": [8]}"#, "`8`, expected 1 for Monday"),
        (r#"{"i": 1000, "o": 2000, "days": ["Monday"]}"#, "expected days of the week, 1 for Monday"),
        (r#"{"i": 1000, "o": 2000, "days": [null]}"#, "expected days of the week, 1 for Monday"),
        (r#"{"i": 1000, "o": 2000, "days": [99999999999]}"#, "expected days of the week, 1 for Monday"),
        (r#"{"i": 1000, "o": 2000, "for": ""}"#, "a service other than the standard one"),
        (r#"{"i": 1000, "o": 2000, "for": "default"}"#, "a service other than the standard one"),
        (r#"{"i": 1000, "o": 2000, "for": "Batch"}"#, "in lower case"),
        (r#"{"i": 1000, "o": 2000, "for": "batches"}"#, "`for` is `batches`"),
        (r#"{"i": 1000, "o": 2000, "above": [[2, {}], [1, {}]]}"#, "its tiers are not in order"),
        (r#"{"i": 1000, "o": 2000, "above": [["200k", {}]]}"#, "expected a number of input tokens"),
        (r#"{"i": 1000, "o": 2000, "above": [[2, {"i": 3, "o": 3000}]]}"#, "`i` is `3`"),
    ] {
        let table = format!(r#"{{"providers": {{"openai": {{"mine": {{"prices": [{price}]}}}}}}}}"#);
        let problem = Prices::parse(&table).and_then(|prices| prices.check()).expect_err(price);
        assert!(problem.message.starts_with("the price of `openai/mine` cannot be "), "{}", problem.message);
        assert!(problem.message.contains(said), "{price}: {}", problem.message);
        assert!(
            !problem.message.contains(" at line ") && !problem.message.contains("u64"),
            "{}",
            problem.message
        );
    }
    for price in [
        r#"{"i": 0, "o": 0}"#,
        r#"{"i": 1000, "o": 600000000, "r": null, "hours": [[0, 1440]], "days": [1, 7]}"#,
        r#"{"i": 1000, "o": 2000, "for": "priority+us", "above": [[1, {}]]}"#,
        r#"{"i": 1000, "o": 2000, "for": "turbo"}"#,
    ] {
        let table = format!(r#"{{"providers": {{"openai": {{"mine": {{"prices": [{price}]}}}}}}}}"#);
        Prices::parse(&table).and_then(|prices| prices.check()).expect(price);
    }
}
