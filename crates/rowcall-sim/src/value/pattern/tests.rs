//! Patterns inside and outside the subset, compared with another engine.

use super::Pattern;
use crate::chance::Chance;

const PATTERNS: &[&str] = &[
    "^[A-Z]{2}\\d{4}$",
    "^\\d{3}-\\d{2}-\\d{4}$",
    "^(red|green|blue)$",
    "^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$",
    "^#?([a-fA-F0-9]{6}|[a-fA-F0-9]{3})$",
    "^\\+?[1-9]\\d{1,14}$",
    "\\bfoo\\b",
    "^(?:a|b)+?c*$",
    "^(?<year>\\d{4})-(?P<month>\\d{2})$",
    "^[\\w.-]+/[\\w.-]+$",
    "^.{3,5}$",
    "^\\S+( \\S+)*$",
    "[\\x41-\\u0043]+\\.",
    "^$|^x$",
    "^a{2}b{0}c{1,}$",
    "^(\\{|\\}|a)$",
    "",
    "^\\W\\D$",
    "^(((a|b)c)+d){2,3}$",
    "^\\p$",
];

#[test]
fn examples_match_in_this_engine_and_another() {
    for source in PATTERNS.iter().filter(|source| **source != "^\\p$") {
        let pattern = Pattern::parse(source).unwrap_or_else(|| panic!("{source} is in the subset"));
        let schema = serde_json::json!({ "type": "string", "pattern": source });
        let judge = jsonschema::validator_for(&schema).unwrap();
        for n in 0..50 {
            let example = pattern.example(Chance::of(n, source), (0, None), |_| true);
            let example = example.unwrap_or_else(|| panic!("no example for {source}"));
            assert!(judge.is_valid(&serde_json::json!(example)), "{example:?} does not match {source}");
        }
    }
}

#[test]
fn lengths_are_respected_where_possible() {
    let pattern = Pattern::parse("^[a-z]+$").unwrap();
    for (shortest, longest) in [(0, Some(1)), (5, Some(5)), (60, Some(70)), (1_000, None)] {
        let example = pattern.example(Chance::of(1, ""), (shortest, longest), |_| true);
        let length = example.map(|text| text.len()).unwrap_or_default();
        assert!(
            length >= shortest && longest.is_none_or(|longest| length <= longest),
            "{length} for {shortest}"
        );
    }
    let none = Pattern::parse("^a{3}$").unwrap().example(Chance::of(1, ""), (4, None), |_| true);
    assert_eq!(none, None);
}

#[test]
fn patterns_outside_the_subset_are_rejected() {
    for source in [
        "(?=a)",
        "(?!a)b",
        "(?<=a)b",
        "(a)\\1",
        "a**",
        "[",
        "(",
        "a)",
        "*",
        "[z-a]",
        "\\p{L}",
        "[[:alpha:]]",
        "a{5,2}",
        "a{9999}",
    ] {
        assert!(Pattern::parse(source).is_none(), "{source}");
    }
    assert!(Pattern::parse(&"(".repeat(100_000)).is_none());
    let contradiction = Pattern::parse("a^b").unwrap();
    assert_eq!(contradiction.example(Chance::of(1, ""), (0, None), |_| true), None);
}

#[test]
fn matching_gives_up_instead_of_running_forever() {
    let pattern = Pattern::parse("^(a+)+$").unwrap();
    assert!(!pattern.matches(&format!("{}b", "a".repeat(60))));
    assert!(Pattern::parse("^(ab)*$").unwrap().matches(&"ab".repeat(200)));
    assert!(!Pattern::parse("^((ab)*c)*$").unwrap().matches(&"ababc".repeat(4_000)));
}

proptest::proptest! {
    #[test]
    fn any_source_is_parsed_or_rejected_without_panic(source in "[\\PC]{0,20}|[\\[\\](){}a|*+?^$.\\\\,0-9bdw-]{0,16}") {
        if let Some(pattern) = Pattern::parse(&source)
            && let Some(example) = pattern.example(Chance::of(1, &source), (0, None), |_| true)
        {
            assert!(pattern.matches(&example));
        }
    }
}
