//! A model's thoughts, which open-weight models mark where the server leaves them in the text. They may have no end, when the model
//! forgot it or was cut off, and no beginning, since some chat templates write that into the prompt.

use crate::completion::lenient::is_blank;

/// The names of the marks, in angle brackets.
const NAMES: [&str; 9] = [
    "think",
    "thinking",
    "thought",
    "thoughts",
    "reasoning",
    "reflection",
    "scratchpad",
    "analysis",
    "inner_monologue",
];

/// The name in square brackets.
const BRACKETED: &str = "THINK";

/// How many characters of attributes may stand in a mark.
const LONGEST: usize = 80;

/// One mark.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Thoughts begin behind so many bytes.
    Begin(usize),
    /// Thoughts end behind so many bytes.
    End(usize),
}

/// The mark at the beginning of `text`, if there is one.
pub(super) fn mark(text: &str) -> Option<Mark> {
    let (is_angle, closer) = match text.as_bytes().first()? {
        b'<' => (true, '>'),
        b'[' => (false, ']'),
        _ => return None,
    };
    let body = text.get(1..)?;
    let (is_end, body) = body.strip_prefix('/').map_or((false, body), |body| (true, body));
    let name = body.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
    let is_known =
        if is_angle { NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)) } else { name == BRACKETED };
    let behind = body.get(name.len()..)?;
    if !is_known {
        return None;
    }
    // Attributes may stand behind a name.
    let mut attributes = behind.char_indices().take(LONGEST);
    let (end, _) =
        attributes.find(|(_, c)| matches!(c, '<' | '\n') || *c == closer).filter(|(_, c)| *c == closer)?;
    let length = text.len() - behind.len() + end + 1;
    Some(if is_end { Mark::End(length) } else { Mark::Begin(length) })
}

/// How many bytes of `text` are thoughts and the mark that ends them; `text` begins behind the mark that begins them.
pub(super) fn length(text: &str) -> usize {
    let mut depth = 1_usize;
    for (at, _) in text.match_indices(['<', '[']) {
        match mark(text.get(at..).unwrap_or_default()) {
            Some(Mark::Begin(_)) => depth += 1,
            Some(Mark::End(length)) => {
                depth -= 1;
                if depth == 0 {
                    return at + length;
                }
            }
            None => {}
        }
    }
    text.len()
}

/// What stands behind the thoughts at the beginning of `text`, and behind the last end of thoughts that begins a line, which it cannot
/// do inside of a JSON string.
pub(in crate::completion) fn behind(text: &str) -> &str {
    let mut answer = text;
    while let Some(Mark::Begin(begin)) = mark(answer) {
        let thoughts = answer.get(begin..).unwrap_or_default();
        answer = thoughts.get(length(thoughts)..).unwrap_or_default().trim_start_matches(is_blank);
    }
    let ends = answer.rmatch_indices(['<', '[']).filter(|(at, _)| {
        answer.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with('\n'))
    });
    for (at, _) in ends {
        if let Some(Mark::End(length)) = answer.get(at..).and_then(mark) {
            return answer.get(at + length..).unwrap_or_default().trim_start_matches(is_blank);
        }
    }
    answer
}
