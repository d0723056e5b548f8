//! What the user can do next, as data: words, and the settings that they mention. Each front end spells settings its own way: the
//! command line as flags, Python as keyword arguments, Rust as methods.

use std::fmt;

/// What the user can do next, or should know: a sentence fragment in which settings are data. As [`Display`](fmt::Display) it
/// names them as Rust does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hint(Vec<HintPart>);

/// A part of a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HintPart {
    /// Words, with the spaces around them.
    Words(String),
    /// A setting, and the value to give it.
    Setting(Setting, SettingValue),
}

/// The value that a hint gives to a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingValue {
    /// None: the hint only names the setting.
    Unnamed,
    /// It is switched on.
    On,
    /// It is switched off.
    Off,
    /// Exactly this value, as the user types it.
    Exactly(&'static str),
    /// A value of this form, such as `PATH`.
    Like(&'static str),
}

/// The settings that hints mention. Those of files belong to `rowcall-data`, and `Force` to its front ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setting {
    /// The server's address.
    BaseUrl,
    /// The protocol that the server speaks.
    Protocol,
    /// How long an attempt may take.
    Timeout,
    /// A file of certificate authorities to trust.
    CaCert,
    /// The price of the model's tokens.
    Price,
    /// The table of prices.
    Prices,
    /// How the schema is sent.
    Mode,
    /// The most tokens that an answer may have.
    MaxOutputTokens,
    /// Whether a prompt may be the same for every row.
    SamePrompt,
    /// Whether a run goes on if all its first rows are refused alike.
    KeepGoing,
    /// How many rows may fail.
    MaxFailures,
    /// Whether equal rows share a request.
    Dedup,
    /// The file of the journal.
    Journal,
    /// Whether an existing journal is removed.
    Fresh,
    /// Whether a journal that was made for another plan is resumed.
    AcceptChanges,
    /// The file of the cache.
    Cache,
    /// Whether a file that is not the journal's own output is overwritten.
    Force,
    /// The format of the input.
    InputFormat,
    /// The encoding of the input.
    Encoding,
    /// The character between the columns of a CSV.
    Delimiter,
    /// How many lines to skip above the header of a CSV.
    SkipRows,
    /// What to do with rows that failed in an earlier step.
    FailedRows,
    /// The columns that hold images.
    Image,
    /// The format of the output.
    OutputFormat,
    /// The field under which the value is written.
    Into,
    /// Whether the output shows what each row took.
    Meta,
    /// The age from which answers are pruned from a cache.
    OlderThan,
    /// The plan whose answers are pruned.
    Plan,
    /// The model whose answers are pruned.
    Model,
    /// The size to which a cache is pruned.
    MaxSize,
}

impl Setting {
    /// All of them.
    pub const ALL: [Self; 30] = [
        Self::BaseUrl,
        Self::Protocol,
        Self::Timeout,
        Self::CaCert,
        Self::Price,
        Self::Prices,
        Self::Mode,
        Self::MaxOutputTokens,
        Self::SamePrompt,
        Self::KeepGoing,
        Self::MaxFailures,
        Self::Dedup,
        Self::Journal,
        Self::Fresh,
        Self::AcceptChanges,
        Self::Cache,
        Self::Force,
        Self::InputFormat,
        Self::Encoding,
        Self::Delimiter,
        Self::SkipRows,
        Self::FailedRows,
        Self::Image,
        Self::OutputFormat,
        Self::Into,
        Self::Meta,
        Self::OlderThan,
        Self::Plan,
        Self::Model,
        Self::MaxSize,
    ];

    /// Its name in `snake_case`.
    pub fn name(self) -> &'static str {
        match self {
            Self::BaseUrl => "base_url",
            Self::Protocol => "protocol",
            Self::Timeout => "timeout",
            Self::CaCert => "ca_cert",
            Self::Price => "price",
            Self::Prices => "prices",
            Self::Mode => "mode",
            Self::MaxOutputTokens => "max_output_tokens",
            Self::SamePrompt => "same_prompt",
            Self::KeepGoing => "keep_going",
            Self::MaxFailures => "max_failures",
            Self::Dedup => "dedup",
            Self::Journal => "journal",
            Self::Fresh => "fresh",
            Self::AcceptChanges => "accept_changes",
            Self::Cache => "cache",
            Self::Force => "force",
            Self::InputFormat => "input_format",
            Self::Encoding => "encoding",
            Self::Delimiter => "delimiter",
            Self::SkipRows => "skip_rows",
            Self::FailedRows => "failed_rows",
            Self::Image => "image",
            Self::OutputFormat => "output_format",
            Self::Into => "into",
            Self::Meta => "meta",
            Self::OlderThan => "older_than",
            Self::Plan => "plan",
            Self::Model => "model",
            Self::MaxSize => "max_size",
        }
    }

    /// The setting, switched on.
    pub fn on(self) -> HintPart {
        HintPart::Setting(self, SettingValue::On)
    }

    /// The setting, switched off.
    pub fn off(self) -> HintPart {
        HintPart::Setting(self, SettingValue::Off)
    }

    /// The setting with exactly this value.
    pub fn exactly(self, value: &'static str) -> HintPart {
        HintPart::Setting(self, SettingValue::Exactly(value))
    }

    /// The setting with a value of this form.
    pub fn like(self, form: &'static str) -> HintPart {
        HintPart::Setting(self, SettingValue::Like(form))
    }

    /// Where it is set in Rust.
    fn in_rust(self) -> &'static str {
        match self {
            Self::Dedup => "equal_rows",
            Self::Fresh => "Existing::StartOver",
            Self::AcceptChanges => "Existing::AcceptChanges",
            Self::InputFormat => "InputOptions::format",
            Self::Encoding => "InputOptions::encoding",
            Self::Delimiter => "CsvOptions::delimiter",
            Self::SkipRows => "CsvOptions::skip_rows",
            Self::FailedRows => "InputOptions::failed_rows",
            Self::OutputFormat => "OutputOptions::format",
            Self::Into => "Layout::under",
            Self::Meta => "Layout::with_meta",
            Self::OlderThan => "Pruning::older_than",
            Self::Plan => "Pruning::plan",
            Self::Model => "Pruning::model",
            Self::MaxSize => "Pruning::most_bytes",
            Self::BaseUrl
            | Self::Protocol
            | Self::Timeout
            | Self::CaCert
            | Self::Price
            | Self::Prices
            | Self::Mode
            | Self::MaxOutputTokens
            | Self::SamePrompt
            | Self::KeepGoing
            | Self::MaxFailures
            | Self::Journal
            | Self::Cache
            | Self::Force
            | Self::Image => self.name(),
        }
    }
}

