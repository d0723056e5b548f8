//! The headers of every request: the key, read from the environment if not given, and the user's own.
#![expect(clippy::disallowed_methods, reason = "the key is read from the environment")]

use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::Problem;
use crate::provider::{Key, KeyHeader};

/// An environment variable's value, unless it is empty.
pub(super) fn environment(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.trim().is_empty())
}

/// The key in a provider's environment variables.
pub(super) fn key_from_environment(key: Key) -> std::result::Result<Option<SecretString>, Problem> {
    let found = key.variables().iter().copied().find_map(environment);
    let found = found.map(|key| SecretString::from(key.trim().to_owned()));
    match (key, found) {
        (Key::Required(variables), None) => {
            let variables = variables.join("` or `");
            Err(Problem::new(format!("no key: the variable `{variables}` is not set"))
                .hint(format!("set `{variables}`; a compatible server that needs no key accepts any text")))
        }
        (Key::Required(_) | Key::Optional(_) | Key::None, found) => Ok(found),
    }
}

/// Whether the user's own headers replace a key, such as a token from a cloud's own login.
pub(super) fn brings_a_key(own: &[(String, SecretString)], key_header: KeyHeader) -> bool {
    let names = [AUTHORIZATION, key_header.name()];
    own.iter().any(|(own, _)| names.iter().any(|name| own.eq_ignore_ascii_case(name.as_str())))
}

/// The headers of every request.
pub(super) fn headers(
    key_header: KeyHeader,
    key: Option<&SecretString>,
    own: &[(String, SecretString)],
) -> std::result::Result<HeaderMap, Problem> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("rowcall/", env!("CARGO_PKG_VERSION"))));
    if let Some(key) = key {
        // The key itself must not appear in the message.
        let value = key_header.value(key).map_err(|_| {
            Problem::new("the key has a character that a header cannot carry, expected printable ASCII")
                .hint("set it again, without line breaks or other control characters")
        })?;
        headers.insert(key_header.name(), value);
    }
    for (name, value) in own {
        let parsed = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value.expose_secret()).ok());
        let Some((name, mut value)) = parsed else {
            return Err(Problem::new(format!(
                "`{name}` is not a header, expected `NAME: VALUE` in printable ASCII"
            )));
        };
        // Any header that the user adds may be a credential.
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}
