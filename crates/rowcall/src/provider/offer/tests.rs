//! What is known to be rejected is not requested, and the notes say what changed.

use serde_json::json;

use super::*;

fn offer(model: &str) -> Offer {
    Offer::of(model, None).unwrap_or_else(|problem| panic!("{problem}"))
}

fn names(modes: &[Mode]) -> Vec<&'static str> {
    modes.iter().map(|mode| mode.name()).collect()
}

#[test]
fn a_model_has_the_modes_of_its_server_except_those_it_rejects() {
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
        assert_eq!(names(&offer(model).chosen(None).expect("no mode requested")), modes, "{model}");
    }
}

#[test]
fn a_mode_that_the_server_would_reject_is_rejected_here() {
    for (model, requested, message) in [
        (
            "anthropic/claude-sonnet-5-5",
            Mode::Tool,
            "model `anthropic/claude-sonnet-5-5` does not support mode `tool` (a forced tool), expected `schema` or `prompt`",
        ),
        (
            "ollama/qwen3",
            Mode::Tool,
            "provider `ollama` does not support mode `tool` (a forced tool), expected `schema` or `json` or `prompt`",
        ),
    ] {
        let problem = offer(model).chosen(Some(requested)).expect_err("refused");
        assert_eq!(problem.message, message);
    }
    assert_eq!(offer("anthropic/claude-haiku-5-5").chosen(Some(Mode::Tool)), Ok(vec![Mode::Tool]));
    assert_eq!(offer("openai/unheard-of").chosen(Some(Mode::Json)), Ok(vec![Mode::Json]));
}

#[test]
fn a_protocol_is_the_providers_default_or_another_one_it_supports() {
    let protocol = |model, requested| Offer::of(model, requested).map(|offer| offer.protocol);
    assert_eq!(protocol("openai/x", None), Ok(Protocol::OpenAiChat));
    assert_eq!(protocol("openai/x", Some(Protocol::OpenAiResponses)), Ok(Protocol::OpenAiResponses));
    assert_eq!(protocol("google/x", None), Ok(Protocol::Gemini));
    for protocol_of_sim in
        [Protocol::OpenAiChat, Protocol::OpenAiResponses, Protocol::Anthropic, Protocol::Gemini]
    {
        assert_eq!(protocol("sim", Some(protocol_of_sim)), Ok(protocol_of_sim));
    }
    let problem = protocol("openai/x", Some(Protocol::Gemini)).expect_err("not supported");
    assert_eq!(
        problem.message,
        "provider `openai` does not support protocol `gemini`, expected `chat` or `responses`"
    );
}

#[test]
fn sampling_parameters_that_would_be_rejected_are_not_sent() {
    let requested = Parameters {
        temperature: Some(0.0),
        max_output_tokens: Some(200_000),
        extra: Map::from_iter([("top_k".to_owned(), json!(3)), ("effort".to_owned(), json!("low"))]),
    };
    let (sent, notes) = offer("anthropic/claude-sonnet-5-5").fit(&requested);
    assert_eq!(sent.temperature, None);
    assert_eq!(sent.max_output_tokens, Some(128_000));
    assert_eq!(sent.extra, Map::from_iter([("effort".to_owned(), json!("low"))]));
    assert_eq!(
        notes,
        [
            "`claude-sonnet-5-5` does not accept `temperature`, so it is not sent",
            "`claude-sonnet-5-5` does not accept `top_k`, so it is not sent",
            "`claude-sonnet-5-5` returns at most 128000 tokens, so the output limit is 128000 instead of 200000",
        ]
    );
    for taking in ["anthropic/claude-opus-4-6", "openai/gpt-6-luna", "openai/unheard-of"] {
        let requested = Parameters { max_output_tokens: Some(1000), ..requested.clone() };
        assert_eq!(offer(taking).fit(&requested), (requested.clone(), Vec::new()), "{taking}");
    }
}

#[test]
fn a_providers_own_fields_are_sent_unless_the_user_sets_them() {
    let (sent, notes) = offer("openrouter/x/y").fit(&Parameters::default());
    assert_eq!((sent.extra["provider"].clone(), notes.len()), (json!({"require_parameters": true}), 0));
    let own =
        Parameters { extra: Map::from_iter([("provider".to_owned(), json!({}))]), ..Parameters::default() };
    assert_eq!(offer("openrouter/x/y").fit(&own).0.extra["provider"], json!({}));
}

#[test]
fn a_model_that_only_responses_serves_gets_a_note() {
    let (_, notes) = offer("openai/gpt-5.4-pro").fit(&Parameters::default());
    assert_eq!(notes.len(), 1, "{notes:?}");
    let other = Offer::of("openai/gpt-5.4-pro", Some(Protocol::OpenAiResponses)).expect("supported");
    assert_eq!(other.fit(&Parameters::default()).1, [""; 0]);
}
