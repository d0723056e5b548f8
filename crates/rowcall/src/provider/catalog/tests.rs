//! Providers are found by name, their addresses follow the user's settings and the environment, and `docs/providers.md` matches the
//! table.

use std::collections::BTreeSet;

use secrecy::SecretString;

use super::*;
use crate::provider::{KeyHeader, Offer};

fn provider(name: &str) -> &'static Provider {
    named(name).unwrap_or_else(|problem| panic!("{problem}"))
}

/// The base URL for a given one and these environment variables.
fn base_url(name: &str, given: Option<&str>, variables: &[(&str, &str)]) -> Result<String, Problem> {
    provider(name).base_url(given, |wanted| {
        let found = variables.iter().find(|(variable, _)| *variable == wanted);
        found.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn models_name_their_provider() {
    let found = |model: &str| find(model).map(|(provider, model)| (provider.name, model.to_owned()));
    assert_eq!(found("openai/gpt-6-luna"), Ok(("openai", "gpt-6-luna".to_owned())));
    assert_eq!(found("vllm/meta-llama/Llama-4"), Ok(("vllm", "meta-llama/Llama-4".to_owned())));
    assert_eq!(found("gemini/gemini-4-argon"), Ok(("google", "gemini-4-argon".to_owned())));
    assert_eq!(found("llamacpp/x"), Ok(("llama.cpp", "x".to_owned())));
    assert_eq!(found("sim"), Ok(("sim", "sim".to_owned())));
    for (typo, hint) in [
        ("opnai/gpt-6-luna", "did you mean `openai`?"),
        ("antropic/x", "did you mean `anthropic`?"),
        ("gemni/x", "did you mean `gemini`?"),
        ("OpenRouter/x", "did you mean `openrouter`?"),
    ] {
        let problem = found(typo).expect_err("unknown");
        let name = typo.split('/').next().expect("a name");
        let expected =
            format!("unknown provider `{name}` in model `{typo}` (known: openai, azure, anthropic, ");
        assert!(problem.message.starts_with(&expected), "{problem}");
        assert_eq!(problem.hint, Some(hint.into()), "{typo}");
    }
    for nothing in ["gpt-6-luna", "openai", "openai/", "", "/"] {
        assert!(found(nothing).is_err(), "{nothing}");
    }
}

/// Elsewhere, 498 means an invalid token, which waiting does not fix.
#[test]
fn only_groq_reports_missing_capacity_with_498() {
    for provider in all() {
        let is_groq = provider.name == "groq";
        assert_eq!(provider.quirks.no_capacity_status, is_groq.then_some(498), "{}", provider.name);
    }
}

#[test]
fn no_two_providers_share_a_name() {
    let names: Vec<_> =
        all().iter().flat_map(|provider| [&[provider.name], provider.aliases].concat()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
}

#[test]
fn each_provider_has_a_protocol_and_prompt_as_its_last_mode() {
    for provider in all() {
        assert!(!provider.speaks.is_empty(), "{}", provider.name);
        for (protocol, modes) in provider.speaks {
            assert_eq!(modes.last(), Some(&Mode::Prompt), "{}", provider.name);
            assert!(modes.iter().all(|mode| protocol.modes().contains(mode)), "{}", provider.name);
        }
        for (name, value) in provider.always {
            assert!(serde_json::from_str::<serde_json::Value>(value).is_ok(), "{} {name}", provider.name);
        }
    }
}

#[test]
fn the_users_base_url_comes_before_the_variable_and_the_default() {
    let variable = [("OPENAI_BASE_URL", "https://eu.api.openai.com/v1")];
    let given = Some("http://localhost:4000/v1");
    assert_eq!(base_url("openai", given, &variable).as_deref(), Ok("http://localhost:4000/v1"));
    assert_eq!(base_url("openai", None, &variable).as_deref(), Ok("https://eu.api.openai.com/v1"));
    assert_eq!(base_url("openai", None, &[]).as_deref(), Ok("https://api.openai.com/v1"));
}

#[test]
fn an_address_without_a_path_gets_the_path_of_the_api() {
    for (name, given, full) in [
        ("azure", "https://r.openai.azure.com", "https://r.openai.azure.com/openai/v1"),
        ("azure", "https://r.openai.azure.com/", "https://r.openai.azure.com/openai/v1"),
        ("azure", "https://r.openai.azure.com/openai/v1", "https://r.openai.azure.com/openai/v1"),
        ("azure", "https://r.openai.azure.com/openai/v1/", "https://r.openai.azure.com/openai/v1/"),
        (
            "azure",
            "https://r.openai.azure.com/openai/deployments/d?api-version=2024-10-21",
            "https://r.openai.azure.com/openai/deployments/d?api-version=2024-10-21",
        ),
        ("groq", "https://api.groq.com", "https://api.groq.com/openai/v1"),
        ("ollama", "http://gpu:11434", "http://gpu:11434/v1"),
        ("vllm", "http://gpu:8000/v1", "http://gpu:8000/v1"),
        ("anthropic", "https://gateway/v1", "https://gateway/v1"),
        ("openai", "http://localhost:4000", "http://localhost:4000"),
        // An invalid URL is left for the transport to reject.
        ("vllm", "localhost:8000", "localhost:8000"),
        ("vllm", "http://", "http://"),
    ] {
        assert_eq!(base_url(name, Some(given), &[]).as_deref(), Ok(full), "{name} {given}");
    }
    let endpoint = [("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com/")];
    assert_eq!(base_url("azure", None, &endpoint).as_deref(), Ok("https://r.openai.azure.com/openai/v1"));
}

#[test]
fn ollamas_host_may_lack_scheme_and_port() {
    for (host, url) in [
        ("gpu", "http://gpu:11434/v1"),
        ("gpu:8080", "http://gpu:8080/v1"),
        (":8080", "http://127.0.0.1:8080/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080/v1"),
        ("[::]:8080", "http://[::1]:8080/v1"),
        ("[::1]", "http://[::1]:11434/v1"),
        ("http://gpu", "http://gpu/v1"),
        ("https://gpu.example.com", "https://gpu.example.com/v1"),
        ("https://example.com/ollama/v1", "https://example.com/ollama/v1"),
        (" gpu ", "http://gpu:11434/v1"),
    ] {
        assert_eq!(base_url("ollama", None, &[("OLLAMA_HOST", host)]).as_deref(), Ok(url), "{host}");
    }
    assert_eq!(base_url("ollama", None, &[]).as_deref(), Ok("http://localhost:11434/v1"));
}

#[test]
fn bedrock_is_in_a_region() {
    let in_region = |variables: &[(&str, &str)]| base_url("bedrock", None, variables);
    let paris = [("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_REGION", "eu-west-3")];
    let url = "https://bedrock-runtime.eu-west-3.amazonaws.com/openai/v1";
    assert_eq!(in_region(&paris).as_deref(), Ok(url));
    let nowhere = in_region(&[]).expect_err("no region");
    assert_eq!(nowhere.hint, Some("set `AWS_REGION` or `AWS_DEFAULT_REGION`, or give a base URL".into()));
    let elsewhere = in_region(&[("AWS_REGION", "evil.example/")]).expect_err("no region");
    assert_eq!(elsewhere.message, "`evil.example/` is not a region, expected one such as `us-east-1`");
}

#[test]
fn a_missing_base_url_is_reported_with_a_hint() {
    let azure = base_url("azure", None, &[]).expect_err("no endpoint");
    assert_eq!(azure.message, "provider `azure` has no default address, expected a base URL");
    let hint = "set `AZURE_OPENAI_ENDPOINT`, or give a base URL such as `https://RESOURCE.openai.azure.com`";
    assert_eq!(azure.hint, Some(hint.into()));
    assert!(
        base_url("sim", None, &[])
            .expect_err("no URL")
            .hint
            .is_some_and(|hint| hint.to_string().contains("rowcall sim"))
    );
}

#[test]
fn only_openais_own_hosts_get_its_newest_names() {
    let openai = provider("openai");
    assert_eq!(openai.quirks_at("https://api.openai.com/v1"), OPENAI);
    assert_eq!(openai.quirks_at("https://eu.api.openai.com/v1"), OPENAI);
    assert_eq!(openai.quirks_at("http://localhost:8000/v1"), COMPATIBLE);
    assert_eq!(openai.quirks_at("https://api.openai.com.evil.example/v1"), COMPATIBLE);
    let azure = provider("azure").quirks_at("https://gateway.example/openai/v1");
    assert_eq!((azure.output_limit_field, azure.system_role), ("max_completion_tokens", "system"));
}

#[test]
fn a_key_is_sent_in_the_providers_own_header_and_does_not_print() {
    let key = SecretString::from("sk-very-secret".to_owned());
    for (model, header, value) in [
        ("openai/x", "authorization", "Bearer sk-very-secret"),
        ("anthropic/x", "x-api-key", "sk-very-secret"),
        ("google/x", "x-goog-api-key", "sk-very-secret"),
        ("azure/x", "api-key", "sk-very-secret"),
        ("bedrock/x", "authorization", "Bearer sk-very-secret"),
    ] {
        let offer = Offer::of(model, None).expect("known");
        let of_key = offer.provider.key_header.unwrap_or_else(|| offer.protocol.key_header());
        let found = of_key.value(&key).expect("a valid key");
        assert_eq!((of_key.name().as_str(), found.as_bytes()), (header, value.as_bytes()), "{model}");
        assert!(!format!("{found:?}").contains("very-secret"));
    }
    let unfit = SecretString::from("sk-\n".to_owned());
    assert!(KeyHeader::Bearer.value(&unfit).is_err());
}

/// The table in `docs/providers.md`, generated from the code.
fn written() -> Vec<String> {
    let code = |words: &[&str]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>();
    let line = |provider: &Provider| {
        let mut names = code(&[provider.name]);
        names.extend(code(provider.aliases));
        let mut variables: Vec<_> = provider.base_url_variable.into_iter().collect();
        variables.extend(provider.address.variables());
        let keys = match provider.key {
            Key::Required(variables) => code(variables).join(", "),
            Key::Optional(variables) => format!("{}, optional", code(variables).join(", ")),
            Key::None => "none".to_owned(),
        };
        let speaks = provider.speaks.iter().map(|(protocol, modes)| {
            let modes: Vec<_> = modes.iter().map(|mode| mode.name()).collect();
            let modes = if modes.len() == 4 { "all".to_owned() } else { modes.join(", ") };
            format!("`{}`: {modes}", protocol.name())
        });
        format!(
            "| {} | `{}` | {} | {} | {} |",
            names.join(", "),
            provider.address.written(),
            if variables.is_empty() { "none".to_owned() } else { code(&variables).join(", ") },
            keys,
            speaks.collect::<Vec<_>>().join("; ")
        )
    };
    all().iter().map(line).collect()
}

#[test]
fn the_documented_table_matches_the_code() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/providers.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let lines = page.lines().skip_while(|line| !line.starts_with("| name ")).skip(2);
    let found: Vec<_> = lines.take_while(|line| line.starts_with('|')).collect();
    assert_eq!(found, written(), "docs/providers.md should say\n\n{}\n\n", written().join("\n"));
}
