//! Sources and documents are in plain English: they contain none of a short list of unidiomatic phrases. `UNCHECKED` lists the paths
//! that are not rewritten yet.

use std::fs;
use std::path::Path;

/// The path prefixes that are not checked, relative to the workspace.
const UNCHECKED: &[&str] = &[
    // Its lists of phrases contain them.
    "crates/rowcall/tests/it/english.rs",
];

/// The top-level folders that are searched, apart from top-level documents.
const FOLDERS: [&str; 5] = ["bench", "crates", "docs", "examples", "xtask"];

/// Folders that are skipped at any depth: build output, and data and texts of other projects.
const SKIPPED: [&str; 5] = ["target", "vectors", "data", "findings", "node_modules"];

/// Phrases that must not be used, in any case, not even as part of a `snake_case` name.
const PHRASES: [&[&str]; 8] = [
    &["told"],
    &["tell"],
    &["tells"],
    &["whoever"],
    &["manieth"],
    &["in", "vain"],
    &["be", "it"],
    &["so", "many"],
];

/// Negations that should be `is not`, except after `there`, or for `is no` before a word of [`AFTER_NO`]. Only in lower case, since
/// Python has `is None`.
const NEGATIONS: [&[&str]; 2] = [&["is", "none"], &["is", "no"]];

/// The words that make `is no` idiomatic.
const AFTER_NO: [&str; 6] = ["longer", "more", "different", "better", "larger", "smaller"];

/// A word or a break between sentences.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'t> {
    Word {
        text: &'t str,
        /// Counted from 1.
        line: usize,
        /// Whether an underscore joins it to the previous word.
        is_joined: bool,
    },
    Break,
}

#[test]
fn sources_and_documents_are_in_plain_english() {
    let mut paths = Vec::new();
    list(&workspace(), "", &mut paths);
    paths.sort();
    let mut problems = Vec::new();
    for start in UNCHECKED {
        let matches_a_file = paths.iter().any(|path| path.starts_with(start));
        assert!(matches_a_file, "`{start}` in UNCHECKED matches no file: remove it");
    }
    for path in paths.iter().filter(|path| !UNCHECKED.iter().any(|start| path.starts_with(start))) {
        problems.extend(unidiomatic(path, &text(path)));
    }
    assert!(problems.is_empty(), "\n\n{}\n\n", problems.join("\n"));
}

/// Each use of an unidiomatic phrase in a file, as `path:line: phrase`.
fn unidiomatic(path: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text, Path::new(path).extension().is_some_and(|extension| extension == "md"));
    (0..tokens.len())
        .filter_map(|at| phrase(&tokens, at))
        .map(|(phrase, line)| format!("{path}:{line}: `{phrase}`: say it in plain English"))
        .collect()
}

/// The unidiomatic phrase that starts at a token, with its line.
fn phrase(tokens: &[Token<'_>], at: usize) -> Option<(String, usize)> {
    let Token::Word { line, .. } = tokens[at] else { return None };
    let phrase = PHRASES
        .into_iter()
        .find(|phrase| starts(&tokens[at..], phrase))
        .or_else(|| NEGATIONS.into_iter().find(|phrase| is_negation(tokens, at, phrase)))?;
    Some((phrase.join(" "), line))
}

/// Whether these tokens start with a phrase, in any case.
fn starts(tokens: &[Token<'_>], phrase: &[&str]) -> bool {
    tokens.len() >= phrase.len() && tokens.iter().zip(phrase).all(|(token, word)| token.is(word))
}

/// Whether an unidiomatic negation starts at a token.
fn is_negation(tokens: &[Token<'_>], at: usize, negation: &[&str]) -> bool {
    let is_exact = |(token, word): (&Token<'_>, &&str)| matches!(token, Token::Word { text, is_joined: false, .. } if text == word);
    let rest = &tokens[at..];
    if rest.len() < negation.len() || !rest.iter().zip(negation).all(is_exact) {
        return false;
    }
    let follows_there = at > 0 && tokens[at - 1].is("there");
    let is_idiom = match rest.get(negation.len()) {
        Some(Token::Word { is_joined: true, .. }) => true,
        Some(next @ Token::Word { .. }) => {
            negation == ["is", "no"] && AFTER_NO.iter().any(|word| next.is(word))
        }
        Some(Token::Break) | None => negation == ["is", "no"],
    };
    !follows_there && !is_idiom
}

impl Token<'_> {
    /// Whether it is this word, in any case.
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word { text, .. } if text.eq_ignore_ascii_case(word))
    }
}

/// The words of a text. A phrase may continue on the next line of a comment or, in a document, of a paragraph, but not after
/// punctuation. Template tags are skipped, since Jinja has a test `is none`.
fn tokens(text: &str, is_document: bool) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut previous = None;
    for (line, content) in (1..).zip(text.lines()) {
        let (marker, mut rest) = comment(content.trim());
        if marker != previous || rest.is_empty() || (marker.is_none() && !is_document) {
            tokens.push(Token::Break);
        }
        previous = marker;
        let mut is_joined = false;
        while let Some(first) = rest.chars().next() {
            let length = match rest.strip_prefix("{%") {
                Some(tag) => tag.find("%}").map_or(rest.len(), |end| end + "{%%}".len()),
                None if is_of_word(first) => rest.find(|c| !is_of_word(c)).unwrap_or(rest.len()),
                None => first.len_utf8(),
            };
            let (piece, after) = rest.split_at(length);
            rest = after;
            match first {
                ' ' | '_' => {}
                first if is_of_word(first) => tokens.push(Token::Word { text: piece, line, is_joined }),
                _ => tokens.push(Token::Break),
            }
            is_joined = first == '_';
        }
    }
    tokens
}

