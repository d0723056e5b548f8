//! Strings of a value that are not what the model meant: backslashes that became control characters, half a surrogate pair, and the
//! markup or JSON of another property.

use std::cell::OnceCell;

use serde_json::{Map, Value};

use super::lenient::is_blank;
use super::repair::Wanted;
use crate::violation::{Violation, escaped};

/// What starts the next argument in the markup with which models call tools. Some models put a namespace before each name.
const PARAMETER: &str = "<parameter name=\"";

/// The namespace.
const NAMESPACE: &str = "antml:";

/// Searches a value for strings that lost something or contain more than their own text.
pub(super) struct Corruption<'a> {
    wanted: &'a Wanted<'a>,
    /// Whether half a surrogate pair was read as U+FFFD.
    has_lone_surrogate: bool,
    /// The names of all properties anywhere in the schema, which are rarely needed.
    keys: OnceCell<Vec<String>>,
}

impl<'a> Corruption<'a> {
    pub(super) fn new(wanted: &'a Wanted<'a>, has_lone_surrogate: bool) -> Self {
        Self { wanted, has_lone_surrogate, keys: OnceCell::new() }
    }

    /// The violation for the first such string of `value`.
    pub(super) fn find(&self, value: &Value) -> Option<Violation> {
        self.within(value, &Map::new(), &mut String::new())
    }

    /// The violation for the first such string of `value`, which is at `path` in the object with these `fields`.
    fn within(&self, value: &Value, fields: &Map<String, Value>, path: &mut String) -> Option<Violation> {
        let length = path.len();
        match value {
            Value::String(text) => self.of(text, fields).map(|message| Violation::at(path.clone(), message)),
            Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
                path.truncate(length);
                path.push('/');
                path.push_str(&index.to_string());
                self.within(item, fields, path)
            }),
            Value::Object(fields) => fields.iter().find_map(|(key, field)| {
                path.truncate(length);
                path.push('/');
                path.push_str(&escaped(key));
                let of_key = self.of(key, fields).map(|message| Violation::at(path.clone(), message));
                of_key.or_else(|| self.within(field, fields, path))
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }

    fn of(&self, text: &str, fields: &Map<String, Value>) -> Option<String> {
        if self.has_lone_surrogate && text.contains(char::REPLACEMENT_CHARACTER) {
            let message =
                "has half a surrogate pair, expected both halves as `\\ud83d\\ude00` or the character";
            return Some(message.to_owned());
        }
        lost_backslash(text).or_else(|| self.swallowed(text, fields))
    }

    /// Why `text` also contains another property: the start of an argument or of a member that the object lacks, or the end of the
    /// call.
    fn swallowed(&self, text: &str, fields: &Map<String, Value>) -> Option<String> {
        let keys = || self.keys.get_or_init(|| self.wanted.keys());
        let is_absent = |name: &str| !fields.contains_key(name) && keys().iter().any(|key| key == name);
        if text.contains("parameter") {
            let text = text.replace(NAMESPACE, "");
            let mut named = text.split(PARAMETER).skip(1).filter_map(|rest| rest.split('"').next());
            if let Some(name) = named.find(|name| is_absent(name)) {
                return Some(format!(
                    "contains the markup of the property `{name}`, expected only its own text"
                ));
            }
            let ended = text.trim_end_matches(is_blank).strip_suffix("</invoke>");
            if ended.is_some_and(|text| text.trim_end_matches(is_blank).ends_with("</parameter>")) {
                return Some("contains the markup of a tool call, expected only its own text".to_owned());
            }
        }
        let name = text.match_indices('"').find_map(|(at, _)| {
            let after = text.get(at + 1..)?.trim_start_matches(is_blank).strip_prefix(',')?;
            let (name, after) = after.trim_start_matches(is_blank).strip_prefix('"')?.split_once('"')?;
            (after.trim_start_matches(is_blank).starts_with(':') && is_absent(name)).then_some(name)
        })?;
        Some(format!("contains the property `{name}`, expected it outside the string"))
    }
}

/// Why `text` has lost a backslash: it has a backspace or a form feed before a letter, because the model wrote `\b` or `\f` and meant a
/// backslash, as in `\beta` and `C:\files`.
fn lost_backslash(text: &str) -> Option<String> {
    let at = memchr::memchr2(8, 12, text.as_bytes())?;
    let (mark, name) = match text.as_bytes().get(at)? {
        8 => ('b', "backspace"),
        _ => ('f', "form feed"),
    };
    let letters: String =
        text.get(at + 1..)?.chars().take_while(char::is_ascii_alphabetic).take(12).collect();
    (!letters.is_empty()).then(|| {
        format!(
            "has a {name} before `{letters}`, because it was read from `\\{mark}{letters}`, expected every backslash escaped as `\\\\`"
        )
    })
}
