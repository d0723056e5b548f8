//! The form of answer that a request wants: text, JSON, a schema's value, a tool call. Decides which of several takes
//! precedence, and when a schema in the prompt applies.

use serde_json::Value;

use super::conversation::Conversation;
use super::prompt_schema;
use super::row::Row;

/// The form of the answer.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// Free text.
    Text,
    /// Any JSON object, or a value for the schema in the prompt.
    Object { in_prompt: Option<Value> },
    /// A value for a schema.
    Schema(Value),
    /// A call of the tool with arguments for the schema.
    Tool(Tool),
}

/// A tool to call.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) parameters: Value,
    pub(crate) forced: Forced,
}

/// Whether the request leaves the model a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forced {
    /// This tool; OpenAI then says `stop`, not `tool_calls`, as the finish reason.
    Named,
    /// Some tool.
    Any,
    /// A tool or none.
    Free,
}

/// The form of the answer's text.
#[derive(Debug)]
pub(crate) enum Format {
    Text,
    Object,
    Schema(Value),
}

impl Wanted {
    pub(crate) fn schema(&self) -> Option<&Value> {
        match self {
            Self::Text => None,
            Self::Object { in_prompt } => in_prompt.as_ref(),
            Self::Schema(schema) | Self::Tool(Tool { parameters: schema, .. }) => Some(schema),
        }
    }
}

/// What the conversation wants with this tool and this format, about which row, and whether it is a re-ask. A tool
/// that is not forced yields to a schema.
pub(crate) fn settle(conversation: &Conversation, tool: Option<Tool>, format: Format) -> (Wanted, Row, bool) {
    let in_prompt = || conversation.texts().find_map(prompt_schema::find).map(|found| found.schema);
    let wanted = match (tool, format) {
        (None | Some(Tool { forced: Forced::Free, .. }), Format::Schema(schema)) => Wanted::Schema(schema),
        (Some(tool), _) => Wanted::Tool(tool),
        (None, Format::Object) => Wanted::Object { in_prompt: in_prompt() },
        (None, Format::Text) => match in_prompt() {
            None => Wanted::Text,
            in_prompt => Wanted::Object { in_prompt },
        },
    };
    let (mut row, re_ask) = conversation.row(wanted.schema());
    if matches!(wanted, Wanted::Object { .. })
        && let Some(found) = prompt_schema::find(&row.text)
    {
        row.text.replace_range(found.range, "");
    }
    (wanted, row, re_ask)
}
