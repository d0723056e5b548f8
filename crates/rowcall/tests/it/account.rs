//! The user's settings for account and parameters: their effect on the first request, on messages and on debug output.

use rowcall::{Client, ClientBuilder, Error, Extractor, Parameters, Preview, Row, Schema};
use serde_json::{Value, json};

fn client(model: &str) -> ClientBuilder {
    Client::builder(model).base_url("http://127.0.0.1:9/v1").api_key("sk-unused")
}

fn ages(client: ClientBuilder, extra: &Value) -> Result<Extractor<Value>, Error> {
    let parameters =
        Parameters { extra: extra.as_object().expect("fields").clone(), ..Parameters::default() };
    let schema = Schema::parse("age int").expect("a schema");
    client.build()?.extractor_with(schema).parameters(parameters).prompt("{{ text }}")
}

fn first_request(client: ClientBuilder, extra: &Value) -> Preview {
    let row = Row::new(0, "Ann is 30");
    ages(client, extra).expect("an extractor").preview(&row).expect("a request")
}

#[test]
fn a_users_header_replaces_ours() {
    let own = client("anthropic/claude-haiku-5-5").header("Anthropic-Version", "2030-01-01");
    let headers = first_request(own, &json!({})).headers;
    let versions: Vec<_> = headers.get_all("anthropic-version").iter().collect();
    assert_eq!(versions, ["2030-01-01"]);
}

#[test]
fn an_output_limit_among_the_parameters_is_sent_once() {
    for (model, field) in [
        ("openai/gpt-6-luna", "max_completion_tokens"),
        ("vllm/any", "max_tokens"),
        ("anthropic/claude-haiku-5-5", "max_tokens"),
    ] {
        let request = first_request(client(model), &json!({ (field): 7 })).request;
        let written = String::from_utf8(request.body.to_vec()).expect("text");
        assert_eq!(written.matches(&format!("\"{field}\":7")).count(), 1, "{written}");
    }
}

#[test]
fn reserved_fields_are_rejected_however_they_are_spelled() {
    for name in
        ["model", "systemInstruction", "system_instruction", "Contents", "continuationToken", "stream"]
    {
        let refused = ages(client("google/gemini-4-flash"), &json!({ (name): 1 }));
        let message = refused.expect_err(name).to_string();
        assert!(message.contains(&format!("`{name}` is set by rowcall itself")), "{message}");
    }
}

/// Without a tier OpenAI takes that of the project's settings, whose price each attempt would have to reserve.
#[test]
fn with_a_budget_the_standard_tier_is_asked_for_where_the_account_could_choose_another() {
    let budget = rowcall::Usd::parse("1").expect("an amount");
    let openai = || Client::builder("openai/gpt-6-luna").api_key("sk-unused");
    let tier = |client: ClientBuilder, extra: &Value| {
        let body: Value = serde_json::from_slice(&first_request(client, extra).request.body).expect("JSON");
        body["service_tier"].clone()
    };
    assert_eq!(tier(openai(), &json!({})), Value::Null);
    assert_eq!(tier(openai().budget(budget), &json!({})), "default");
    assert_eq!(tier(openai().budget(budget), &json!({"service_tier": "priority"})), "priority");
    // A server of another's may not know the field.
    assert_eq!(tier(client("openai/gpt-6-luna").budget(budget), &json!({})), Value::Null);
}

#[test]
fn a_temperature_must_be_a_number() {
    let client = client("vllm/any").build().expect("a client");
    let ages = client.extractor_with(Schema::parse("age int").expect("a schema")).temperature(f64::NAN);
    let refused = ages.prompt("{{ text }}").expect_err("refused").to_string();
    assert_eq!(refused, "temperature `NaN` is out of range, expected a number from 0 to 10");
}

#[test]
fn possible_secrets_are_not_printed() {
    let secretive = client("openai/gpt-6-luna")
        .base_url("https://h.example/v1?key=hush-4711")
        .header("Authorization", "Bearer hush-4711")
        .api_key("hush-4711");
    let builder = format!("{secretive:?}");
    let client = secretive.build().expect("a client");
    let extractor = client.extractor_with(Schema::parse("age int").expect("a schema")).prompt("{{ text }}");
    for printed in [builder, format!("{client:?}"), format!("{:?}", extractor.expect("an extractor"))] {
        assert!(!printed.contains("hush"), "{printed}");
    }
}
