//! The parts of a server's address that affect its answers: host, path and headers, and the port of this machine, where every port is
//! another server; but neither the scheme nor anything that may be a secret.

use std::net::IpAddr;

use http::Uri;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest, Sha256};

use crate::cache::Endpoint;
use crate::identity::add;
use crate::provider::Provider;

/// Words in the names of headers that hold a credential or identify a single request: these do not affect answers.
const IRRELEVANT: [&str; 24] = [
    "authorization",
    "authentication",
    "auth",
    "key",
    "apikey",
    "token",
    "secret",
    "password",
    "cookie",
    "credential",
    "credentials",
    "signature",
    "idempotency",
    "request",
    "session",
    "correlation",
    "trace",
    "traceparent",
    "tracestate",
    "baggage",
    "referer",
    "title",
    "agent",
    "user",
];

/// The endpoint of this provider's server at `base_url`, which has a host, with the user's own headers. A simulator gives the same
/// answers at every port, and has another one each time.
pub(super) fn endpoint(
    provider: &Provider,
    base_url: &Uri,
    own_headers: &[(String, SecretString)],
) -> Endpoint {
    let host = base_url.host().unwrap_or_default().to_ascii_lowercase();
    let mut headers: Vec<(String, &str)> = own_headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.expose_secret()))
        .filter(|(name, _)| is_relevant(name))
        .collect();
    headers.sort_unstable();
    let mut hash = Sha256::new();
    add(&mut hash, host.as_bytes());
    if provider.name != "sim" && is_loopback(&host) {
        add(&mut hash, &base_url.port_u16().unwrap_or_default().to_le_bytes());
    }
    add(&mut hash, base_url.path().trim_end_matches('/').as_bytes());
    for (name, value) in headers {
        add(&mut hash, name.as_bytes());
        add(&mut hash, value.as_bytes());
    }
    Endpoint { host, hash: hash.finalize().into() }
}

/// Whether a host is this machine. Local servers often call whatever model they have by the same name.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn is_relevant(header: &str) -> bool {
    !header.split(|character: char| !character.is_ascii_alphanumeric()).any(|word| IRRELEVANT.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::named;

    fn of(url: &str, headers: &[(&str, &str)]) -> [u8; 32] {
        of_provider("vllm", url, headers)
    }

    fn of_provider(provider: &str, url: &str, headers: &[(&str, &str)]) -> [u8; 32] {
        let provider = named(provider).expect("it is known");
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        endpoint(provider, &url.parse().expect("a URL"), &headers).hash
    }

    #[test]
    fn host_path_and_headers_decide_but_scheme_credentials_and_a_remote_port_do_not() {
        let url = "http://gpu1:8000/v1";
        for (same, headers) in [
            ("http://gpu1:9000/v1", &[][..]),
            ("https://GPU1/v1/", &[]),
            (url, &[("Authorization", "Bearer a"), ("x-api-key", "b"), ("X-Portkey-Virtual-Key", "c")]),
            (
                url,
                &[
                    ("x-request-id", "1"),
                    ("traceparent", "2"),
                    ("Helicone-Session-Id", "3"),
                    ("User-Agent", "4"),
                ],
            ),
        ] {
            assert_eq!(of(same, headers), of(url, &[]), "{same} {headers:?}");
        }
        let others = [
            of(url, &[]),
            of("http://gpu2:8000/v1", &[]),
            of("http://gpu1:8000/v2", &[]),
            of("http://gpu1:8000/deployments/a/v1", &[]),
            of(url, &[("anthropic-beta", "a")]),
            of(url, &[("anthropic-beta", "b")]),
            of(url, &[("x-portkey-provider", "a")]),
            of(url, &[("x-model-id", "a")]),
        ];
        for (one, other) in [
            ("http://localhost:8000/v1", "http://localhost:8001/v1"),
            ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8001/v1"),
            ("http://[::1]:8000/v1", "http://[::1]:8001/v1"),
        ] {
            assert_ne!(of(one, &[]), of(other, &[]), "ports of this machine are servers of their own");
            assert_eq!(of_provider("sim", one, &[]), of_provider("sim", other, &[]), "simulators are alike");
        }
        let distinct: std::collections::HashSet<_> = others.iter().collect();
        assert_eq!(distinct.len(), others.len());
        let (one, other) = ([("a", "1"), ("B", "2")], [("b", "2"), ("A", "1")]);
        assert_eq!(of(url, &one), of(url, &other), "in any order");
    }
}
