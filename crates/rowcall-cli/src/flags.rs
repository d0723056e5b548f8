//! Spells the settings that hints and notes mention as this program's flags.

use rowcall::{Hint, Setting, SettingValue};

/// A hint or a note with flags.
pub(crate) fn spelled(hint: &Hint) -> String {
    hint.spelled(|setting, value| format!("`{}`", flag(setting, value)))
}

fn flag(setting: Setting, value: SettingValue) -> String {
    let name = setting.name().replace('_', "-");
    match value {
        SettingValue::Off => format!("--no-{name}"),
        SettingValue::Unnamed | SettingValue::On => format!("--{name}"),
        SettingValue::Like(form) => format!("--{name} {form}"),
        SettingValue::Exactly(value) => format!("--{name} {}", quoted(value)),
    }
}

/// A text as a shell takes it: in quotation marks if it needs them.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain = text.chars().all(|c| c.is_alphanumeric() || "/._-+,:@".contains(c));
    if is_plain && !text.starts_with('-') {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;
    use crate::args::Arguments;

    #[test]
    fn every_setting_has_a_flag() {
        let mut flags = BTreeSet::new();
        let mut commands = vec![Arguments::command()];
        while let Some(command) = commands.pop() {
            flags.extend(
                command.get_arguments().filter_map(|flag| flag.get_long().map(|name| format!("--{name}"))),
            );
            commands.extend(command.get_subcommands().cloned());
        }
        for setting in Setting::ALL {
            let value = if setting == Setting::Dedup { SettingValue::Off } else { SettingValue::Unnamed };
            assert!(flags.contains(&flag(setting, value)), "{setting:?}");
        }
    }

    #[test]
    fn values_are_written_for_a_shell() {
        for (part, expected) in [
            (Setting::KeepGoing.on(), "`--keep-going`"),
            (Setting::Dedup.off(), "`--no-dedup`"),
            (Setting::Delimiter.exactly(";"), "`--delimiter ';'`"),
            (Setting::Mode.exactly("prompt"), "`--mode prompt`"),
            (Setting::Price.like("in=USD,out=USD"), "`--price in=USD,out=USD`"),
            (Setting::Timeout.into(), "`--timeout`"),
        ] {
            assert_eq!(spelled(&Hint::from(part)), expected);
        }
    }
}
