//! The repairs by which an answer that is not quite right becomes a value: their names. Those of the text are made in
//! `lenient.rs` and `json.rs`, those of the value in `repair/value.rs`, that of a tool's name in `mod.rs`.

mod value;

pub(super) use value::Wanted;

/// One thing that was put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Repair {
    /// The value stood in a fenced block.
    Fence,
    /// Other text stood around the value.
    Prose,
    /// The value stood among the model's thoughts, and nothing behind them.
    Reasoning,
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
    /// Keys stood without quotes.
    UnquotedKey,
    /// A line break, tab or other control character stood in a string as it is.
    RawNewline,
    /// A backslash stood before a character that JSON does not escape; it was kept, except before a quote.
    InvalidEscape,
    /// Half a surrogate pair was escaped; U+FFFD stands for it.
    LoneSurrogate,
    /// `True`, `False` or `None` stood for JSON's literals.
    PythonLiteral,
    /// A number had a plus sign, or nothing on one side of its point.
    LooseNumber,
    /// A key stood twice in an object; the last one holds.
    DuplicateKey,
    /// The arguments were those of a tool that does not exist.
    ToolName,
    /// An object or list was given as JSON in a string.
    Stringified,
    /// The value was put under a name in an object of its own.
    Envelope,
    /// An object was given where a list of objects is wanted.
    Wrapped,
    /// A list of one object was given where an object is wanted.
    Unwrapped,
    /// A value of an enum was spelled in another way.
    EnumSpelling,
    /// Null was given for a property that may be absent.
    NullDropped,
}

impl Repair {
    /// The repair as it is written in events and in the summary.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fence => "fence",
            Self::Prose => "prose",
            Self::Reasoning => "reasoning",
            Self::Comment => "comment",
            Self::TrailingComma => "trailing_comma",
            Self::MissingComma => "missing_comma",
            Self::SingleQuotes => "single_quotes",
            Self::SmartQuotes => "smart_quotes",
            Self::UnquotedKey => "unquoted_key",
            Self::RawNewline => "raw_newline",
            Self::InvalidEscape => "invalid_escape",
            Self::LoneSurrogate => "lone_surrogate",
            Self::PythonLiteral => "python_literal",
            Self::LooseNumber => "loose_number",
            Self::DuplicateKey => "duplicate_key",
            Self::ToolName => "tool_name",
            Self::Stringified => "stringified",
            Self::Envelope => "envelope",
            Self::Wrapped => "wrapped",
            Self::Unwrapped => "unwrapped",
            Self::EnumSpelling => "enum_spelling",
            Self::NullDropped => "null_dropped",
        }
    }
}
