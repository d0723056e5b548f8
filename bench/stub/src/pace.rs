//! How long answers take and how long they are, as the path of the base URL says it: `/f200/v1` is answered after 200 ms, `/p1000/v1`
//! with a thousand bytes more.

use std::time::Duration;

/// When the answer is sent, and how many bytes longer than usual it is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) latency: Duration,
    pub(crate) more: usize,
}

impl Pace {
    /// What the segments of `path` say.
    pub(crate) fn of(path: &str) -> Self {
        let number = |segment: &str, letter| segment.strip_prefix(letter)?.parse().ok();
        let mut pace = Self::default();
        for segment in path.split('/') {
            if let Some(milliseconds) = number(segment, 'f') {
                pace.latency = Duration::from_millis(milliseconds);
            } else if let Some(bytes) = number(segment, 'p') {
                pace.more = usize::try_from(bytes).unwrap_or(usize::MAX);
            }
        }
        pace
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Pace;

    #[test]
    fn a_path_says_how_slow_and_how_long() {
        let pace = |milliseconds, more| Pace { latency: Duration::from_millis(milliseconds), more };
        for (path, expected) in [
            ("/v1/chat/completions", pace(0, 0)),
            ("/f200/v1/chat/completions", pace(200, 0)),
            ("/p100000/f20/v1/chat/completions", pace(20, 100_000)),
            ("/fast/past/v1/chat/completions", pace(0, 0)),
        ] {
            assert_eq!(Pace::of(path), expected, "{path}");
        }
    }
}
