//! The table is sorted, has the file's data, and adds nothing to it.

use super::*;
use crate::provider::all;

fn known(provider: &str, name: &str) -> &'static Model {
    find(provider, name).unwrap_or_else(|| panic!("{provider}/{name} is known"))
}

#[test]
fn the_table_is_sorted_without_duplicates_and_of_known_providers() {
    assert!(MODELS.is_sorted_by(|a, b| (a.provider, a.name) < (b.provider, b.name)));
    for model in MODELS {
        assert!(all().iter().any(|provider| provider.name == model.provider), "{}", model.provider);
        assert_eq!(find(model.provider, model.name), Some(model));
    }
    assert_eq!(all().iter().map(|provider| of(provider.name).len()).sum::<usize>(), MODELS.len());
}

#[test]
fn a_model_has_the_files_figures() {
    let luna = known("openai", "gpt-6-luna");
    assert_eq!((luna.max_input_tokens, luna.max_output_tokens), (Some(922_000), Some(128_000)));
    assert_eq!((luna.retires_on, luna.only_responses), (None, false));
    assert_eq!(known("anthropic", "claude-sonnet-4-5").retires_on, Some("2026-11-30"));
    assert!(known("openai", "gpt-5.4-pro").only_responses);
}

#[test]
fn what_is_unknown_is_neither_0_nor_guessed() {
    assert_eq!(find("openai", "gpt-6-luna-2031-01-01"), None);
    assert_eq!(find("openai", "GPT-6-luna"), None);
    assert_eq!(find("unknown", "gpt-6-luna"), None);
    assert_eq!(of("unknown"), []);
    assert_eq!(of("ollama"), []);
}

#[test]
fn a_model_rejects_what_it_is_known_to_reject() {
    for (provider, name, refused) in [
        ("openai", "gpt-6-luna", &[][..]),
        ("anthropic", "claude-sonnet-5-5", &[Mode::Tool]),
        ("anthropic", "claude-opus-4-6", &[]),
        ("openai", "gpt-5.5-pro", &[Mode::Schema]),
        ("openai", "o3-deep-research", &[Mode::Schema, Mode::Tool]),
        ("deepseek", "deepseek-reasoner", &[Mode::Tool]),
    ] {
        let model = known(provider, name);
        let all = [Mode::Schema, Mode::Tool, Mode::Json, Mode::Prompt];
        let found: Vec<_> = all.into_iter().filter(|mode| model.refuses(*mode)).collect();
        assert_eq!(found, refused, "{name}");
    }
    assert_eq!(known("anthropic", "claude-sonnet-5").capabilities.sampling, Some(false));
    assert_eq!(known("anthropic", "claude-haiku-5-5").capabilities.forced_tool, Some(true));
}
