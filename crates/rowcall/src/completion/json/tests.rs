//! Scenarios of what models write around, and instead of, JSON, and properties that hold for any text.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Candidate, Found, MOST_CANDIDATES, Unreadable, find};
use crate::completion::repair::Repair;

/// The values found, best first, with the names of their repairs, and `cut`, `deep` or `broken` for unreadable JSON.
fn summary(found: &Found) -> (Vec<(String, String)>, &'static str) {
    let names = |repairs: &[Repair]| repairs.iter().map(|repair| repair.name()).collect::<Vec<_>>().join(" ");
    let candidates = found.candidates.iter().map(|c| (c.value.to_string(), names(&c.repairs))).collect();
    let unreadable = match found.unreadable {
        None => "",
        Some(Unreadable::Empty) => "empty",
        Some(Unreadable::Thoughts) => "thoughts",
        Some(Unreadable::Cut) => "cut",
        Some(Unreadable::TooDeep) => "deep",
        Some(Unreadable::Broken { .. }) => "broken",
    };
    (candidates, unreadable)
}

/// A scenario: the text, the values found with their repairs, and what was unreadable.
type Story = (&'static str, &'static [(&'static str, &'static str)], &'static str);

fn check(stories: &[Story]) {
    let mut wrong = Vec::new();
    for (text, candidates, unreadable) in stories {
        let expected: Vec<(String, String)> =
            candidates.iter().map(|(value, repairs)| ((*value).to_owned(), (*repairs).to_owned())).collect();
        let got = summary(&find(text, &[]));
        if got != (expected, *unreadable) {
            wrong.push(format!("in: {text}\n    {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn values_are_found_in_any_context() {
    check(&[
        // By itself.
        (r#"{"a":1}"#, &[(r#"{"a":1}"#, "")], ""),
        ("\u{feff} \n {\"a\":1}\n\n", &[(r#"{"a":1}"#, "")], ""),
        ("42", &[("42", "")], ""),
        ("\"positive\"", &[("\"positive\"", "")], ""),
        // In a fence.
        ("```json\n{\"a\":1}\n```", &[(r#"{"a":1}"#, "fence")], ""),
        ("```\n{\"a\":1}\n```", &[(r#"{"a":1}"#, "fence")], ""),
        ("~~~~ JSON5 title=\"x\"\n{\"a\":1}\n~~~~", &[(r#"{"a":1}"#, "fence")], ""),
        ("Sure! ```{\"a\":1}``` Anything else?", &[(r#"{"a":1}"#, "fence")], ""),
        ("```json\n{\"a\":1}", &[(r#"{"a":1}"#, "fence")], ""),
        ("```json\n// the answer\n{\"a\":1}\n```", &[(r#"{"a":1}"#, "fence")], ""),
        ("```python\nanswer = {\"a\": 1}\n```", &[(r#"{"a":1}"#, "fence")], ""),
        ("```json\n{\"code\":\"```sh\\nls\\n```\"}\n```", &[(r#"{"code":"```sh\nls\n```"}"#, "fence")], ""),
        ("```json\n{\"code\":\"a\n```\nb\"}\n```", &[(r#"{"code":"a\n```\nb"}"#, "raw_newline fence")], ""),
        // A fence with a scalar.
        ("```\n42\n```", &[("42", "fence")], ""),
        ("```\n\"a { and [ b\"\n```", &[("\"a { and [ b\"", "fence")], ""),
        ("```true```", &[("true", "fence")], ""),
        ("```json\n\"positive\"\n```", &[("\"positive\"", "fence")], ""),
        ("The answer is:\n\n```\nTrue\n```\n", &[("true", "python_literal fence")], ""),
        // In prose.
        ("The answer is {\"a\":1}.", &[(r#"{"a":1}"#, "prose")], ""),
        ("{\"a\":1}\n\nI hope this helps!", &[(r#"{"a":1}"#, "prose")], ""),
        ("{\"a\":1}}", &[(r#"{"a":1}"#, "prose")], ""),
        ("Use `{\"a\":1}` here.", &[(r#"{"a":1}"#, "prose")], ""),
        ("[1, 2]: the list", &[("[1,2]", "prose")], ""),
        // No JSON at all.
        ("", &[], "empty"),
        (" \n\u{feff}", &[], "empty"),
        ("I cannot answer that.", &[], ""),
        ("The answer is 42.", &[], ""),
        ("It is true", &[], ""),
        ("```\nplain words\n```", &[], ""),
        ("```json\n```", &[], ""),
        ("Dear {name}, see [this](https://a.b) and {x | x > 0}, {{ mustache }}, ${shell}.", &[], ""),
        ("for x in [0, 5) and ]0, 1[ alike", &[], ""),
    ]);
}

#[test]
fn several_values_and_their_order() {
    check(&[
        // Models that think aloud answer last.
        ("First {\"a\":1}, or rather {\"a\":2}.", &[(r#"{"a":2}"#, "prose"), (r#"{"a":1}"#, "prose")], ""),
        ("{\"a\":1}\n{\"a\":2}", &[(r#"{"a":2}"#, "prose"), (r#"{"a":1}"#, "prose")], ""),
        ("[..., {\"a\":1}] {..., \"b\": {\"a\":1}} {\"a\":2} [...]", &[(r#"{"a":2}"#, "prose")], "broken"),
        ("{\"a\":1}, see \\url{https://a.b} and h1 {color: red; b: {}}", &[(r#"{"a":1}"#, "prose")], ""),
        // A fence takes precedence over prose.
        (
            "```json\n{\"a\":1}\n```\nHad you asked about b: {\"b\":2}",
            &[(r#"{"a":1}"#, "fence"), (r#"{"b":2}"#, "prose")],
            "",
        ),
        (
            "Input:\n```json\n{\"in\":1}\n```\nOutput:\n```json\n{\"out\":2}\n```",
            &[(r#"{"out":2}"#, "fence"), (r#"{"in":1}"#, "fence")],
            "",
        ),
        // Brackets of prose do not matter.
        ("As [1] says, {x} is in [0, 5): {\"a\":1}", &[(r#"{"a":1}"#, "prose"), ("[1]", "prose")], ""),
        ("[note: {\"a\":1}]", &[(r#"{"a":1}"#, "prose")], "broken"),
        ("Begin with {\" and then {\"a\":1}", &[(r#"{"a":1}"#, "prose")], ""),
        ("[1, see below] {\"a\":1}", &[(r#"{"a":1}"#, "prose")], "broken"),
        // Thoughts are not the answer, nor do their brackets hide it.
        ("<think>maybe {\"a\":1}?</think>\n{\"a\":2}", &[(r#"{"a":2}"#, "")], ""),
        ("<think>{\"a\":1, hm</think>\n{\"a\":2,}", &[(r#"{"a":2}"#, "trailing_comma")], ""),
        ("<think>one</think><thinking>two</thinking>So: {\"a\":2}", &[(r#"{"a":2}"#, "prose")], ""),
        ("maybe {\"a\":1}\n</think>\n\n{\"a\":2}", &[(r#"{"a":2}"#, "")], ""),
        ("[THINK]maybe {\"a\":1}[/THINK]```\n{\"a\":2}\n```", &[(r#"{"a":2}"#, "fence")], ""),
        ("So: {\"tag\":\"a </think> b\"}", &[(r#"{"tag":"a </think> b"}"#, "prose")], ""),
        // The text after the thoughts is the answer, JSON or not.
        ("<think>maybe {\"a\":1}</think> I cannot say.", &[], ""),
        ("<think>so it is {\"a\":1}</think>", &[], "thoughts"),
        ("<think>so it is\n```\n{\"a\":1}\n```", &[], "thoughts"),
        // Thoughts at any position, and marks in any case.
        ("Well. <Think>maybe {\"a\":1}</Think> So: {\"a\":2}", &[(r#"{"a":2}"#, "prose")], ""),
        ("maybe {\"a\":1}, hm </think> {\"a\":2}", &[(r#"{"a":2}"#, "prose")], ""),
        ("So: {\"a\":2} <reflection by=\"me\">or {\"a\":1}?", &[(r#"{"a":2}"#, "prose")], ""),
        ("<think>a <think>{\"a\":1}</think> {\"a\":3}</think>{\"a\":2}", &[(r#"{"a":2}"#, "")], ""),
        ("{\"a\":1}\n</think>", &[], "thoughts"),
    ]);
}

#[test]
fn repairable_errors_are_repaired() {
    check(&[
        ("{\"a\":1, // one\n\"b\":2}", &[(r#"{"a":1,"b":2}"#, "comment")], ""),
        ("{/* a */\"a\"/**/:/***/1}", &[(r#"{"a":1}"#, "comment")], ""),
        ("[1, # one\n2]", &[("[1,2]", "comment")], ""),
        ("{\"url\":\"http://a/#b\",}", &[(r#"{"url":"http://a/#b"}"#, "trailing_comma")], ""),
        ("{\"a\":[1,2,],}", &[(r#"{"a":[1,2]}"#, "trailing_comma")], ""),
        ("{\"a\":\"x\"\n \"b\":2}", &[(r#"{"a":"x","b":2}"#, "missing_comma")], ""),
        ("[{\"a\":1} {\"a\":2}]", &[(r#"[{"a":1},{"a":2}]"#, "missing_comma")], ""),
        ("{'a': 'it's'}", &[(r#"{"a":"it's"}"#, "single_quotes inner_quotes")], ""),
        ("{'a': 'it\\'s \"so\"'}", &[(r#"{"a":"it's \"so\""}"#, "single_quotes")], ""),
        ("{“a”: “b's \"c\"”}", &[(r#"{"a":"b's \"c\""}"#, "smart_quotes")], ""),
        ("{\"a\":\"“b”\",}", &[(r#"{"a":"“b”"}"#, "trailing_comma")], ""),
        (
            "{a: 1, b_2: 2, $c: 3, größe: 4, 5: 6}",
            &[(r#"{"a":1,"b_2":2,"$c":3,"größe":4,"5":6}"#, "unquoted_key")],
            "",
        ),
        ("{\"a\":\"x\ny\tz\u{1}\"}", &[(r#"{"a":"x\ny\tz\u0001"}"#, "raw_newline")], ""),
        (
            "{\"a\":True,\"b\":False,\"c\":None}",
            &[(r#"{"a":true,"b":false,"c":null}"#, "python_literal")],
            "",
        ),
        ("{\"a\":007}", &[(r#"{"a":"007"}"#, "loose_number")], ""),
        ("[1e999,]", &[("[1e+999]", "trailing_comma")], ""),
        ("[.5, 2., -.5, +1e3, +2.5]", &[("[0.5,2,-0.5,1e+3,2.5]", "loose_number")], ""),
        ("[+41]", &[(r#"["+41"]"#, "loose_number")], ""),
        (r#"["it\'s"]"#, &[(r#"["it's"]"#, "invalid_escape")], ""),
        (
            r#"["a\_b", "\d+", "\u12", "\uZZZZ", "\ud83d\ude00"]"#,
            &[(r#"["a\\_b","\\d+","\\u12","\\uZZZZ","😀"]"#, "invalid_escape")],
            "",
        ),
        // One backslash that is not a JSON escape shows that none in the string is.
        (
            r#"["\beta and \sigma in C:\Users\new"]"#,
            &[(r#"["\\beta and \\sigma in C:\\Users\\new"]"#, "invalid_escape")],
            "",
        ),
        (
            r#"["regex \bword\b \d", "tab\t!"]"#,
            &[(r#"["regex \\bword\\b \\d","tab\t!"]"#, "invalid_escape")],
            "",
        ),
        // Other kinds of quotes, and inner quotes in a string with an unambiguous end.
        (
            "{\"a\": \"\"\"two \"words\" here\"\"\", \"b\": '''x'''}",
            &[(r#"{"a":"two \"words\" here","b":"x"}"#, "triple_quotes")],
            "",
        ),
        ("{\"a\": \"\"\"he said \"hi\"\"\"\"}", &[(r#"{"a":"he said \"hi\""}"#, "triple_quotes")], ""),
        ("{\"a\": `x \"y\"\nz`}", &[(r#"{"a":"x \"y\"\nz"}"#, "backticks raw_newline")], ""),
        // Unmatched closing brackets.
        ("{\"a\":1}}", &[(r#"{"a":1}"#, "prose")], ""),
        ("[{\"a\":1},{\"a\":2}},{\"a\":3}]", &[(r#"[{"a":1},{"a":2},{"a":3}]"#, "stray_bracket")], ""),
        ("[1,2],3],4]", &[("[1,2,3,4]", "stray_bracket")], ""),
        ("{\"a\":1},\"b\":2}", &[(r#"{"a":1,"b":2}"#, "stray_bracket")], ""),
        (
            r#"["\ud83d", "\ude00x", "\ud83d\u0041"]"#,
            &[("[\"\u{fffd}\",\"\u{fffd}x\",\"\u{fffd}A\"]", "lone_surrogate")],
            "",
        ),
        // A value would be lost.
        (r#"{"a":1,"a":2}"#, &[], "broken"),
        (
            "[18446744073709551615,-9223372036854775808,12345678901234567890123,]",
            &[("[18446744073709551615,-9223372036854775808,12345678901234567890123]", "trailing_comma")],
            "",
        ),
        ("{\u{a0}\"a\":\u{200b}1,}", &[(r#"{"a":1}"#, "trailing_comma")], ""),
        // Scalars too, when nothing else is there.
        ("'it\\'s {'", &[("\"it's {\"", "single_quotes")], ""),
        ("'positive'", &[("\"positive\"", "single_quotes")], ""),
        ("None", &[("null", "python_literal")], ""),
    ]);
}

#[test]
fn json_that_is_cut_off_is_not_completed() {
    check(&[
        ("{", &[], "cut"),
        ("{\"a\":1", &[], "cut"),
        ("{\"a\":{\"b\":1},", &[], "cut"),
        ("[{\"a\":1},{\"a\":2}", &[], "cut"),
        ("```json\n{\"items\":[{\"a\":1},{\"a\":2}", &[], "cut"),
        ("{\"a\":\"```json {\\\"b\\\":1} ``` ", &[], "cut"),
        ("{\"a\": {\"b\": 1} /* and", &[], "cut"),
        ("{\"a\":[1]} /", &[(r#"{"a":[1]}"#, "prose")], ""),
        // A draft is not the answer if the answer is cut off.
        ("Draft: {\"a\":1}. Final: {\"a\":2, \"b\"", &[], "cut"),
        ("```\n{\"a\":1}\n```\nBetter:\n```\n{\"a\":2,", &[], "cut"),
        // JSON that is cut off after a fence counts less than the fence.
        ("```\n{\"a\":1}\n```\nas opposed to {\"a\":", &[(r#"{"a":1}"#, "fence")], "cut"),
    ]);
}

#[test]
fn broken_json_is_rejected_with_everything_in_it() {
    check(&[
        ("{\"a\":{\"b\":1}, \"c\": nope}", &[], "broken"),
        ("{\"a\":\"he said \"hi\" to {\"b\":1}\"}", &[], "broken"),
        ("```\n{\"items\": [{\"a\":1}, {\"a\":2}\n```", &[], "cut"),
        ("{\"a\":NaN}", &[], "broken"),
        ("{\"a\":-Infinity}", &[], "broken"),
        ("{\"a\":2024-01-01}", &[], "broken"),
        ("{\"a\":undefined}", &[], "broken"),
        ("{\"a\":1,,\"b\":2}", &[], "broken"),
        ("{\"a\":\"x\" \"b\":2}", &[], "broken"),
        ("{\"a\":[1,\"x\"\"y\"]}", &[], "broken"),
        ("{\"a\":[1 000, 2]}", &[], "broken"),
        ("{\"a\":1,\"a\":2,}", &[], "broken"),
        // Some of the backslashes are escapes, others cannot be: the string is ambiguous.
        (r#"{"a":"\alpha and \sigma, \"quoted\""}"#, &[], "broken"),
        (r#"{"a":"C:\\Users\Ann"}"#, &[], "broken"),
        (r#"{"a":"caf\u00e9 \sigma"}"#, &[], "broken"),
        (r#"{"a":"\sigma.\nNext"}"#, &[], "broken"),
        ("{'a': 'it' + 's'}", &[], "broken"),
        ("{\"a\":(1,2)}", &[], "broken"),
        // Neither can what the model omitted.
        ("{\"a\":[1,2,...]}", &[], "broken"),
        ("{\"a\":[1,2] // ... and so on\n}", &[], "broken"),
        // It supersedes a draft, and is superseded by a later value.
        ("{\"a\":1}, no: {\"a\":<two>}", &[], "broken"),
        ("Format: {\"a\":<number>}. Answer: {\"a\":2}", &[(r#"{"a":2}"#, "prose")], "broken"),
        ("```\n{\"a\":1}\n```\nin the form {\"a\":<number>}", &[(r#"{"a":1}"#, "fence")], "broken"),
    ]);
}

#[test]
fn the_error_has_its_location() {
    let found = find("{\"a\": 1, \"b\": yes, or not so; we shall see}", &[]);
    let expected = Unreadable::Broken { expected: "a value", found: "yes, or not so; we shall".to_owned() };
    assert_eq!(found.unreadable, Some(expected));
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(find(&nested(127), &[]).candidates.len(), 1);
    assert_eq!(find(&nested(128), &[]).candidates.len(), 1);
    // Nothing inside rejected JSON is an answer; a later value may be.
    assert_eq!(summary(&find(&nested(129), &[])), (Vec::new(), "deep"));
    assert_eq!(
        summary(&find(&format!("{} {{}}", nested(100_000)), &[])),
        (vec![("{}".into(), "prose".into())], "deep")
    );
}

#[test]
fn the_last_of_many_values_are_considered() {
    let text = (0..2000).map(|n| format!("[{n}]")).collect::<Vec<_>>().join(" ");
    let values: Vec<Value> =
        find(&text, &[]).candidates.into_iter().map(|candidate| candidate.value).collect();
    let expected: Vec<Value> = (0..2000).rev().take(MOST_CANDIDATES / 2).map(|n| json!([n])).collect();
    assert_eq!(values, expected);
}

/// The size of a pathological text in bytes: 100 kB in release mode, less in slower builds.
const NASTY: usize = if cfg!(debug_assertions) { 4_000 } else { 100_000 };

/// Texts that tempt a parser to read them again and again.
fn nasty() -> Vec<String> {
    let units = [
        "[",
        "{",
        "{\"a\":",
        "[{\"a\":",
        "\"",
        "'",
        "`",
        "```",
        "``` ",
        "```\n",
        "~~~",
        "{\"",
        "{'",
        "[\"",
        "{//",
        "{#",
        "{/*",
        "[/*",
        "[1 ",
        "[1,",
        "[0, 5) ",
        "{}",
        "[] ",
        "```{}``` ",
        "{\"a\":1} ",
        "{\"a\":1,",
        "{\"a\":1 x} ",
        "{a",
        "{a:",
        "\\",
        "[\"\\",
        "[\"\\u",
        "[“",
        "“",
        "<think>",
        "<think></think>",
        "</think>",
        "\n</think>",
        "[THINK]{",
        "[\u{a0}",
        "{\"a\":\"\\ud800",
        "[-",
        "[+.",
        "[1e",
        "[tru",
        "[null ",
        "[1\n{",
        "{\"a\":1\n\"b\"",
        "é{",
        "}",
        "]",
        "{]",
    ];
    let mut texts: Vec<String> = units.iter().map(|unit| unit.repeat(NASTY / unit.len())).collect();
    let endings = ["!", "*/!", "\"", "\n!", "```", "}", "</think>"];
    texts.extend(
        units.iter().flat_map(|unit| endings.map(|end| format!("{}{end}", unit.repeat(NASTY / unit.len())))),
    );
    // Nested containers that each fail late.
    texts.push(format!("{}\"{}\" !", "[".repeat(127), "x".repeat(NASTY)));
    texts.push(format!("{}{}!", "{ ".repeat(1000), " ".repeat(NASTY)));
    texts
}

#[test]
fn pathological_texts_are_handled_soundly() {
    for text in nasty() {
        let found = find(&text, &[]);
        assert!(found.candidates.len() <= MOST_CANDIDATES);
        for candidate in found.candidates {
            // A raw backslash takes two.
            assert!(candidate.value.to_string().len() <= 2 * text.len() + 2);
        }
    }
}

/// Any JSON value, with floats among its numbers.
fn any_value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
    ];
    let text = prop_oneof![".*", "[a-z`~<>/{}\\[\\]\"'\\\\ \n#]{0,12}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        text.clone().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Any JSON object or array.
fn any_container() -> impl Strategy<Value = Value> {
    any_value().prop_map(|value| if value.is_object() || value.is_array() { value } else { json!([value]) })
}

/// How careless models write JSON.
#[derive(Debug, Clone, Copy)]
struct Careless {
    quote: char,
    is_python: bool,
    trailing: &'static str,
    between: &'static str,
}

fn careless() -> impl Strategy<Value = Careless> {
    let between =
        prop_oneof![Just(""), Just("\n  "), Just("// so\n"), Just("/* {\"a\":1} */"), Just("# ]\n\t")];
    (prop_oneof![Just('"'), Just('\'')], any::<bool>(), prop_oneof![Just(""), Just(",")], between)
        .prop_map(|(quote, is_python, trailing, between)| Careless { quote, is_python, trailing, between })
}

impl Careless {
    fn write(self, value: &Value) -> String {
        let Self { trailing, between, .. } = self;
        let comma = |is_empty: bool| if is_empty { "" } else { trailing };
        match value {
            Value::Null if self.is_python => "None".to_owned(),
            Value::Bool(true) if self.is_python => "True".to_owned(),
            Value::Bool(false) if self.is_python => "False".to_owned(),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::String(string) => self.string(string),
            Value::Array(elements) => {
                let items: Vec<String> = elements
                    .iter()
                    .map(|element| format!("{between}{}{between}", self.write(element)))
                    .collect();
                format!("[{}{}{between}]", items.join(","), comma(items.is_empty()))
            }
            Value::Object(members) => {
                let items: Vec<String> = members
                    .iter()
                    .map(|(key, member)| {
                        format!(
                            "{between}{}{between}:{between}{}{between}",
                            self.string(key),
                            self.write(member)
                        )
                    })
                    .collect();
                format!("{{{}{}{between}}}", items.join(","), comma(items.is_empty()))
            }
        }
    }

    /// Line breaks stay raw.
    fn string(self, string: &str) -> String {
        let escaped = string.replace('\\', "\\\\").replace(self.quote, &format!("\\{}", self.quote));
        format!("{0}{escaped}{0}", self.quote)
    }
}

fn first_value(text: &str) -> Option<Value> {
    find(text, &[]).candidates.into_iter().next().map(|candidate| candidate.value)
}

proptest! {
    #[test]
    fn what_serde_json_prints_is_found(value in any_value(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.expect("prints");
        // The same parser reads both numbers, so that floats are identical to the last bit.
        let value: Value = serde_json::from_str(&text).expect("parses");
        prop_assert_eq!(first_value(&text), Some(value.clone()));
        prop_assert_eq!(first_value(&format!("Here you are:\n```json\n{text}\n```\nGood luck!")), Some(value.clone()));
        prop_assert_eq!(first_value(&format!("<think>{{\"a\":1}} or {{\"b\"</think>\n{text}")), Some(value.clone()));
        if value.is_array() || value.is_object() {
            prop_assert_eq!(first_value(&format!("The set {{x}} [sic] gives {text}, that's it.")), Some(value));
        }
    }

    #[test]
    fn carelessly_written_json_is_found(value in any_container(), careless in careless()) {
        let value: Value = serde_json::from_str(&value.to_string()).expect("parses");
        let text = careless.write(&value);
        prop_assert_eq!(first_value(&text), Some(value.clone()), "in: {}", text);
        prop_assert_eq!(first_value(&format!("So:\n```\n{text}\n```")), Some(value), "in: {}", text);
    }

    #[test]
    fn json_that_is_cut_off_gives_nothing(value in any_container(), careless in careless(), share in 0.0..1.0, fenced in any::<bool>()) {
        let text = careless.write(&value);
        let mut end = (text.len() as f64 * share) as usize;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let prefix = format!("{}{}", if fenced { "```json\n" } else { "" }, &text[..end]);
        let found = find(&prefix, &[]);
        // The schema decides whether only the bracket of an object is missing.
        let lacks_bracket = |candidate: &Candidate| candidate.repairs.contains(&Repair::MissingBracket);
        prop_assert!(found.candidates.iter().all(lacks_bracket), "in: {}", prefix);
        if !found.candidates.is_empty() {
            return Ok(());
        }
        let unreadable = if end > 0 { Some(Unreadable::Cut) } else { (!fenced).then_some(Unreadable::Empty) };
        prop_assert_eq!(found.unreadable, unreadable, "in: {}", prefix);
    }

    #[test]
    fn no_text_is_too_strange(text in r#"(\PC|[{}\[\]"'`~:,/\\#*\n<>.+-]|```|</?think>|null|True|1|\\u|“|”){0,60}"#) {
        prop_assert!(find(&text, &[]).candidates.len() <= MOST_CANDIDATES);
    }

    #[test]
    fn no_mutation_is_too_strange(value in any_container(), careless in careless(), edits in prop::collection::vec((any::<prop::sample::Index>(), "\\PC|[{}\\[\\]\"'`,:/\\\\]|"), 1..6)) {
        let mut characters: Vec<String> = careless.write(&value).chars().map(String::from).collect();
        for (index, replacement) in edits {
            *index.get_mut(&mut characters) = replacement;
        }
        prop_assert!(find(&characters.concat(), &[]).candidates.len() <= MOST_CANDIDATES);
    }
}
