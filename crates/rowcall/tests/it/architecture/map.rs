//! Rules for ARCHITECTURE.md: it is short, and its code map matches the sources.

const MOST_LINES: usize = 200;

/// What is wrong with the code map in `text`, which must name each of `entries` (files as `name.rs`, folders as `name/`) and
/// nothing that does not exist.
pub(super) fn problems(text: &str, entries: &[String], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let lines = text.lines().count();
    let Some(section) = section(text) else {
        return vec![
            "ARCHITECTURE.md has no section whose heading contains `code map`: write one".to_owned(),
        ];
    };
    let named = names(&section);
    let mut problems = Vec::new();
    if lines > MOST_LINES {
        problems.push(format!("ARCHITECTURE.md has {lines} lines: shorten it to at most {MOST_LINES}"));
    }
    let is_named =
        |entry: &str| named.iter().any(|name| stems(name).any(|stem| Some(stem) == stems(entry).next()));
    let missing = entries.iter().filter(|entry| !is_named(entry));
    problems.extend(
        missing.map(|entry| format!("the code map in ARCHITECTURE.md does not name `{entry}`: add it")),
    );
    let gone = named.iter().filter(|name| !exists(name));
    problems.extend(gone.map(|name| {
        format!("the code map in ARCHITECTURE.md names `{name}`, which does not exist: put only paths in backticks")
    }));
    problems
}

/// The text under the heading that contains `code map`, up to the next heading of the same level.
fn section(text: &str) -> Option<String> {
    let level = |line: &str| line.chars().take_while(|char| *char == '#').count();
    let mut lines =
        text.lines().skip_while(|line| level(line) == 0 || !line.to_lowercase().contains("code map"));
    let heading = lines.next()?;
    let mut is_fenced = false;
    let mut section = Vec::new();
    for line in lines {
        is_fenced ^= line.trim_start().starts_with("```");
        // In a fenced block, `#` starts a comment.
        if !is_fenced && level(line) > 0 && level(line) <= level(heading) {
            break;
        }
        section.push(line);
    }
    Some(section.join("\n"))
}

/// The files and folders that a text names: everything in backticks, and in fenced blocks every word that ends like a path.
fn names(section: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, block) in section.split("```").enumerate() {
        let is_fenced = at % 2 == 1;
        if is_fenced {
            let words = block.split(|char: char| !(char.is_alphanumeric() || "-_./".contains(char)));
            names.extend(words.filter(|word| is_path(word)));
        } else {
            names.extend(block.split('`').skip(1).step_by(2));
        }
    }
    names.into_iter().map(str::to_owned).collect()
}

/// Whether a word ends in `/` or in a known suffix, with a name before it.
fn is_path(word: &str) -> bool {
    let name = [".rs", ".md", ".toml", "/"].iter().find_map(|end| word.strip_suffix(end));
    name.is_some_and(|name| name.contains(char::is_alphanumeric))
}

/// The parts of a path. A module in `x.rs` and `x/` may be named as either.
fn stems(path: &str) -> impl Iterator<Item = &str> {
    path.trim_end_matches('/').split('/').map(|part| part.trim_end_matches(".rs"))
}

mod tests {
    use super::problems;

    const MAP: &str = "\
# Architecture
The engine lives in `nowhere.rs`.
## The code map
```
crates/
# not a heading
├── rowcall/src/    THE LIBRARY (input/output and/or more)
│   ├── run.rs      many rows
│   └── admission/  when an attempt may start
```
- `retry.rs`, `src/row.rs` (not `rowcall-sim`).
## Words
`gone.rs`
";

    fn found(map: &str, entries: &[&str]) -> Vec<String> {
        let there = [
            "crates/",
            "rowcall/src/",
            "src/",
            "run.rs",
            "admission/",
            "retry.rs",
            "src/row.rs",
            "rowcall-sim",
        ];
        let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
        problems(map, &entries, |path| there.contains(&path))
    }

    #[test]
    fn a_map_that_fits_has_no_problems() {
        let entries =
            ["crates/", "rowcall/", "run.rs", "admission/", "retry.rs", "retry/", "row.rs", "rowcall-sim/"];
        assert_eq!(found(MAP, &entries), [""; 0]);
    }

    #[test]
    fn unnamed_and_nonexistent_files_are_reported() {
        let missing = "the code map in ARCHITECTURE.md does not name `cost.rs`: add it";
        assert_eq!(found(MAP, &["run.rs", "cost.rs"]), [missing]);
        assert_eq!(found(&MAP.replace("├── rowcall/src/", "├── src/"), &["rowcall/"]).len(), 1);
        // The suffix of another name does not count.
        assert_eq!(found(MAP, &["try.rs"]).len(), 1);
        let gone = "the code map in ARCHITECTURE.md names `cache.rs`, which does not exist: put only paths in backticks";
        assert_eq!(found(&MAP.replace("retry.rs", "cache.rs"), &["run.rs"]), [gone]);
        assert_eq!(found(&MAP.replace("run.rs ", "cost.rs"), &["row.rs"]).len(), 1);
    }

    #[test]
    fn a_map_is_short_and_exists() {
        assert_eq!(found("# Architecture\n", &["run.rs"]).len(), 1);
        assert_eq!(found(&format!("{MAP}{}", "word\n".repeat(200)), &["run.rs"]).len(), 1);
    }
}
