//! What Claude models accept and reject, by parts of their names, as of November 2026.

/// Models that cannot be forced to call a tool and accept no sampling parameters under any version.
const NEWEST: [&str; 4] = ["sonnet-5-5", "opus-5-5", "fable-5-1", "mythos-5-1"];

/// Models that always think.
const ALWAYS_THINKING: [&str; 4] = ["fable-5", "mythos-5", "sonnet-5-5", "opus-5-5"];

pub(super) fn can_be_forced(model: &str) -> bool {
    !NEWEST.iter().any(|part| model.contains(part))
}

pub(super) fn takes_sampling(model: &str) -> bool {
    can_be_forced(model)
}

pub(super) fn always_thinks(model: &str) -> bool {
    ALWAYS_THINKING.iter().any(|part| model.contains(part))
}
