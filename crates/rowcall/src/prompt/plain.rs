//! Templates of only text and fields, such as `Extract the person: {{ text }}`. Their prompts are joined without the template engine
//! as long as the fields are texts, which takes a tenth of the time; everything else is the engine's.

use serde_json::{Map, Value};

use super::ROW;

/// The pieces of such a template, in order.
#[derive(Debug)]
pub(super) struct Plain(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(String),
    /// The field of this name.
    Field(String),
}

impl Plain {
    /// The pieces of `source`; `None` if it has anything else than text and fields. `engine` renders the template with the given fields,
    /// and has to agree on an example: it may treat a name or a line break in its own way.
    pub(super) fn of(
        source: &str,
        engine: impl FnOnce(&Map<String, Value>) -> Option<String>,
    ) -> Option<Self> {
        if ["{%", "{#", "{{-", "-}}"].iter().any(|mark| source.contains(mark)) {
            return None;
        }
        let mut pieces = Vec::new();
        let mut rest = source;
        while let Some((text, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}")?;
            let name = Some(name.trim()).filter(|name| is_name(name) && *name != ROW)?;
            pieces.extend([Piece::Text(text.to_owned()), Piece::Field(name.to_owned())]);
            rest = after;
        }
        // The engine drops a line break at the end.
        let rest = rest.strip_suffix('\n').unwrap_or(rest);
        pieces.push(Piece::Text(rest.strip_suffix('\r').unwrap_or(rest).to_owned()));
        let plain = Self(pieces);
        let example = plain.example();
        let joined = plain.render(&example)?;
        (engine(&example)? == joined).then_some(plain)
    }

    /// The prompt for a row with these fields; `None` if one that is used is missing or is not a text.
    pub(super) fn render(&self, fields: &Map<String, Value>) -> Option<String> {
        let texts = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => Some(text.as_str()),
            Piece::Field(name) => fields.get(name)?.as_str(),
        });
        texts.collect()
    }

    /// A row with every field, each with another text.
    fn example(&self) -> Map<String, Value> {
        let fields = self.0.iter().enumerate().filter_map(|(number, piece)| match piece {
            Piece::Text(_) => None,
            Piece::Field(name) => {
                Some((name.clone(), Value::String(format!("<{number} & {{{{ x }}}}\n\">"))))
            }
        });
        fields.collect()
    }
}

fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Template;

    #[test]
    fn a_prompt_is_the_same_with_and_without_the_engine() {
        let rows = [
            json!({"text": "a <b> & {{ c }}\r\n", "n": 3, "true": "t", "loop": "l", "range": "r", "row": "o"}),
            json!({"text": "", "n": null, "true": 1.50, "loop": [], "range": {}, "row": "o"}),
            json!({"text": 1.50, "n": "4"}),
        ];
        for (source, is_plain) in [
            ("{{ text }}", true),
            ("Say: {{text}}\n", true),
            ("\r\n{{ text }}, {{  n }} of {{ text }}\r\n", true),
            ("{{ range }}", true),
            ("no field", true),
            ("{{ true }}", false),
            ("{{ text | upper }}", false),
            ("{{ text }}{% if n %}!{% endif %}", false),
            ("{{ row }}", false),
            ("{{ row.text }}", false),
            ("{# why #}{{ text }}", false),
            ("a {{- text }}", false),
            ("{{ 'x' }}", false),
        ] {
            let template = Template::new(source, None).expect(source);
            assert_eq!(template.plain.contains_key("prompt"), is_plain, "{source}");
            for row in &rows {
                let fields = row.as_object().expect("fields");
                let by_engine = template.render_by_engine("prompt", fields);
                assert_eq!(template.render_one("prompt", fields), by_engine, "{source} with {row}");
            }
        }
    }
}
