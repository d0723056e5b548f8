//! How long a text in an answer is likely to be, judging by its property's name.

/// Words in the names of properties, and the likely length of their texts in bytes.
const LENGTHS: [(usize, &[&str]); 3] = [
    (
        200,
        &[
            "abstract",
            "analysis",
            "answer",
            "argument",
            "body",
            "comment",
            "content",
            "context",
            "description",
            "detail",
            "details",
            "evidence",
            "explanation",
            "feedback",
            "justification",
            "message",
            "notes",
            "overview",
            "paragraph",
            "rationale",
            "reason",
            "reasoning",
            "response",
            "review",
            "story",
            "summary",
            "text",
            "thoughts",
            "translation",
        ],
    ),
    (
        60,
        &[
            "action",
            "address",
            "caption",
            "claim",
            "excerpt",
            "fact",
            "finding",
            "headline",
            "instruction",
            "issue",
            "note",
            "question",
            "quote",
            "recommendation",
            "requirement",
            "sentence",
            "snippet",
            "step",
            "steps",
            "subject",
            "task",
            "title",
            "url",
        ],
    ),
    (24, &["email", "location", "organization", "organisation", "product", "timestamp"]),
];

/// A name, a city, a word or two.
const USUAL: usize = 12;

/// The likely length in bytes of a text that is the value of `property`, or of an item in its list.
pub(super) fn likely(property: &str, format: Option<&str>) -> usize {
    match format {
        Some("date") => return 10,
        Some("time") => return 9,
        Some("date-time") => return 20,
        Some("uuid") => return 36,
        Some("email") => return 24,
        Some("uri" | "url") => return 60,
        Some(_) | None => {}
    }
    // `is_due`, `isDue` and `Is due` alike.
    let mut words = String::with_capacity(property.len() + 4);
    for letter in property.chars() {
        if letter.is_uppercase() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    let mut words = words.split(|letter: char| !letter.is_alphanumeric());
    // The last word says what a property is: `product_description`, `reason_code`.
    let last = words.rfind(|word| !word.is_empty()).unwrap_or_default();
    LENGTHS.iter().find(|(_, names)| names.contains(&last)).map_or(USUAL, |(length, _)| *length)
}

#[cfg(test)]
mod tests {
    use super::likely;

    #[test]
    fn names_say_how_long_texts_are() {
        for (property, length) in [
            ("name", 12),
            ("productDescription", 200),
            ("product_description", 200),
            ("reason_code", 12),
            ("Summary", 200),
            ("title", 60),
            ("", 12),
            ("__", 12),
            ("email", 24),
        ] {
            assert_eq!(likely(property, None), length, "{property}");
        }
        assert_eq!((likely("summary", Some("date")), likely("summary", Some("unknown"))), (10, 200));
    }
}
