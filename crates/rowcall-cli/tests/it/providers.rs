//! Providers and models: lists, keys from variables and commands, protocols and modes; and what is refused or reported before any
//! request.

use rowcall_sim::{Mode, Scenario};
use serde_json::{Value, json};

use crate::command::{Ran, TestDir, ages, asking, requests, simulator};

const KEY: &str = "sk-secret-4711-0815";

fn dir() -> TestDir {
    let dir = TestDir::new();
    dir.write("in.csv", "text\nAnn is 30\n");
    dir
}

/// Asks `model` about one row.
fn ask(model: &str, more: &[&str], variables: &[(&str, &str)]) -> Ran {
    let run = ["run", "in.csv", "-s", "age int", "-p", "{{ text }}", "-m", model];
    dir().rowcall_with(&[&run[..], more].concat(), "", variables)
}

/// The request that would go to `model`: its URL, its headers, its body.
fn request(model: &str, more: &[&str], variables: &[(&str, &str)]) -> (String, String, Value, String) {
    let ran = ask(model, &[&["--show-requests", "1"], more].concat(), variables);
    assert_eq!(ran.code, Some(0), "{model}: {}", ran.stderr);
    let (head, body) = ran.stdout.split_once("\n\n").expect("a head and a body");
    let (first, headers) = head.split_once('\n').expect("a line and headers");
    let url = first.strip_prefix("POST ").expect("a POST").to_owned();
    (url, headers.to_owned(), serde_json::from_str(body).expect("JSON"), ran.stderr)
}

#[test]
fn providers_are_listed_with_keys_addresses_and_protocols() {
    let listed = dir().rowcall(&["models"]);
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    for word in
        ["| google ", "GOOGLE_API_KEY, GEMINI_API_KEY", "http://localhost:11434/v1", "chat, responses"]
    {
        assert!(listed.stdout.contains(word), "`{word}` is missing: {}", listed.stdout);
    }
    let listed = dir().rowcall(&["models", "--json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let anthropic =
        listed["providers"].as_array().and_then(|all| all.iter().find(|one| one["name"] == "anthropic"));
    let anthropic = anthropic.expect("it is listed");
    assert_eq!(anthropic["key_variables"], json!(["ANTHROPIC_API_KEY"]));
    assert_eq!(
        anthropic["speaks"],
        json!([{"protocol": "anthropic", "modes": ["schema", "tool", "prompt"]}])
    );
    assert!(anthropic["models"].as_u64() > Some(10), "{anthropic}");
}

#[test]
fn models_are_listed_with_prices_limits_and_modes_as_of_a_date() {
    let listed = dir().rowcall(&["models", "openai", "--filter", "GPT-6-Luna"]);
    let line = listed.stdout.lines().find(|line| line.contains("openai/gpt-6-luna")).expect("it is listed");
    let cells: Vec<_> = line.split('|').map(str::trim).collect();
    let expected = ["openai/gpt-6-luna", "0.1", "0.5", "0.01", "922,000", "128,000"];
    assert_eq!(cells[1..7], expected, "{line}");
    assert!(cells[7].starts_with("from 272,001: 0.2/0.75, flex: 0.05/0.25"), "{line}");
    assert_eq!(cells[8], "schema tool json prompt", "{line}");
    assert!(!listed.stdout.contains("gpt-6-sol"), "{}", listed.stdout);
    assert!(listed.stderr.contains("as of 2026-11-28, from LiteLLM"), "{}", listed.stderr);

    let all = dir().rowcall(&["models", "--filter", "sonnet-5-5", "--json"]);
    let all: Value = serde_json::from_str(&all.stdout).expect("JSON");
    let models = all["models"].as_array().expect("a list");
    let sonnet =
        models.iter().find(|one| one["model"] == "anthropic/claude-sonnet-5-5").expect("it is listed");
    assert_eq!(sonnet["modes"], json!(["schema", "prompt"]));
    assert_eq!((&sonnet["sampling"], sonnet["input_usd_per_token"].as_f64()), (&json!(false), Some(2e-6)));
    assert!(models.iter().any(|one| one["model"] == "bedrock/anthropic.claude-sonnet-5-5"), "{all}");

    let alias = dir().rowcall(&["models", "gemini", "--filter", "gemma-4-31b"]);
    let line =
        alias.stdout.lines().find(|line| line.contains("google/gemma-4-31b-it")).expect("it is listed");
    let cells: Vec<_> = line.split('|').map(str::trim).collect();
    assert_eq!(cells[2..5], ["?"; 3], "unknown figures: {line}");
    let none = dir().rowcall(&["models", "ollama"]);
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), ""));
    assert!(none.stderr.contains("any model name that the server knows"), "{}", none.stderr);
    let typo = dir().rowcall(&["models", "opnai"]);
    assert_eq!((typo.code, typo.stdout.as_str()), (Some(2), ""));
    assert!(typo.stderr.contains("unknown provider `opnai`"), "{}", typo.stderr);
    assert!(typo.stderr.contains("hint: did you mean `openai`?"), "{}", typo.stderr);
}

