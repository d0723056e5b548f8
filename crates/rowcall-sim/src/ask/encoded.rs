//! Recognises Base64, and URLs that a provider would fetch. Nothing is decoded or fetched.

/// Whether `text` is Base64, in the standard or the URL-safe alphabet, padded or not.
pub(crate) fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    let whole = match padding {
        0 => digits.len() % 4 != 1,
        1 | 2 => text.len().is_multiple_of(4),
        _ => false,
    };
    !digits.is_empty() && whole && digits.bytes().all(digit)
}

/// Whether `text` is an `http`, `https` or `gs` URL, or a `data:` URL with Base64.
pub(crate) fn is_url(text: &str) -> bool {
    if let Some(data) = text.strip_prefix("data:") {
        let (kind, base64) = data.split_once(";base64,").unwrap_or_default();
        return kind.contains('/') && is_base64(base64);
    }
    let host = ["http://", "https://", "gs://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_recognised() {
        for sound in ["QQ==", "QUI=", "QUJD", "QQ", "QUI", "-_+/"] {
            assert!(is_base64(sound), "{sound}");
        }
        for broken in ["", "=", "Q", "Q===", "QUI==", "QU D", "QUJDQ", "QÜ=="] {
            assert!(!is_base64(broken), "{broken}");
        }
    }

    #[test]
    fn urls_are_recognised() {
        for sound in ["https://example.org/a.png", "http://a", "gs://b/c.pdf", "data:image/png;base64,QUJD"] {
            assert!(is_url(sound), "{sound}");
        }
        for broken in [
            "",
            "a.png",
            "https://",
            "https://a b",
            "file:///a",
            "data:image/png,x",
            "data:image/png;base64,",
        ] {
            assert!(!is_url(broken), "{broken}");
        }
    }
}
