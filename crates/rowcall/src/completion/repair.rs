//! The names of the repairs that turn an almost correct answer into a value. Repairs of the text are made in `lenient.rs` and
//! `json.rs`, those of the value in `repair/value.rs`, and that of a tool's name in `mod.rs`.

mod label;
mod value;

pub(super) use label::{Kind, named, ungrouped};
pub(super) use value::Wanted;

/// A repair of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Repair {
    /// The value was in a fenced block.
    Fence,
    /// The value was surrounded by other text.
    Prose,
    /// Several consecutive objects were collected into the expected list.
    Collected,
    /// Several consecutive lists were merged into the expected one.
    Merged,
    /// The JSON contained comments.
    Comment,
    /// There was a comma after the last item.
    TrailingComma,
    /// A comma was missing between items.
    MissingComma,
    /// Strings were in single quotes.
    SingleQuotes,
    /// Strings were in typographic quotes.
    SmartQuotes,
    /// Strings were in triple quotes.
    TripleQuotes,
    /// Strings were in backticks.
    Backticks,
    /// A string contained unescaped quotes, but its end was unambiguous.
    InnerQuotes,
    /// There was a closing bracket where nothing was open.
    StrayBracket,
    /// The last closing brackets were missing, and nothing else.
    MissingBracket,
    /// Keys had no quotes.
    UnquotedKey,
    /// A string contained an unescaped line break, tab or other control character.
    RawNewline,
    /// A backslash was before a character that JSON does not escape; all backslashes of the string were kept, except before a
    /// quote.
    InvalidEscape,
    /// Half a surrogate pair was escaped and read as U+FFFD. Such a value is never accepted.
    LoneSurrogate,
    /// `True`, `TRUE`, `None`, `NULL` and the like were used for JSON's literals.
    PythonLiteral,
    /// A number had a plus sign, or no digits on one side of its decimal point.
    LooseNumber,
    /// The arguments were for a tool that does not exist.
    ToolName,
    /// An object or list was given as JSON in a string, or escaped as in a string.
    Stringified,
    /// The value was wrapped in an object under some name.
    Envelope,
    /// An object was given where a list of objects is expected.
    Wrapped,
    /// A list of one object or scalar was given where just that is expected.
    Unwrapped,
    /// A value of an enum was spelled differently.
    EnumSpelling,
    /// Null was given for a property that may be absent.
    NullDropped,
    /// A property's name was in another case or style.
    KeySpelling,
    /// A number was given where a string is expected.
    NumberAsText,
    /// The digits of a number were grouped in threes.
    GroupedDigits,
    /// A label was given in plain words or with decoration.
    Label,
    /// A string was given as plain text.
    PlainText,
}

impl Repair {
    /// The repair's name in events and in the summary.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fence => "fence",
            Self::Prose => "prose",
            Self::Collected => "collected",
            Self::Merged => "merged",
            Self::Comment => "comment",
            Self::TrailingComma => "trailing_comma",
            Self::MissingComma => "missing_comma",
            Self::SingleQuotes => "single_quotes",
            Self::SmartQuotes => "smart_quotes",
            Self::TripleQuotes => "triple_quotes",
            Self::Backticks => "backticks",
            Self::InnerQuotes => "inner_quotes",
            Self::StrayBracket => "stray_bracket",
            Self::MissingBracket => "missing_bracket",
            Self::UnquotedKey => "unquoted_key",
            Self::RawNewline => "raw_newline",
            Self::InvalidEscape => "invalid_escape",
            Self::LoneSurrogate => "lone_surrogate",
            Self::PythonLiteral => "python_literal",
            Self::LooseNumber => "loose_number",
            Self::ToolName => "tool_name",
            Self::Stringified => "stringified",
            Self::Envelope => "envelope",
            Self::Wrapped => "wrapped",
            Self::Unwrapped => "unwrapped",
            Self::EnumSpelling => "enum_spelling",
            Self::NullDropped => "null_dropped",
            Self::KeySpelling => "key_spelling",
            Self::NumberAsText => "number_as_text",
            Self::GroupedDigits => "grouped_digits",
            Self::Label => "label",
            Self::PlainText => "plain_text",
        }
    }
}
