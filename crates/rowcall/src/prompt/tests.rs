//! Rows and the prompts that they become.

use serde_json::json;

use super::*;
use crate::schema::Schema;

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("`{other}` is not an object"),
    }
}

fn rendered(user: &str, system: Option<&str>, row: Value) -> Result<Vec<String>, String> {
    said(&Template::new(user, system).expect("compiles"), row)
}

fn said(template: &Template, row: Value) -> Result<Vec<String>, String> {
    let prompt = template.render(&fields(row)).map_err(|failure| {
        assert_eq!(failure.kind, FailureKind::Template);
        failure.message
    })?;
    Ok(prompt
        .turns
        .iter()
        .map(|turn| match turn {
            Turn::System(text) => format!("system: {text}"),
            Turn::Example(example) => format!("example: {} -> {}", example.question, example.value),
            Turn::User { text, .. } => format!("user: {text}"),
            Turn::Invalid { .. } => "invalid".to_owned(),
        })
        .collect())
}

#[test]
fn a_row_is_rendered_unchanged() {
    let row = json!({"text": "Ann & Bob <3", "n": 7, "nested": {"a": [1, 2]}});
    assert_eq!(
        rendered("Who? {{ text }} {{ n + 1 }} {{ nested.a[1] }}", Some("Be {{ 'brief' | upper }}."), row),
        Ok(vec!["system: Be BRIEF.".to_owned(), "user: Who? Ann & Bob <3 8 2".to_owned()])
    );
}

#[test]
fn a_system_part_may_use_the_row() {
    let row = json!({"text": "x", "language": "Polish"});
    assert_eq!(
        rendered("{{ text }}", Some("Answer in {{ language }}."), row).expect("renders")[0],
        "system: Answer in Polish."
    );
}

#[test]
fn a_prompt_that_uses_no_field_is_rejected_with_what_was_intended() {
    for (user, hint) in [
        ("Classify: {text}", "did you mean `{{ text }}` instead of `{text}`?"),
        ("Classify: { text }", "did you mean `{{ text }}` instead of `{ text }`?"),
        ("Classify: {text:>10}", "did you mean `{{ text }}` instead of `{text:>10}`?"),
        ("Classify: $text", "did you mean `{{ text }}` instead of `$text`?"),
        ("Classify: ${text}", "did you mean `{{ text }}` instead of `${text}`?"),
        ("Classify: %(text)s", "did you mean `{{ text }}` instead of `%(text)s`?"),
        ("Classify: <text>", "did you mean `{{ text }}` instead of `<text>`?"),
        ("Klassifiziere: {größe}", "did you mean `{{ größe }}`"),
        ("Classify: %s", "not `%s`"),
        ("Classify: {}", "not `{}`"),
        ("Classify: {0}", "not `{0}`"),
        ("<task>Say</task> yes, 100%, for $5 as {\"a\": 1}", "write a field as `{{ text }}`"),
        ("Say hello", "write a field as `{{ text }}`"),
        ("{% set x = 1 %}{% for i in range(3) %}{{ i + x }}{% endfor %}", "write a field as"),
        ("{# text #}Say hello", "write a field as"),
        ("{% for name in row %}{{ name }} {% endfor %}", "`{% for name, value in row|items %}`"),
        ("It has {{ row | length }} fields", "`{% for name, value in row|items %}`"),
        ("prompt.txt", "`@prompt.txt`"),
        ("prompts/classify.j2", "`@prompts/classify.j2`"),
        ("", "a shell variable"),
        (" \n", "a shell variable"),
    ] {
        let template = Template::new(user, Some("Be brief.")).expect("compiles");
        let problem = template.check_use(user).expect_err(user);
        let found = problem.hint.unwrap_or_default().to_string();
        assert!(found.contains(hint), "{user}: {found}");
        template
            .with_images(&["photo".to_owned()])
            .check_use(user)
            .expect("an image differs from row to row");
    }
}

#[test]
fn a_field_used_in_any_way_is_used() {
    for (user, system) in [
        ("{{ text }}", None),
        ("{% for tag in tags %}{{ tag }}{% endfor %}", None),
        ("{% if vip %}yes{% else %}no{% endif %}", None),
        ("{{ 'x' | replace('x', text) }}", None),
        ("{{ row | tojson }}", None),
        ("{% for name, value in row|items %}{{ name }}: {{ value }}{% endfor %}", None),
        ("{% for name in row %}{{ row[name] }}{% endfor %}", None),
        ("{% for name, value in row|items if value %}{{ name }} {% endfor %}", None),
        ("{{ row.text }}", None),
        ("{{ title | default('none') }}", None),
        ("{% if title is defined %}x{% endif %}", None),
        ("{% set x = text %}{{ x }}", None),
        ("{% macro shown(x) %}{{ x }}{% endmacro %}{{ shown(text) }}", None),
        ("{{ {'a': 1}[text] }}", None),
        ("{{ text[:9] }}", None),
        ("Who is it?", Some("About {{ text }}.")),
    ] {
        Template::new(user, system).expect("compiles").check_use(user).expect(user);
    }
}

