//! An answer in a protocol's format before it is sent: one piece, or the frames of a stream.

use serde_json::Value;

use crate::reply::{Length, Reply};

/// The length of a piece of a stream's text in bytes, about three tokens.
const PIECE: usize = 12;

/// The content of an answer's body.
#[derive(Debug)]
pub(crate) struct Written {
    content_type: &'static str,
    frames: Vec<String>,
    length: Length,
}

impl Written {
    /// A JSON body.
    pub(crate) fn json(body: &Value) -> Self {
        Self::whole("application/json", body.to_string())
    }

    pub(crate) fn whole(content_type: &'static str, body: String) -> Self {
        Self { content_type, frames: vec![body], length: Length::Declared }
    }

    pub(crate) fn stream(content_type: &'static str, frames: Vec<String>) -> Self {
        Self { content_type, frames, length: Length::Open }
    }

    /// Server-sent events.
    pub(crate) fn events(frames: Vec<String>) -> Self {
        Self::stream("text/event-stream; charset=utf-8", frames)
    }

    /// The same, but failing: with `whole` instead, or in a stream with the failure frame that `frame` makes after
    /// the first half of the frames, given its position.
    pub(crate) fn failing(self, whole: &Value, frame: impl Fn(usize) -> String) -> Self {
        match self.length {
            Length::Declared => Self { frames: vec![whole.to_string()], ..self },
            Length::Open => {
                let kept = (self.frames.len() / 2).max(1);
                let frames = self.frames.into_iter().take(kept).chain([frame(kept)]).collect();
                Self { frames, ..self }
            }
        }
    }

    pub(crate) fn reply(self) -> Reply {
        let body = self.frames.concat().into_bytes();
        Reply { length: self.length, ..Reply::new(200, self.content_type, body) }
    }
}

/// The text in pieces that end between characters.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let cut =
            (PIECE..PIECE + 4).find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len()).min(rest.len());
        let (piece, after) = rest.split_at_checked(cut)?;
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pieces_are_small_and_end_between_characters() {
        let text = "Łódź Papier sp. z o.o. 🦀🦀🦀🦀🦀 fin";
        let pieces: Vec<_> = pieces(text).collect();
        assert_eq!(pieces.concat(), text);
        assert!(pieces.len() > 3 && pieces.iter().all(|piece| piece.len() < PIECE + 4), "{pieces:?}");
        assert_eq!(super::pieces("").count(), 0);
    }

    #[test]
    fn a_failure_replaces_a_body_or_the_second_half_of_a_stream() {
        let body = |written: Written| String::from_utf8(written.reply().body.to_vec()).unwrap();
        let failing = |written: Written| body(written.failing(&json!("no"), |at| format!("!{at}")));
        assert_eq!(failing(Written::json(&json!("yes"))), "\"no\"");
        let frames = |frames: &[&str]| Written::events(frames.iter().map(|&frame| frame.into()).collect());
        assert_eq!(failing(frames(&["a", "b", "c", "d"])), "ab!2");
        assert_eq!(failing(frames(&["a"])), "a!1");
    }
}
