//! What a build says about files that it does not know because it lacks a feature.

use rowcall::Problem;

/// The problem with a file in a format that needs `feature`, and how to get a build that knows it.
pub(crate) fn lacking(name: &str, what: &str, feature: &str) -> Problem {
    Problem::new(format!("{name} is {what}, which this build of rowcall does not know"))
        .hint(format!("install one that does: `cargo install rowcall-cli --features {feature}`"))
}