#[test]
fn a_missing_variable_is_named_with_the_existing_ones() {
    assert_eq!(
        rendered("{{ text }} {{ title }}", None, json!({"text": "x", "name": "y"})),
        Err("the prompt uses `title`, which the row lacks (it has `text`, `name`)".to_owned())
    );
}

#[test]
fn a_default_replaces_a_missing_variable() {
    assert_eq!(rendered("{{ title | default('none') }}", None, json!({})), Ok(vec!["user: none".to_owned()]));
}

#[test]
fn a_compile_error_has_its_line() {
    let problem = Template::new("fine\n{{ text", None).expect_err("unclosed");
    assert!(problem.message.starts_with("the prompt does not compile, line 2: "), "{}", problem.message);
    assert!(problem.hint.is_some());
}

#[test]
fn variables_are_known_before_any_row() {
    let template =
        Template::new("{{ a }} {% for b in c %}{{ b }}{% endfor %}", Some("{{ d.e }}")).expect("compiles");
    assert_eq!(template.variables().into_iter().collect::<Vec<_>>(), ["a", "c", "d"]);
}

#[test]
fn a_variable_with_a_default_is_not_required() {
    let source = "{{ a | default('') }} {% if b is defined %}{{ b }}{% endif %} {{ abc }}";
    let template = Template::new(source, None).expect("compiles");
    assert_eq!(template.variables().into_iter().collect::<Vec<_>>(), ["abc"]);
}

#[test]
fn a_system_part_with_a_default_is_rendered_for_each_row() {
    let template = Template::new("{{ text }}", Some("Answer in {{ language | default('English') }}."))
        .expect("compiles");
    for (row, expected) in [
        (json!({"text": "x"}), "system: Answer in English."),
        (json!({"text": "x", "language": "Polish"}), "system: Answer in Polish."),
    ] {
        assert_eq!(said(&template, row).expect("renders")[0], expected);
    }
}

