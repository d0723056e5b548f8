//! Reads a field's value as images or documents: a file's path, a URL, a `data:` URL, or a list of these.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::listed;
use crate::media_type;
use crate::turn::{Attachment, AttachmentContent};

/// The type of a URL without a known extension: a photograph. Only Gemini requires a type at all.
const AT_ADDRESS: &str = "image/jpeg";

/// How many characters of a value are shown in a message.
const SHOWN_CHARS: usize = 80;

/// Base64 with or without padding at its end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The attachments of a row in `columns`, in this order. Empty strings and nulls are skipped.
///
/// # Errors
/// A sentence fragment, if the row lacks a column or its value cannot be an attachment.
pub(super) fn of_row(columns: &[String], fields: &Map<String, Value>) -> Result<Vec<Attachment>, String> {
    let mut attachments = Vec::new();
    for column in columns {
        let value = fields.get(column).ok_or_else(|| {
            format!("the row lacks the image `{column}` (it has {})", listed(fields.keys()))
        })?;
        match value {
            Value::Array(items) => {
                for item in items {
                    attachments.extend(of_value(column, item)?);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                attachments.extend(of_value(column, value)?);
            }
        }
    }
    Ok(attachments)
}

fn of_value(column: &str, value: &Value) -> Result<Option<Attachment>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => of_text(text.trim())
            .map(Some)
            .map_err(|reason| format!("the image `{}` in `{column}` {reason}", shown(text.trim()))),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            let found = shown(&value.to_string());
            Err(format!("the image in `{column}` is `{found}`, expected a path or a URL as a string"))
        }
    }
}

/// The start of a text that may be megabytes long.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn of_text(text: &str) -> Result<Attachment, String> {
    let is = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if is("data:") {
        return of_data_url(text.get("data:".len()..).unwrap_or_default());
    }
    if is("https://") || is("http://") {
        // The query and the fragment are not part of the file's name.
        let path = text.split(['?', '#']).next().unwrap_or(text);
        let media_type = media_type::of_name(path).unwrap_or(AT_ADDRESS).to_owned();
        return Ok(Attachment { media_type, content: AttachmentContent::Url(text.to_owned()) });
    }
    match text.split_once("://") {
        Some((scheme, _)) if scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
            Err("is not at an address that a model can reach, expected `https:`, `data:` or a path"
                .to_owned())
        }
        Some(_) | None => {
            // Without a known extension, the first bytes determine the type.
            let media_type = media_type::of_name(text).unwrap_or_default().to_owned();
            Ok(Attachment { media_type, content: AttachmentContent::File(text.into()) })
        }
    }
}

/// Parses the part after `data:`: a media type, parameters, the word `base64`, a comma, and the bytes.
fn of_data_url(rest: &str) -> Result<Attachment, String> {
    let (head, data) = rest.split_once(',').ok_or("has no comma before its bytes")?;
    let (declared, encoding) = head.rsplit_once(';').unwrap_or((head, ""));
    if !encoding.eq_ignore_ascii_case("base64") {
        return Err("is not in Base64".to_owned());
    }
    let bytes = BASE64.decode(data).map_err(|error| format!("is not in Base64: {error}"))?;
    let declared = declared.split(';').next().unwrap_or_default();
    let media_type = media_type::of_bytes(&bytes)
        .or_else(|| media_type::known(declared))
        .ok_or_else(|| format!("is of an unknown type, expected {}", media_type::EXPECTED))?;
    let content = AttachmentContent::Base64(BASE64.encode(bytes).into());
    Ok(Attachment { media_type: media_type.to_owned(), content })
}

#[cfg(test)]
mod tests;