/// The marker of a line that is a comment, and the line without it.
fn comment(line: &str) -> (Option<&'static str>, &str) {
    for marker in ["///", "//!", "//", "# "] {
        if let Some(rest) = line.strip_prefix(marker) {
            return (Some(marker), rest.trim_start());
        }
    }
    (None, line)
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\'' | '’')
}

fn workspace() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("cannot read `{path}`: {error}"))
}

/// Adds the sources and documents under `folder` to `paths`, relative to the workspace.
fn list(folder: &Path, prefix: &str, paths: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot list `{prefix}`: {error}"));
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_top = prefix.is_empty();
        let path = if is_top { name.clone() } else { format!("{prefix}/{name}") };
        let extension = Path::new(&name).extension().and_then(|extension| extension.to_str());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                let is_skipped = name.starts_with('.') || SKIPPED.contains(&&*name);
                if !is_skipped && (!is_top || FOLDERS.contains(&&*name)) {
                    list(&entry.path(), &path, paths);
                }
            }
            Ok(_) | Err(_) if matches!(extension, Some("md")) => paths.push(path),
            Ok(_) | Err(_) if !is_top && matches!(extension, Some("rs" | "py")) => paths.push(path),
            Ok(_) | Err(_) => {}
        }
    }
}

mod tests {
    use super::unidiomatic;

    /// The lines and phrases that are found in a file of this name.
    fn found_in(name: &str, text: &str) -> Vec<String> {
        let problems = unidiomatic(name, text).into_iter();
        problems
            .map(|problem| problem.replace(&format!("{name}:"), "").replace(": say it in plain English", ""))
            .collect()
    }

    fn found(text: &str) -> Vec<String> {
        found_in("a.rs", text)
    }

    #[test]
    fn unidiomatic_words_are_found() {
        for (text, expected) in [
            ("// It is told.", "1: `told`"),
            ("fn a_fault_is_told_once() {}", "1: `told`"),
            ("const MOST_TOLD: u8 = 1;", "1: `told`"),
            ("let told = 1;", "1: `told`"),
            ("// Whoever asks.", "1: `whoever`"),
            ("let x = 1; // paid in vain", "1: `in vain`"),
            ("x\n\n// A fault, be it\n// of a row.", "3: `be it`"),
            ("// Waits so\n// many seconds.", "1: `so many`"),
            ("/// Which is none.", "1: `is none`"),
            ("/// It is no number.", "1: `is no`"),
            ("Problem::new(\"`x` is no temperature\")", "1: `is no`"),
        ] {
            assert_eq!(found(text), [expected], "{text}");
        }
        assert_eq!(found_in("a.md", "# That\n\nIt is\nno number."), ["3: `is no`"]);
        assert_eq!(found("// Tells us.\n// told"), ["1: `tells`", "2: `told`"]);
    }

    #[test]
    fn plain_english_passes() {
        for text in [
            "// There is no value, there is none.",
            "// If there\n// is no value.",
            "// It is no longer sent, and is no different.",
            "// That is. None of it is, no.",
            "if value.is_none() { is_no_value() }",
            "x = y if y is None else z",
            "{% if text is none %}-{% endif %}",
            "// A teller of untold stories may be its own.",
            "// As many as it may be.\n// It works.",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
