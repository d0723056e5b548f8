//! The base URL of all requests: how a request's path is joined to it, and how it is shown, since a query may hold a key.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::Uri;
use http::uri::InvalidUri;

use crate::error::Problem;
use crate::fault::{Fault, FaultKind};

/// A checked base URL. It prints without its query.
pub(crate) struct BaseUrl {
    /// The URL without query and trailing slash.
    below: String,
    /// The query that every request gets, with the `?`; usually empty.
    query: String,
    /// Whether it ends in an API version.
    has_version: bool,
    uri: Uri,
    /// The path of the latest request with its URL: nearly all requests of a run have the same.
    latest: Mutex<Option<(Arc<str>, Uri)>>,
}

impl BaseUrl {
    /// # Errors
    /// If it is not an HTTP URL, or has a name and password in it, which would not be sent.
    pub(crate) fn new(text: &str) -> Result<Self, Problem> {
        let (below, query) = text.split_at(text.find('?').unwrap_or(text.len()));
        let below = below.trim_end_matches('/').to_owned();
        if below.contains('@') {
            return Err(Problem::new(
                "the base URL contains a user name or password, expected them in a header",
            )
            .hint(
                "remove them from the base URL and pass them as a header, such as `Authorization: Basic …`",
            ));
        }
        let uri = below.parse::<Uri>().ok().filter(|uri| {
            // The path of a request would end up in a fragment.
            let is_http = !below.contains('#') && matches!(uri.scheme_str(), Some("http" | "https"));
            is_http && uri.host().is_some_and(|host| !host.is_empty())
        });
        let Some(uri) = uri else {
            let expected = "expected `http://HOST[:PORT]/PATH` or `https://…`";
            return Err(Problem::new(format!("`{below}` is not a base URL, {expected}"))
                .hint("for example `http://localhost:8000/v1`"));
        };
        // The query must not be shown.
        if query.contains('#') || !query.is_empty() && format!("{below}/{query}").parse::<Uri>().is_err() {
            let problem = Problem::new(
                "the query of the base URL is not valid, expected a query without blanks and `#`",
            );
            return Err(problem.hint("write `%20` for a blank, and leave out everything from `#` on"));
        }
        let has_version = below.rsplit('/').next().is_some_and(is_version);
        Ok(Self { below, query: query.to_owned(), has_version, uri, latest: Mutex::default() })
    }

    /// The URL of a request, as [`join`](Self::join) makes it.
    ///
    /// # Errors
    /// If it is not one.
    pub(crate) fn of(&self, path: &Arc<str>) -> Result<Uri, InvalidUri> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, url)) = &*latest
            && Arc::ptr_eq(known, path)
        {
            return Ok(url.clone());
        }
        let url: Uri = self.join(path).parse()?;
        *latest = Some((Arc::clone(path), url.clone()));
        Ok(url)
    }

    /// The URL of a request. If a path begins with an API version (`/v1/messages`) and the base URL ends in one, that of the base URL
    /// is used, so that the base URL may be given with the same version, another one or none.
    pub(crate) fn join(&self, path: &str) -> String {
        self.joined(path, &self.query)
    }

    /// The URL of a request in a form that is safe to show.
    pub(crate) fn shown(&self, path: &str) -> String {
        self.joined(path, if self.query.is_empty() { "" } else { "?…" })
    }

    /// A URL that the server has named, if a request may go there: not without encryption if the server itself is reached with it. Its
    /// query, which is a permission, is not shown.
    pub(crate) fn given(&self, url: &str) -> Result<String, Fault> {
        let is_secure = url.starts_with("https://") || !self.is_https() && url.starts_with("http://");
        if is_secure && url.parse::<Uri>().is_ok_and(|uri| uri.host().is_some()) {
            return Ok(url.to_owned());
        }
        let shown = url.split('?').next().unwrap_or_default();
        let message =
            format!("the server names the address `{shown}`, expected an absolute one with `https://`");
        Err(Fault::new(FaultKind::InvalidRequest, message))
    }

    fn joined(&self, path: &str, query: &str) -> String {
        // A path may have a query of its own.
        let query = match query.strip_prefix('?') {
            Some(rest) if path.contains('?') => format!("&{rest}"),
            _ => query.to_owned(),
        };
        // Google has the paths of uploads beside its versions, not below them.
        if self.has_version && path.starts_with("/upload/") {
            let root = self.below.rsplit_once('/').map_or(&*self.below, |(root, _)| root);
            return format!("{root}{path}{query}");
        }
        let path = if self.has_version { path.strip_prefix("/v1").unwrap_or(path) } else { path };
        format!("{}{path}{query}", self.below)
    }

    /// Whether it ends in an API version.
    pub(crate) fn has_version(&self) -> bool {
        self.has_version
    }

    /// Its scheme, host and path.
    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Whether requests go over TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown(""))
    }
}

