//! Handles what some writers produce that is not JSON or not valid text: `NaN` and `Infinity`, as Python writes them,
//! and halves of surrogate pairs.

/// Numbers that do not exist in JSON, in lower case. They may have a sign.
const NOT_NUMBERS: [&str; 3] = ["nan", "infinity", "inf"];

/// Parts of them as they are usually spelled: a text without any of these has none of them.
const SIGNS: [&str; 6] = ["nan", "NaN", "NAN", "inf", "Inf", "INF"];

/// `text` with null for each `NaN`, `Infinity` and `-Infinity` outside strings, however they are spelled, and how many there were;
/// `None` if there were none.
pub(crate) fn with_nulls(text: &str) -> Option<(String, u64)> {
    if !SIGNS.iter().any(|sign| text.contains(sign)) {
        return None;
    }
    let (mut fixed, mut count, mut rest) = (String::with_capacity(text.len()), 0, text);
    let (mut in_string, mut escaped) = (false, false);
    while let Some(character) = rest.chars().next() {
        if !in_string && let Some(word) = word(rest) {
            let unsigned = word.trim_start_matches(['-', '+']);
            let is_found = NOT_NUMBERS.iter().any(|name| unsigned.eq_ignore_ascii_case(name));
            fixed.push_str(if is_found { "null" } else { word });
            count += u64::from(is_found);
            rest = rest.get(word.len()..).unwrap_or_default();
            continue;
        }
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else {
            in_string = character == '"';
        }
        fixed.push(character);
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    (count > 0).then_some((fixed, count))
}

/// The letters and digits at the start of `text`, with a sign before them.
fn word(text: &str) -> Option<&str> {
    let sign = usize::from(text.starts_with(['-', '+']));
    let unsigned = text.get(sign..)?;
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.');
    let length = unsigned.find(|character| !is_part(character)).unwrap_or(unsigned.len());
    text.get(..sign + length).filter(|_| length > 0)
}

/// `text` with U+FFFD for each surrogate escape without its other half; `None` if there are none.
pub(crate) fn without_surrogates(text: &str) -> Option<String> {
    let (mut fixed, mut rest, mut is_changed) = (String::with_capacity(text.len()), text, false);
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        fixed.push_str(before);
        let (kept, length) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => (escape.get(..12), 12),
            (Some(0xd800..0xe000), _) => (None, 6),
            (_, _) => {
                let length = 1 + escape.chars().nth(1).map_or(0, char::len_utf8);
                (escape.get(..length), length)
            }
        };
        is_changed |= kept.is_none();
        fixed.push_str(kept.unwrap_or("\\ufffd"));
        rest = escape.get(length..).unwrap_or_default();
    }
    fixed.push_str(rest);
    is_changed.then_some(fixed)
}

/// The code unit of an escape such as `\u00e9` at the start of `text`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_numbers_are_null_outside_strings() {
        let fixed = with_nulls(r#"{"a":NaN,"b":[-Infinity, Infinity],"c":"NaN \" NaN","NaN":1}"#);
        let expected = r#"{"a":null,"b":[null, null],"c":"NaN \" NaN","NaN":1}"#;
        assert_eq!(fixed, Some((expected.to_owned(), 3)));
        let fixed = with_nulls(r#"{"a":nan,"b":[-inf,+Infinity, INF],"c":nano,"d":-1.5e3,"e":"nan"}"#);
        let expected = r#"{"a":null,"b":[null,null, null],"c":nano,"d":-1.5e3,"e":"nan"}"#;
        assert_eq!(fixed, Some((expected.to_owned(), 4)));
        for text in [r#"{"a":"NaN"}"#, r#"{"information":"finance"}"#, r#"{"a":NaN.5}"#, r#"{"a":None}"#] {
            assert_eq!(with_nulls(text), None, "{text}");
        }
    }

    #[test]
    fn half_surrogate_pairs_are_replaced() {
        for (text, expected) in [
            (
                r#"{"\ud83d":"\ud83d\ude00 \\ud800 \udc00\ud800"}"#,
                Some(r#"{"\ufffd":"\ud83d\ude00 \\ud800 \ufffd\ufffd"}"#),
            ),
            (r#"{"a":"\ud83d\ude00 \u00e9 \" \\"}"#, None),
            ("\\", None),
        ] {
            assert_eq!(without_surrogates(text).as_deref(), expected);
        }
    }
}
