//! `docs/engines.md` says of each dialect's keywords what the code says.

use super::Dialect;

/// The table of keywords, made from the code: neighbours of which the same becomes share a line.
fn written() -> Vec<String> {
    let mut lines: Vec<(&str, Vec<&str>, String, &str)> = Vec::new();
    for dialect in Dialect::NAMED {
        for (keyword, phrase, source) in dialect.keywords() {
            match lines.last_mut() {
                Some((name, keywords, said, from))
                    if (*name, &*said, *from) == (dialect.name(), &phrase, source) =>
                {
                    keywords.push(keyword);
                }
                Some(_) | None => lines.push((dialect.name(), vec![keyword], phrase, source)),
            }
        }
    }
    let code = |keywords: &[&str]| {
        keywords.iter().map(|keyword| format!("`{keyword}`")).collect::<Vec<_>>().join(", ")
    };
    lines
        .iter()
        .map(|(name, keywords, said, from)| format!("| `{name}` | {} | {said} | {from} |", code(keywords)))
        .collect()
}

#[test]
fn the_documentation_has_the_keywords_as_they_are() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/engines.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let lines = page.lines().skip_while(|line| !line.starts_with("| dialect | keyword")).skip(2);
    let found: Vec<_> = lines.take_while(|line| line.starts_with('|')).collect();
    assert_eq!(found, written(), "docs/engines.md should say\n\n{}\n\n", written().join("\n"));
}
