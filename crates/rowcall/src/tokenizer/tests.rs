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
    let by = |encoding, percent| Counting::Words { vocabulary: Vocabulary::Encoding(encoding), percent };
    for (provider, model, counting) in [
        ("openai", "gpt-3.5-turbo", by(Encoding::Cl100k, 100)),
        ("openai", "gpt-4", by(Encoding::Cl100k, 100)),
        ("openai", "gpt-4-turbo", by(Encoding::Cl100k, 100)),
        ("openai", "gpt-4o-mini", by(Encoding::O200k, 100)),
        ("openrouter", "openai/gpt-4.1", by(Encoding::O200k, 100)),
        ("openai", "gpt-6-luna", by(Encoding::O200k, 100)),
        ("openai", "o3", by(Encoding::O200k, 100)),
        ("vllm", "qwen3-8b", by(Encoding::O200k, 100)),
        ("anthropic", "claude-sonnet-5", by(Encoding::O200k, 125)),
        ("sim", "sim", Counting::Bytes),
    ] {
        assert_eq!(Counting::of(provider, model), counting, "{model}");
    }
}

/// How far the approximation is off, in percent.
fn error(text: &str) -> f64 {
    let exact = Encoding::O200k.text(text) as f64;
    100.0 * (approximation::count(text) as f64 / exact - 1.0)
}

#[test]
fn the_approximation_of_documents_and_code_is_close() {
    for (name, text) in [
        ("cost.md", include_str!("../../../../docs/cost.md")),
        ("formats.md", include_str!("../../../../docs/formats.md")),
        ("python.md", include_str!("../../../../docs/python.md")),
        ("tokenizer.rs", include_str!("../tokenizer.rs")),
        ("people.csv", include_str!("../../../../examples/people.csv")),
        ("person.json", include_str!("../../../../examples/person.json")),
    ] {
        let error = error(text);
        assert!(error.abs() < 13.0, "{name}: {error:.1} %");
    }
}

#[test]
fn the_approximation_of_rows_in_many_languages_is_close() {
    let sentences = [
        "The delivery came two days late and the box was damaged, but the customer service replaced it at once.",
        "John Smith is a 45-year-old software engineer from Seattle; his sister Mary works as a nurse in Portland.",
        "Die Lieferung kam zwei Tage zu spät, und der Karton war beschädigt, aber der Kundendienst hat ihn sofort ersetzt.",
        "La livraison est arrivée avec deux jours de retard et le carton était abîmé, mais le service client l'a remplacé.",
        "El pedido llegó dos días tarde y la caja estaba rota, pero el servicio de atención al cliente la cambió enseguida.",
        "Доставка пришла на два дня позже, и коробка была повреждена, но служба поддержки сразу же заменила её.",
        "Przesyłka przyszła dwa dni za późno, a karton był uszkodzony, ale obsługa klienta od razu go wymieniła.",
        "快递晚到了两天,箱子也破了,不过客服马上给我换了一个新的。",
        "配達は二日遅れ、箱も壊れていましたが、カスタマーサービスがすぐに交換してくれました。",
        "배송이 이틀 늦었고 상자도 망가져 있었지만 고객 센터에서 바로 교환해 주었습니다.",
    ];
    for sentence in sentences {
        let error = error(sentence);
        assert!(error.abs() < 20.0, "{error:.1} %: {sentence}");
    }
    let all = error(&sentences.join("\n"));
    assert!(all.abs() < 7.0, "{all:.1} % in all");
}

#[test]
fn the_approximation_of_tables_is_close() {
    let mut random = fastrand::Rng::with_seed(7);
    let row = |random: &mut fastrand::Rng| {
        let (number, amount, small) = (random.u32(..), random.f64() * 1e4, random.u8(..));
        format!(
            "{number},{amount:.2},2026-{:02}-{:02},{small},A-{number:x}\n",
            small % 12 + 1,
            small % 28 + 1
        )
    };
    let table: String = (0..500).map(|_| row(&mut random)).collect();
    let error = error(&table);
    assert!(error.abs() < 10.0, "{error:.1} %");
}

#[test]
fn the_approximation_takes_any_text() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..2_000 {
        let text: String = (0..random.usize(0..200)).map(|_| random.char(..)).collect();
        let counted = approximation::count(&text);
        assert!(counted <= 2 * text.len() as u64 + 1, "{counted}: {text:?}");
        assert_eq!(counted == 0, text.is_empty(), "{text:?}");
    }
}
