//! A rewritten pattern accepts what the user's does, of texts without characters that JSON escapes.

use proptest::prelude::*;

use super::*;

/// The pattern sent in the place of `pattern`, with a sign where it is narrower; `-` if there is none.
fn sent(pattern: &str) -> String {
    match rewritten(pattern) {
        Some(Rewritten { pattern, is_narrower: false }) => pattern,
        Some(Rewritten { pattern, is_narrower: true }) => format!("narrower {pattern}"),
        None => "-".to_owned(),
    }
}

#[test]
fn patterns_are_for_the_whole_text_and_without_what_a_grammar_does_not_know() {
    let cases = [
        (r"^[0-9]{3}$", r"^[0-9]{3}$"),
        (r"^\d{3}-\w+$", r"^[0-9]{3}-[0-9A-Z_a-z]+$"),
        (r"[0-9]{5}", r#"narrower ^[^"\\\x00-\x1F\x7F]*[0-9]{5}[^"\\\x00-\x1F\x7F]*$"#),
        (r"^ab", r#"narrower ^ab[^"\\\x00-\x1F\x7F]*$"#),
        (r"ab$", r#"narrower ^[^"\\\x00-\x1F\x7F]*ab$"#),
        (r"^.+$", r#"narrower ^[^"\\\x00-\x1F\x7F\u2028\u2029]+$"#),
        (r"^[^,]+$", r#"narrower ^[^"\\\x00-\x1F\x7F,]+$"#),
        (r"^a$|^b$", r"^(a|b)$"),
        (r"^(a|b|)$", r"^(a|b)?$"),
        (r"^(?:cat|dog)s?$", r"^(cat|dog)s?$"),
        (r"^(?P<year>\d{4})$", r"^[0-9]{4}$"),
        (r"^a/b\/c$", r"^a/b/c$"),
        (r"^[a-z-]+\.[A-Z]{2,}$", r"^[a-z-]+\.[A-Z]{2,}$"),
        (r"^(ab){2}(c|d)*?$", r"^(ab){2}[cd]*$"),
        (r#"^"[a-z]+"$"#, "-"),
        (r"^(?=a)a$", "-"),
        (r"^(a)\1$", "-"),
        (r"\bword\b", "-"),
        (r"^\p{L}+$", "-"),
        (r"^[a-z]{0,5000}$", "-"),
        (r"^([a-z]{30}){30}$", "-"),
        (r"^a$b", "-"),
        ("(", "-"),
    ];
    for (pattern, expected) in cases {
        assert_eq!(sent(pattern), expected, "{pattern}");
    }
}

/// Patterns of all sorts of parts.
fn patterns() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "c", "-", "1", "é", "\\.", "\\d", "\\w", "\\s", "\\D", "\\W", "\\S", ".", "\\/", "\\t"]).prop_map(str::to_owned),
        3 => prop::sample::select(vec!["[abc]", "[^a]", "[a-c1-3]", "[^\\d]", "[-a]", "[\\w-]", "[\\]^a]", "[\\s,]", "[^\"b]", "[,-/]"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["^", "$"]).prop_map(str::to_owned),
    ];
    let inner = atom.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            2 => (inner.clone(), prop::sample::select(vec!["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?"]))
                .prop_map(|(part, mark)| format!("(?:{part}){mark}")),
            2 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| format!("({})", parts.join("|"))),
        ]
    });
    (any::<bool>(), inner, any::<bool>()).prop_map(|(start, body, end)| {
        format!("{}{body}{}", if start { "^" } else { "" }, if end { "$" } else { "" })
    })
}

fn texts() -> impl Strategy<Value = String> {
    let letters = vec![
        'a', 'b', 'c', '1', '2', '-', '.', ',', '/', ' ', '_', 'é', ']', '^', '\u{a0}', 'Z', '"', '\\', '\n',
        '\u{7f}',
    ];
    prop::collection::vec(prop::sample::select(letters), 0..6).prop_map(|chars| chars.into_iter().collect())
}

/// A validator for strings that match `pattern`.
fn validator(pattern: &str) -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::json!({ "pattern": pattern })).expect("a pattern")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rewritten_pattern_accepts_what_the_users_accepts(pattern in patterns(), texts in prop::collection::vec(texts(), 24)) {
        let Some(Rewritten { pattern: sent, is_narrower }) = rewritten(&pattern) else { return Ok(()) };
        let (users, ours) = (validator(&pattern), validator(&sent));
        for text in texts {
            let value = serde_json::Value::from(text.as_str());
            let (by_user, by_us) = (users.is_valid(&value), ours.is_valid(&value));
            if text.chars().any(is_escaped) {
                prop_assert!(!by_us, "{sent} accepts {text:?}");
                prop_assert!(!by_user || is_narrower, "{pattern} accepts {text:?}, and {sent} does not");
            } else {
                prop_assert_eq!(by_user, by_us, "{} became {}, text {:?}", pattern, sent, text);
            }
        }
    }
}
