//! What a request weighs: what tokens are estimated by, and the most that it can take whatever the server counts, which is what a lost
//! answer and a budget go by. Why no request can take more is told in `docs/cost.md`.

use crate::price::Most;
use crate::provider::{Protocol, Target};
use crate::request::Request;
use crate::turn::{Attachment, AttachmentContent, Prompt};

/// What an attachment counts as in an estimate, in bytes of text: at four a token, the 1,000 tokens or so that an image of a
/// megapixel takes.
const ATTACHMENT_BYTES: usize = 4096;

/// What a server may add to a request, in tokens: what opens and closes messages, and its own words about tools, of which Anthropic's
/// are the longest that are documented (804).
const ADDED: u64 = 2048;

/// The most tokens that an image takes: Anthropic's largest has 4,784, the dearest of the others 48,169 (gpt-4o-mini at high detail).
const IMAGE_OF_ANTHROPIC: u64 = 5_000;
const IMAGE: u64 = 50_000;

/// How often a paused answer is taken up at the most, and once more: what it has said by then is read again.
const PARTS_OF_PAUSED: u64 = 5;

/// What is known of a model's limits, in tokens.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Capacity {
    /// The most of a prompt.
    pub(crate) input: Option<u32>,
    /// The most of an answer.
    pub(crate) output: Option<u32>,
}

/// What a request weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weight {
    /// What tokens are estimated by: bytes of words, whatever an image's file has.
    pub(crate) bytes: usize,
    /// The most that it can take; `None` where that has no end.
    pub(crate) most: Option<Most>,
}

/// What the `request` weighs that asks `prompt` in the way of `target`.
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
    // A schema may be shown to the model as JSON in ASCII, six characters for one of two bytes.
    let mut input_tokens = (words + 2 * target.non_ascii_in_fields()) as u64 + ADDED;
    for attachment in prompt.attachments() {
        input_tokens = input_tokens.saturating_add(attached(attachment, target.protocol, model)?);
    }
    if prompt.continuation.is_some() {
        input_tokens = input_tokens.saturating_add(PARTS_OF_PAUSED.saturating_mul(limit?));
    }
    Some(Most { input_tokens, output_tokens: limit })
}

/// The most that an attachment takes. How many pages a document has, and what is on them, its bytes do not tell, so that only the
/// model's own limit on a prompt is one for it.
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
