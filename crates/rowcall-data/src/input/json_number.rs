//! Preserves the spelling of numbers with an exponent: the parser spells `1e5` and `1E5` as `1e+5`.

use serde_json::{Number, Value};

/// `value`, which was parsed from `text`, with its numbers spelled as in the text.
pub(crate) fn as_spelled(text: &str, mut value: Value) -> Value {
    let mut parsed = Vec::new();
    numbers_mut(&mut value, &mut parsed);
    if !parsed.iter().any(|number| has_exponent(number.as_str())) {
        return value;
    }
    let spelled = numbers_in(text);
    // If an object inside has a repeated key, one of its values is lost.
    let is_same = |(number, spelled): (&&mut Number, &&str)| {
        serde_json::from_str::<Number>(spelled).is_ok_and(|read| read == **number)
    };
    if parsed.len() == spelled.len() && parsed.iter().zip(&spelled).all(is_same) {
        for (number, spelled) in parsed.into_iter().zip(spelled).filter(|(_, spelled)| has_exponent(spelled))
        {
            *number = Number::from_string_unchecked(spelled.to_owned());
        }
    }
    value
}

fn has_exponent(number: &str) -> bool {
    number.contains(['e', 'E'])
}

/// The numbers of a value, in order.
fn numbers_mut<'v>(value: &'v mut Value, found: &mut Vec<&'v mut Number>) {
    match value {
        Value::Number(number) => found.push(number),
        Value::Array(items) => items.iter_mut().for_each(|item| numbers_mut(item, found)),
        Value::Object(fields) => fields.values_mut().for_each(|field| numbers_mut(field, found)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// The texts of the numbers in a valid JSON text, in order.
fn numbers_in(text: &str) -> Vec<&str> {
    let (mut found, mut at) = (Vec::new(), 0);
    let (mut in_string, mut escaped) = (false, false);
    let is_of_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    while let Some(byte) = text.as_bytes().get(at) {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
        } else if matches!(byte, b'-' | b'0'..=b'9') {
            let rest = text.get(at..).unwrap_or_default();
            let length = rest.bytes().take_while(|byte| is_of_number(byte)).count();
            found.extend(rest.get(..length));
            at += length;
            continue;
        } else {
            in_string = *byte == b'"';
        }
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_keep_their_spelling() {
        for (text, expected) in [
            ("1e5", "1e5"),
            ("1E5", "1E5"),
            ("-1.50e-07", "-1.50e-07"),
            ("1e+16", "1e+16"),
            (
                r#"{"a":[1e5,"1e9 \" 2e3",{"b":1E-2}],"c":1.10}"#,
                r#"{"a":[1e5,"1e9 \" 2e3",{"b":1E-2}],"c":1.10}"#,
            ),
            // It is unclear which value is which.
            (r#"{"a":1e5,"a":2e5}"#, r#"{"a":2e+5}"#),
        ] {
            let value = serde_json::from_str(text).expect("JSON");
            assert_eq!(as_spelled(text, value).to_string(), expected);
        }
    }
}
