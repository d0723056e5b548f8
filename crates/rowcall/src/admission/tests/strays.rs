//! Servers that refuse a few requests at random, regardless of the load: only the refused rows wait.

use super::super::*;
use super::server::{Allowance, Mood, Row};
use super::stories::play_with;

const LATENCY: Duration = Duration::from_millis(300);

const SHARES: [f64; 5] = [0.005, 0.01, 0.02, 0.05, 0.1];

/// Which headers the server sends about its limit, which is never reached.
#[derive(Debug, Clone, Copy)]
enum Headers {
    True,
    None,
    /// Every answer claims a limit of one a second, with nearly all of it left.
    Untrue,
    /// Every answer claims a limit of one a second, with nothing left.
    Exhausted,
    /// Every refusal claims that nothing is left; answers have no headers.
    WithRefusals,
}

fn server(headers: Headers) -> Allowance {
    let calm = Allowance { advertised: None, ..Allowance::of(&[(Dimension::Requests, 5000.0)]) };
    match headers {
        Headers::True => Allowance { advertised: Some(1.0), ..calm },
        Headers::None => calm,
        Headers::Untrue => Allowance { claimed: Some((60.0, 59.0)), ..calm },
        Headers::Exhausted => Allowance { claimed: Some((60.0, 0.0)), ..calm },
        Headers::WithRefusals => Allowance { claimed: Some((60.0, 0.0)), only_with_refusals: true, ..calm },
    }
}

fn admission(slots: Option<usize>) -> Arc<Admission> {
    let admission = Admission::new();
    if let Some(slots) = slots {
        admission.apply(Limit::Concurrency(slots));
    }
    admission
}

fn rows() -> Vec<Row> {
    vec![Row { bytes: 400, input: 100.0, output: 20.0, latency: LATENCY }; 600]
}

/// Tries every share, wait and number of slots with these headers, compared with a calm run with the headers `beside`.
async fn refused_at_random(headers: Headers, beside: Headers, shares: &[f64]) {
    let rows = rows();
    let mut wrong = Vec::new();
    for slots in [Some(20), None] {
        let calm = play_with(&admission(slots), server(beside), &rows).await.seconds;
        for &share in shares {
            for wait in [None, Some(1), Some(30)] {
                for mood in [Mood::Requests, Mood::Silent, Mood::Overload] {
                    let wait = wait.map(Duration::from_secs);
                    // An overload without a time concerns the concurrency.
                    if mood == Mood::Overload && wait.is_none() {
                        continue;
                    }
                    let moody = Some((share, wait));
                    let strays = Allowance { moody, mood, ..server(headers) };
                    let seconds = play_with(&admission(slots), strays, &rows).await.seconds;
                    let most = if share < 0.1 { 1.2 } else { 1.4 };
                    // The row refused last waits and then has its latency; without a time it backs off twice.
                    let last = wait.unwrap_or(Duration::from_millis(1500)) + LATENCY;
                    let line = format!(
                        "{:5.1} % {wait:?} {headers:?} {slots:?} {mood:?}: {seconds:.2} s, calm {calm:.2} s",
                        100.0 * share
                    );
                    println!("{line}");
                    if seconds > most * calm + last.as_secs_f64() {
                        wrong.push(line);
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn random_refusals_cost_hardly_more_than_one_wait() {
    refused_at_random(Headers::None, Headers::None, &SHARES).await;
}

#[tokio::test(start_paused = true)]
async fn random_refusals_beside_true_limit_headers_cost_hardly_more_than_one_wait() {
    refused_at_random(Headers::True, Headers::True, &SHARES).await;
}

#[tokio::test(start_paused = true)]
async fn limits_claimed_by_random_refusals_are_not_believed() {
    refused_at_random(Headers::WithRefusals, Headers::None, &SHARES).await;
}

#[tokio::test(start_paused = true)]
async fn random_refusals_beside_untrue_limit_headers_cost_hardly_more_than_one_wait() {
    // At one in ten, rows that are refused three times take longer than all the rest, which is fast with such headers.
    refused_at_random(Headers::Untrue, Headers::Untrue, &SHARES[..4]).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_always_claims_that_nothing_is_left_is_found_out() {
    let rows = rows();
    for slots in [Some(20), None] {
        let calm = play_with(&admission(slots), server(Headers::None), &rows).await.seconds;
        let seconds = play_with(&admission(slots), server(Headers::Exhausted), &rows).await.seconds;
        println!("{slots:?} {seconds:.2} s, calm {calm:.2} s");
        assert!(seconds < calm + 6.0, "{slots:?} {seconds:.2} s, calm {calm:.2} s");
    }
}
