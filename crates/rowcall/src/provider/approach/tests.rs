//! What a server rejects, and how requests are made from then on.

use serde_json::json;

use super::*;
use crate::provider::{Forms, Parameters, Protocol, Quirks};
use crate::schema::Schema;

const QUIRKS: Quirks =
    Quirks { output_limit_field: "max_tokens", system_role: "system", no_capacity_status: None };

/// An approach with all modes to fall back to, temperature and `top_k` set.
fn approach() -> Approach {
    let schema = Schema::parse("name, age int").expect("a schema");
    let forms = Forms::of(&schema, Protocol::OpenAiChat, Protocol::OpenAiChat.modes()).expect("forms");
    let parameters = Parameters {
        temperature: Some(0.0),
        max_output_tokens: Some(100),
        extra: [("top_k".to_owned(), json!(40))].into_iter().collect(),
    };
    let target = Target::new(Protocol::OpenAiChat, QUIRKS, "m".to_owned(), forms.first, parameters);
    Approach::new(target, forms.further)
}

fn refusal(param: &str) -> Fault {
    Fault {
        param: Some(param.to_owned()),
        status: Some(400),
        ..Fault::new(FaultKind::UnsupportedParameter, "unsupported")
    }
}

/// The fields that are sent now, apart from model and messages.
fn sent(approach: &Approach) -> Vec<String> {
    let body = approach.target().encode(&crate::turn::Prompt::new(Vec::new())).body;
    let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    let names = body.as_object().expect("an object").keys();
    names.filter(|name| !["model", "messages"].contains(&name.as_str())).cloned().collect()
}

#[test]
fn what_a_server_rejects_is_dropped_or_requested_differently() {
    let approach = approach();
    assert_eq!(sent(&approach), ["max_tokens", "response_format", "temperature", "top_k"]);
    let mut changes = Vec::new();
    for param in
        ["temperature", "top_k", "max_tokens", "response_format", "tool_choice", "response_format.type"]
    {
        match approach.adapt(&approach.target(), &refusal(param)) {
            Adaptation::Change(change) => changes.push(change.to_string()),
            other @ (Adaptation::None | Adaptation::OfRow | Adaptation::Made) => panic!("{param}: {other:?}"),
        }
    }
    assert_eq!(
        changes,
        [
            "the server does not accept `temperature`, so it is no longer sent",
            "the server does not accept `top_k`, so it is no longer sent",
            "the output limit is sent as `max_completion_tokens` from now on",
            "the server does not accept structured output by schema, so a forced tool is used instead",
            "the server does not accept a forced tool, so a JSON object with the schema in the prompt is used instead",
            "the server does not accept a JSON object with the schema in the prompt, so the schema in the prompt alone is used instead",
        ]
    );
    assert_eq!(sent(&approach), ["max_completion_tokens"]);
}

#[test]
fn a_change_is_made_once_for_all_rows() {
    let approach = approach();
    let asked = approach.target();
    assert!(matches!(approach.adapt(&asked, &refusal("temperature")), Adaptation::Change(_)));
    assert_eq!(approach.adapt(&asked, &refusal("temperature")), Adaptation::Made);
    assert_eq!(approach.adapt(&approach.target(), &refusal("temperature")), Adaptation::None);
}

#[test]
fn a_server_that_rejects_both_names_of_the_output_limit_is_not_retried_forever() {
    let approach = approach();
    let refused_as = |name| approach.adapt(&approach.target(), &refusal(name));
    assert!(matches!(refused_as("max_tokens"), Adaptation::Change(Change::Renamed(_))));
    assert_eq!(refused_as("max_completion_tokens"), Adaptation::None);
}

#[test]
fn required_fields_and_other_faults_change_nothing() {
    let approach = approach();
    for fault in [
        refusal("messages"),
        refusal("model"),
        Fault::new(FaultKind::UnsupportedParameter, "something"),
        Fault { param: Some("temperature".to_owned()), ..Fault::new(FaultKind::InvalidRequest, "no") },
    ] {
        assert_eq!(approach.adapt(&approach.target(), &fault), Adaptation::None, "{fault:?}");
    }
}

/// A schema that a server cannot compile in one mode is requested in the next, whatever field the server names, until none is left.
#[test]
fn a_rejected_schema_is_requested_in_the_next_mode() {
    let approach = approach();
    let refused = Fault::new(FaultKind::InvalidSchema, "failed to parse grammar");
    let asked = approach.target();
    let modes: Vec<_> = std::iter::from_fn(|| match approach.adapt(&approach.target(), &refused) {
        Adaptation::Change(Change::Mode { from: _, to }) => Some(to),
        Adaptation::Change(_) | Adaptation::OfRow | Adaptation::Made | Adaptation::None => None,
    })
    .collect();
    assert_eq!(modes, [Mode::Tool, Mode::Json, Mode::Prompt]);
    assert_eq!(approach.adapt(&asked, &refused), Adaptation::Made);
}