#[test]
fn a_schema_is_shown_as_each_provider_gets_it() {
    let shown = |schema: &str, more: &[&str]| {
        let ran = dir().rowcall(&[&["schema", schema, "--json"], more].concat());
        assert_eq!(ran.code, Some(0), "{more:?}: {}", ran.stderr);
        serde_json::from_str::<Value>(&ran.stdout).expect("JSON")
    };
    let fields = "name, nick str?";
    let openai = shown(fields, &[]);
    assert_eq!((&openai["protocol"], &openai["mode"]), (&json!("chat"), &json!("schema")));
    assert_eq!(openai["wire"]["required"], json!(["name", "nick"]));
    let anthropic = shown(fields, &["--for", "anthropic/claude-sonnet-5-5"]);
    assert_eq!((&anthropic["protocol"], &anthropic["mode"]), (&json!("anthropic"), &json!("schema")));
    assert_eq!(anthropic["wire"]["required"], json!(["name"]));
    assert_eq!(anthropic["further_modes"], json!(["prompt"]));
    let deepseek = shown(fields, &["--for", "deepseek"]);
    assert_eq!((&deepseek["mode"], &deepseek["wire"]), (&json!("json"), &deepseek["given"]));
    let prompt = shown(fields, &["--mode", "prompt"]);
    assert_eq!((&prompt["mode"], &prompt["strict"]), (&json!("prompt"), &json!(false)));
    assert_eq!(shown(fields, &["--for", "openai", "--protocol", "responses"])["protocol"], "responses");

    let tree = r##"{"type": "object", "properties": {"next": {"$ref": "#"}}}"##;
    let recursive = shown(tree, &["--for", "anthropic"]);
    let notes = recursive["notes"].as_array().expect("a list");
    assert_ne!(recursive["mode"], "schema", "Anthropic's structured output has no recursion");
    assert!(
        notes.iter().any(|note| note.as_str().is_some_and(|note| note.contains("instead"))),
        "{recursive}"
    );
    let text = dir().rowcall(&["schema", tree, "--for", "anthropic"]);
    assert!(text.stdout.contains("on the wire to anthropic by `anthropic`, as "), "{}", text.stdout);
    assert!(text.stdout.contains("\nnote: structured output by schema"), "{}", text.stdout);

    let refused =
        dir().rowcall(&["schema", fields, "--for", "anthropic/claude-sonnet-5-5", "--mode", "tool"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""));
    assert!(refused.stderr.contains("expected `schema` or `prompt`"), "{}", refused.stderr);
}

#[test]
fn several_providers_are_shown_side_by_side() {
    let schema = r#"{"type":"object","properties":{"zip":{"type":"string","pattern":"[0-9]{5}"},"reasoning":{"type":"string"},"score":{"type":"number","minimum":0}},"required":["zip","reasoning","score"],"additionalProperties":false}"#;
    let both = ["schema", schema, "--for", "vllm/m", "--for", "ollama/m"];
    let shown = dir().rowcall(&both);
    assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""));
    for line in [
        "vllm (`xgrammar`): as structured output by schema",
        "ollama (`ollama`): as structured output by schema; `zip` is asked for as `1_zip`, since the server may sort properties by name; 2 more are renamed",
        "| path              | keyword | vllm (`xgrammar`) | ollama (`ollama`) |",
        "| /properties/zip   | pattern | narrowed          | narrowed          |",
        "| /properties/score | minimum | narrowed          | checked           |",
        "on the wire, ollama differs from vllm:\n  /properties/score/minimum\n    vllm       0\n    ollama     -\n",
    ] {
        assert!(shown.stdout.contains(line), "`{line}` is missing: {}", shown.stdout);
    }
    let json = dir().rowcall(&[&both[..], &["--json"]].concat());
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["providers"]["ollama"]["dialect"], "ollama");
    let score =
        json["losses"].as_array().expect("a list").iter().find(|loss| loss["path"] == "/properties/score");
    assert_eq!(score.expect("a loss")["effects"], json!({ "vllm": ["narrowed"], "ollama": ["checked"] }));
    let same = dir().rowcall(&["schema", "name", "--for", "vllm", "--for", "sglang"]);
    assert!(same.stdout.contains("sglang gets the same schema as vllm"), "{}", same.stdout);
    let probed = dir().rowcall(&[&both[..], &["--probe"]].concat());
    assert_eq!(probed.code, Some(2));
    assert!(probed.stderr.contains("one server is probed at a time"), "{}", probed.stderr);
}

