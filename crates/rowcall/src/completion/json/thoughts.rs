//! A model's thoughts, which open-weight models mark if the server leaves them in the text. The end mark may be missing if the model
//! forgot it or was cut off, and the start mark too, since some chat templates put it in the prompt.

use crate::completion::lenient::is_blank;

/// The names of marks in angle brackets: those that open-weight models write and that prompts ask for.
const NAMES: [&str; 16] = [
    "think",
    "thinking",
    "thought",
    "thoughts",
    "reasoning",
    "reflection",
    "scratchpad",
    "analysis",
    "inner_monologue",
    "inner_thoughts",
    "internal_monologue",
    "thought_process",
    "chain_of_thought",
    "cot",
    "draft",
    "seed:think",
];

/// The name of the mark in square brackets (Mistral's).
const BRACKETED: &str = "THINK";

/// The name of the mark between triangles (Kimi's).
const BETWEEN_TRIANGLES: &str = "think";

/// Special tokens that start and end thoughts.
const TOKENS: [(&str, &str); 4] = [
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|thinking|>", "<|/thinking|>"),
    // Cohere's, and MedGemma's.
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<unused94>", "<unused95>"),
];

/// Special tokens around an answer, which servers leave in its text if their template does not know them.
const AROUND: [&str; 12] = [
    "<|START_RESPONSE|>",
    "<|END_RESPONSE|>",
    "<|im_start|>assistant",
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|end|>",
    "<|return|>",
    "<end_of_turn>",
    "<｜end▁of▁sentence｜>",
    "<s>",
    "</s>",
];

/// The tokens before and after the name of a channel in OpenAI's Harmony format.
const CHANNEL: (&str, &str) = ("<|channel|>", "<|message|>");

/// The channel for thoughts.
const THINKING_CHANNEL: &str = "analysis";

/// The characters that marks start with.
const OPENERS: [char; 3] = ['<', '[', '◁'];

/// The maximum number of characters of attributes in a mark.
const LONGEST: usize = 80;

/// A mark around thoughts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A start mark of this length in bytes.
    Begin(usize),
    /// An end mark of this length in bytes.
    End(usize),
}

/// The mark at the start of `text`, if there is one.
pub(super) fn mark(text: &str) -> Option<Mark> {
    if let Some(mark) = token(text) {
        return Some(mark);
    }
    if text.starts_with("<|") {
        return channel(text);
    }
    let opener = text.chars().next()?;
    let body = text.get(opener.len_utf8()..)?;
    let (is_end, body) = body.strip_prefix('/').map_or((false, body), |body| (true, body));
    let name = body.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | ':')).next()?;
    let (closer, is_known) = match opener {
        '<' => ('>', NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))),
        '[' => (']', name == BRACKETED),
        '◁' => ('▷', name == BETWEEN_TRIANGLES),
        _ => return None,
    };
    let after_name = body.get(name.len()..)?;
    if !is_known {
        return None;
    }
    // Attributes may follow the name.
    let mut attributes = after_name.char_indices().take(LONGEST);
    let (end, _) =
        attributes.find(|(_, c)| matches!(c, '<' | '\n') || *c == closer).filter(|(_, c)| *c == closer)?;
    let length = text.len() - after_name.len() + end + closer.len_utf8();
    Some(if is_end { Mark::End(length) } else { Mark::Begin(length) })
}

/// Reads a special token as a mark.
fn token(text: &str) -> Option<Mark> {
    TOKENS.iter().find_map(|(begin, end)| {
        let begin = text.starts_with(begin).then_some(Mark::Begin(begin.len()));
        begin.or_else(|| text.starts_with(end).then_some(Mark::End(end.len())))
    })
}

/// Reads the name of a channel as a mark: the start of thoughts for the thinking channel, else their end.
fn channel(text: &str) -> Option<Mark> {
    let (mark, end) = CHANNEL;
    let name = text.strip_prefix(mark)?;
    let limit = name.char_indices().nth(LONGEST).map_or(name.len(), |(at, _)| at);
    let line = name.get(..limit)?;
    let line = line.get(..line.find(end)?)?;
    let length = mark.len() + line.len() + end.len();
    Some(if line.trim_start().starts_with(THINKING_CHANNEL) {
        Mark::Begin(length)
    } else {
        Mark::End(length)
    })
}

/// Whether a mark may start with this byte.
pub(super) fn may_begin(byte: u8) -> bool {
    OPENERS.iter().any(|opener| opener.encode_utf8(&mut [0; 4]).as_bytes().first() == Some(&byte))
}

/// The length in bytes of the thoughts and their end mark; `text` starts after the start mark.
pub(super) fn length(text: &str) -> usize {
    let mut depth = 1_usize;
    for (at, _) in text.match_indices(OPENERS) {
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

/// The text after the thoughts at the start of `text`, and after the last end mark at the start of a line, where it cannot be inside
/// a JSON string.
pub(in crate::completion) fn after(text: &str) -> &str {
    let mut answer = text;
    while let Some(Mark::Begin(begin)) = mark(answer) {
        let thoughts = answer.get(begin..).unwrap_or_default();
        answer = thoughts.get(length(thoughts)..).unwrap_or_default().trim_start_matches(is_blank);
    }
    let ends = answer.rmatch_indices(OPENERS).filter(|(at, _)| {
        answer.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with('\n'))
    });
    for (at, _) in ends {
        if let Some(Mark::End(length)) = answer.get(at..).and_then(mark) {
            return answer.get(at + length..).unwrap_or_default().trim_start_matches(is_blank);
        }
    }
    answer
}

/// A plain text without its thoughts and without special tokens around it. Everything before an end mark without a start mark was
/// thought.
pub(in crate::completion) fn outside(text: &str) -> String {
    let mut said = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(OPENERS) {
        let (before, from_mark) = rest.split_at(at);
        said.push_str(before);
        let skipped = match mark(from_mark) {
            Some(Mark::Begin(begin)) => begin + length(from_mark.get(begin..).unwrap_or_default()),
            Some(Mark::End(end)) => {
                said.clear();
                end
            }
            None => {
                let opener = from_mark.chars().next().map_or(0, char::len_utf8);
                said.push_str(from_mark.get(..opener).unwrap_or_default());
                opener
            }
        };
        rest = from_mark.get(skipped..).unwrap_or_default();
    }
    said.push_str(rest);
    let mut answer = said.trim();
    while let Some(shorter) =
        AROUND.iter().find_map(|token| answer.strip_prefix(token).or_else(|| answer.strip_suffix(token)))
    {
        answer = shorter.trim();
    }
    answer.to_owned()
}