#[test]
fn filters_that_users_of_jinja_expect_exist() {
    let row = json!({
        "text": "  Ann & <b>Bob</b>\nand Eve  ", "n": 1.2345, "many": ["b", "a", "b"], "none": null,
        "nested": {"b": [1, {"c": "ü<"}], "a": true}, "long": "one two three four five six",
    });
    for (source, expected) in [
        ("{{ nested | tojson }}", r#"{"b":[1,{"c":"ü<"}],"a":true}"#),
        ("{{ many | tojson(indent=2) }}", "[\n  \"b\",\n  \"a\",\n  \"b\"\n]"),
        ("{{ many | tojson(true) }}", "[\n  \"b\",\n  \"a\",\n  \"b\"\n]"),
        ("{{ none | tojson }} {{ n | tojson }}", "null 1.2345"),
        ("{{ long | truncate(12) }}", "one two..."),
        ("{{ long | truncate(length=9, killwords=true, end='…', leeway=0) }}", "one two …"),
        ("{{ long | truncate(9, true, '…', leeway=0) }}", "one two …"),
        ("{{ 1234567 | truncate(4, true, '', 0) }}", "1234"),
        ("{{ long | wordwrap(13) }}", "one two three\nfour five six"),
        ("{{ long | wordwrap(width=13, wrapstring=' / ') }}", "one two three / four five six"),
        ("{{ text | striptags | trim }}", "Ann & Bob and Eve"),
        ("{{ text | trim | replace('<b>', '') | upper }}", "ANN & BOB</B>\nAND EVE"),
        ("{{ n | round(2) }} {{ n | int }} {{ '7' | int + 1 }}", "1.23 1 8"),
        ("{{ many | join(', ') }} {{ many | unique | sort | join }}", "b, a, b ab"),
        ("{{ many | length }} item{{ many | length | pluralize }}", "3 items"),
        ("{{ missing | default('none') }} {{ missing | d('x') }}", "none x"),
        ("{{ 'a\nb' | indent(2) }}", "a\n  b"),
        ("{{ 'a b' | title }} {{ 'a b' | capitalize }} {{ 2048 | filesizeformat }}", "A B A b 2.0 kB"),
        ("{{ text.strip().split('\n')[1].upper() }}", "AND EVE"),
        ("{{ nested.get('z', 'no') }} {{ nested.keys() | list | join }}", "no ba"),
        ("{% for i in range(3) %}{{ i }}{% endfor %}", "012"),
        ("{{ '%s is %d' | format('Ann', 3) }}", "Ann is 3"),
    ] {
        assert_eq!(rendered(source, None, row.clone()), Ok(vec![format!("user: {expected}")]), "{source}");
    }
}

#[test]
fn no_filter_silently_accepts_a_missing_variable() {
    for filter in [
        "tojson",
        "truncate",
        "truncate(5)",
        "wordwrap",
        "striptags",
        "trim",
        "upper",
        "replace('a', 'b')",
        "indent",
        "round",
        "int",
        "title",
        "join",
        "length",
        "first",
        "list",
        "string",
        "format",
        "sort",
        "filesizeformat",
        "pluralize",
        "split",
    ] {
        let failed = rendered(&format!("{{{{ missing | {filter} }}}}"), None, json!({"text": "x"}));
        let expected = "the prompt uses `missing`, which the row lacks (it has `text`)";
        assert_eq!(failed, Err(expected.to_owned()), "{filter}");
    }
}

#[test]
fn a_variable_that_the_row_does_not_need_may_be_missing() {
    for (source, row, expected) in [
        ("{% if n > 1 %}{{ more | indent }}{% endif %}x", json!({"n": 1}), Ok("x")),
        ("{% if n > 1 %}{{ more | indent }}{% endif %}x", json!({"n": 2}), Err("more")),
        ("{% for more in n %}{{ more | indent }}{% endfor %}", json!({"n": ["a", "b"]}), Ok("ab")),
        ("{% set more = 'y' %}{{ more | indent }}", json!({}), Ok("y")),
        ("{{ more | indent if more is defined else 'none' }}", json!({}), Ok("none")),
    ] {
        let rendered = rendered(source, None, row);
        match expected {
            Ok(text) => assert_eq!(rendered, Ok(vec![format!("user: {text}")]), "{source}"),
            Err(name) => {
                let message = rendered.expect_err("it is missing");
                assert!(
                    message.starts_with(&format!("the prompt uses `{name}`, which the row lacks")),
                    "{message}"
                );
            }
        }
    }
}

#[test]
fn nothing_random_and_no_clock_is_available() {
    let problem = Template::new("{{ [1, 2] | random }}", None).expect_err("it is unknown");
    assert!(problem.message.starts_with("the prompt does not compile, line 1: "), "{}", problem.message);
    for function in ["now", "lipsum", "randrange"] {
        let template = Template::new(&format!("{{{{ {function}() }}}}"), None).expect("compiles");
        assert!(template.variables().contains(function), "{function}");
    }
}

#[test]
fn functions_of_the_engine_are_not_fields_of_a_row() {
    let source = "{% for i in range(n) %}{% set ns = namespace(x=1) %}{{ ns.x }}{% endfor %}";
    let template = Template::new(source, None).expect("compiles");
    assert_eq!(template.variables().into_iter().collect::<Vec<_>>(), ["n"]);
}

#[test]
fn the_whole_row_is_available_as_row() {
    let template =
        Template::new("{{ row | tojson }}", Some("{{ row.keys() | join(',') }}")).expect("compiles");
    assert_eq!(template.variables(), BTreeSet::new());
    assert_eq!(
        said(&template, json!({"b": 1, "a": "x"})),
        Ok(vec!["system: b,a".to_owned(), r#"user: {"b":1,"a":"x"}"#.to_owned()])
    );
    // A field of that name takes precedence.
    assert_eq!(rendered("{{ row }}", None, json!({"row": "7", "a": 1})), Ok(vec!["user: 7".to_owned()]));
    assert_eq!(
        rendered("{{ row.b }} {{ c }}", None, json!({"b": 1})),
        Err("the prompt uses `c`, which the row lacks (it has `b`)".to_owned())
    );
}

/// A template with examples of `name, age int`.
fn with_examples(rows: &[AnsweredRow]) -> Result<Template, Problem> {
    let schema = Schema::parse("name, age int?").expect("a schema");
    let template = Template::new("{{ title }}: {{ text | trim }}", Some("Read {{ language | d('well') }}."));
    template.expect("compiles").with_examples(rows, |value| schema.violations(value))
}

fn answered(row: Value, value: Value) -> AnsweredRow {
    AnsweredRow { fields: fields(row), value, place: None }
}

#[test]
fn examples_are_between_the_system_and_the_row_and_are_shared() {
    let template = with_examples(&[
        answered(json!({"title": "A", "text": " Ann is 3 "}), json!({"name": "Ann", "age": 3})),
        answered(json!({"title": "B", "text": "Bob", "unused": 1}), json!({"name": "Bob"})),
    ])
    .expect("examples");
    assert_eq!(
        said(&template, json!({"title": "C", "text": "Eve", "language": "twice"})),
        Ok(vec![
            "system: Read twice.".to_owned(),
            r#"example: A: Ann is 3 -> {"name":"Ann","age":3}"#.to_owned(),
            r#"example: B: Bob -> {"name":"Bob"}"#.to_owned(),
            "user: C: Eve".to_owned(),
        ])
    );
    let of =
        |text: &str| template.render(&fields(json!({"title": "", "text": text}))).expect("renders").turns;
    let (one, other) = (of("x"), of("y"));
    let shared = one.iter().zip(&other).filter(|turns| match turns {
        (Turn::Example(one), Turn::Example(other)) => Arc::ptr_eq(one, other),
        _ => false,
    });
    assert_eq!(shared.count(), 2);
}

#[test]
fn an_invalid_example_is_reported_with_its_place() {
    let good = || answered(json!({"title": "A", "text": "x"}), json!({"name": "Ann"}));
    let in_file = |row: AnsweredRow| AnsweredRow { place: Some("`e.jsonl`, line 7".to_owned()), ..row };
    for (row, expected) in [
        (
            answered(json!({"title": "A", "text": "x"}), json!({"age": 3})),
            "example 2: the value is not valid: required property `name` is missing",
        ),
        (
            answered(json!({"title": "A", "text": "x"}), json!({"name": "Ann", "age": "three"})),
            "example 2: the value is not valid: `/age`: is a string, expected an integer or null",
        ),
        (
            answered(json!({"text": "x"}), json!({"name": "Ann"})),
            "example 2: the prompt uses `title`, which the row lacks (it has `text`)",
        ),
        (
            in_file(answered(json!({}), json!({"name": "Ann"}))),
            "`e.jsonl`, line 7: the prompt uses `title`, which the row lacks (it has nothing)",
        ),
    ] {
        let problem = with_examples(&[good(), row]).expect_err("the example is invalid");
        assert_eq!(problem.message, expected);
        assert!(problem.hint.is_some());
    }
}

#[test]
fn a_field_that_is_only_sliced_is_used() {
    for source in [
        "{{ text[:80] }}",
        "{% set name = 1 %}{{ name }} {{ text[1:] | upper }}",
        "{{ range(2) }}{{ text[0:1][0:1] }}",
    ] {
        let template = Template::new(source, Some("About {{ topic[::2] }}")).expect("compiles");
        assert_eq!(template.variables().into_iter().collect::<Vec<_>>(), ["text", "topic"], "{source}");
        template.check_use(source).expect("it uses a field");
    }
    let template = Template::new("{{ range(3) | join }}", None).expect("compiles");
    template.check_use("").expect_err("it uses none");
}

#[test]
fn images_are_sent_in_the_order_of_their_fields() {
    let template = Template::new("{{ text }}", None).expect("compiles");
    let template = template.with_images(&["front".to_owned(), "back".to_owned()]);
    assert_eq!(template.variables().into_iter().collect::<Vec<_>>(), ["back", "front", "text"]);
    let row = json!({"text": "Who?", "back": "b.png", "front": "a.png"});
    let prompt = template.render(&fields(row)).expect("renders");
    let names: Vec<_> = prompt.attachments().map(|attachment| format!("{:?}", attachment.content)).collect();
    assert_eq!(names, [r#"File("a.png")"#, r#"File("b.png")"#]);
    let failure =
        template.render(&fields(json!({"text": "Who?", "front": ""}))).expect_err("a field is missing");
    assert_eq!(failure.kind, FailureKind::Attachment);
    assert_eq!(failure.message, "the row lacks the image `back` (it has `text`, `front`)");
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_rendered_unchanged(text in any::<String>()) {
            let template = Template::new("<{{ text }}>", None).expect("compiles");
            let row = json!({"text": text});
            prop_assert_eq!(said(&template, row.clone()), Ok(vec![format!("user: <{text}>")]));
            let whole = Template::new("{{ row | tojson }}", None).expect("compiles");
            prop_assert_eq!(said(&whole, row.clone()), Ok(vec![format!("user: {row}")]));
        }

        #[test]
        fn no_template_and_no_row_panics(source in "[ -~\n]{0,40}", braced in "[a-z.|()'\\[\\] 0-9]{0,30}", text in any::<String>()) {
            for source in [source.clone(), format!("{source}{{{{ {braced} }}}}")] {
                if let Ok(template) = Template::new(&source, Some(&source)) {
                    let _ = template.render(&fields(json!({"text": text, "a": [1, null]})));
                }
            }
        }
    }
}
