//! What the output adds to a record, and under which names: the value, `_error`, and with meta what the row took. The
//! input rejects records that already have these names; the output adds the fields.

use std::iter;

use rowcall::{Error, Hint, Problem, Result, Setting};

/// The field that says why a row has no value. Every output has it.
pub(crate) const ERROR_FIELD: &str = "_error";

/// The object of `META_FIELDS` in JSON Lines. In CSV each has its own column, `_meta_attempts` and so on.
pub(crate) const META_FIELD: &str = "_meta";

/// The field that marks a value which was not validated by the validators of the run that made the journal.
pub(crate) const UNVALIDATED_FIELD: &str = "_unvalidated";

/// The name for a value that is not an object.
pub(crate) const VALUE_FIELD: &str = "value";

/// What a row took: requests sent, prompts sent, input tokens, how many of these were read from the provider's prompt
/// cache, output tokens, US dollars as far as known, requests whose cost is unknown, seconds from the first request
/// sent to the last answer received, the model as the server named it, its finish reason, and whether all of this
/// belongs to a cached answer, so that nothing was sent.
pub(crate) const META_FIELDS: [&str; 11] = [
    "attempts",
    "prompts",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "cost_usd",
    "cost_unknown",
    "latency_s",
    "model",
    "finish_reason",
    "from_cache",
];

/// Which fields the output adds to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub(crate) place: Place,
    pub(crate) rest: Rest,
    pub(crate) meta: Meta,
    pub(crate) values: Values,
}

/// Whether values have passed all the validators they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    Validated,
    /// They are marked.
    Unvalidated,
}

/// What a CSV does with fields of the value that have no column of their own. JSON Lines have them beside the others, or under one name
/// if one of them is also in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// The schema allows none; if there are any, they are dropped and counted.
    LeftOut,
    /// They go into one column, as JSON text.
    Column,
}

/// Where the value goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// The value's fields go next to the record's; these are known from the schema.
    Beside(Vec<String>),
    /// The whole value goes under one name.
    Under(String),
}

/// Whether what the row took is added as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meta {
    Shown,
    Hidden,
}

impl Layout {
    /// The value's fields next to the record's. `properties` are the schema's top-level properties, in its order: the
    /// columns of a CSV. A value that turns out not to be an object goes under `value`.
    ///
    /// # Errors
    /// A property with the name of a field that the output adds itself.
    pub fn beside(properties: impl IntoIterator<Item = impl Into<String>>) -> Result<Self> {
        let properties: Vec<String> = properties.into_iter().map(Into::into).collect();
        match properties.iter().find(|name| is_own(name)) {
            Some(name) => Err(Error::Config(
                Problem::new(format!(
                    "the schema's property `{name}` has the name of a field that the output adds"
                ))
                .hint(
                    Hint::from("put the value under a name of its own with ")
                        .with(Setting::Into.like("NAME")),
                ),
            )),
            None => Ok(Self {
                place: Place::Beside(properties),
                rest: Rest::LeftOut,
                meta: Meta::Hidden,
                values: Values::Validated,
            }),
        }
    }

    /// The whole value under `name`.
    ///
    /// # Errors
    /// A name that is empty or that the output uses for a field it adds itself.
    pub fn under(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        if name.is_empty() || is_own(&name) {
            let message =
                format!("the value cannot be called `{name}`, expected a name that the output does not add");
            return Err(Error::Config(Problem::new(message)));
        }
        Ok(Self {
            place: Place::Under(name),
            rest: Rest::LeftOut,
            meta: Meta::Hidden,
            values: Values::Validated,
        })
    }

    /// The whole value under `value`, for a schema whose values are not objects.
    pub fn whole() -> Self {
        Self {
            place: Place::Under(VALUE_FIELD.to_owned()),
            rest: Rest::LeftOut,
            meta: Meta::Hidden,
            values: Values::Validated,
        }
    }

    /// The same layout for values that may have more fields than those named. A CSV gets another column for them, as
    /// JSON text: `value`, or `value_2` and so on if that name is taken.
    pub fn with_rest(self) -> Self {
        Self { rest: Rest::Column, ..self }
    }

