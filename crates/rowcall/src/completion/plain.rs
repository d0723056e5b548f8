//! Answers in plain words where the schema is neither an object nor a list: a string, one of a few labels, a boolean or a number.

use serde_json::{Number, Value, json};

use super::json::{self, thoughts};
use super::repair::{Kind, Repair, named, ungrouped};
use super::{Reader, Reading};
use crate::number::is_grouped_by_dots;
use crate::schema::{Expected, JsonType};
use crate::turn::Finish;
use crate::violation::Violation;

impl Reader<'_> {
    /// The value of a text in plain words. At the output limit, the last words may be missing, so there is no value.
    pub(super) fn read_plain(&self, text: &str) -> Option<Reading> {
        let schema = self.wanted.schema;
        match self.finish {
            Finish::Stop | Finish::Unstated => {}
            Finish::Length | Finish::ContentFilter | Finish::Paused => return None,
        }
        if schema.is_object() {
            return None;
        }
        let outside = thoughts::outside(text);
        let text = outside.as_str();
        if let Some(inner) = fenced(text).filter(|inner| self.is_string() && json::strict(inner).is_none()) {
            let value = Value::String(inner.to_owned());
            let repairs = vec![Repair::Fence, Repair::PlainText];
            return schema.validates(&value).then_some(Reading::Value { value, repairs });
        }
        if text.is_empty() || (text.contains('{') || text.starts_with('[')) && !self.is_prose(text) {
            return None;
        }
        let as_text = Value::String(text.to_owned());
        let breaches = schema.breaches(&as_text, 2);
        let found = match breaches.first() {
            None => return self.read_string(as_text),
            Some(breach) if !breach.path.is_empty() => None,
            Some(breach) => match &breach.expected {
                Expected::Member(members) => named_member(text, members),
                Expected::Types(types) if types.contains(&JsonType::Boolean) => named_boolean(text),
                Expected::Types(types) => number(text, types),
                Expected::Other if self.is_string() && !text.starts_with(['"', '`']) => {
                    let violations = breaches.iter().cloned().map(Violation::from).collect();
                    return Some(Reading::Invalid { violations, best: Some(as_text) });
                }
                Expected::Name { .. } | Expected::Other => None,
            },
        };
        let is_words = !text.contains(['"', '`', '{', '[']) && json::strict(text).is_none();
        let Some((value, repair)) = found else {
            let violations = || breaches.iter().cloned().map(Violation::from).collect();
            return is_words.then(|| Reading::Invalid { violations: violations(), best: None });
        };
        schema.validates(&value).then_some(Reading::Value { value, repairs: vec![repair] })
    }

    /// The text itself, which satisfies the schema, if only strings do.
    fn read_string(&self, text: Value) -> Option<Reading> {
        let is_quoted =
            text.as_str().is_some_and(|text| text.starts_with(['"', '`']) || text.contains("```"));
        let others = [json!({}), json!([]), json!(0), json!(true)];
        let takes_others = others.iter().any(|other| self.wanted.schema.validates(other));
        let repair = if self.is_string() { Repair::PlainText } else { Repair::Label };
        (!takes_others && !is_quoted).then(|| Reading::Value { value: text, repairs: vec![repair] })
    }

    /// Whether a text with brackets is still a plain text: a string is wanted, and the text contains no JSON.
    fn is_prose(&self, text: &str) -> bool {
        let is_bare = !text.starts_with('{') && !text.contains("\":") && !text.contains("```");
        is_bare && self.is_string() && json::find(text, &[]).candidates.is_empty()
    }

    /// Whether any string is wanted, not one of a few.
    fn is_string(&self) -> bool {
        self.wanted.schema.breaches(&json!({}), 1).first().is_some_and(
            |breach| matches!(&breach.expected, Expected::Types(types) if types.contains(&JsonType::String)),
        )
    }
}

/// The content of a fence, if the text is nothing else and the fence marks are on their own lines.
fn fenced(text: &str) -> Option<&str> {
    let body = text.strip_prefix("```")?.strip_suffix("```")?;
    let (info, inner) = body.split_once('\n')?;
    let is_info = info.trim().chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '+' | '#' | '_'));
    let inner = inner.strip_suffix('\n').unwrap_or(inner);
    (is_info && !inner.contains("```") && !inner.trim().is_empty()).then_some(inner)
}

/// The member that a text names.
pub(super) fn named_member(text: &str, members: &[Value]) -> Option<(Value, Repair)> {
    let names: Vec<(String, &Value)> = members
        .iter()
        .filter_map(|member| match member {
            Value::String(name) => Some((name.clone(), member)),
            Value::Number(_) | Value::Bool(_) => Some((member.to_string(), member)),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        })
        .collect();
    let names: Vec<(&str, &Value)> = names.iter().map(|(name, member)| (name.as_str(), *member)).collect();
    named(text, &names).map(|member| (member.clone(), Repair::Label))
}

/// The boolean that a text names: `true` and `yes`, `false` and `no`.
pub(super) fn named_boolean(text: &str) -> Option<(Value, Repair)> {
    let (yes, no) = (Value::Bool(true), Value::Bool(false));
    let names = [("true", &yes), ("yes", &yes), ("false", &no), ("no", &no)];
    named(text, &names).map(|value| (value.clone(), Repair::Label))
}

/// Words that announce a number in plain text.
const ANNOUNCED: [&str; 10] =
    ["answer", "result", "value", "output", "number", "total", "sum", "count", "score", "rating"];

/// The number in a text, apart from decoration, digit grouping and an announcement such as `Answer:`.
pub(super) fn number(text: &str, types: &[JsonType]) -> Option<(Value, Repair)> {
    let text = text.split_once(':').filter(|(before, _)| announces(before)).map_or(text, |(_, after)| after);
    let kind = match (types.contains(&JsonType::Number), types.contains(&JsonType::Integer)) {
        (true, _) => Kind::Any,
        (false, true) => Kind::Whole,
        (false, false) => return None,
    };
    let text = text.trim_matches(['*', '`', '"', ' ']);
    let bare = text.strip_suffix('.').unwrap_or(text);
    if kind == Kind::Whole && is_grouped_by_dots(bare) {
        return None;
    }
    if !bare.contains('\n')
        && let Ok(number) = serde_json::from_str::<Number>(bare)
    {
        return Some((Value::Number(number), Repair::Label));
    }
    let digits = ungrouped(text, kind)?;
    Some((serde_json::from_str(&digits).ok()?, Repair::GroupedDigits))
}

/// Whether the last of these words announces a number: `The answer`.
fn announces(words: &str) -> bool {
    let last = words.rsplit(char::is_whitespace).next().unwrap_or_default();
    ANNOUNCED.contains(&last.trim_matches(['*', '_', '#']).to_lowercase().as_str())
}

#[cfg(test)]
mod tests;
