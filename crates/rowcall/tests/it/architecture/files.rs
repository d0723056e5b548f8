//! Rules for a single Rust file: its header, its length and its name.

use super::tree::Source;

const MOST_HEADER_LINES: usize = 4;
const MOST_CODE_LINES: usize = 500;
const MOST_TEST_LINES: usize = 150;

/// Names that fit any content, and so say nothing.
const NAMELESS: [&str; 10] =
    ["utils", "util", "helpers", "helper", "common", "misc", "core", "manager", "types", "imp"];

/// What is wrong with the file's header. The header of `lib.rs` may be longer, since it introduces the crate.
pub(super) fn without_header(source: &Source) -> Option<String> {
    let header = source.text.lines().take_while(|line| line.starts_with("//!")).count();
    let most = if source.path.ends_with("/lib.rs") { usize::MAX } else { MOST_HEADER_LINES };
    match header {
        0 => Some(format!(
            "{}: start it with a `//!` header that says what it is responsible for",
            source.path
        )),
        lines if lines > most => Some(format!(
            "{}: its `//!` header has {lines} lines: shorten it to at most {MOST_HEADER_LINES}",
            source.path
        )),
        _ => None,
    }
}

/// Whether the file has too much code or too many inline tests.
pub(super) fn too_long(source: &Source) -> Vec<String> {
    if source.is_tests() {
        return Vec::new();
    }
    let code = (1..).zip(source.blanked.lines());
    let code = code.filter(|(line, text)| !text.trim().is_empty() && !source.is_test_line(*line)).count();
    let tests = source.tests.iter().map(|item| item.end() - item.start() + 1).max().unwrap_or_default();
    let mut problems = Vec::new();
    if code > MOST_CODE_LINES {
        problems.push(format!("{}: {code} lines of code: split it below {MOST_CODE_LINES}", source.path));
    }
    if tests > MOST_TEST_LINES {
        problems.push(format!(
            "{}: {tests} lines of inline tests: move them into a sibling `tests.rs`",
            source.path
        ));
    }
    problems
}

/// What is wrong with the name of a file, or of a folder in its path.
pub(super) fn nameless(path: &str) -> Option<String> {
    let name = path.trim_end_matches(".rs").split('/').find(|part| NAMELESS.contains(part))?;
    Some(format!("{path}: `{name}` fits any content: name it for the noun one would search for"))
}

mod tests {
    use super::{nameless, too_long, without_header};
    use crate::architecture::tree::Source;

    #[test]
    fn a_header_has_one_to_four_lines() {
        for (path, lines, is_fine) in [
            ("src/row.rs", 0, false),
            ("src/row.rs", 1, true),
            ("src/row.rs", 4, true),
            ("src/row.rs", 5, false),
            ("src/lib.rs", 0, false),
            ("src/lib.rs", 40, true),
        ] {
            let source = Source::new(path, &format!("{}\nfn a() {{}}\n", "//! Line.\n".repeat(lines)));
            assert_eq!(without_header(&source).is_none(), is_fine, "{path} with {lines}");
        }
        assert!(without_header(&Source::new("src/row.rs", "\n//! Late.\n")).is_some());
    }

    #[test]
    fn code_is_counted_without_comments_blank_lines_and_tests() {
        let filler = "// A comment.\n\n/* Another\n one. */\n".repeat(300);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "fn a() {}\n".repeat(147));
        let source = |code: usize, tests: &str| {
            Source::new("src/row.rs", &format!("{}{filler}{tests}", "fn a() { \"}\" }\n".repeat(code)))
        };
        assert_eq!(too_long(&source(500, &tests)), [""; 0]);
        assert_eq!(too_long(&source(501, &tests)), ["src/row.rs: 501 lines of code: split it below 500"]);
        let longer = tests.replacen('{', "{\n", 1);
        let moved = ["src/row.rs: 151 lines of inline tests: move them into a sibling `tests.rs`"];
        assert_eq!(too_long(&source(1, &longer)), moved);
        assert_eq!(too_long(&Source::new("src/row/tests.rs", &"fn a() {}\n".repeat(900))), [""; 0]);
    }

    #[test]
    fn lines_of_a_long_literal_are_code() {
        let source = Source::new("src/row.rs", &format!("const A: &str = \"{}\";\n", "text\n".repeat(501)));
        assert_eq!(too_long(&source).len(), 1);
    }

    #[test]
    fn a_name_is_specific() {
        for (path, is_fine) in [
            ("crates/a/src/row.rs", true),
            ("crates/a/src/core.rs", false),
            ("crates/a/src/utils/row.rs", false),
            ("crates/a/src/score.rs", true),
        ] {
            assert_eq!(nameless(path).is_none(), is_fine, "{path}");
        }
    }
}
