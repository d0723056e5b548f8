//! Options that take one of a few names, and what each name means to the library.

use clap::ValueEnum;
use rowcall::{Mode, OrderBy, Protocol};
use rowcall_sim::Http;

/// A provider's protocol.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ProtocolArgument {
    /// OpenAI's Chat Completions
    #[value(alias = "chat-completions", alias = "openai")]
    Chat,
    /// OpenAI's Responses
    Responses,
    /// Anthropic's Messages
    #[value(alias = "messages")]
    Anthropic,
    /// Google's generateContent
    #[value(alias = "generate-content", alias = "generatecontent", alias = "google")]
    Gemini,
}

impl From<ProtocolArgument> for Protocol {
    fn from(protocol: ProtocolArgument) -> Self {
        match protocol {
            ProtocolArgument::Chat => Self::OpenAiChat,
            ProtocolArgument::Responses => Self::OpenAiResponses,
            ProtocolArgument::Anthropic => Self::Anthropic,
            ProtocolArgument::Gemini => Self::Gemini,
        }
    }
}

/// The order of an output.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum OrderArgument {
    /// In input order
    Input,
    /// As rows are completed
    Completed,
}

impl From<OrderArgument> for OrderBy {
    fn from(order: OrderArgument) -> Self {
        match order {
            OrderArgument::Input => Self::Input,
            OrderArgument::Completed => Self::Completed,
        }
    }
}

/// How a schema is sent to the model.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ModeArgument {
    /// The provider's own structured output
    #[value(alias = "json_schema", alias = "json-schema", alias = "native")]
    Schema,
    /// A tool that the model must call
    #[value(alias = "tools", alias = "forced-tool", alias = "forced_tool", alias = "function")]
    Tool,
    /// A JSON object, with the schema in the prompt
    #[value(alias = "json_object", alias = "json-object")]
    Json,
    /// The schema in the prompt alone
    #[value(alias = "text", alias = "md_json")]
    Prompt,
}

impl From<ModeArgument> for Mode {
    fn from(mode: ModeArgument) -> Self {
        match mode {
            ModeArgument::Schema => Self::Schema,
            ModeArgument::Tool => Self::Tool,
            ModeArgument::Json => Self::Json,
            ModeArgument::Prompt => Self::Prompt,
        }
    }
}

/// A version of HTTP.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum HttpArgument {
    /// HTTP/1.1
    #[value(name = "1", alias = "1.1")]
    One,
    /// HTTP/2
    #[value(name = "2")]
    Two,
}

impl From<HttpArgument> for Http {
    fn from(http: HttpArgument) -> Self {
        match http {
            HttpArgument::One => Self::One,
            HttpArgument::Two => Self::Two,
        }
    }
}
