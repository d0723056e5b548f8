//! The rows of the scenarios, with prompts and answers of the lengths that a scenario wants, the same every time, and
//! the request for each.

use serde_json::{Value, json};

/// The task for the rows.
pub(crate) const TASK: [&str; 4] =
    ["--prompt", "Extract the person: {{ text }}", "--schema", "name, age int, occupation, note"];

/// The seed of the rows.
const SEED: u64 = 5;
const WORDS: [&str; 8] = ["amber", "basalt", "cedar", "delta", "ember", "fjord", "grove", "harbour"];

/// The length of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Texts {
    /// About 70 bytes: tokens do not matter.
    Short,
    /// A kilobyte each.
    Kilobyte,
    /// 100 bytes to 10 kB, with every order of magnitude equally likely.
    OneToHundred,
    /// 2 kB and a short answer, or 1 kB and an answer of nearly that length, equally likely.
    LongPromptsOrLongAnswers,
}

impl Texts {
    /// This many texts, all different.
    pub(crate) fn make(self, rows: u64) -> Vec<String> {
        let mut chance = fastrand::Rng::with_seed(SEED);
        let make = |row| match self {
            Self::Short => person(row, "calm", 0),
            Self::Kilobyte => person(row, "calm", 1_000),
            Self::OneToHundred => {
                let length = 100.0 * 100_f64.powf(chance.f64());
                person(row, "calm", length as usize)
            }
            Self::LongPromptsOrLongAnswers => {
                if chance.bool() {
                    person(row, "calm", 2_000)
                } else {
                    person(row, &words(900, &mut chance), 1_000)
                }
            }
        };
        (0..rows).map(make).collect()
    }
}

/// A text of at least `length` bytes from which `note` is read.
fn person(row: u64, note: &str, length: usize) -> String {
    const NAMES: [&str; 7] = ["Ann", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus"];
    let name = NAMES.get((row % 7) as usize).unwrap_or(&"Ann");
    let text = format!("[row {row}] {name} is a {}-year-old nurse; note: {note};", 20 + row % 60);
    let lacking = length.saturating_sub(text.len());
    if lacking == 0 { text } else { format!("{text} {}", words(lacking, &mut fastrand::Rng::with_seed(row))) }
}

/// Meaningless words of `length` bytes and at most one more word.
fn words(length: usize, chance: &mut fastrand::Rng) -> String {
    let mut text = String::new();
    while text.len() < length {
        text.push_str(chance.choice(WORDS).unwrap_or("amber"));
        text.push(' ');
    }
    text.trim_end().to_owned()
}

/// A line of the input.
pub(crate) fn record(text: &str) -> String {
    json!({ "text": text }).to_string()
}

/// The request for a row with this text.
pub(crate) fn request(text: &str) -> String {
    let kind = |name: &str| if name == "age" { "integer" } else { "string" };
    let names = ["name", "age", "occupation", "note"];
    let properties: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), json!({ "type": kind(name) }))).collect();
    let schema = json!({
        "type": "object", "properties": properties, "required": names, "additionalProperties": false,
    });
    json!({
        "model": "sim",
        "messages": [{ "role": "user", "content": format!("Extract the person: {text}") }],
        "response_format": {
            "type": "json_schema", "json_schema": { "name": "answer", "strict": true, "schema": schema },
        },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Texts;

    #[test]
    fn rows_have_the_right_lengths_are_reproducible_and_differ() {
        for (texts, shortest, longest) in [
            (Texts::Short, 40, 60),
            (Texts::Kilobyte, 1_000, 1_010),
            (Texts::OneToHundred, 100, 10_010),
            (Texts::LongPromptsOrLongAnswers, 1_000, 2_010),
        ] {
            let made = texts.make(1_000);
            assert_eq!(made, texts.make(1_000));
            assert_eq!(made.iter().collect::<HashSet<_>>().len(), 1_000);
            assert!(made.iter().all(|text| (shortest..=longest).contains(&text.len())), "{texts:?}");
        }
        let mut lengths: Vec<_> = Texts::OneToHundred.make(1_001).iter().map(String::len).collect();
        lengths.sort_unstable();
        assert!((800..1_250).contains(&lengths[500]), "half are under a kilobyte: {}", lengths[500]);
    }
}
