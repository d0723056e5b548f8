//! The prompts: of every kind, with the settings that the user may make, in each protocol. `requests.rs` adds the
//! schema and the mode.

use std::sync::Arc;

use rowcall::provider::{Parameters, Protocol};
use rowcall::{Attachment, AttachmentContent, Example, Finish, Prompt, Turn, Violation};
use serde_json::{Map, Value, json};

use super::answers::{self, Answer};
use crate::Result;

/// A prompt with settings.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// What is special about it.
    pub(super) name: String,
    pub(super) prompt: Prompt,
    pub(super) parameters: Parameters,
}

/// From this many characters on, Anthropic's prompt cache is requested for the constant part.
const LONG: usize = 5_000;

/// From this many tokens on, Anthropic's official SDK requires a stream.
const STREAMED: u32 = 30_000;

/// Prompts of every kind.
pub(super) fn first(protocol: Protocol) -> Vec<Question> {
    let mut questions = prompts();
    questions.extend(settings(protocol));
    questions
}

/// Prompts that refer to an answer, whatever its schema: every paused answer is continued, and every one is re-asked.
///
/// # Errors
/// Answers that cannot be read.
pub(super) fn further(protocol: Protocol) -> Result<Vec<Question>> {
    let answers = answers::all(protocol)?;
    Ok(answers.iter().filter_map(taken_up).chain(answers.iter().map(asked_again)).collect())
}

fn question(name: impl Into<String>, turns: Vec<Turn>) -> Question {
    Question { name: name.into(), prompt: Prompt::new(turns), parameters: Parameters::default() }
}

fn row() -> Turn {
    Turn::user("John Smith is a 30-year-old \"engineer\"\n\u{1F600} \u{0}")
}

fn system(text: &str) -> Turn {
    Turn::System(Arc::from(text))
}

fn example(question: &str) -> Turn {
    Turn::Example(Arc::new(Example { question: question.to_owned(), value: json!({"name": "Ada"}) }))
}

fn attached(attachments: &[(&str, AttachmentContent)]) -> Turn {
    let attachment = |(media_type, content): &(&str, AttachmentContent)| Attachment {
        media_type: (*media_type).to_owned(),
        content: content.clone(),
    };
    Turn::User {
        text: "What is there?".to_owned(),
        attachments: attachments.iter().map(attachment).collect(),
    }
}

/// The kinds of prompts that a template produces.
fn prompts() -> Vec<Question> {
    let base64 = || AttachmentContent::Base64("+/+/".into());
    let url = |path: &str| AttachmentContent::Url(format!("https://example.org/{path}"));
    let long = "All of this holds. ".repeat(LONG / 19 + 1);
    vec![
        question("plain", vec![row()]),
        question("system", vec![system("Extract the person."), row()]),
        question("examples", vec![system("Extract."), example("Ada?"), example("Ada!"), row()]),
        question("a long system part", vec![system(&long), row()]),
        question("a long example", vec![system("Extract."), example(&long), row()]),
        question("an image", vec![attached(&[("image/png", base64())])]),
        question("an image at an address", vec![attached(&[("image/jpeg", url("a.jpg"))])]),
        question("a PDF", vec![attached(&[("application/pdf", base64())])]),
        question("a PDF at an address", vec![attached(&[("application/pdf", url("a.pdf"))])]),
        question(
            "two attachments",
            vec![system("Look."), attached(&[("image/webp", base64()), ("application/pdf", base64())])],
        ),
    ]
}

/// The settings that the user may make.
fn settings(protocol: Protocol) -> Vec<Question> {
    let plain = Parameters::default();
    let set = |name: &str, parameters| Question { parameters, ..question(name, vec![system("Set."), row()]) };
    let mut more_room = set("more room", Parameters { max_output_tokens: Some(100), ..plain.clone() });
    more_room.prompt.output_limit = Some(200);
    vec![
        set("an output limit", Parameters { max_output_tokens: Some(100), ..plain.clone() }),
        set("a long output limit", Parameters { max_output_tokens: Some(STREAMED), ..plain.clone() }),
        more_room,
        set("a temperature", Parameters { temperature: Some(0.5), ..plain.clone() }),
        set("fields of the user's", Parameters { extra: users(protocol), ..plain }),
    ]
}

/// Fields that a user may add, some of them inside those that we send.
fn users(protocol: Protocol) -> Map<String, Value> {
    let fields = match protocol {
        Protocol::OpenAiChat => json!({
            "reasoning_effort": "low",
            "verbosity": "low",
            "service_tier": "flex",
            "metadata": {"run": "a"},
            "stop": ["END"],
        }),
        Protocol::OpenAiResponses => json!({
            "reasoning": {"effort": "low", "summary": "auto"},
            "text": {"verbosity": "low"},
            "top_p": 0.5,
            "service_tier": "flex",
        }),
        Protocol::Anthropic => json!({
            "thinking": {"type": "adaptive"},
            "output_config": {"effort": "low"},
            "metadata": {"user_id": "a"},
            "stop_sequences": ["END"],
        }),
        Protocol::Gemini => json!({
            "generation_config": {"top_p": 0.5, "thinkingConfig": {"includeThoughts": true}},
            "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
            "service_tier": "flex",
        }),
    };
    fields.as_object().cloned().unwrap_or_default()
}

/// The prompt that continues a paused answer.
fn taken_up(Answer { name, completion }: &Answer) -> Option<Question> {
    let token = completion.continuation.clone().filter(|_| completion.finish == Finish::Paused)?;
    let mut question = question(format!("{name}, taken up"), vec![system("Go on."), row()]);
    question.prompt.continuation = Some(token);
    Some(question)
}

/// The prompt after an answer that gave no value.
fn asked_again(Answer { name, completion }: &Answer) -> Question {
    let violations = vec![Violation::at("/age", "-1 is less than 0"), Violation::whole("too short")];
    let invalid = Turn::Invalid { raw_turn: completion.raw_turn.clone(), violations };
    question(format!("{name}, asked again"), vec![system("Extract."), row(), invalid])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rowcall::Turn;
    use rowcall::provider::Protocol;

    use super::{first, further};

    #[test]
    fn every_protocol_has_questions_of_every_kind() {
        for (protocol, taken_up) in [
            (Protocol::OpenAiChat, 0),
            (Protocol::OpenAiResponses, 0),
            (Protocol::Anthropic, 1),
            (Protocol::Gemini, 2),
        ] {
            let (first, further) = (first(protocol), further(protocol).expect("the questions"));
            let questions = || first.iter().chain(&further);
            let names: BTreeSet<&str> = questions().map(|question| question.name.as_str()).collect();
            assert_eq!(
                names.len(),
                first.len() + further.len(),
                "{protocol:?} has two questions of one name"
            );
            let continued = questions().filter(|question| question.prompt.continuation.is_some());
            assert_eq!(continued.count(), taken_up, "{protocol:?}");
            let turns = || questions().flat_map(|question| &question.prompt.turns);
            assert!(turns().any(|turn| matches!(turn, Turn::Example(_))), "{protocol:?}");
            let again = turns().filter(|turn| matches!(turn, Turn::Invalid { .. })).count();
            assert!(again >= 7, "{protocol:?}: {again}");
        }
    }
}
