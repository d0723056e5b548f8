//! What is known to be refused is not asked for, and what becomes of a wish is told.

use serde_json::json;

use super::*;

fn offer(model: &str) -> Offer {
    Offer::of(model, None).unwrap_or_else(|problem| panic!("{problem}"))
}

fn names(modes: &[Mode]) -> Vec<&'static str> {
    modes.iter().map(|mode| mode.name()).collect()
}

#[test]
fn a_model_has_the_modes_of_its_server_but_for_what_it_refuses() {
    for (model, modes) in [
        ("openai/gpt-6-luna", &["schema", "tool", "json", "prompt"][..]),
        ("openai/unheard-of", &["schema", "tool", "json", "prompt"]),
        ("openai/gpt-5.5-pro", &["tool", "json", "prompt"]),
        ("anthropic/claude-opus-4-6", &["schema", "tool", "prompt"]),
        ("anthropic/claude-sonnet-5-5", &["schema", "prompt"]),
        ("deepseek/deepseek-v4-pro", &["json", "tool", "prompt"]),
        ("deepseek/deepseek-reasoner", &["json", "prompt"]),
        ("ollama/qwen3", &["schema", "json", "prompt"]),
        ("lmstudio/x", &["schema", "prompt"]),
    ] {
        assert_eq!(names(&offer(model).modes()), modes, "{model}");
        assert_eq!(names(&offer(model).chosen(None).expect("no wish")), modes, "{model}");
    }
}

#[test]
fn a_mode_that_would_be_refused_is_refused_here() {
    for (model, wished, message) in [
        (
            "anthropic/claude-sonnet-5-5",
            Mode::Tool,
            "model `anthropic/claude-sonnet-5-5` does not take mode `tool` (a forced tool), expected `schema` or `prompt`",
        ),
        (
            "ollama/qwen3",
            Mode::Tool,
            "provider `ollama` does not take mode `tool` (a forced tool), expected `schema` or `json` or `prompt`",
        ),
    ] {
        let problem = offer(model).chosen(Some(wished)).expect_err("refused");
        assert_eq!(problem.message, message);
    }
    assert_eq!(offer("anthropic/claude-haiku-5-5").chosen(Some(Mode::Tool)), Ok(vec![Mode::Tool]));
    assert_eq!(offer("openai/unheard-of").chosen(Some(Mode::Json)), Ok(vec![Mode::Json]));
}

#[test]
fn a_protocol_is_the_providers_usual_one_or_another_of_its() {
    let protocol = |model, wished| Offer::of(model, wished).map(|offer| offer.protocol);
    assert_eq!(protocol("openai/x", None), Ok(Protocol::OpenAiChat));
    assert_eq!(protocol("openai/x", Some(Protocol::OpenAiResponses)), Ok(Protocol::OpenAiResponses));
    assert_eq!(protocol("google/x", None), Ok(Protocol::Gemini));
    for spoken in [Protocol::OpenAiChat, Protocol::OpenAiResponses, Protocol::Anthropic, Protocol::Gemini] {
        assert_eq!(protocol("sim", Some(spoken)), Ok(spoken));
    }
    let problem = protocol("openai/x", Some(Protocol::Gemini)).expect_err("not spoken");
    assert_eq!(problem.message, "provider `openai` does not speak `gemini`, expected `chat` or `responses`");
}

#[test]
fn sampling_that_would_be_refused_is_not_sent() {
    let wished = Parameters {
        temperature: Some(0.0),
        max_output_tokens: Some(200_000),
        extra: Map::from_iter([("top_k".to_owned(), json!(3)), ("effort".to_owned(), json!("low"))]),
    };
    let (sent, notes) = offer("anthropic/claude-sonnet-5-5").fit(&wished);
    assert_eq!(sent.temperature, None);
    assert_eq!(sent.max_output_tokens, Some(128_000));
    assert_eq!(sent.extra, Map::from_iter([("effort".to_owned(), json!("low"))]));
    assert_eq!(
        notes,
        [
            "`claude-sonnet-5-5` takes no `temperature`, so it is not sent",
            "`claude-sonnet-5-5` takes no `top_k`, so it is not sent",
            "`claude-sonnet-5-5` gives at most 128000 tokens, so the output limit is 128000 instead of 200000",
        ]
    );
    for taking in ["anthropic/claude-opus-4-6", "openai/gpt-6-luna", "openai/unheard-of"] {
        let wished = Parameters { max_output_tokens: Some(1000), ..wished.clone() };
        assert_eq!(offer(taking).fit(&wished), (wished.clone(), Vec::new()), "{taking}");
    }
}

#[test]
fn a_providers_own_fields_are_sent_unless_the_user_has_them() {
    let (sent, notes) = offer("openrouter/x/y").fit(&Parameters::default());
    assert_eq!((sent.extra["provider"].clone(), notes.len()), (json!({"require_parameters": true}), 0));
    let own =
        Parameters { extra: Map::from_iter([("provider".to_owned(), json!({}))]), ..Parameters::default() };
    assert_eq!(offer("openrouter/x/y").fit(&own).0.extra["provider"], json!({}));
}

#[test]
fn a_model_of_responses_alone_is_told_of() {
    let (_, notes) = offer("openai/gpt-5.4-pro").fit(&Parameters::default());
    assert_eq!(notes.len(), 1, "{notes:?}");
    let other = Offer::of("openai/gpt-5.4-pro", Some(Protocol::OpenAiResponses)).expect("spoken");
    assert_eq!(other.fit(&Parameters::default()).1, [""; 0]);
}
