//! What is retried, after how long, and until when; no other file decides that. The provider and the transport classify
//! responses and broken connections; the path does the waiting.
//!
//! `docs/faults.md` has the table in words.

use std::time::Duration;

use crate::fault::{Fault, FaultKind};

/// How often and how long to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Retries per prompt after faults other than limits.
    pub retries: u32,
    /// How long the account may answer nothing but limits before the run stops; also the longest wait requested by a
    /// server that is followed.
    pub limit_deadline: Duration,
}

impl Default for RetryPolicy {
    /// Six attempts, and ten minutes of nothing but limits. With the two retries and eight seconds that the official SDKs
    /// allow a single call, a rate-limited run would fail.
    fn default() -> Self {
        Self { retries: 5, limit_deadline: Duration::from_mins(10) }
    }
}

/// What has been tried for one prompt, and the state of the account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tried {
    /// Attempts of this prompt that ended in a fault and count as retries; excludes those that failed in an outage.
    pub faults: u32,
    /// Attempts of this prompt that ended in a limit.
    pub limits: u32,
    /// How long the account has been answering nothing but limits.
    pub limited_for: Duration,
    /// Whether the account has answered anything at all.
    pub answered: bool,
    /// Whether only this row met the latest limit, while others are accepted.
    pub by_chance: bool,
    /// Whether every row fails and none was ever accepted.
    pub all_fail: bool,
    /// How long the account as a whole has been failing, if it is failing.
    pub outage: Option<Duration>,
}

/// What to do about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Try again after this long.
    Retry(Duration),
    /// The row has failed; others may succeed.
    GiveUp,
    /// Every row would fail the same way: the run stops.
    Stop,
}

/// Which budget a kind of fault draws on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Budget {
    /// Limits and overload: as long as the deadline allows.
    Limits,
    /// Faults that another attempt may fix: a number of retries.
    Faults,
    /// This row's request is refused.
    Row,
    /// Every row's request is refused.
    Run,
}

fn budget(kind: FaultKind) -> Budget {
    match kind {
        FaultKind::RateLimit | FaultKind::Overloaded => Budget::Limits,
        FaultKind::Timeout
        | FaultKind::Server
        | FaultKind::Unreachable
        | FaultKind::Connection
        | FaultKind::Conflict => Budget::Faults,
        FaultKind::ContextLength
        | FaultKind::ContentPolicy
        | FaultKind::TooLarge
        | FaultKind::RequestExceedsLimit
        | FaultKind::Unprocessable
        | FaultKind::InvalidRequest => Budget::Row,
        FaultKind::Quota
        | FaultKind::Auth
        | FaultKind::Permission
        | FaultKind::NotFound
        | FaultKind::InvalidSchema
        | FaultKind::UnsupportedParameter => Budget::Run,
    }
}

/// Whether faults of this kind are the account's limits rather than the attempt's bad luck.
pub(crate) fn is_limit(kind: FaultKind) -> bool {
    budget(kind) == Budget::Limits
}

/// Whether another attempt may have a better outcome, whatever the row.
pub(crate) fn is_of_chance(kind: FaultKind) -> bool {
    matches!(budget(kind), Budget::Limits | Budget::Faults)
}

/// What to do about `fault` after what has been `tried`. `random` is uniform in `[0, 1)`.
pub fn decide(fault: &Fault, tried: Tried, policy: RetryPolicy, random: f64) -> Decision {
    let budget = match (budget(fault.kind), fault.should_retry) {
        // A server's own word overrides its status, but a quota that it calls exhausted stays exhausted. During an outage, the word
        // is about the server and not about the row.
        (Budget::Limits | Budget::Faults, Some(false)) if tried.outage.is_none() => Budget::Row,
        (Budget::Row, Some(true)) => Budget::Faults,
        (Budget::Run, Some(true)) if fault.kind != FaultKind::Quota || fault.status == Some(402) => {
            Budget::Faults
        }
        (budget, Some(_) | None) => budget,
    };
    let asked = fault.retry_after.unwrap_or_default();
    match budget {
        // Other rows are accepted meanwhile, so a wait that is too long does not apply to the account.
        Budget::Limits if tried.by_chance && asked > policy.limit_deadline => {
            Decision::Retry(again(tried.limits.saturating_sub(1), random))
        }
        // A run should not silently sleep for hours.
        Budget::Limits | Budget::Faults if asked > policy.limit_deadline => Decision::Stop,
        Budget::Limits if tried.limited_for >= policy.limit_deadline => Decision::Stop,
        Budget::Limits | Budget::Faults
            if tried.outage.is_some_and(|lasted| lasted >= policy.limit_deadline) =>
        {
            Decision::Stop
        }
        // Admission waits for the whole account, and admits each row when the server is back.
        Budget::Limits | Budget::Faults if tried.outage.is_some() => Decision::Retry(Duration::ZERO),
        // The wait that the server requested has been followed once, and other rows are accepted meanwhile.
        Budget::Limits if tried.by_chance && tried.limits > 1 => {
            Decision::Retry(again(tried.limits - 2, random))
        }
        // Only this row waits, so jitter is not needed.
        Budget::Limits if tried.by_chance && fault.retry_after.is_some() => Decision::Retry(asked),
        Budget::Limits => Decision::Retry(wait(fault.retry_after, tried.limits.saturating_sub(1), random)),
        // A server that has never been reached will not be reached for the next row either.
        Budget::Faults
            if tried.faults > policy.retries
                && (tried.all_fail || (fault.kind == FaultKind::Unreachable && !tried.answered)) =>
        {
            Decision::Stop
        }
        Budget::Faults if tried.faults > policy.retries => Decision::GiveUp,
        Budget::Faults => Decision::Retry(wait(fault.retry_after, tried.faults.saturating_sub(1), random)),
        Budget::Row => Decision::GiveUp,
        Budget::Run => Decision::Stop,
    }
}

/// The first delay of the exponential backoff, as in the official SDKs.
const FIRST: Duration = Duration::from_millis(500);

/// The longest delay of the exponential backoff.
const LONGEST: Duration = Duration::from_secs(30);

/// Full jitter on the exponential backoff. On top of a server's own time there is upward jitter of up to a quarter and at
/// most a second, so that no attempt returns early and not all return together.
fn wait(asked: Option<Duration>, tries_before: u32, random: f64) -> Duration {
    match asked {
        Some(asked) => asked + (asked / 4).min(Duration::from_secs(1)).mul_f64(random),
        None => LONGEST.min(FIRST * 2_u32.saturating_pow(tries_before.min(16))).mul_f64(random),
    }
}

/// The first delay of a row that is refused by chance.
const FIRST_BY_CHANCE: Duration = Duration::from_millis(100);

/// The delay of a row that is refused by chance again: other rows are accepted, so it is short at first.
fn again(tries_before: u32, random: f64) -> Duration {
    LONGEST.min(FIRST_BY_CHANCE * 2_u32.saturating_pow(tries_before.min(16))).mul_f64(random)
}

#[cfg(test)]
mod tests;
