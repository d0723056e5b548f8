//! The value, the usage and the events of an answer, and how a conversation continues after it.

use rowcall_sim::{Counting, Options, Simulator};
use serde_json::{Value, json};

use crate::speech::Delivery::{Stream, Whole};
use crate::speech::Protocol::{Chat, Gemini, Messages, Responses};
use crate::speech::{ALL, HEADERS, Mode, Protocol, frames};
use crate::wire::{Answer, Client};
use crate::{TEXT, ask, at, instant, send, start};

#[test]
fn every_protocol_gives_the_same_value_in_every_mode_whole_and_streamed() {
    let simulator = start(instant());
    let expected = json!({ "name": "John Smith", "age": 30 });
    for protocol in ALL {
        for mode in [Mode::Schema, Mode::Tool, Mode::Object, Mode::Prompt] {
            for delivery in [Whole, Stream] {
                let answer = ask(&simulator, protocol, mode, delivery);
                assert_eq!(answer.status, 200, "{protocol:?} {mode:?} {delivery:?}: {}", answer.body);
                let value = protocol.value(&answer, delivery);
                assert_eq!(
                    value.as_ref(),
                    Some(&expected),
                    "{protocol:?} {mode:?} {delivery:?}: {}",
                    answer.body
                );
            }
        }
    }
    assert_eq!(simulator.stats().requests.all, 32);
}

#[test]
fn usage_is_reported_as_each_provider_counts() {
    let simulator = start(instant());
    let mut thinking: Vec<(Protocol, Value)> =
        ALL.into_iter().map(|protocol| (protocol, protocol.ask(TEXT, Mode::Schema, Whole))).collect();
    for (protocol, body) in &mut thinking {
        match protocol {
            Chat => body["reasoning_effort"] = json!("low"),
            Responses => body["reasoning"] = json!({ "effort": "low" }),
            Messages => body["thinking"] = json!({ "type": "adaptive" }),
            Gemini => body["generationConfig"]["thinkingConfig"] = json!({ "includeThoughts": true }),
        }
    }
    let figures = |protocol: Protocol, answer: &Answer| {
        let places = match protocol {
            Chat => [
                "/usage/prompt_tokens",
                "/usage/completion_tokens",
                "/usage/completion_tokens_details/reasoning_tokens",
            ],
            Responses => [
                "/usage/input_tokens",
                "/usage/output_tokens",
                "/usage/output_tokens_details/reasoning_tokens",
            ],
            Messages => [
                "/usage/input_tokens",
                "/usage/output_tokens",
                "/usage/output_tokens_details/thinking_tokens",
            ],
            Gemini => [
                "/usageMetadata/promptTokenCount",
                "/usageMetadata/candidatesTokenCount",
                "/usageMetadata/thoughtsTokenCount",
            ],
        };
        places.map(|place| at(answer, place).as_u64().unwrap_or(0))
    };
    for (protocol, body) in thinking {
        let plain = figures(protocol, &ask(&simulator, protocol, Mode::Schema, Whole));
        assert_eq!(plain, [12, 8, 0], "{protocol:?}");
        let answer = send(&simulator, protocol, Whole, &body);
        let [input, output, thought] = figures(protocol, &answer);
        assert_eq!((input, thought), (12, 15), "{protocol:?}: {}", answer.body);
        // Gemini's thoughts are not part of the candidates; for the others they are part of the output.
        assert_eq!(output, if protocol == Gemini { 8 } else { 23 }, "{protocol:?}");
        assert_eq!(
            protocol.value(&answer, Whole).is_some(),
            protocol != Gemini,
            "a thought is text to be left out"
        );
    }
}

#[test]
fn examples_are_distinguished_from_corrections() {
    let simulator = Simulator::start(instant(), Options::default().with_counting(Counting::On)).unwrap();
    for protocol in ALL {
        let mut body = protocol.ask("Ann Lee is 40", Mode::Schema, Whole);
        let conversation = |turns: &[(&str, &str)]| {
            Value::Array(turns.iter().map(|(role, text)| protocol.turn(role, text)).collect())
        };
        let example =
            [("user", "Ann Lee is 40"), ("assistant", "{\"name\":\"Ann Lee\",\"age\":40}"), ("user", TEXT)];
        body[protocol.turns()] = conversation(&example);
        let value = protocol.value(&send(&simulator, protocol, Whole, &body), Whole);
        assert_eq!(value, Some(json!({ "name": "John Smith", "age": 30 })), "{protocol:?}");
        let mut corrected = example.to_vec();
        corrected.extend([("assistant", "{\"name\":\"J\"}"), ("user", "age is missing")]);
        body[protocol.turns()] = conversation(&corrected);
        assert_eq!(protocol.value(&send(&simulator, protocol, Whole, &body), Whole), value, "{protocol:?}");
    }
    let requests = simulator.stats().requests;
    assert_eq!((requests.first, requests.again, requests.re_ask), (1, 3, 4));
}