#[test]
fn a_key_comes_from_a_command_which_is_not_repeated() {
    let simulator = simulator(Scenario::instant("with a key").with_key(KEY));
    let url = simulator.base_url();
    let ask = |command: &str| ask("openai/x", &["--base-url", &url, "--key-command", command], &[]);
    let answered = ask(&format!("printf '  {KEY}  \\nand more\\n'"));
    assert_eq!(answered.code, Some(0), "{}", answered.stderr);
    let before = requests(&simulator);
    for (command, message) in [
        (format!("echo {KEY}; echo {KEY} >&2; exit 3"), "`--key-command` failed (exit status: 3)"),
        (format!("echo; echo {KEY}"), "`--key-command` printed an empty first line"),
        (r"printf '\377'".to_owned(), "`--key-command` printed bytes that are not UTF-8"),
        ("no-such-command-anywhere".to_owned(), "`--key-command` failed"),
        (r"printf 'sk-secret-4711\001'".to_owned(), "the key has a character"),
    ] {
        let ran = ask(&command);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{command}: {}", ran.stderr);
        assert!(ran.stderr.contains(message) && ran.stderr.contains("hint: "), "{command}: {}", ran.stderr);
        assert!(!ran.stderr.contains("sk-secret"), "{command}: {}", ran.stderr);
    }
    assert_eq!(requests(&simulator), before);
}

