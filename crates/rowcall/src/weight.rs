//! The weight of a request: what its tokens are estimated from, and the most that it can take however the server counts, which lost
//! answers and budgets rely on. `docs/cost.md` explains why no request can take more.

use crate::price::Most;
use crate::provider::{Protocol, Target};
use crate::request::Request;
use crate::turn::{Attachment, AttachmentContent, Prompt};

/// What an attachment counts as in an estimate, in bytes of text: at four bytes a token, the 1,000 tokens or so of a
/// one-megapixel image.
const ATTACHMENT_BYTES: usize = 4096;

/// What a server may add to a request, in tokens: message delimiters and its own instructions about tools, of which Anthropic's are
/// the longest documented ones (804).
const ADDED: u64 = 2048;

/// The most tokens that an image takes: 4,784 at Anthropic, 48,169 at the most expensive of the others (gpt-4o-mini at high
/// detail).
const IMAGE_OF_ANTHROPIC: u64 = 5_000;
const IMAGE: u64 = 50_000;

/// The most continuations of a paused answer, plus one: each reads the text so far again.
const PARTS_OF_PAUSED: u64 = 5;

/// A model's limits in tokens, as far as known.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Capacity {
    /// The most tokens of a prompt.
    pub(crate) input: Option<u32>,
    /// The most tokens of an answer.
    pub(crate) output: Option<u32>,
}

/// The weight of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weight {
    /// What tokens are estimated from: bytes of text, regardless of the size of image files.
    pub(crate) bytes: usize,
    /// The most tokens that it can take; `None` if unbounded.
    pub(crate) most: Option<Most>,
}

/// The weight of `request`, which encodes `prompt` for `target`.
pub(crate) fn weigh(request: &Request, target: &Target, prompt: &Prompt, model: Capacity) -> Weight {
    let in_base64 = prompt.attachments().map(|attachment| match &attachment.content {
        AttachmentContent::Base64(text) => text.len(),
        AttachmentContent::Url(_) | AttachmentContent::File(_) => 0,
    });
    let words = request.body.len().saturating_sub(in_base64.sum());
    let bytes = words + prompt.attachments().count() * ATTACHMENT_BYTES;
    Weight { bytes, most: most(words, target, prompt, model) }
}

fn most(words: usize, target: &Target, prompt: &Prompt, model: Capacity) -> Option<Most> {
    let limit = target.sent_limit(prompt).or(model.output).map(u64::from);
    // A server may show a schema to the model as ASCII JSON, with six characters for one of two bytes.
    let mut input_tokens = (words + 2 * target.non_ascii_in_fields()) as u64 + ADDED;
    for attachment in prompt.attachments() {
        input_tokens = input_tokens.saturating_add(attached(attachment, target.protocol, model)?);
    }
    if prompt.continuation.is_some() {
        input_tokens = input_tokens.saturating_add(PARTS_OF_PAUSED.saturating_mul(limit?));
    }
    Some(Most { input_tokens, output_tokens: limit })
}

/// The most tokens that an attachment takes. A document's bytes do not show how many pages it has and what is on them, so only
/// the model's own limit on a prompt bounds it.
fn attached(attachment: &Attachment, protocol: Protocol, model: Capacity) -> Option<u64> {
    if !attachment.media_type.starts_with("image/") {
        return model.input.map(u64::from);
    }
    Some(match protocol {
        Protocol::Anthropic => IMAGE_OF_ANTHROPIC,
        Protocol::OpenAiChat | Protocol::OpenAiResponses | Protocol::Gemini => IMAGE,
    })
}

#[cfg(test)]
mod tests;