impl Hint {
    /// The hint with `part` after it: words, or a setting.
    #[must_use]
    pub fn with(mut self, part: impl Into<HintPart>) -> Self {
        self.0.push(part.into());
        self
    }

    /// Its parts, in order.
    pub fn parts(&self) -> &[HintPart] {
        &self.0
    }

    /// The settings that it mentions, in order.
    pub fn settings(&self) -> impl Iterator<Item = Setting> {
        self.0.iter().filter_map(|part| match part {
            HintPart::Words(_) => None,
            HintPart::Setting(setting, _) => Some(*setting),
        })
    }

    /// The hint as a text in which `spell` writes the settings.
    pub fn spelled(&self, spell: impl Fn(Setting, SettingValue) -> String) -> String {
        self.0
            .iter()
            .map(|part| match part {
                HintPart::Words(words) => words.clone(),
                HintPart::Setting(setting, value) => spell(*setting, *value),
            })
            .collect()
    }
}

/// A setting in Rust: a method with its argument, or a field.
fn in_rust(setting: Setting, value: SettingValue) -> String {
    let name = setting.in_rust();
    let is_method = !name.contains("::") || matches!(setting, Setting::Into | Setting::Meta);
    match value {
        _ if name.starts_with("Existing::") => format!("`{name}`"),
        SettingValue::On if is_method => format!("`{name}()`"),
        SettingValue::Off if setting == Setting::Dedup => format!("`{name}(EqualRows::AskEach)`"),
        SettingValue::Exactly(value) if is_method => format!("`{name}({value:?}.parse()?)`"),
        SettingValue::Exactly(value) => format!("`{name}` `{value}`"),
        SettingValue::Like(_) if is_method => format!("`{name}(…)`"),
        SettingValue::Unnamed | SettingValue::On | SettingValue::Off | SettingValue::Like(_) => {
            format!("`{name}`")
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spelled(in_rust))
    }
}

impl<T: Into<HintPart>> From<T> for Hint {
    fn from(part: T) -> Self {
        Self(vec![part.into()])
    }
}

impl From<&str> for HintPart {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<String> for HintPart {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<Setting> for HintPart {
    fn from(setting: Setting) -> Self {
        Self::Setting(setting, SettingValue::Unnamed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_spelled_as_the_caller_likes() {
        let hint = Hint::from("describe it with ")
            .with(Setting::Mode.exactly("prompt"))
            .with(", or raise ")
            .with(Setting::Timeout);
        assert_eq!(hint.to_string(), "describe it with `mode(\"prompt\".parse()?)`, or raise `timeout`");
        let spelled = hint.spelled(|setting, value| format!("<{} {value:?}>", setting.name()));
        assert_eq!(spelled, "describe it with <mode Exactly(\"prompt\")>, or raise <timeout Unnamed>");
        assert_eq!(hint.settings().collect::<Vec<_>>(), [Setting::Mode, Setting::Timeout]);
    }

    #[test]
    fn rust_has_methods_for_settings() {
        for (part, expected) in [
            (Setting::KeepGoing.on(), "`keep_going()`"),
            (Setting::Dedup.off(), "`equal_rows(EqualRows::AskEach)`"),
            (Setting::Fresh.on(), "`Existing::StartOver`"),
            (Setting::Journal.like("PATH"), "`journal(…)`"),
            (Setting::Into.like("NAME"), "`Layout::under(…)`"),
            (Setting::FailedRows.exactly("skip"), "`InputOptions::failed_rows` `skip`"),
            (Setting::CaCert.into(), "`ca_cert`"),
        ] {
            assert_eq!(Hint::from(part).to_string(), expected);
        }
    }

    #[test]
    fn every_setting_is_listed_under_its_own_name() {
        // The last variant.
        assert_eq!(Setting::ALL.len(), Setting::MaxSize as usize + 1);
        let mut names: Vec<_> = Setting::ALL.iter().map(|setting| setting.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Setting::ALL.len());
    }
}
