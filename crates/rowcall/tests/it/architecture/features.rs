//! A feature adds whole modules: `cfg(feature = …)` is allowed only on `mod` lines, so that no signature and no behaviour depends
//! on how the crate was built.

use super::syntax::{Token, tokens};
use super::tree::Source;

/// The lines of a file on which a feature guards anything but a module.
pub(super) fn off_modules(source: &Source) -> Vec<String> {
    let tokens = tokens(&source.blanked);
    let conditions = (0..tokens.len()).filter(|at| is_about_features(&tokens[*at..]));
    conditions
        .filter(|at| !is_on_module(&tokens, *at))
        .map(|at| {
            let line = tokens[at].line;
            format!(
                "{}:{line}: `cfg(feature = …)` belongs on a `mod` line: move the guarded code into a module",
                source.path
            )
        })
        .collect()
}

/// Whether these tokens start with a `cfg(…)`, `cfg!(…)` or `cfg_attr(…)` that mentions a feature.
fn is_about_features(tokens: &[Token<'_>]) -> bool {
    let [name, rest @ ..] = tokens else { return false };
    let rest = match rest {
        [bang, rest @ ..] if bang.text == "!" => rest,
        rest => rest,
    };
    matches!(name.text, "cfg" | "cfg_attr")
        && rest.first().is_some_and(|open| open.text == "(")
        && rest[..closing(rest)].windows(2).any(|pair| pair[0].text == "feature" && pair[1].text == "=")
}

/// Whether the condition at `at` is an attribute of a module.
fn is_on_module(tokens: &[Token<'_>], at: usize) -> bool {
    let is_attribute =
        at >= 2 && tokens[at - 2].text == "#" && tokens[at - 1].text == "[" && tokens[at].text == "cfg";
    if !is_attribute {
        return false;
    }
    let mut item = &tokens[at - 2..];
    while let [hash, bracket @ ..] = item
        && hash.text == "#"
    {
        item = &bracket[closing(bracket)..];
    }
    if let [visibility, rest @ ..] = item
        && visibility.text == "pub"
    {
        item = match rest.first() {
            Some(open) if open.text == "(" => &rest[closing(rest)..],
            _ => rest,
        };
    }
    item.first().is_some_and(|keyword| keyword.text == "mod")
}

/// The index after the bracket that closes the one at the start of these tokens.
fn closing(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

mod tests {
    use super::off_modules;
    use crate::architecture::tree::Source;

    #[test]
    fn a_feature_guards_modules_only() {
        for (text, is_fine) in [
            ("#[cfg(feature = \"csv\")]\nmod csv;", true),
            ("#[cfg(feature = \"csv\")]\n/// Docs.\n#[path = \"x.rs\"]\npub mod csv;", true),
            ("#[cfg(all(unix, feature = \"csv\"))]\npub(crate) mod csv {}", true),
            ("#[cfg(test)]\nfn a() {}", true),
            ("#[cfg(unix)]\nfn a() {}", true),
            ("// #[cfg(feature = \"csv\")]\nfn a() {}", true),
            ("fn a() { let feature = 1; }", true),
            ("#[cfg(feature = \"csv\")]\nfn a() {}", false),
            ("#[cfg(feature = \"csv\")]\npub use csv::Reader;", false),
            ("#[cfg_attr(feature = \"csv\", derive(Debug))]\nmod csv;", false),
            ("#![cfg(feature = \"csv\")]\nmod csv;", false),
            ("fn a() { if cfg!(feature = \"csv\") { b() } }", false),
            ("struct A { #[cfg(not(feature = \"csv\"))] b: u8 }", false),
        ] {
            assert_eq!(off_modules(&Source::new("src/a.rs", text)).is_empty(), is_fine, "{text}");
        }
    }
}
