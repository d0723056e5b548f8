//! What the simulated model answers: the value in the form asked for, bent by a fault, cut at the token limit.

use serde_json::{Value, json};

use super::request::{Request, tokens};
use super::wanted::{Forced, Wanted};
use crate::chance::Chance;
use crate::complaint::Complaint;
use crate::fault::FaultKind;
use crate::reading::Reading;
use crate::value;

/// An answer before it is wrapped in a body or a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) said: Said,
    pub(crate) finish: Finish,
    pub(crate) tokens: u64,
}

/// What the message holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    Content(String),
    Refusal(String),
    Calls(Vec<Call>),
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) arguments: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    Length,
    ToolCalls,
    ContentFilter,
}

impl Finish {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
        }
    }
}

/// A name that no client offers, for a call of the wrong tool.
const WRONG_TOOL: &str = "simulated_wrong_tool";

impl Answer {
    /// The answer to `request` without any fault or limit, or why there is no value for its schema.
    pub(crate) fn whole(request: &Request, chance: Chance) -> Result<Self, Complaint> {
        let reading = Reading::of(&request.row);
        let said = match &request.wanted {
            Wanted::Text => Said::Content(note(&reading, chance)),
            Wanted::Schema(schema) => Said::Content(value::make(schema, &reading, chance)?.to_string()),
            Wanted::Object { in_prompt } => {
                let value = in_prompt.as_ref().and_then(|schema| value::make(schema, &reading, chance).ok());
                Said::Content(
                    value.unwrap_or_else(|| json!({ "simulated_note": note(&reading, chance) })).to_string(),
                )
            }
            Wanted::Tool { name, parameters, .. } => {
                let arguments = value::make(parameters, &reading, chance)?.to_string();
                Said::Calls(vec![Call { name: name.clone(), arguments }])
            }
        };
        let finish = match &request.wanted {
            Wanted::Tool { forced: Forced::Free, .. } => Finish::ToolCalls,
            Wanted::Tool { forced: Forced::Named, .. }
            | Wanted::Text
            | Wanted::Schema(_)
            | Wanted::Object { .. } => Finish::Stop,
        };
        Ok(Self::counted(said, finish))
    }

    fn counted(said: Said, finish: Finish) -> Self {
        let bytes = match &said {
            Said::Content(text) | Said::Refusal(text) => text.len(),
            Said::Calls(calls) => calls.iter().map(|call| call.name.len() + call.arguments.len()).sum(),
        };
        Self { said, finish, tokens: tokens(bytes) }
    }

    /// The answer as a model with this fault gives it; faults of the connection or the body leave it as it is.
    pub(crate) fn bent(self, fault: &FaultKind, request: &Request, chance: Chance) -> Self {
        let finish = self.finish;
        match fault {
            FaultKind::InvalidJson => {
                self.with_text(|text| format!("{}, simulated: invalid,}}", without_last(text)))
            }
            FaultKind::TruncatedJson => self.with_text(first_half),
            FaultKind::SchemaViolation => match request.wanted.schema() {
                Some(schema) => self.with_text(|text| {
                    let valid = serde_json::from_str(text).unwrap_or(Value::Null);
                    value::violate(schema, &valid, chance).to_string()
                }),
                None => self,
            },
            FaultKind::Fenced => self.with_text(|text| format!("```json\n{text}\n```")),
            FaultKind::Prose => self.with_text(|text| {
                format!(
                    "Here is the simulated answer:\n\n{text}\n\nLet me know if {{anything}} else is needed."
                )
            }),
            FaultKind::Refusal => Self::counted(
                Said::Refusal("I'm sorry, but this simulator was told to refuse.".to_owned()),
                Finish::Stop,
            ),
            FaultKind::ContentFilter => Self { finish: Finish::ContentFilter, ..self.with_text(first_half) },
            FaultKind::Length => Self { finish: Finish::Length, ..self.with_text(first_half) },
            FaultKind::Empty => Self::counted(Said::Content(String::new()), Finish::Stop),
            FaultKind::WrongTool => {
                let arguments = self.text().to_owned();
                Self::counted(Said::Calls(vec![Call { name: WRONG_TOOL.to_owned(), arguments }]), finish)
            }
            FaultKind::TwoTools => {
                let first =
                    Call { name: request.wanted.tool_name().to_owned(), arguments: self.text().to_owned() };
                let again = Self::whole(request, chance.at("second call")).unwrap_or(self);
                let second = Call { name: first.name.clone(), arguments: again.text().to_owned() };
                Self::counted(Said::Calls(vec![first, second]), finish)
            }
            FaultKind::Status(_)
            | FaultKind::Reset(_)
            | FaultKind::Cut(_)
            | FaultKind::Stall(_)
            | FaultKind::ErrorIn200
            | FaultKind::GarbageBody => self,
        }
    }

    /// The answer cut to at most `most` tokens.
    pub(crate) fn limited(self, most: Option<u64>) -> Self {
        match most.filter(|most| *most < self.tokens) {
            None => self,
            Some(most) => {
                let keep = most.saturating_mul(4) as usize;
                let cut = self.with_text(|text| text.get(..boundary(text, keep)).unwrap_or("").to_owned());
                Self { finish: Finish::Length, tokens: most, ..cut }
            }
        }
    }

    /// The text of the value: the content, or the first call's arguments.
    fn text(&self) -> &str {
        match &self.said {
            Said::Content(text) | Said::Refusal(text) => text,
            Said::Calls(calls) => calls.first().map_or("", |call| &call.arguments),
        }
    }

    fn with_text(self, change: impl Fn(&str) -> String) -> Self {
        let said = match self.said {
            Said::Content(text) => Said::Content(change(&text)),
            Said::Refusal(text) => Said::Refusal(change(&text)),
            Said::Calls(calls) => Said::Calls(
                calls.into_iter().map(|call| Call { arguments: change(&call.arguments), ..call }).collect(),
            ),
        };
        Self::counted(said, self.finish)
    }
}

impl Wanted {
    fn schema(&self) -> Option<&Value> {
        match self {
            Self::Text => None,
            Self::Object { in_prompt } => in_prompt.as_ref(),
            Self::Schema(schema) | Self::Tool { parameters: schema, .. } => Some(schema),
        }
    }

    fn tool_name(&self) -> &str {
        match self {
            Self::Tool { name, .. } => name,
            Self::Text | Self::Object { .. } | Self::Schema(_) => WRONG_TOOL,
        }
    }
}

/// `Simulated note 3f2a: ` and the beginning of what the text says.
fn note(reading: &Reading<'_>, chance: Chance) -> String {
    let said = reading.first_sentence();
    format!("Simulated note {}: {}", chance.tag(), said.get(..boundary(said, 200)).unwrap_or(""))
}

fn first_half(text: &str) -> String {
    text.get(..boundary(text, text.len() / 2)).unwrap_or("").to_owned()
}

fn without_last(text: &str) -> &str {
    text.get(..boundary(text, text.len().saturating_sub(1))).unwrap_or("")
}

/// The last place at or before `at` where the text can be cut.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
