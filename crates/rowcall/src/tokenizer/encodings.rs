//! OpenAI's encodings.

use tiktoken_rs::{CoreBPE, cl100k_base_singleton, o200k_base_singleton};

use super::Encoding;

/// Whether tokens can be counted with encodings.
pub(super) const ARE_AVAILABLE: bool = true;

/// A text is encoded in pieces of at most this many bytes. On longer runs of the same character, the library's pattern becomes far
/// slower and finally gives up; a cut costs at most one token.
const PIECE: usize = 4_096;

impl Encoding {
    fn bpe(self) -> &'static CoreBPE {
        match self {
            Self::Cl100k => cl100k_base_singleton(),
            Self::O200k => o200k_base_singleton(),
        }
    }

    /// The tokens of a text, treating special tokens as plain text.
    pub(in crate::tokenizer) fn text(self, text: &str) -> u64 {
        pieces(text).map(|piece| self.bpe().encode_ordinary(piece).len() as u64).sum()
    }

    #[cfg(test)]
    pub(in crate::tokenizer) fn encode(self, text: &str) -> Vec<u32> {
        self.bpe().encode_ordinary(text)
    }
}

/// The text in pieces, cut before a space if possible, since in the encodings a word begins with its space.
fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let end = if text.len() <= PIECE {
            text.len()
        } else {
            let end = text.floor_char_boundary(PIECE);
            let space = text[..end].rfind(' ').filter(|space| *space > PIECE / 2);
            space.unwrap_or(end)
        };
        let (piece, rest) = text.split_at(end);
        text = rest;
        Some(piece)
    })
}