    /// The same layout with what each row took: `attempts`, `prompts`, `input_tokens`, `cached_tokens`, `output_tokens`,
    /// `cost_usd`, `cost_unknown`, `latency_s`, `model`, `finish_reason` and `from_cache`, in the object `_meta` or, in CSV, in columns `_meta_attempts` and so on.
    pub fn with_meta(self) -> Self {
        Self { meta: Meta::Shown, ..self }
    }

    /// The same layout for values that bypassed their validators. Each is marked by a field `_unvalidated`, which is
    /// true.
    pub fn with_unvalidated(self) -> Self {
        Self { values: Values::Unvalidated, ..self }
    }

    /// The names that no record may have, for [`InputOptions::reserved`](crate::InputOptions::reserved).
    pub fn reserved(&self) -> Vec<String> {
        let mut names = self.value_columns().to_vec();
        names.push(ERROR_FIELD.to_owned());
        if self.meta == Meta::Shown {
            names.push(META_FIELD.to_owned());
            names.extend(META_FIELDS.map(meta_column));
        }
        if self.values == Values::Unvalidated {
            names.push(UNVALIDATED_FIELD.to_owned());
        }
        names
    }

    /// The value's columns in a CSV.
    pub(crate) fn value_columns(&self) -> &[String] {
        match &self.place {
            Place::Beside(properties) => properties,
            Place::Under(name) => std::slice::from_ref(name),
        }
    }

    /// Whether a line has a field `name` that the output adds itself, besides the value's.
    pub(crate) fn adds(&self, name: &str) -> bool {
        name == ERROR_FIELD
            || (self.meta == Meta::Shown && name == META_FIELD)
            || (self.values == Values::Unvalidated && name == UNVALIDATED_FIELD)
    }
}

/// The name for the value's fields that are not in the schema, where they cannot be beside the others: `value`, or `value_2` and so on
/// if that is not free.
pub(crate) fn rest_field(is_free: impl Fn(&str) -> bool) -> String {
    let numbered = (2u64..).map(|number| format!("{VALUE_FIELD}_{number}"));
    iter::once(VALUE_FIELD.to_owned()).chain(numbered).find(|name| is_free(name)).unwrap_or_default()
}

/// The column of one of `META_FIELDS` in a CSV.
pub(crate) fn meta_column(field: &str) -> String {
    format!("{META_FIELD}_{field}")
}

/// Whether the output may add something called `name` itself in some layout.
pub(crate) fn is_own(name: &str) -> bool {
    [ERROR_FIELD, META_FIELD, UNVALIDATED_FIELD].contains(&name)
        || META_FIELDS.iter().any(|field| name == meta_column(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_names_are_all_names_that_the_output_adds() {
        let beside = Layout::beside(["label", "score"]).unwrap();
        assert_eq!(beside.reserved(), ["label", "score", "_error"]);
        let under = Layout::under("answer").unwrap().with_meta();
        assert_eq!(
            under.reserved(),
            [
                "answer",
                "_error",
                "_meta",
                "_meta_attempts",
                "_meta_prompts",
                "_meta_input_tokens",
                "_meta_cached_tokens",
                "_meta_output_tokens",
                "_meta_cost_usd",
                "_meta_cost_unknown",
                "_meta_latency_s",
                "_meta_model",
                "_meta_finish_reason",
                "_meta_from_cache"
            ]
        );
        assert_eq!(Layout::whole().reserved(), ["value", "_error"]);
    }

    #[test]
    fn a_value_may_not_have_a_name_of_the_output() {
        for name in ["_error", "_meta", "_meta_model", "_unvalidated"] {
            let error = Layout::beside(["label", name]).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("the schema's property `{name}` has the name of a field that the output adds")
            );
            assert!(error.hint().unwrap_or_default().parts().contains(&Setting::Into.like("NAME")));
            assert!(Layout::under(name).is_err());
        }
        assert!(Layout::under("").is_err());
        assert!(Layout::under("_meta_other").is_ok());
    }
}
