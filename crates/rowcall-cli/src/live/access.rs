//! Access to a run over HTTP: it takes the token in the address, and a page of the same address. A browser can be made to
//! send requests to this machine by any page it shows, so the names of host and origin are checked as well.

use std::net::IpAddr;

use rowcall::{Error, Problem, Result};
use sha2::{Digest, Sha256};

/// The secret in the page's address.
pub(super) struct Token(String);

impl Token {
    pub(super) fn new(token: String) -> Self {
        Self(token)
    }

    /// A random one of 128 bits.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub(super) fn random() -> Result<Self> {
        use std::io::Read as _;
        let mut bytes = [0; 16];
        let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
        read.map_err(|error| {
            Error::Config(
                Problem::new(format!("no random token can be made: {error}"))
                    .hint("set one with `--live-token`"),
            )
        })?;
        Ok(Self(format!("{:032x}", u128::from_be_bytes(bytes))))
    }

    /// For the address; it is shown to the user only.
    pub(super) fn secret(&self) -> &str {
        &self.0
    }

    /// Whether this is the token. The time it takes says nothing about the token, since hashes are compared.
    pub(super) fn is(&self, given: &str) -> bool {
        Sha256::digest(&self.0) == Sha256::digest(given)
    }
}

/// Whether a request to this `Host` can be meant for us: a name that a stranger may have pointed at this machine cannot.
pub(super) fn is_own_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !port.is_empty() => name,
        _ => host,
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

/// Whether a request may come from a page of this origin.
pub(super) fn is_own_origin(origin: &str, host: &str) -> bool {
    origin.strip_prefix("http://").is_some_and(|origin| origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_random_and_compared_whole() {
        let (one, other) = (Token::random().expect("a token"), Token::random().expect("a token"));
        assert!(one.secret().len() == 32 && one.secret() != other.secret());
        assert!(
            one.is(one.secret()) && !one.is(other.secret()) && !one.is("") && !one.is(&one.secret()[..31])
        );
    }

    #[test]
    fn only_addresses_and_this_machine_are_hosts() {
        for (host, is_own) in [
            ("127.0.0.1:8080", true),
            ("127.0.0.1", true),
            ("localhost:8080", true),
            ("LOCALHOST:1", true),
            ("[::1]:8080", true),
            ("192.168.1.5:80", true),
            ("example.com:8080", false),
            ("localhost.example.com", false),
            ("127.0.0.1.example.com:80", false),
            ("", false),
            (":80", false),
        ] {
            assert_eq!(is_own_host(host), is_own, "{host}");
        }
    }

    #[test]
    fn only_the_own_origin_is_accepted() {
        for (origin, is_own) in [
            ("http://127.0.0.1:8080", true),
            ("http://127.0.0.1:8081", false),
            ("https://127.0.0.1:8080", false),
            ("http://localhost:8080", false),
            ("http://example.com", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(is_own_origin(origin, "127.0.0.1:8080"), is_own, "{origin}");
        }
    }
}
