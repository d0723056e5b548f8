//! The encodings compared with `tiktoken` 0.14.0, and the token counts of prompts.

use serde_json::Value;

use super::*;

fn vectors() -> Vec<Value> {
    let vectors: Value = serde_json::from_str(include_str!("../../tests/tokens/tokens.json")).expect("JSON");
    vectors["cases"].as_array().expect("cases").clone()
}

#[test]
fn texts_are_encoded_as_by_tiktoken() {
    let mut tried = 0;
    for case in vectors().iter().filter(|case| case["kind"] == "encode_ordinary") {
        let text = case["text"].as_str().expect("a text");
        for (name, encoding) in [("o200k_base", Encoding::O200k), ("cl100k_base", Encoding::Cl100k)] {
            let expected: Vec<_> = case[name].as_array().expect("tokens").iter().map(Value::as_u64).collect();
            let found = encoding.encode(text).into_iter().map(|token| Some(u64::from(token)));
            assert_eq!(found.collect::<Vec<_>>(), expected, "{name}: {text:?}");
            assert_eq!(encoding.text(text), expected.len() as u64, "{name}: {text:?}");
            tried += 1;
        }
    }
    assert!(tried >= 20, "{tried}");
}

#[test]
fn messages_count_as_in_openais_formula() {
    for case in vectors().iter().filter(|case| case["kind"] == "chat_overhead") {
        let messages = case["messages"].as_array().expect("messages");
        let counted = messages.iter().map(|message| {
            MESSAGE + ROLE + Encoding::O200k.text(message["content"].as_str().expect("a text"))
        });
        assert_eq!(Some(counted.sum::<u64>() + ANSWER), case["estimate"].as_u64());
    }
}

#[test]
fn long_texts_of_any_kind_are_counted() {
    for (text, least, most) in [
        (" ".repeat(300_000), 2_000, 3_000),
        ("a".repeat(300_000), 37_000, 38_000),
        ("\n".repeat(300_000), 15_000, 20_000),
        ("word after word, ".repeat(20_000), 80_000, 80_200),
        ("漢字".repeat(50_000), 50_000, 200_000),
    ] {
        let counted = Encoding::O200k.text(&text);
        assert!((least..=most).contains(&counted), "{:?}…: {counted}", &text[..6]);
    }
}

#[test]
fn each_model_has_its_way_of_counting() {
    let by = |encoding, percent| Counting::Encoding { encoding, percent };
    for (model, counting) in [
        ("gpt-3.5-turbo", by(Encoding::Cl100k, 100)),
        ("gpt-4", by(Encoding::Cl100k, 100)),
        ("gpt-4-turbo", by(Encoding::Cl100k, 100)),
        ("gpt-4o-mini", by(Encoding::O200k, 100)),
        ("openai/gpt-4.1", by(Encoding::O200k, 100)),
        ("gpt-6-luna", by(Encoding::O200k, 100)),
        ("o3", by(Encoding::O200k, 100)),
        ("qwen3-8b", by(Encoding::O200k, 100)),
        ("anthropic/claude-sonnet-5", by(Encoding::O200k, 125)),
    ] {
        assert_eq!(Counting::of(model), counting, "{model}");
    }
}