/// Gateways may translate a request to another mode and name that mode's field.
#[test]
fn a_rejected_mode_leads_to_the_next_one_whichever_field_is_named() {
    for named in ["tools", "response_format", "output_config.format", "generation_config.response_schema"] {
        let approach = approach();
        let modes: Vec<_> =
            std::iter::from_fn(|| match approach.adapt(&approach.target(), &refusal(named)) {
                Adaptation::Change(Change::Mode { from: _, to }) => Some(to),
                Adaptation::Change(_) | Adaptation::OfRow | Adaptation::Made | Adaptation::None => None,
            })
            .collect();
        assert_eq!(modes, [Mode::Tool, Mode::Json, Mode::Prompt], "{named}");
    }
}

#[test]
fn a_rejection_among_acceptances_concerns_only_its_row() {
    let moves = |approach: &Approach, fault: &Fault| {
        let first = (0..20).find(|_| approach.adapt(&approach.target(), fault) != Adaptation::OfRow);
        first.map(|nth| nth + 1)
    };
    let of_schema = Fault::new(FaultKind::InvalidSchema, "failed to parse grammar");
    let of_answer =
        Fault::new(FaultKind::InvalidSchema, "Unexpected empty grammar stack after accepting piece");
    let of_way = refusal("response_format");
    for (fault, at_first) in [(&of_schema, 1), (&of_answer, 3), (&of_way, 1)] {
        assert_eq!(moves(&approach(), fault), Some(at_first), "{fault}");
        let accepted = approach();
        accepted.accepted(&accepted.target());
        assert_eq!(moves(&accepted, fault), Some(8), "{fault}");
        // Each acceptance shows that the server accepts the form.
        let mixed = approach();
        for _ in 0..50 {
            mixed.accepted(&mixed.target());
            assert_eq!(mixed.adapt(&mixed.target(), fault), Adaptation::OfRow, "{fault}");
        }
    }
    let former = approach();
    let asked = former.target();
    assert!(matches!(former.adapt(&asked, &of_schema), Adaptation::Change(_)));
    former.accepted(&asked);
    assert!(
        matches!(former.adapt(&former.target(), &of_schema), Adaptation::Change(_)),
        "that was another form"
    );
}

#[test]
fn the_other_version_of_geminis_api_is_tried_once() {
    let schema = Schema::parse("name").expect("a schema");
    let forms = Forms::of(&schema, Protocol::Gemini, &[Mode::Schema, Mode::Tool]).expect("forms");
    let target = Target::new(Protocol::Gemini, QUIRKS, "m".to_owned(), forms.first, Parameters::default());
    let approach = Approach::new(target, forms.further);
    let path = || approach.target().encode(&crate::turn::Prompt::new(Vec::new())).path;
    assert_eq!(&*path(), "/v1/models/m:generateContent");
    let unknown = Fault::new(FaultKind::NotFound, "no").caused_by(FaultCause::ApiVersion);
    assert_eq!(approach.adapt(&approach.target(), &unknown), Adaptation::Change(Change::Version));
    assert_eq!(&*path(), "/v1beta/models/m:generateContent");
    assert_eq!(approach.adapt(&approach.target(), &unknown), Adaptation::None);
    let refused = Fault::new(FaultKind::InvalidSchema, "no");
    assert!(matches!(approach.adapt(&approach.target(), &refused), Adaptation::Change(Change::Mode { .. })));
    assert_eq!(&*path(), "/v1beta/models/m:generateContent", "another mode keeps the version");
}

/// Anthropic's tools reject property names that other modes accept.
#[test]
fn only_anthropics_tools_rename_properties() {
    let schema = Schema::parse("größe").expect("a schema");
    let asked = |protocol, mode| {
        let forms = Forms::of(&schema, protocol, &[mode]).expect("a form");
        forms.first.wire.schema.to_string().contains("\"größe\":")
    };
    assert!(!asked(Protocol::Anthropic, Mode::Tool));
    for (protocol, mode) in [
        (Protocol::Anthropic, Mode::Prompt),
        (Protocol::OpenAiChat, Mode::Tool),
        (Protocol::Gemini, Mode::Tool),
    ] {
        assert!(asked(protocol, mode), "{protocol:?} {mode:?}");
    }
}
