//! The simulated model's answer: the value in the requested form, changed by a fault, cut at the token limit. Each
//! protocol writes it in its own format.

use serde_json::{Value, json};

use crate::ask::wanted::{Forced, Tool, Wanted};
use crate::ask::{Ask, Thinking};
use crate::chance::Chance;
use crate::complaint::Complaint;
use crate::fault::FaultKind;
use crate::form::Arguments;
use crate::reading::Reading;
use crate::tokens::tokens;
use crate::value;

/// An answer before it is wrapped in a response body or a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// The model's thought before it answers.
    pub(crate) thought: Option<String>,
    pub(crate) said: Said,
    pub(crate) finish: Finish,
    /// Tokens of all this, including the thought.
    pub(crate) tokens: u64,
}

/// The content of the message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    Content(String),
    Refusal(String),
    Calls(Vec<Call>),
}

/// A tool call.
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

/// A name that no client offers, for a call of the wrong tool.
const WRONG_TOOL: &str = "simulated_wrong_tool";

impl Answer {
    /// The answer to `ask` without any fault or limit, or the reason why there is no value for its schema.
    pub(crate) fn whole(ask: &Ask, chance: Chance) -> Result<Self, Complaint> {
        let reading = Reading::of(&ask.row.text);
        let said = match &ask.wanted {
            Wanted::Text => {
                Said::Content(ask.manner.said(&ask.row.text).unwrap_or_else(|| note(&reading, chance)))
            }
            Wanted::Schema(schema) => {
                let made_up = value::make(schema, &reading, chance)?;
                Said::Content(ask.manner.value(&ask.row.text, schema, made_up).to_string())
            }
            Wanted::Object { in_prompt } => {
                let value = in_prompt.as_ref().and_then(|schema| value::make(schema, &reading, chance).ok());
                Said::Content(
                    value.unwrap_or_else(|| json!({ "simulated_note": note(&reading, chance) })).to_string(),
                )
            }
            Wanted::Tool(Tool { name, parameters, .. }) => {
                let arguments = value::make(parameters, &reading, chance)?.to_string();
                Said::Calls(vec![Call { name: name.clone(), arguments }])
            }
        };
        let finish = match &ask.wanted {
            Wanted::Tool(Tool { forced: Forced::Any | Forced::Free, .. }) => Finish::ToolCalls,
            Wanted::Tool(Tool { forced: Forced::Named, .. })
            | Wanted::Text
            | Wanted::Schema(_)
            | Wanted::Object { .. } => Finish::Stop,
        };
        let thought = match ask.thinking {
            Thinking::Off => None,
            Thinking::Hidden | Thinking::Shown => Some(format!(
                "Simulated thought {}: the text is read for what is asked.",
                chance.at("thought").tag()
            )),
        };
        Ok(Self::counted(thought, said, finish))
    }

    fn counted(thought: Option<String>, said: Said, finish: Finish) -> Self {
        let bytes = match &said {
            Said::Content(text) | Said::Refusal(text) => text.len(),
            Said::Calls(calls) => calls.iter().map(|call| call.name.len() + call.arguments.len()).sum(),
        };
        let tokens = tokens(bytes) + thought_tokens(thought.as_deref());
        Self { thought, said, finish, tokens }
    }

    /// How many of the tokens belong to the thought.
    pub(crate) fn thought_tokens(&self) -> u64 {
        thought_tokens(self.thought.as_deref()).min(self.tokens)
    }

