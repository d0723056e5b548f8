//! What is rejected: keys, parameters, modes.

use rowcall_sim::Scenario;
use serde_json::json;

use crate::speech::Delivery::Whole;
use crate::speech::Protocol::{Chat, Gemini, Messages, Responses};
use crate::speech::{HEADERS, Mode};
use crate::wire::Client;
use crate::{TEXT, ask, at, instant, send, start};

#[test]
fn rejections_of_a_scenario_have_each_protocols_form() {
    let scenario = Scenario::from_toml(
        "about = 'an older server'\nrefuses = ['temperature']\nmodes = ['tool', 'json_object', 'prompt']",
    );
    let simulator = start(scenario.unwrap());
    let expected = [
        (Chat, "/error/param", "temperature", "response_format"),
        (Responses, "/error/param", "temperature", "text.format"),
        (
            Messages,
            "/error/message",
            "temperature: Extra inputs are not permitted",
            "output_config.format: Extra inputs are not permitted",
        ),
        (
            Gemini,
            "/error/message",
            "Invalid JSON payload received. Unknown name \"temperature\" at 'generation_config': Cannot find field.",
            "Invalid JSON payload received. Unknown name \"responseJsonSchema\" at 'generation_config': Cannot find field.",
        ),
    ];
    for (protocol, place, temperature, format) in expected {
        for mode in [Mode::Tool, Mode::Object, Mode::Prompt] {
            assert_eq!(ask(&simulator, protocol, mode, Whole).status, 200, "{protocol:?} {mode:?}");
        }
        let native = ask(&simulator, protocol, Mode::Schema, Whole);
        assert_eq!(
            (native.status, at(&native, place)),
            (400, json!(format)),
            "{protocol:?}: {}",
            native.body
        );
        let mut hot = protocol.ask(TEXT, Mode::Prompt, Whole);
        match protocol {
            Chat | Responses | Messages => hot["temperature"] = json!(0.5),
            Gemini => hot["generation_config"] = json!({ "temperature": 0.5 }),
        }
        let hot = send(&simulator, protocol, Whole, &hot);
        assert_eq!((hot.status, at(&hot, place)), (400, json!(temperature)), "{protocol:?}: {}", hot.body);
    }
}

#[test]
fn keys_are_sent_and_rejected_in_each_providers_form() {
    let simulator = start(instant().with_key("sk-right"));
    let cases = [
        (Chat, "authorization", "Bearer sk-right", 401, 401),
        (Responses, "authorization", "Bearer sk-right", 401, 401),
        (Messages, "x-api-key", "sk-right", 401, 401),
        (Messages, "authorization", "Bearer sk-right", 401, 401),
        (Gemini, "x-goog-api-key", "sk-right", 403, 400),
    ];
    for (protocol, name, key, without, wrong) in cases {
        let body = protocol.ask(TEXT, Mode::Schema, Whole).to_string();
        let status = |path: &str, headers: &[(&str, &str)]| {
            let headers: Vec<_> = HEADERS.iter().chain(headers).copied().collect();
            Client::to(&simulator).send("POST", path, &headers, &body).unwrap().status
        };
        let path = protocol.path(Whole);
        assert_eq!(status(path, &[(name, key)]), 200, "{protocol:?}");
        assert_eq!(status(path, &[]), without, "{protocol:?}");
        assert_eq!(status(path, &[(name, &key.replace("right", "wrong"))]), wrong, "{protocol:?}");
        if protocol == Gemini {
            assert_eq!(status(&format!("{path}?key=sk-right"), &[]), 200);
        }
    }
}

#[test]
fn requests_have_an_id_and_errors_include_it() {
    let simulator = start(instant());
    let message = ask(&simulator, Messages, Mode::Schema, Whole);
    assert!(message.header("request-id").unwrap().starts_with("req_sim_"));
    assert_eq!((message.header("x-request-id"), message.header("openai-version")), (None, None));
    let refused = Client::to(&simulator).send("POST", "/v1/messages", &[], "{}").unwrap();
    assert_eq!(at(&refused, "/error/message"), "anthropic-version: header is required");
    assert_eq!(at(&refused, "/request_id"), json!(refused.header("request-id").unwrap()));
}