#[test]
fn a_key_on_the_command_line_is_refused_with_the_right_way_to_pass_it() {
    for (model, tried, hint) in [
        ("openai/x", &["--api-key", KEY][..], "set `OPENAI_API_KEY`, or use `--key-command COMMAND`"),
        ("google/x", &["--api-key=sk-secret-4711-0815"], "set `GOOGLE_API_KEY` or `GEMINI_API_KEY`"),
        ("nobody/x", &["--token", KEY], "such as `OPENAI_API_KEY`"),
        ("sim", &["--key", KEY], "this provider needs no key"),
    ] {
        let ran = ask(model, tried, &[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("error: there is no option `--"), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("hint: ") && ran.stderr.contains(hint),
            "`{hint}` is missing: {}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    }
    let other = ask("openai/x", &["--nonsense"], &[]);
    assert!(!other.stderr.contains("key-command"), "{}", other.stderr);
}

#[test]
fn the_first_variable_that_is_set_has_the_key() {
    let simulator = simulator(Scenario::instant("with a key").with_key(KEY));
    let url = simulator.base_url();
    let (first, second) = ("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY");
    for (variables, code) in [
        (&[(first, KEY), (second, "sk-another")][..], 0),
        (&[(first, "sk-another"), (second, KEY)], 1),
        (&[(second, KEY)], 0),
        (&[(first, " "), (second, KEY)], 0),
    ] {
        let ran = ask("fireworks/x", &["--base-url", &url, "--retries", "0"], variables);
        assert_eq!(ran.code, Some(code), "{variables:?}: {}", ran.stderr);
    }
    let none = ask("fireworks/x", &["--base-url", &url], &[]);
    assert!(
        none.stderr.contains("`FIREWORKS_API_KEY` or `FIREWORKS_AI_API_KEY` is not set"),
        "{}",
        none.stderr
    );
    let own = ["--base-url", &url, "--header", "Authorization: Bearer sk-secret-4711-0815"];
    assert_eq!(ask("fireworks/x", &own, &[]).code, Some(0), "a user's own header replaces the key");
}

#[test]
fn each_provider_is_asked_in_its_own_way() {
    let key = ("AZURE_OPENAI_API_KEY", KEY);
    let endpoint = ("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com");
    let (url, headers, body, _) =
        request("azure/my-deployment", &["--max-output-tokens", "9"], &[key, endpoint]);
    assert_eq!(url, "https://r.openai.azure.com/openai/v1/chat/completions");
    assert!(headers.contains("api-key: ***") && !headers.contains("authorization"), "{headers}");
    assert_eq!((&body["model"], &body["max_completion_tokens"]), (&json!("my-deployment"), &json!(9)));

    let (url, headers, ..) = request("anthropic/claude-opus-4-6", &[], &[("ANTHROPIC_API_KEY", KEY)]);
    assert_eq!(url, "https://api.anthropic.com/v1/messages");
    assert!(headers.contains("x-api-key: ***"), "{headers}");
    let (url, ..) = request("anthropic/x", &["--base-url", "https://gateway.example/v1"], &[]);
    assert_eq!(url, "https://gateway.example/v1/messages");
    let (url, ..) = request("gemini/x", &["--base-url", "https://gateway.example/v1beta"], &[]);
    assert_eq!(url, "https://gateway.example/v1beta/models/x:generateContent");

    let (url, ..) = request("openai/x", &["--protocol", "responses"], &[]);
    assert_eq!(url, "https://api.openai.com/v1/responses");
    let (_, _, body, _) = request("openrouter/x/y", &[], &[]);
    assert_eq!((&body["provider"], &body["model"]), (&json!({"require_parameters": true}), &json!("x/y")));
    let (_, _, body, _) = request("deepseek/x", &[], &[]);
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    let (url, ..) = request("ollama/x", &[], &[("OLLAMA_HOST", "gpu")]);
    assert_eq!(url, "http://gpu:11434/v1/chat/completions");
}

#[test]
fn an_unsupported_parameter_is_dropped_or_refused_before_any_request() {
    let options = ["--temperature", "0", "--max-output-tokens", "999999"];
    let (_, _, body, notes) = request("anthropic/claude-sonnet-5-5", &options, &[]);
    assert_eq!((&body["temperature"], &body["max_tokens"]), (&Value::Null, &json!(128_000)));
    assert!(
        notes.contains("note: `claude-sonnet-5-5` does not accept `temperature`, so it is not sent"),
        "{notes}"
    );
    assert!(notes.contains("the output limit is 128000 instead of 999999"), "{notes}");
    let (_, _, body, notes) =
        request("openai/unheard-of", &["--temperature", "0", "--price", "in=1,out=2"], &[]);
    assert_eq!((&body["temperature"], notes.as_str()), (&json!(0.0), ""));
    for (model, more, message) in [
        ("anthropic/claude-sonnet-5-5", &["--mode", "tool"][..], "does not support mode `tool`"),
        ("ollama/x", &["--mode", "tool"], "provider `ollama` does not support mode `tool`"),
        ("openai/x", &["--protocol", "gemini"], "provider `openai` does not support protocol `gemini`"),
        ("groq/x", &["--protocol", "responses"], "expected `chat`"),
        ("bedrock/x", &[], "set `AWS_REGION`"),
        ("azure/x", &[], "set `AZURE_OPENAI_ENDPOINT`"),
    ] {
        let ran =
            ask(model, more, &[("ANTHROPIC_API_KEY", KEY), ("OPENAI_API_KEY", KEY), ("GROQ_API_KEY", KEY)]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{model} {more:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(message), "`{message}` is missing: {}", ran.stderr);
    }
}

#[test]
fn a_secret_in_an_address_is_not_printed() {
    for (url, code) in
        [("http://ann:hunter2@127.0.0.1:9/v1", 2), ("http://127.0.0.1:9/v1?api_key=hunter2", 1)]
    {
        let ran =
            ask("openai/x", &["--base-url", url, "--retries", "0", "--verbose"], &[("OPENAI_API_KEY", KEY)]);
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
    let (url, ..) = request("openai/x", &["--base-url", "http://127.0.0.1:9/v1?api_key=hunter2"], &[]);
    assert_eq!(url, "http://127.0.0.1:9/v1/chat/completions?…");
}

#[test]
fn a_refused_request_is_adapted_and_reported_once() {
    let refusing = Scenario::instant("an older server")
        .with_refuses(&["temperature"])
        .with_modes(&[Mode::JsonObject, Mode::Prompt]);
    let simulator = simulator(refusing);
    let url = simulator.base_url();
    for (protocol, last) in [
        ("chat", "a JSON object with the schema in the prompt is used instead"),
        ("responses", "a JSON object with the schema in the prompt is used instead"),
        ("anthropic", "the schema in the prompt alone is used instead"),
        ("gemini", "a JSON object with the schema in the prompt is used instead"),
    ] {
        let dir = TestDir::new();
        dir.write("in.txt", ages(20));
        let more = ["--protocol", protocol, "--temperature", "0"];
        let run = [&asking("in.txt", "age int", &url)[..], &more].concat();
        let ran = dir.rowcall(&run);
        assert_eq!(ran.code, Some(0), "{protocol}: {}", ran.stderr);
        for note in ["note: the server does not accept `temperature`, so it is no longer sent", last] {
            assert_eq!(ran.stderr.matches(note).count(), 1, "{protocol} `{note}`: {}", ran.stderr);
        }
        let quiet = dir.rowcall(&[&run[..], &["--quiet"]].concat());
        assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""), "{protocol}");
    }
}

#[test]
fn a_newer_table_of_prices_is_made_from_litellms() {
    let dir = dir();
    // One as it is in our table, one that our table has at a later time, one that has changed, and one that is new.
    let newer = json!({
        "gpt-6-luna": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-7, "output_cost_per_token": 5e-7,
            "cache_read_input_token_cost": 1e-8},
        "gemini/gemini-4-argon": {"litellm_provider": "gemini", "mode": "chat", "input_cost_per_token": 4e-6, "output_cost_per_token": 2e-5,
            "cache_read_input_token_cost": 2e-7},
        "gpt-4o": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6},
        "gpt-9-new": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 3e-6, "output_cost_per_token": 4e-6},
        "gpt-9-odd": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 3e-12, "output_cost_per_token": 4e-6},
    });
    dir.write("litellm.json", newer.to_string());
    let made =
        dir.rowcall(&["prices", "update", "litellm.json", "-o", "prices.json", "--taken", "2026-12-20"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(made.stderr.contains("2 prices as before, 1 new, 1 changed"), "{}", made.stderr);
    assert!(made.stderr.contains("openai/gpt-4o: 1/2 was 2.5/10"), "{}", made.stderr);
    assert!(
        made.stderr.contains("1 price left out\n  the price of `openai/gpt-9-odd` cannot be right"),
        "{}",
        made.stderr
    );
    // An earlier table may be replaced, nothing else.
    let again =
        dir.rowcall(&["prices", "update", "litellm.json", "-o", "prices.json", "--taken", "2026-12-20"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let prices = rowcall::Prices::read(&dir.path("prices.json")).expect("a table");
    assert_eq!((prices.taken_on(), prices.sources().len()), (Some("2026-12-20"), 1));
    let at = |day: &str| rowcall::price::Moment::of_day(day).expect("a day");
    let million = rowcall::Usage { input_tokens: 1_000, ..rowcall::Usage::default() };
    let cost = |provider: &str, model: &str, day: &str| {
        let price = prices.find(provider, model).expect("it can be read").expect("it has a price");
        price.cost(&million, None, at(day)).map(|cost| cost.times(1_000).decimal())
    };
    for (provider, model, day, expected) in [
        ("openai", "gpt-4o", "2026-12-20", "1"),
        ("openai", "gpt-4o-2024-08-06", "2026-12-20", "2.5"),
        ("openai", "gpt-9-new", "2026-12-20", "3"),
        ("google", "gemini-4-argon", "2026-11-30", "2"),
        ("google", "gemini-4-argon", "2026-12-01", "4"),
        // What is not in their table stays.
        ("mistral", "mistral-large-4", "2026-12-20", "0.7"),
    ] {
        assert_eq!(cost(provider, model, day).as_deref(), Some(expected), "{provider}/{model} on {day}");
    }
    dir.write("other.json", "{\"a\": 1}");
    for (words, part) in [
        (&["other.json"][..], "has no price of any provider"),
        (&["none.json"], "cannot be read"),
        (&["in.csv"], "is not a table of LiteLLM's"),
        (&["litellm.json", "--taken", "today"], "taken on `today`"),
        (&["litellm.json", "-o", "./litellm.json"], "is both the input and the output"),
        (&["litellm.json", "-o", "in.csv"], "`in.csv` exists and is not a price table"),
    ] {
        let refused = dir.rowcall(&[&["prices", "update"][..], words].concat());
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{words:?}");
        assert!(refused.stderr.contains(part), "{words:?}: {}", refused.stderr);
    }
}