/// The answer to a request about the same row, after the answer in `body` was sent back and its call was answered.
fn replayed(protocol: Protocol, request: &Value, body: &Value) -> Value {
    let mut again = request.clone();
    let wrong = "The answer is not valid:\n- name is wrong";
    let turns = again[protocol.turns()].as_array_mut().unwrap();
    match protocol {
        Chat => {
            let message = body["choices"][0]["message"].clone();
            let id = message["tool_calls"][0]["id"].clone();
            turns.extend([message, json!({ "role": "tool", "tool_call_id": id, "content": wrong })]);
        }
        Responses => {
            turns.extend(body["output"].as_array().unwrap().clone());
            let id = turns.last().unwrap()["call_id"].clone();
            turns.push(json!({ "type": "function_call_output", "call_id": id, "output": wrong }));
        }
        Messages => {
            let id = body["content"].as_array().unwrap().last().unwrap()["id"].clone();
            let result =
                json!({ "type": "tool_result", "tool_use_id": id, "is_error": true, "content": wrong });
            turns.extend([
                json!({ "role": "assistant", "content": body["content"] }),
                json!({ "role": "user", "content": [result] }),
            ]);
        }
        Gemini => {
            let response =
                json!({ "functionResponse": { "name": "record", "response": { "error": wrong } } });
            turns.extend([
                body["candidates"][0]["content"].clone(),
                json!({ "role": "user", "parts": [response] }),
            ]);
        }
    }
    again
}

#[test]
fn an_answer_is_accepted_back_and_its_call_must_be_answered() {
    let simulator = start(instant());
    for protocol in ALL {
        let mut request = protocol.ask(TEXT, Mode::Tool, Whole);
        match protocol {
            Chat => {}
            Responses => request["reasoning"] = json!({ "effort": "low", "summary": "auto" }),
            Messages => {
                request["tool_choice"] = json!({ "type": "auto" });
                request["thinking"] = json!({ "type": "enabled", "budget_tokens": 1024 });
                request["max_tokens"] = json!(2_000);
            }
            Gemini => request["generationConfig"] = json!({ "thinkingConfig": { "includeThoughts": true } }),
        }
        let first = send(&simulator, protocol, Whole, &request);
        assert_eq!(first.status, 200, "{protocol:?}: {}", first.body);
        let mut again = replayed(protocol, &request, &first.json());
        let second = send(&simulator, protocol, Whole, &again);
        assert_eq!(second.status, 200, "{protocol:?}: {}", second.body);
        again[protocol.turns()].as_array_mut().unwrap().pop();
        again[protocol.turns()].as_array_mut().unwrap().push(protocol.turn("user", "Go on."));
        let unmet = send(&simulator, protocol, Whole, &again);
        assert_eq!(unmet.status, 400, "{protocol:?}: {}", unmet.body);
    }
    assert_eq!(simulator.stats().requests.re_ask, 4);
}

#[test]
fn events_have_each_protocols_form() {
    let simulator = start(instant());
    let stream = |protocol| ask(&simulator, protocol, Mode::Schema, Stream);
    let names = |answer: &Answer| -> Vec<String> {
        let mut names: Vec<_> =
            answer.body.lines().filter_map(|line| line.strip_prefix("event: ")).map(str::to_owned).collect();
        names.dedup();
        names
    };
    let responses = stream(Responses);
    assert_eq!(
        names(&responses),
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    let numbers: Vec<_> =
        frames(&responses.body).filter_map(|frame| frame["sequence_number"].as_u64()).collect();
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
    assert_eq!(
        names(&stream(Messages)),
        [
            "message_start",
            "ping",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
    );
    let gemini = stream(Gemini);
    assert!(gemini.body.starts_with("data: {") && gemini.body.ends_with("}\r\n\r\n"), "{}", gemini.body);
    assert_eq!(gemini.header("content-type"), Some("text/event-stream"));
    let body = Gemini.ask(TEXT, Mode::Schema, Stream).to_string();
    let path = "/v1/v1beta/models/gemini-3.8-flash:streamGenerateContent";
    let array = Client::to(&simulator).send("POST", path, &[], &body).unwrap();
    let chunks: Vec<Value> = frames(&gemini.body).collect();
    let without_id = |chunk: &Value| json!([chunk["candidates"], chunk["usageMetadata"]]);
    let listed: Vec<Value> = array.json().as_array().unwrap().iter().map(without_id).collect();
    assert_eq!(listed, chunks.iter().map(without_id).collect::<Vec<_>>());
}

#[test]
fn counting_tokens_is_free() {
    let simulator = start(instant());
    let counted = |protocol: Protocol, path: &str, fields: &[&str]| {
        let asked = protocol.ask(TEXT, Mode::Prompt, Whole);
        let body: Value = fields.iter().map(|field| ((*field).to_owned(), asked[*field].clone())).collect();
        Client::to(&simulator).send("POST", path, &HEADERS, &body.to_string()).unwrap().json()
    };
    let tokens = 54;
    assert_eq!(
        counted(Messages, "/v1/v1/messages/count_tokens", &["model", "messages"]),
        json!({ "input_tokens": tokens })
    );
    assert_eq!(
        counted(Responses, "/v1/responses/input_tokens", &["model", "input"]),
        json!({ "object": "response.input_tokens", "input_tokens": tokens })
    );
    assert_eq!(
        counted(Gemini, "/v1beta/models/gemini-3.8-flash:countTokens", &["contents"])["totalTokens"],
        tokens
    );
    assert_eq!(simulator.stats().requests.all, 0);
}