/// Whether a part of a path is a version such as `v1` or `v1beta`.
fn is_version(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joined_path_has_one_version() {
        for (base, path, joined) in [
            ("https://api.openai.com/v1", "/chat/completions", "https://api.openai.com/v1/chat/completions"),
            ("http://localhost:8000/v1/", "/chat/completions", "http://localhost:8000/v1/chat/completions"),
            ("https://api.anthropic.com", "/v1/messages", "https://api.anthropic.com/v1/messages"),
            ("https://api.anthropic.com/v1", "/v1/messages", "https://api.anthropic.com/v1/messages"),
            ("https://h/anthropic", "/v1/messages", "https://h/anthropic/v1/messages"),
            ("https://h/v1beta", "/v1/models/m:generateContent", "https://h/v1beta/models/m:generateContent"),
            (
                "https://h/v1beta/",
                "/v1/models/m:generateContent",
                "https://h/v1beta/models/m:generateContent",
            ),
            (
                "https://h/vertex",
                "/v1/models/m:generateContent",
                "https://h/vertex/v1/models/m:generateContent",
            ),
            ("https://h/d?api-version=7", "/chat/completions", "https://h/d/chat/completions?api-version=7"),
            ("https://h/d?api-version=7", "/batches?limit=2", "https://h/d/batches?limit=2&api-version=7"),
            ("https://h/v1beta", "/upload/v1/files", "https://h/upload/v1/files"),
            ("https://h", "/upload/v1/files", "https://h/upload/v1/files"),
        ] {
            assert_eq!(BaseUrl::new(base).expect(base).join(path), joined);
        }
    }

    #[test]
    fn an_address_that_the_server_names_is_as_secure_as_the_server() {
        let (secure, local) = (BaseUrl::new("https://h/v1"), BaseUrl::new("http://127.0.0.1:1/v1"));
        let (secure, local) = (secure.expect("an URL"), local.expect("an URL"));
        let named = "https://store/put?signature=secret";
        assert_eq!(secure.given(named).expect("it is secure"), named);
        assert!(local.given("http://127.0.0.1:1/put").is_ok() && local.given(named).is_ok());
        for (base, url) in [
            (&secure, "http://store/put?signature=secret"),
            (&secure, "/put?signature=secret"),
            (&local, "ftp://store/put?signature=secret"),
            (&local, "https://?signature=secret"),
        ] {
            let fault = base.given(url).expect_err(url);
            assert!(!fault.message.contains("secret"), "{}", fault.message);
        }
    }

    #[test]
    fn possible_secrets_are_not_shown() {
        let url = BaseUrl::new("https://h/v1?key=secret").expect("an URL");
        assert_eq!(url.shown("/chat"), "https://h/v1/chat?…");
        assert_eq!(format!("{url:?}"), "https://h/v1?…");
        for text in ["http://ann:secret@h/v1", "ftp://ann:secret@h", "secret@h", "ftp://h?key=secret"] {
            let problem = BaseUrl::new(text).expect_err(text);
            assert!(!format!("{problem:?}").contains("secret"), "{problem:?}");
        }
    }

    #[test]
    fn invalid_base_urls_are_rejected() {
        for text in ["", "localhost:8000", "http://", "ftp://h", "http:///v1", "//h/v1", "http://h/v1#a"] {
            assert!(BaseUrl::new(text).is_err(), "{text}");
        }
        for text in ["https://h/v1?key=secret a", "https://h/v1?key=secret#a"] {
            let problem = BaseUrl::new(text).expect_err(text);
            assert!(
                problem.message.contains("query") && !format!("{problem:?}").contains("secret"),
                "{problem:?}"
            );
        }
    }
}