    /// The answer as a model with this fault gives it. Faults of the connection or the body do not change it.
    pub(crate) fn bent(self, fault: &FaultKind, ask: &Ask, chance: Chance) -> Self {
        let (finish, thought) = (self.finish, self.thought.clone());
        match fault {
            FaultKind::InvalidJson => {
                self.with_text(|text| format!("{}, simulated: invalid,}}", without_last(text)))
            }
            FaultKind::TruncatedJson => self.with_text(first_half),
            FaultKind::SchemaViolation => match ask.wanted.schema() {
                Some(schema) => self.with_text(|text| {
                    let valid = serde_json::from_str(text).unwrap_or(Value::Null);
                    value::violate(schema, &valid, chance).to_string()
                }),
                None => self,
            },
            FaultKind::Fenced => self.in_words(ask, |text| format!("```json\n{text}\n```")),
            FaultKind::Prose => self.in_words(ask, |text| {
                format!(
                    "Here is the simulated answer:\n\n{text}\n\nLet me know if {{anything}} else is needed."
                )
            }),
            FaultKind::Refusal => {
                let words = "I'm sorry, but this simulator is configured to refuse.".to_owned();
                Self::counted(thought, Said::Refusal(words), Finish::Stop)
            }
            FaultKind::ContentFilter => Self { finish: Finish::ContentFilter, ..self.with_text(first_half) },
            // As if the limit had been used up, by thoughts for example.
            FaultKind::Length => {
                let half = self.with_text(first_half);
                let tokens = ask.most_tokens.unwrap_or(half.tokens).max(half.tokens);
                Self { finish: Finish::Length, tokens, ..half }
            }
            FaultKind::Empty => Self::counted(thought, Said::Content(String::new()), Finish::Stop),
            FaultKind::WrongTool => {
                let arguments = self.text().to_owned();
                let call = Call { name: WRONG_TOOL.to_owned(), arguments };
                Self::counted(thought, Said::Calls(vec![call]), finish)
            }
            FaultKind::TwoTools => {
                let first =
                    Call { name: tool_name(&ask.wanted).to_owned(), arguments: self.text().to_owned() };
                let again = Self::whole(ask, chance.at("second call")).unwrap_or(self);
                let second = Call { name: first.name.clone(), arguments: again.text().to_owned() };
                Self::counted(thought, Said::Calls(vec![first, second]), finish)
            }
            FaultKind::Status(_)
            | FaultKind::Reset(_)
            | FaultKind::Cut(_)
            | FaultKind::Stall(_)
            | FaultKind::ErrorIn200
            | FaultKind::GarbageBody => self,
        }
    }

    /// The answer cut to at most `most` tokens. The thought takes its share first.
    pub(crate) fn limited(self, most: Option<u64>) -> Self {
        match most.filter(|most| *most < self.tokens) {
            None => self,
            Some(most) => {
                let keep = most.saturating_sub(self.thought_tokens()).saturating_mul(4) as usize;
                let cut = self.with_text(|text| text.get(..boundary(text, keep)).unwrap_or("").to_owned());
                Self { finish: Finish::Length, tokens: most, ..cut }
            }
        }
    }

    /// Where a tool's arguments are not plain text, a model that wraps them answers in words instead of calling the
    /// tool.
    fn in_words(self, ask: &Ask, wrap: impl Fn(&str) -> String) -> Self {
        match (&self.said, ask.form.arguments()) {
            (Said::Calls(_), Arguments::Object) => {
                let text = wrap(self.text());
                Self::counted(self.thought, Said::Content(text), Finish::Stop)
            }
            (Said::Calls(_) | Said::Content(_) | Said::Refusal(_), Arguments::Object | Arguments::Text) => {
                self.with_text(wrap)
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
        Self::counted(self.thought, said, self.finish)
    }
}

fn thought_tokens(thought: Option<&str>) -> u64 {
    thought.map_or(0, |thought| tokens(thought.len()))
}

fn tool_name(wanted: &Wanted) -> &str {
    match wanted {
        Wanted::Tool(Tool { name, .. }) => name,
        Wanted::Text | Wanted::Object { .. } | Wanted::Schema(_) => WRONG_TOOL,
    }
}

/// `Simulated note 3f2a: ` and the beginning of the text.
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

/// The last position at or before `at` where the text can be cut.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
