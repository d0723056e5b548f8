//! The template: compiled once, rendered for each row into a prompt. What a prompt becomes on the wire is the
//! protocol's business.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use serde_json::{Map, Value};

use crate::error::Problem;
use crate::turn::{Prompt, Turn};

const USER: &str = "prompt";
const SYSTEM: &str = "system prompt";

/// What `--prompt` and `--system` give, compiled.
#[derive(Debug)]
pub(crate) struct Template {
    environment: Environment<'static>,
    system: System,
}

#[derive(Debug)]
enum System {
    None,
    /// Without variables: rendered once and shared by all prompts, which keeps it first and equal for the provider's
    /// prompt cache.
    Fixed(Arc<str>),
    PerRow,
}

impl Template {
    /// Compiles a user part and, if given, a system part, both in Jinja's syntax.
    ///
    /// # Errors
    /// If one does not compile; the message has its line.
    pub(crate) fn new(user: &str, system: Option<&str>) -> Result<Self, Problem> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        for (name, source) in [(USER, Some(user)), (SYSTEM, system)] {
            if let Some(source) = source {
                environment
                    .add_template_owned(name, source.to_owned())
                    .map_err(|error| does_not_compile(&error))?;
            }
        }
        let mut template = Self { environment, system: System::None };
        for (name, source) in [(USER, Some(user)), (SYSTEM, system)] {
            if source.is_some() {
                template.check_names(name)?;
            }
        }
        if system.is_some() {
            template.system = if template.variables_of(SYSTEM).is_empty() {
                System::Fixed(template.render_one(SYSTEM, &Map::new()).map_err(Problem::new)?.into())
            } else {
                System::PerRow
            };
        }
        Ok(template)
    }

    /// Filters, tests and functions are looked up only when a template is rendered, so it is rendered once with made-up
    /// fields; what else may go wrong with those tells nothing of real ones.
    fn check_names(&self, name: &str) -> Result<(), Problem> {
        let Ok(template) = self.environment.get_template(name) else { return Ok(()) };
        let fields = template.undeclared_variables(false).into_iter().map(|variable| (variable, ""));
        let fields: std::collections::HashMap<_, _> = fields.collect();
        match template.render(minijinja::value::Serde(fields)) {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction
                ) =>
            {
                Err(does_not_compile(&error))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The variables that a row must bring, unless the template gives a default for one.
    pub(crate) fn variables(&self) -> BTreeSet<String> {
        let mut variables = self.variables_of(USER);
        variables.extend(self.variables_of(SYSTEM));
        variables
    }

    /// The prompt for a row with these fields.
    ///
    /// # Errors
    /// A sentence fragment, if the row lacks a variable or a filter does not fit its value.
    pub(crate) fn render(&self, fields: &Map<String, Value>) -> Result<Prompt, String> {
        let mut turns = Vec::with_capacity(2);
        match &self.system {
            System::None => {}
            System::Fixed(text) => turns.push(Turn::System(Arc::clone(text))),
            System::PerRow => turns.push(Turn::System(self.render_one(SYSTEM, fields)?.into())),
        }
        turns.push(Turn::User(self.render_one(USER, fields)?));
        Ok(Prompt { turns, output_limit: None })
    }

    fn variables_of(&self, name: &str) -> BTreeSet<String> {
        let Ok(template) = self.environment.get_template(name) else { return BTreeSet::new() };
        let used = template.undeclared_variables(false);
        used.into_iter().filter(|variable| !may_be_missing(template.source(), variable)).collect()
    }

    fn render_one(&self, name: &str, fields: &Map<String, Value>) -> Result<String, String> {
        let template = self.environment.get_template(name).map_err(|error| error.to_string())?;
        template
            .render(minijinja::value::Serde(fields))
            .map_err(|error| self.does_not_render(name, fields, &error))
    }

    fn does_not_render(&self, name: &str, fields: &Map<String, Value>, error: &minijinja::Error) -> String {
        let missing = self.variables_of(name).into_iter().find(|variable| !fields.contains_key(variable));
        match (error.kind(), missing) {
            (ErrorKind::UndefinedError, Some(variable)) => {
                format!(
                    "the {name} uses `{variable}`, which the row lacks (it has {})",
                    listed(fields.keys())
                )
            }
            _ => format!("the {name} cannot be rendered: {}", reason(error)),
        }
    }
}

/// Names in backticks, separated by commas; "nothing" if there are none.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// Whether the template itself provides for a row without `variable`: by `| default(…)` or by asking whether it is defined.
fn may_be_missing(template: &str, variable: &str) -> bool {
    let is_part_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    template.match_indices(variable).any(|(at, _)| {
        let before = template.get(..at).and_then(|before| before.chars().next_back());
        let after = template.get(at + variable.len()..).unwrap_or_default();
        let rest = after.trim_start();
        let whole = !before.is_some_and(is_part_of_name) && !after.starts_with(is_part_of_name);
        let filter = rest.strip_prefix('|').map(str::trim_start).unwrap_or_default();
        let defaulted = filter.starts_with("default") || filter.starts_with("d(");
        let asked =
            ["is defined", "is undefined", "is not defined"].iter().any(|test| rest.starts_with(test));
        whole && (defaulted || asked)
    })
}

fn does_not_compile(error: &minijinja::Error) -> Problem {
    let place = error.line().map_or(String::new(), |line| format!(", line {line}"));
    let name = error.name().unwrap_or(USER);
    Problem::new(format!("the {name} does not compile{place}: {}", reason(error)))
        .hint("templates are Jinja: `{{ field }}` for a field, `{% if field %}…{% endif %}` for a choice")
}

fn reason(error: &minijinja::Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(fields) => fields,
            other => panic!("`{other}` is not an object"),
        }
    }

    fn rendered(user: &str, system: Option<&str>, row: Value) -> Result<Vec<String>, String> {
        let prompt = Template::new(user, system).expect("compiles").render(&fields(row))?;
        Ok(prompt
            .turns
            .iter()
            .map(|turn| match turn {
                Turn::System(text) => format!("system: {text}"),
                Turn::User(text) => format!("user: {text}"),
                Turn::Invalid { .. } => "invalid".to_owned(),
            })
            .collect())
    }

    #[test]
    fn a_row_is_rendered_as_it_stands() {
        let row = json!({"text": "Ann & Bob <3", "n": 7, "nested": {"a": [1, 2]}});
        assert_eq!(
            rendered("Who? {{ text }} {{ n + 1 }} {{ nested.a[1] }}", Some("Be {{ 'brief' | upper }}."), row),
            Ok(vec!["system: Be BRIEF.".to_owned(), "user: Who? Ann & Bob <3 8 2".to_owned()])
        );
    }

    #[test]
    fn a_system_part_may_use_the_row() {
        let row = json!({"text": "x", "language": "Polish"});
        assert_eq!(
            rendered("{{ text }}", Some("Answer in {{ language }}."), row).expect("renders")[0],
            "system: Answer in Polish."
        );
    }

    #[test]
    fn a_missing_variable_is_named_with_what_there_is() {
        assert_eq!(
            rendered("{{ text }} {{ title }}", None, json!({"text": "x", "name": "y"})),
            Err("the prompt uses `title`, which the row lacks (it has `text`, `name`)".to_owned())
        );
    }

    #[test]
    fn a_default_serves_a_missing_variable() {
        assert_eq!(
            rendered("{{ title | default('none') }}", None, json!({})),
            Ok(vec!["user: none".to_owned()])
        );
    }

    #[test]
    fn what_does_not_compile_is_told_with_its_line() {
        let problem = Template::new("fine\n{{ text", None).expect_err("unclosed");
        assert!(problem.message.starts_with("the prompt does not compile, line 2: "), "{}", problem.message);
        assert!(problem.hint.is_some());
    }

    #[test]
    fn variables_are_known_before_any_row() {
        let template = Template::new("{{ a }} {% for b in c %}{{ b }}{% endfor %}", Some("{{ d.e }}"))
            .expect("compiles");
        assert_eq!(template.variables().into_iter().collect::<Vec<_>>(), ["a", "c", "d"]);
    }

    #[test]
    fn what_the_template_provides_for_is_not_required() {
        let source = "{{ a | default('') }} {% if b is defined %}{{ b }}{% endif %} {{ abc }}";
        let template = Template::new(source, None).expect("compiles");
        assert_eq!(template.variables().into_iter().collect::<Vec<_>>(), ["abc"]);
    }
}
