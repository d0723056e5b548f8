//! Spells the settings that hints and notes mention as this package's keyword arguments.

use rowcall::{Hint, Setting, SettingValue};

/// A hint or a note with keyword arguments.
pub(crate) fn spelled(hint: &Hint) -> String {
    hint.spelled(|setting, value| format!("`{}`", keyword(setting, value)))
}

/// The same for an extractor's own journal, for which there is no option to start over.
pub(crate) fn spelled_for_extractor(hint: &Hint) -> String {
    hint.spelled(|setting, value| match setting {
        Setting::Fresh => "a new file".to_owned(),
        _ => format!("`{}`", keyword(setting, value)),
    })
}

fn keyword(setting: Setting, value: SettingValue) -> String {
    let name = match setting {
        Setting::Image => "images",
        other => other.name(),
    };
    match value {
        SettingValue::Unnamed => format!("{name}="),
        // `PATH` stands for any text.
        SettingValue::Like(form) if form.chars().all(char::is_uppercase) => format!("{name}="),
        SettingValue::On => format!("{name}=True"),
        SettingValue::Off => format!("{name}=False"),
        SettingValue::Exactly(value) | SettingValue::Like(value) => format!("{name}=\"{value}\""),
    }
}
