//! Groups server messages that differ only in their numbers and in what they quote.

/// A message without what differs from row to row: quoted words and words with digits are replaced, and white space is
/// collapsed.
pub fn pattern(message: &str) -> String {
    let words = unquoted(message);
    let words = words.split_whitespace().map(|word| {
        let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
        if has_digit { "#" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A message with `…` for each quoted part. An apostrophe within a word does not open a quotation.
fn unquoted(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let opens = !text.ends_with(|before: char| before.is_alphanumeric());
        if let Some(end) = closing(c).filter(|_| opens).and_then(|closing| end(after, closing)) {
            text.push('…');
            rest = &after[end..];
        } else {
            text.push(c);
            rest = after;
        }
    }
    text
}

fn closing(opening: char) -> Option<char> {
    match opening {
        '\'' | '"' | '`' => Some(opening),
        '“' => Some('”'),
        '‘' => Some('’'),
        '«' => Some('»'),
        _ => None,
    }
}

/// The index just after the next quotation mark that is not followed by a letter or digit.
fn end(text: &str, mark: char) -> Option<usize> {
    let ends = text.match_indices(mark).map(|(at, found)| at + found.len());
    ends.into_iter().find(|end| !text[*end..].starts_with(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_differ_in_figures_and_quotes_have_one_pattern() {
        for (one, other) in [
            ("Model Not Exist", "Model  Not Exist"),
            ("too long: 5000 tokens", "too long: 17 tokens"),
            ("value 'Ann' is wrong", "value 'it isn't Bob' is wrong"),
            ("request req_1f2 failed", "request req_9 failed"),
            ("no `a b`", "no `c`"),
            ("“x” is the model's", "“y z” is the model's"),
        ] {
            assert_eq!(pattern(one), pattern(other));
        }
        for (one, other) in
            [("too long", "too short"), ("it's a", "it's b"), ("'open a", "'open b"), ("", "a")]
        {
            assert_ne!(pattern(one), pattern(other));
        }
        assert_eq!(pattern("it's 'é' \"\" 5"), "it's … … #");
    }
}
