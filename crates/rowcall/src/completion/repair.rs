//! The repairs by which an answer that is not quite right becomes a value: their names. Those of the text are made in
//! `lenient.rs` and `json.rs`, those of the value in `repair/value.rs`, that of a tool's name in `mod.rs`.

mod label;
mod value;

pub(super) use label::{Kind, named, ungrouped};
pub(super) use value::Wanted;

/// One thing that was put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Repair {
    /// The value stood in a fenced block.
    Fence,
    /// Other text stood around the value.
    Prose,
    /// Several objects stood one behind the other where a list of them is wanted.
    Collected,
    /// Several lists stood one behind the other where one is wanted.
    Merged,
    /// Comments stood in the JSON.
    Comment,
    /// A comma stood behind the last item.
    TrailingComma,
    /// A comma was missing between items.
    MissingComma,
    /// Strings stood in single quotes.
    SingleQuotes,
    /// Strings stood in typographic quotes.
    SmartQuotes,
    /// Strings stood in three quotes.
    TripleQuotes,
    /// Strings stood in backticks.
    Backticks,
    /// Quotes stood in a string unescaped, with no doubt where it ends.
    InnerQuotes,
    /// A closing bracket stood where nothing was to be closed.
    StrayBracket,
    /// The last closing brackets were missing, and nothing else.
    MissingBracket,
    /// Keys stood without quotes.
    UnquotedKey,
    /// A line break, tab or other control character stood in a string as it is.
    RawNewline,
    /// A backslash stood before a character that JSON does not escape; all backslashes of the string were kept, except before a
    /// quote.
    InvalidEscape,
    /// Half a surrogate pair was escaped; U+FFFD stands for it.
    LoneSurrogate,
    /// `True`, `TRUE`, `None`, `NULL` and the like stood for JSON's literals.
    PythonLiteral,
    /// A number had a plus sign, or nothing on one side of its point.
    LooseNumber,
    /// The arguments were those of a tool that does not exist.
    ToolName,
    /// An object or list was given as JSON in a string, or escaped as it would be in one.
    Stringified,
    /// The value was put under a name in an object of its own.
    Envelope,
    /// An object was given where a list of objects is wanted.
    Wrapped,
    /// A list of one object or scalar was given where that alone is wanted.
    Unwrapped,
    /// A value of an enum was spelled in another way.
    EnumSpelling,
    /// Null was given for a property that may be absent.
    NullDropped,
    /// A property had its name in another case or style.
    KeySpelling,
    /// A number was given where a string is asked for.
    NumberAsText,
    /// The digits of a number were grouped by three.
    GroupedDigits,
    /// A label was given in plain words or with decoration.
    Label,
    /// A string was given as plain text.
    PlainText,
}

impl Repair {
    /// The repair as it is written in events and in the summary.
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
