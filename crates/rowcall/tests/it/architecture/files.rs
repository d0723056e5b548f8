//! What holds for each Rust file by itself: how it begins, how long it is, and what it is called.

use super::tree::Source;

const MOST_HEADER_LINES: usize = 4;
const MOST_CODE_LINES: usize = 500;
const MOST_TEST_LINES: usize = 150;

/// Names that would take anything in, and so say nothing.
const NAMELESS: [&str; 10] =
    ["utils", "util", "helpers", "helper", "common", "misc", "core", "manager", "types", "imp"];

/// What is wrong with the file's first lines. The crate's own file may say more, for it is the map.
pub(super) fn without_header(source: &Source) -> Option<String> {
    let header = source.text.lines().take_while(|line| line.starts_with("//!")).count();
    let most = if source.path.ends_with("/lib.rs") { usize::MAX } else { MOST_HEADER_LINES };
    match header {
        0 => Some(format!(
            "{}: open it with a `//!` that says what it owns and what it leaves to others",
            source.path
        )),
        lines if lines > most => Some(format!(
            "{}: its `//!` has {lines} lines: say it in at most {MOST_HEADER_LINES}",
            source.path
        )),
        _ => None,
    }
}

/// What makes the file hard to read at a sitting: too much code, or tests in the way of it.
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
            "{}: {tests} lines of tests inside: move them into a sibling `tests.rs`",
            source.path
        ));
    }
    problems
}

/// What is wrong with a file's name, or with that of a folder it is in.
pub(super) fn nameless(path: &str) -> Option<String> {
    let name = path.trim_end_matches(".rs").split('/').find(|part| NAMELESS.contains(part))?;
    Some(format!("{path}: `{name}` would take anything in: name it for the noun one would search for"))
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
        let moved = ["src/row.rs: 151 lines of tests inside: move them into a sibling `tests.rs`"];
        assert_eq!(too_long(&source(1, &longer)), moved);
        assert_eq!(too_long(&Source::new("src/row/tests.rs", &"fn a() {}\n".repeat(900))), [""; 0]);
    }

    #[test]
    fn lines_of_a_long_literal_are_code() {
        let source = Source::new("src/row.rs", &format!("const A: &str = \"{}\";\n", "text\n".repeat(501)));
        assert_eq!(too_long(&source).len(), 1);
    }

    #[test]
    fn a_name_says_something() {
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
