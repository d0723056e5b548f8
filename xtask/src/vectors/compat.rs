//! `compat_servers.json`: answers and errors of servers that imitate OpenAI.

use rowcall::provider::Protocol;

use super::case::{Case, Difference, Verdict};
use super::{answers, chat, errors};

/// Checks a case: an answer as an answer, an error as an error.
pub(super) fn judge(case: Case<'_>) -> Result<Verdict, String> {
    let protocol = Protocol::OpenAiChat;
    if case.get("/server").is_some_and(|server| server == "ollama")
        && case.get("/path").is_some_and(|path| path != "/v1/chat/completions")
    {
        return Ok(Verdict::Judged(vec![Difference::new("Ollama's own protocol", "none of ours")]));
    }
    if case.get("/status").is_none() {
        return chat::request(case).map(|differences| {
            Verdict::Judged(
                differences.unwrap_or_else(|| vec![Difference::new("this request", "none that we make")]),
            )
        });
    }
    match (case.get("/expect/outcome"), case.get("/expect/cls")) {
        // A response that the provider's own validator rejected is an answer.
        (None, Some(class)) if class == "invalid_json" => {
            let read = protocol.decode(&case.response(None)?);
            Ok(Verdict::Judged(
                read.err().map(|fault| Difference::new("an answer", fault)).into_iter().collect(),
            ))
        }
        (None, Some(_)) => errors::judge(case, protocol),
        (Some(_), _) | (None, None) => answers::response(case, protocol),
    }
}
