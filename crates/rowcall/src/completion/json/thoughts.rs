//! A model's thoughts, which open-weight models mark where the server leaves them in the text. They may have no end, when the model
//! forgot it or was cut off, and no beginning, since some chat templates write that into the prompt.

use crate::completion::lenient::is_blank;

/// The names of the marks, in angle brackets: what open-weight models write, and what prompts ask for.
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

/// The name in square brackets (Mistral's).
const BRACKETED: &str = "THINK";

/// The name between triangles (Kimi's).
const BETWEEN_TRIANGLES: &str = "think";

/// Special tokens that open thoughts, and that close them.
const TOKENS: [(&str, &str); 4] = [
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|thinking|>", "<|/thinking|>"),
    // Cohere's, and MedGemma's.
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<unused94>", "<unused95>"),
];

/// Special tokens around an answer that servers leave in its text when their template does not know them.
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

/// What names a channel in OpenAI's Harmony format, and what ends the line that names it.
const CHANNEL: (&str, &str) = ("<|channel|>", "<|message|>");

/// The channel that holds thoughts.
const THINKING_CHANNEL: &str = "analysis";

/// What marks begin with.
const OPENERS: [char; 3] = ['<', '[', '◁'];

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
    let behind = body.get(name.len()..)?;
    if !is_known {
        return None;
    }
    // Attributes may stand behind a name.
    let mut attributes = behind.char_indices().take(LONGEST);
    let (end, _) =
        attributes.find(|(_, c)| matches!(c, '<' | '\n') || *c == closer).filter(|(_, c)| *c == closer)?;
    let length = text.len() - behind.len() + end + closer.len_utf8();
    Some(if is_end { Mark::End(length) } else { Mark::Begin(length) })
}

/// The mark that a special token is.
fn token(text: &str) -> Option<Mark> {
    TOKENS.iter().find_map(|(begin, end)| {
        let begin = text.starts_with(begin).then_some(Mark::Begin(begin.len()));
        begin.or_else(|| text.starts_with(end).then_some(Mark::End(end.len())))
    })
}

/// The mark that the name of a channel is: thoughts, or else that they have ended.
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

/// Whether a mark may begin with this byte.
pub(super) fn may_begin(byte: u8) -> bool {
    OPENERS.iter().any(|opener| opener.encode_utf8(&mut [0; 4]).as_bytes().first() == Some(&byte))
}

/// How many bytes of `text` are thoughts and the mark that ends them; `text` begins behind the mark that begins them.
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

/// What stands behind the thoughts at the beginning of `text`, and behind the last end of thoughts that begins a line, which it cannot
/// do inside of a JSON string.
pub(in crate::completion) fn behind(text: &str) -> &str {
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

/// What a text in plain words says outside of all thoughts, and without special tokens around it. Behind an end of thoughts that has no
/// beginning, all that stood before it was thought.
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
