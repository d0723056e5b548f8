//! Totals compared with those of the two libraries that the table's data comes from, and properties of every price.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Where a library differs from us, and why we do not follow it.
const DIFFERENT: [(&str, &str, &str); 8] = [
    ("openai/gpt-5.4", "litellm", "has another upper tier for cached input of the priority service"),
    (
        "openai/gpt-5.5",
        "litellm",
        "has another upper tier for the priority service, which is less than the usual one's factor",
    ),
    (
        "anthropic/claude-sonnet-4-5",
        "litellm",
        "has no upper tier: prompts of that length were withdrawn, so that none is billed",
    ),
    ("google/gemini-3.8-flash", "litellm", "has no dates: the price doubles on 2027-01-01"),
    ("google/gemini-4-argon", "litellm", "has no dates: the introductory price ends on 2026-12-01"),
    ("deepseek/deepseek-flash", "genai_prices", "has no days of the week: weekends have no peak"),
    ("deepseek/deepseek-v4-pro", "genai_prices", "has no days of the week: weekends have no peak"),
    ("deepseek/deepseek-chat", "genai_prices", "has the scheme of 2025"),
];

fn moment(text: &str) -> Moment {
    let (day, time) = text.split_once('T').expect("a day and a time");
    let number = |from: usize| time[from..from + 2].parse::<i64>().expect("two digits");
    let seconds = number(0) * 3600 + number(3) * 60 + number(6);
    Moment::from_seconds(Moment::of_day(day).expect("a day").seconds() + seconds)
}

fn price(provider: &str, model: &str) -> Price {
    Prices::bundled()
        .find(provider, model)
        .expect("it can be read")
        .unwrap_or_else(|| panic!("{provider}/{model} has a price"))
}

