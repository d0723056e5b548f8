//! What a user should know about an error of an object store: which object, what is wrong, what to do.

use std::error::Error as _;

use object_store::Error;
use rowcall::Problem;

/// The problem with the object or the bucket at `url`.
pub(super) fn problem(url: &str, error: &Error) -> Problem {
    let text = chain(error);
    let has = |word: &str| text.contains(word);
    let (what, hint) = if has("NoSuchBucket") || has("ContainerNotFound") || has("The specified bucket does not exist") {
        ("cannot be reached: there is no such bucket", "check the name after the `://`, the region and the endpoint")
    } else if has("ExpiredToken") || has("expired") {
        ("cannot be reached: the credentials have expired", "renew them and run the same command again")
    } else if has("169.254.169.254") || has("metadata.google.internal") {
        (
            "cannot be reached: no credentials were found",
            "set those of the provider, such as `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`; \
             for a public bucket, `AWS_SKIP_SIGNATURE=true`",
        )
    } else if matches!(error, Error::PermissionDenied { .. } | Error::Unauthenticated { .. })
        || has("AccessDenied")
        || has("InvalidAccessKeyId")
        || has("SignatureDoesNotMatch")
        || has("AuthenticationFailed")
    {
        ("cannot be reached: the store refuses the credentials", "check them, and what they are allowed to do")
    } else if matches!(error, Error::NotFound { .. }) {
        ("does not exist", "check the path; a folder ends with `/`")
    } else {
        let message = format!("`{url}` cannot be reached: {}", innermost(error));
        return Problem::new(message).hint("check the address and the network");
    };
    Problem::new(format!("`{url}` {what}")).hint(hint)
}

/// The messages of an error and its sources.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// The message of the last source, without what may be signed: the query of an address.
fn innermost(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = error.to_string();
        source = error.source();
    }
    let words = text.split_whitespace().map(|word| match word.split_once('?') {
        Some((before, _)) if before.contains("://") => before,
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_to_do() {
        let generic = |text: &str| Error::Generic { store: "S3", source: text.into() };
        let not_found = |text: &str| Error::NotFound { path: "a".to_owned(), source: text.into() };
        for (error, message) in [
            (generic("<Code>NoSuchBucket</Code>"), "there is no such bucket"),
            (not_found("<Code>NoSuchBucket</Code>"), "there is no such bucket"),
            (not_found("404"), "does not exist"),
            (generic("<Code>ExpiredToken</Code>"), "the credentials have expired"),
            (generic("<Code>AccessDenied</Code>"), "refuses the credentials"),
            (generic("GET http://169.254.169.254/latest"), "no credentials were found"),
            (generic("GET https://h/b?sig=secret failed"), "cannot be reached: GET https://h/b failed"),
        ] {
            let problem = problem("s3://b/a", &error);
            assert!(problem.message.contains(message), "{problem}");
            assert!(problem.hint.is_some());
        }
    }
}
