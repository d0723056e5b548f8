//! What an account allows: advertised limits and rejections.

use rowcall_sim::Scenario;
use rowcall_sim::quota::Limits;
use serde_json::json;

use crate::speech::Delivery::Whole;
use crate::speech::Mode;
use crate::speech::Protocol::{Chat, Gemini, Messages, Responses};
use crate::{ask, at, instant, start};

#[test]
fn limits_are_advertised_and_enforced_in_each_protocols_form() {
    let limits = || Limits {
        requests_per_minute: Some(60),
        input_tokens_per_minute: Some(60_000),
        burst_seconds: 1.0,
        ..Limits::default()
    };
    let expected = [
        (Chat, Some("x-ratelimit-limit-requests"), "/error/code", "rate_limit_exceeded"),
        (Responses, Some("x-ratelimit-limit-requests"), "/error/code", "rate_limit_exceeded"),
        (
            Messages,
            Some("anthropic-ratelimit-input-tokens-limit"),
            "/error/message",
            "This request would exceed your organization's rate limit of 60 requests per minute.",
        ),
        (
            Gemini,
            None,
            "/error/details/1/violations/0/quotaId",
            "GenerateRequestsPerMinutePerProjectPerModel",
        ),
    ];
    for (protocol, header, pointer, message) in expected {
        let simulator = start(instant().with_quota(limits()));
        let admitted = ask(&simulator, protocol, Mode::Schema, Whole);
        assert_eq!(admitted.status, 200);
        let names = ["x-ratelimit-limit-requests", "anthropic-ratelimit-input-tokens-limit"];
        for name in names {
            assert_eq!(admitted.header(name).is_some(), header == Some(name), "{protocol:?} {name}");
        }
        let refused = ask(&simulator, protocol, Mode::Schema, Whole);
        assert_eq!(
            (refused.status, at(&refused, pointer)),
            (429, json!(message)),
            "{protocol:?}: {}",
            refused.body
        );
        assert_eq!(refused.header("retry-after").is_some(), protocol != Gemini);
        assert_eq!(refused.header("retry-after-ms").is_some(), matches!(protocol, Chat | Responses));
        let delay = at(&refused, "/error/details/2/retryDelay");
        assert_eq!(delay.is_string(), protocol == Gemini, "{}", refused.body);
        assert_eq!(simulator.stats().requests.refused, 1);
    }
}

#[test]
fn overload_and_growth_are_reported_in_each_protocols_form() {
    let scenario = |quota: &str| Scenario::from_toml(&format!("about = 'a test'\n{quota}")).unwrap();
    let closed = start(scenario("[[quota.closed]]\nfrom_seconds = 0\nfor_seconds = 3600"));
    for (protocol, status, pointer, message, again) in [
        (Responses, 529, "/error/type", "overloaded_error", None),
        (Messages, 529, "/error/type", "overloaded_error", Some("true")),
        (Gemini, 503, "/error/status", "UNAVAILABLE", None),
    ] {
        let answer = ask(&closed, protocol, Mode::Schema, Whole);
        assert_eq!((answer.status, at(&answer, pointer)), (status, json!(message)), "{protocol:?}");
        assert_eq!(answer.header("x-should-retry"), again, "{protocol:?}");
    }
    for (protocol, pointer, message) in [
        (Responses, "/error/code", "slow_down"),
        (Messages, "/error/details/error_code", "ramp_limit_exceeded"),
        (Gemini, "/error/message", "Resource has been exhausted (e.g. check quota)."),
    ] {
        let ramp = start(scenario("[quota.ramp]\nfrom_per_second = 0.5\ndoubling_seconds = 3600"));
        assert_eq!(ask(&ramp, protocol, Mode::Schema, Whole).status, 200);
        let answer = ask(&ramp, protocol, Mode::Schema, Whole);
        assert_eq!(
            (answer.status, at(&answer, pointer)),
            (429, json!(message)),
            "{protocol:?}: {}",
            answer.body
        );
    }
}
