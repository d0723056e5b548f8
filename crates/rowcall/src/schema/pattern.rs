//! Patterns as JavaScript and Python take them, spelled as the stricter syntax of JSON Schema wants them (ECMA-262 with `u`). What
//! cannot be spelled so is named.

/// What may stand behind a backslash with a meaning of its own.
const MEANINGFUL: &str = "dDwWsSbBnrtvfcxupPk0123456789";

/// What must be escaped to stand for itself.
const SYNTAX: &str = "^$\\.*+?()[]{}|/";

/// `pattern` with the same meaning in the strict syntax, as far as its lenient spelling is one of the usual ones.
pub(super) fn strict(pattern: &str) -> String {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut at = 0;
    while let Some(&char) = chars.get(at) {
        let rest = chars.get(at..).unwrap_or_default();
        match rest {
            ['\\', 'A', ..] => (out.push('^'), at += 2).1,
            ['\\', 'Z' | 'z', ..] => (out.push('$'), at += 2).1,
            ['\\', escaped, ..] => {
                push_escaped(&mut out, *escaped, SYNTAX);
                at += 2;
                // What `\x{…}`, `\p{…}` and `\u{…}` have in braces is theirs.
                if matches!(escaped, 'p' | 'P' | 'u' | 'x') && chars.get(at) == Some(&'{') {
                    let end = chars
                        .iter()
                        .skip(at)
                        .position(|c| *c == '}')
                        .map_or(chars.len(), |found| at + found + 1);
                    out.extend(chars.get(at..end).unwrap_or_default());
                    at = end;
                }
            }
            ['(', '?', 'P', '<', ..] => (out.push_str("(?<"), at += 4).1,
            ['[', ..] => at = push_class(&mut out, &chars, at),
            [']' | '}', ..] => {
                out.push('\\');
                out.push(char);
                at += 1;
            }
            ['{', ..] => match repetition(rest) {
                Some(length) => {
                    out.extend(rest.get(..length).unwrap_or_default());
                    at += length;
                }
                None => (out.push_str("\\{"), at += 1).1,
            },
            _ => (out.push(char), at += 1).1,
        }
    }
    out
}

/// Whether a pattern stands between slashes, as in `/^a$/i`, and could never match: what comes before `^` or after `$` is the slash.
pub(super) fn is_delimited(pattern: &str) -> bool {
    let is_end = pattern.rsplit_once('/').is_some_and(|(body, flags)| {
        body.len() > 1
            && body.ends_with('$')
            && !body.ends_with("\\$")
            && flags.chars().all(|flag| "dgimsuvy".contains(flag))
    });
    pattern.starts_with("/^") || pattern.starts_with('/') && is_end
}

fn push_escaped(out: &mut String, escaped: char, syntax: &str) {
    if escaped.is_ascii_alphanumeric() || syntax.contains(escaped) {
        out.push('\\');
    }
    out.push(escaped);
}

/// Copies the class that begins at `at`, and returns where it ends.
fn push_class(out: &mut String, chars: &[char], at: usize) -> usize {
    out.push('[');
    let mut at = at + 1;
    if chars.get(at) == Some(&'^') {
        out.push('^');
        at += 1;
    }
    // Whether what came last is a class such as `\w`, which begins no range, and whether it ends one.
    let (mut after_class, mut after_range) = (false, false);
    while let Some(&char) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        match char {
            ']' => {
                out.push(']');
                return at + 1;
            }
            '\\' => {
                let Some(escaped) = next else {
                    out.push('\\');
                    return at + 1;
                };
                push_escaped(out, escaped, "^$\\.*+?()[]{}|/-");
                after_class = "dDwWsS".contains(escaped);
                after_range = false;
                at += 2;
            }
            '-' => {
                let before_class =
                    next == Some('\\') && chars.get(at + 2).is_some_and(|c| "dDwWsS".contains(*c));
                let at_edge = next == Some(']') || out.ends_with('[') || out.ends_with("[^");
                if !at_edge && (after_class || before_class || after_range) {
                    out.push('\\');
                }
                out.push('-');
                after_class = false;
                at += 1;
            }
            _ => {
                after_range = out.ends_with('-') && !out.ends_with("\\-") && !out.ends_with("[-");
                out.push(char);
                after_class = false;
                at += 1;
            }
        }
    }
    at
}

/// How many characters a repetition such as `{2,5}` has, if `rest` begins with one.
fn repetition(rest: &[char]) -> Option<usize> {
    let end = rest.iter().position(|c| *c == '}')?;
    let inside: String = rest.get(1..end)?.iter().collect();
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let fits = match inside.split_once(',') {
        Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
        None => is_number(&inside),
    };
    fits.then_some(end + 1)
}

/// What is wrong with a pattern that does not compile.
pub(super) fn fault(pattern: &str) -> &'static str {
    let has = |text: &str| pattern.contains(text);
    if ["(?i", "(?s", "(?m", "(?x", "(?u", "(?a", "(?-"].iter().any(|flag| has(flag)) {
        return "flags such as `(?i)` are not part of JSON Schema's patterns: write both cases, such as `[aA]`";
    }
    if has("(?>") || ["*+", "++", "?+"].iter().any(|possessive| has(possessive)) {
        return "atomic groups and possessive repetitions are not part of JSON Schema's patterns";
    }
    if has("(?#") || has("(?(") {
        return "comments and conditions are not part of JSON Schema's patterns";
    }
    if has("[[:") {
        return "classes such as `[[:alpha:]]` are not part of JSON Schema's patterns: write `[a-zA-Z]`";
    }
    if pattern.starts_with('/') && pattern.len() > 1 && pattern.ends_with(['/', 'i', 'g', 'u', 'm']) {
        return "a pattern stands without the slashes of JavaScript around it";
    }
    let (mut open, mut in_class, mut escaped) = (0_i64, false, false);
    let mut unknown = false;
    for c in pattern.chars() {
        if escaped {
            unknown |= c.is_ascii_alphabetic() && !MEANINGFUL.contains(c);
            escaped = false;
            continue;
        }
        match c {
            '\\' => escaped = true,
            '[' if !in_class => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => open += 1,
            ')' if !in_class => open -= 1,
            _ => {}
        }
        if open < 0 {
            return "a `)` closes no group";
        }
    }
    if escaped {
        "it ends with a backslash"
    } else if in_class {
        "a `[` is not closed"
    } else if open > 0 {
        "a `(` is not closed"
    } else if unknown {
        "the letter after a backslash has no meaning"
    } else if pattern.starts_with(['*', '+', '?'])
        || ["|*", "|+", "|?", "(*", "(+", "**"].iter().any(|at| has(at))
    {
        "a repetition has nothing to repeat"
    } else {
        "see ECMA-262 for the syntax; ranges and repetitions go from low to high"
    }
}