#[test]
fn totals_are_those_of_both_libraries() {
    let table: Value = serde_json::from_str(include_str!("../../tests/prices/totals.json")).expect("JSON");
    let usages: BTreeMap<String, Vec<u64>> = serde_json::from_value(table["usages"].clone()).expect("usages");
    let mut wrong = Vec::new();
    let mut needed = BTreeSet::new();
    for case in table["cases"].as_array().expect("cases") {
        let word = |name: &str| case[name].as_str();
        let (path, at) = (word("model").expect("a model"), word("at").expect("an instant"));
        let [input, cached, written, long, output, reasoning] = usages[word("usage").expect("a usage")][..]
        else {
            panic!("six figures")
        };
        let usage = Usage {
            input_tokens: input,
            cached_tokens: cached,
            cache_write_tokens: written,
            cache_write_long_tokens: long,
            output_tokens: output,
            reasoning_tokens: reasoning,
        };
        let (provider, model) = path.split_once('/').expect("a provider");
        let ours = price(provider, model).cost(&usage, word("service"), moment(at)).map(Usd::decimal);
        let ours = ours.as_deref();
        let libraries = ["genai_prices", "litellm"];
        let others: Vec<_> =
            libraries.into_iter().filter(|name| word(name).is_some() && word(name) != ours).collect();
        let theirs = libraries.map(word);
        let is_explained = |library: &&str| {
            let found = DIFFERENT.iter().position(|(model, name, _)| *model == path && name == library);
            found.is_some_and(|index| {
                needed.insert(index);
                true
            })
        };
        // At least one of the two must agree with us.
        if others.len() == theirs.into_iter().flatten().count() || !others.iter().all(is_explained) {
            wrong.push(format!(
                "{path} {at} {} {}: {ours:?}, theirs {theirs:?}",
                case["usage"], case["service"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(needed.len(), DIFFERENT.len(), "one is not needed: {needed:?}");
}

/// The cases of the vectors, byte for byte.
#[test]
fn cases_of_a_snapshot_add_up_to_its_totals() {
    let vectors: Value = serde_json::from_str(include_str!("../../tests/prices/costs.json")).expect("JSON");
    let cases = vectors["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 8);
    for case in cases {
        let tokens = |name: &str| case["usage"][name].as_u64().unwrap_or_default();
        let usage = Usage {
            input_tokens: tokens("input"),
            cached_tokens: tokens("cached"),
            cache_write_tokens: tokens("cache_write"),
            output_tokens: tokens("output"),
            ..Usage::default()
        };
        let (provider, model) = match case["model"].as_str().expect("a model") {
            name if name.starts_with("claude") => ("anthropic", name),
            name if name.starts_with("gemini/") => ("google", &name["gemini/".len()..]),
            name => ("openai", name),
        };
        let service = if case["batch"] == true { Some("batch") } else { case["tier"].as_str() };
        let cost = price(provider, model)
            .cost(&usage, service, moment("2026-11-25T12:00:00Z"))
            .map(Usd::picodollars);
        let expected = (case["usd"].as_f64().expect("an amount") * 1e12).round() as u64;
        assert_eq!(cost, Some(expected), "{case}");
    }
}

#[test]
fn the_whole_request_moves_to_the_upper_tier_and_cached_tokens_count() {
    let at = moment("2026-11-25T12:00:00Z");
    let price = price("google", "gemini-2.5-pro");
    let usage =
        |input| Usage { input_tokens: input, cached_tokens: 150_000, output_tokens: 10, ..Usage::default() };
    let cost = |input| price.cost(&usage(input), None, at).expect("a price").picodollars();
    assert_eq!(cost(200_000), 50_000 * 1_250_000 + 150_000 * 125_000 + 10 * 10_000_000);
    assert_eq!(cost(200_001), 50_001 * 2_500_000 + 150_000 * 250_000 + 10 * 15_000_000);
}

#[test]
fn tiers_and_counts_outside_the_table_have_no_price() {
    let at = moment("2026-11-25T12:00:00Z");
    let usage = Usage { input_tokens: 10, output_tokens: 1, ..Usage::default() };
    let sonnet = price("anthropic", "claude-haiku-4-5");
    for tier in [None, Some(""), Some("standard"), Some("Standard"), Some("default"), Some("auto")] {
        assert!(sonnet.cost(&usage, tier, at).is_some(), "{tier:?}");
    }
    for tier in ["flex", "priority", "scale", "us", "batch+us", "whatever"] {
        assert_eq!(sonnet.cost(&usage, Some(tier), at), None, "{tier}");
    }
    // The service was not offered before.
    assert_eq!(sonnet.cost(&usage, Some("batch"), moment("2026-10-01T00:00:00Z")), None);
    // Counts that contradict one another.
    let cached = Usage { cached_tokens: 11, ..usage };
    let long = Usage { cache_write_long_tokens: 1, ..usage };
    let reasoning = Usage { reasoning_tokens: 2, ..usage };
    for usage in [cached, long, reasoning] {
        assert_eq!(sonnet.cost(&usage, None, at), None, "{usage:?}");
    }
}

#[test]
fn the_maximum_covers_the_next_minute_and_the_standard_tier() {
    let most = Most { input_tokens: 1_000, output_tokens: Some(100) };
    let picodollars = |provider: &str, model: &str, tier, at: &str| {
        price(provider, model).at_most(most, tier, moment(at)).map(Usd::picodollars)
    };
    // Off the peak, a minute before the peak, at the peak, and a minute before its end.
    let deepseek = |at| picodollars("deepseek", "deepseek-v4-pro", None, at);
    let (calm, peak) = (1_000 * 660_000 + 100 * 1_980_000, 1_000 * 1_320_000 + 100 * 3_960_000);
    assert_eq!(deepseek("2026-11-27T00:50:00Z"), Some(calm));
    assert_eq!(deepseek("2026-11-27T00:59:30Z"), Some(peak));
    assert_eq!(deepseek("2026-11-27T02:00:00Z"), Some(peak));
    assert_eq!(deepseek("2026-11-27T03:59:30Z"), Some(peak));
    // A request for the half-price tier may be served at the full price.
    let luna = |tier| picodollars("openai", "gpt-6-luna", tier, "2026-11-27T12:00:00Z");
    assert_eq!(luna(Some("flex")), luna(None));
    assert!(luna(Some("priority")) > luna(None));
    assert_eq!(luna(Some("whatever")), None);
}

#[test]
fn reasoning_with_its_own_price_is_not_paid_twice() {
    let price = Price::parse("in=1,out=2,reasoning=8").expect("a price");
    let usage = Usage { input_tokens: 1, output_tokens: 10, reasoning_tokens: 6, ..Usage::default() };
    let cost = price.cost(&usage, None, Moment::from_seconds(0)).expect("a cost");
    assert_eq!(cost.picodollars(), 1_000_000 + 4 * 2_000_000 + 6 * 8_000_000);
}

fn rates() -> impl Strategy<Value = Rates> {
    let price = || proptest::option::of(1_u64..100_000_000);
    let known = (1_u64..100_000_000, 1_u64..100_000_000);
    (known, price(), price(), price()).prop_map(|((input, output), cached, written, reasoning)| Rates {
        input: Some(input),
        output: Some(output),
        cached,
        written,
        written_long: written.map(|price| 2 * price),
        reasoning,
    })
}

fn usages() -> impl Strategy<Value = Usage> {
    let count = || 0_u64..300_000;
    [count(), count(), count(), count(), count(), count()].prop_map(
        |[plain, cached, short, long, said, thought]| Usage {
            input_tokens: plain + cached + short + long,
            cached_tokens: cached,
            cache_write_tokens: short + long,
            cache_write_long_tokens: long,
            output_tokens: said + thought,
            reasoning_tokens: thought,
        },
    )
}

proptest! {
    #[test]
    fn a_cost_is_the_sum_of_its_parts_and_grows_with_them(rates in rates(), one in usages(), other in usages()) {
        let mut both = one;
        both += other;
        let cost = |usage: &Usage| rates.cost(usage).expect("all prices are known");
        prop_assert_eq!(cost(&both), cost(&one) + cost(&other));
        prop_assert!(cost(&both) >= cost(&one));
        prop_assert_eq!(cost(&Usage::default()), Usd::ZERO);
    }

    /// Budgets and lost answers rely on this: no request within its limits costs more, however long it really is, and however
    /// much of it is cached, written or reasoning.
    #[test]
    fn nothing_costs_more_than_the_most(
        base in rates(),
        tiers in proptest::collection::vec((1_u64..300_000, rates()), 0..3),
        usage in usages(),
        more in (0_u64..1_000, 0_u64..1_000),
    ) {
        let mut above = tiers;
        above.sort_by_key(|(threshold, _)| *threshold);
        above.dedup_by_key(|(threshold, _)| *threshold);
        let Rates { input: i, output: o, cached: r, written: w, written_long: h, reasoning: t } = base;
        let price = Price::new(vec![Period { i, o, r, w, h, t, above, ..Period::default() }]).expect("a price");
        let (at, tokens) = (Moment::from_seconds(0), usage.output_tokens + more.1);
        let most = Most { input_tokens: usage.input_tokens + more.0, output_tokens: Some(tokens) };
        let ceiling = price.at_most(most, None, at).expect("all prices are known");
        prop_assert!(price.cost(&usage, None, at).expect("a cost") <= ceiling);
        prop_assert_eq!(price.at_most(Most { output_tokens: None, ..most }, None, at), None);
        prop_assert_eq!(price.at_most(most, Some("flex"), at), None);
    }

    #[test]
    fn a_longer_prompt_is_never_cheaper(at in 0_i64..40_000, input in 0_u64..2_000_000, more in 0_u64..500_000) {
        let at = Moment::from_seconds(moment("2026-11-25T00:00:00Z").seconds() + at * 3600);
        for (provider, model) in [("openai", "gpt-6-luna"), ("google", "gemini-2.5-pro"), ("xai", "grok-4.6"), ("deepseek", "deepseek-v4-pro")] {
            let price = price(provider, model);
            let cost = |input| price.cost(&Usage { input_tokens: input, output_tokens: 9, ..Usage::default() }, None, at);
            prop_assert!(cost(input).is_some() && cost(input + more) >= cost(input), "{}", model);
        }
    }
}
