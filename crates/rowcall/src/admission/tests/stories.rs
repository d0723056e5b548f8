//! Whole runs against many kinds of servers, in virtual time: how long they take compared with the ideal, and how often they are
//! refused. The ranges are wider than over real sockets, since the stories are short.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::super::*;
use super::server::{Allowance, Answer, Row, Server};

/// A story: a server, the rows, and the allowed results.
struct Story {
    name: &'static str,
    allowance: Allowance,
    rows: Vec<Row>,
    /// The shortest possible time, in seconds.
    ideal: f64,
    /// The longest time allowed, as a multiple of that.
    most: f64,
    /// The largest share of requests that may be refused.
    refused: f64,
    why: &'static str,
}

/// Rows with these input and output tokens, and latencies of 0.3 to 0.8 s.
fn rows(count: usize, tokens: impl Fn(usize, &mut fastrand::Rng) -> (f64, f64)) -> Vec<Row> {
    let mut random = fastrand::Rng::with_seed(1);
    (0..count)
        .map(|n| {
            let latency = Duration::from_secs_f64(0.3 + 0.5 * random.f64());
            let (input, output) = tokens(n, &mut random);
            Row { bytes: (input * 4.0) as usize, input, output, latency }
        })
        .collect()
}

fn equal(count: usize) -> Vec<Row> {
    rows(count, |_, random| (200.0, 20.0 + (20.0 * random.f64()).round()))
}

/// The earliest time at which the last row can be accepted, in input order, plus its latency.
fn ideal(rows: &[Row], allowance: &Allowance) -> f64 {
    let mut now = 0.0_f64;
    let mut levels: Vec<_> =
        allowance.rates.iter().map(|(dimension, rate)| (*dimension, *rate, *rate)).collect();
    let factor =
        |at: f64| allowance.change.map_or(1.0, |(from, factor)| if at >= from { factor } else { 1.0 });
    let step = 0.001;
    for row in rows {
        let need = |dimension| match dimension {
            Dimension::Requests => 1.0,
            Dimension::Tokens => row.input + row.output,
            Dimension::InputTokens => row.input,
            Dimension::OutputTokens => row.output,
        };
        while levels.iter().any(|(dimension, rate, level)| *level < need(*dimension).min(*rate * factor(now)))
        {
            now += step;
            for (_, rate, level) in &mut levels {
                let rate = *rate * factor(now);
                *level = (*level + rate * step).min(rate);
            }
        }
        for (dimension, _, level) in &mut levels {
            *level -= need(*dimension);
        }
    }
    let closed: f64 = allowance.closed.iter().filter(|(from, _)| *from < now).map(|(_, length)| length).sum();
    now + closed + rows.last().map_or(0.0, |row| row.latency.as_secs_f64())
}

/// The result of a story.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) seconds: f64,
    requests: u64,
    refused: u64,
    most_in_flight: usize,
}

async fn play(allowance: Allowance, rows: &[Row]) -> Played {
    play_with(&Admission::new(), allowance, rows).await
}

pub(super) async fn play_with(admission: &Arc<Admission>, allowance: Allowance, rows: &[Row]) -> Played {
    // Jitter and backoff are the same each time.
    fastrand::seed(3);
    let server = Server::new(allowance);
    let started = Instant::now();
    let most = std::cell::Cell::new(0);
    let ask = async |row: Row| {
        let mut tries = 0_u32;
        loop {
            let need = Need { bytes: row.bytes, output_limit: None, stake: Stake::FREE };
            let permit = admission.admit_free(need, None).await;
            most.set(most.get().max(admission.lock().in_flight));
            let (answer, standings) = server.serve(row).await;
            match answer {
                Answer::Done => {
                    let usage = Usage {
                        input_tokens: row.input as u64,
                        output_tokens: row.output as u64,
                        ..Usage::default()
                    };
                    return permit.settle(
                        Settlement::Exact(usage),
                        Cost::default(),
                        &standings,
                        &mut Strikes::default(),
                    );
                }
                Answer::Refused(refusal) => {
                    let settlement = Settlement::Refused(refusal);
                    let blame =
                        permit.settle(settlement, Cost::default(), &standings, &mut Strikes::default());
                    // The same policy as in `retry.rs`.
                    let is_chance = blame == Blame::Chance;
                    let first = if is_chance {
                        100 << u32::min(tries.saturating_sub(1), 5)
                    } else {
                        500 << u32::min(tries, 5)
                    };
                    let backoff = Duration::from_millis(first).mul_f64(fastrand::f64());
                    let asked = refusal.retry_after.filter(|_| tries == 0 || !is_chance);
                    tries += 1;
                    tokio::time::sleep(asked.unwrap_or(backoff)).await;
                }
            }
        }
    };
    // As many as in the window of a run.
    let mut waiting = rows.iter();
    let mut asked: FuturesUnordered<_> = waiting.by_ref().take(1024).map(|row| ask(*row)).collect();
    while asked.next().await.is_some() {
        asked.extend(waiting.next().map(|row| ask(*row)));
    }
    let (requests, refused) = server.counts();
    assert_eq!(admission.lock().in_flight, 0);
    Played { seconds: started.elapsed().as_secs_f64(), requests, refused, most_in_flight: most.get() }
}

fn stories() -> Vec<Story> {
    let requests = Allowance::of(&[(Dimension::Requests, 100.0)]);
    let tokens = Allowance::of(&[(Dimension::Tokens, 20_000.0)]);
    let split = Allowance {
        rounded_to: 1000.0,
        ..Allowance::of(&[
            (Dimension::Requests, 200.0),
            (Dimension::InputTokens, 20_000.0),
            (Dimension::OutputTokens, 2_700.0),
        ])
    };
    let mixed = rows(1500, |_, random| {
        let large = random.f64() < 0.05;
        (if large { 3000.0 } else { 30.0 }, 20.0 + (10.0 * random.f64()).round())
    });
    let spread: Vec<_> = rows(1500, |_, random| (25.0 * 100_f64.powf(random.f64()), 15.0))
        .into_iter()
        .map(|row| Row { bytes: row.bytes + 490, ..row })
        .collect();
    // Since each request includes the schema, tokens are not proportional to bytes.
    let of_two_kinds = rows(1500, |_, random| if random.bool() { (506.0, 15.0) } else { (257.0, 240.0) })
        .into_iter()
        .map(|row| Row { bytes: row.bytes + 490, ..row })
        .collect();
    let story = |name, allowance: Allowance, rows: Vec<Row>, most, refused, why| {
        let ideal = ideal(&rows, &allowance);
        Story { name, allowance, rows, ideal, most, refused, why }
    };
    let slow_row = Row { bytes: 400, input: 100.0, output: 20.0, latency: Duration::from_millis(400) };
    vec![
        story("requests", requests.clone(), equal(1500), 1.03, 0.01, "the headers are complete"),
        story(
            "late headers",
            Allowance { advertised_late: true, ..requests.clone() },
            equal(1500),
            1.03,
            0.01,
            "however the server counts",
        ),
        story(
            "few requests",
            Allowance::of(&[(Dimension::Requests, 20.0)]),
            equal(400),
            1.03,
            0.015,
            "the first burst is stopped",
        ),
        story(
            "many requests",
            Allowance::of(&[(Dimension::Requests, 400.0)]),
            equal(6000),
            1.05,
            0.01,
            "the start is slow",
        ),
        story("tokens", tokens.clone(), equal(1300), 1.03, 0.01, "the headers are complete"),
        story("input and output", split, equal(1300), 1.04, 0.01, "tokens are rounded to thousands"),
        story(
            "two kinds of rows",
            Allowance {
                rounded_to: 1000.0,
                advertised_late: true,
                ..Allowance::of(&[
                    (Dimension::Requests, 200.0),
                    (Dimension::InputTokens, 38_500.0),
                    (Dimension::OutputTokens, 12_300.0),
                ])
            },
            of_two_kinds,
            1.04,
            0.01,
            "half of the answers are ten times as long as the others",
        ),
        story(
            "1:100 in size",
            Allowance::of(&[(Dimension::Tokens, 18_000.0)]),
            mixed,
            1.04,
            0.015,
            "the headers are complete",
        ),
        story(
            "25 to 2500",
            Allowance::of(&[(Dimension::Tokens, 55_000.0)]),
            spread,
            1.03,
            0.01,
            "a schema's share is separated from a row's",
        ),
        story(
            "halved",
            Allowance { change: Some((7.0, 0.5)), ..requests.clone() },
            equal(1200),
            1.03,
            0.01,
            "the headers show it",
        ),
        story(
            "doubled",
            Allowance { change: Some((7.0, 2.0)), ..requests.clone() },
            equal(2000),
            1.03,
            0.01,
            "the headers show it",
        ),
        story(
            "requests, no headers",
            Allowance { advertised: None, ..requests.clone() },
            equal(1500),
            1.10,
            0.05,
            "only refusals show it",
        ),
        story(
            "tokens, no headers",
            Allowance { advertised: None, ..tokens },
            equal(1300),
            1.10,
            0.05,
            "only refusals show it",
        ),
        story(
            "advertised double",
            Allowance { advertised: Some(2.0), ..requests.clone() },
            equal(1500),
            1.10,
            0.05,
            "refusals correct it",
        ),
        story(
            "advertised half",
            Allowance { advertised: Some(0.5), ..requests.clone() },
            equal(1500),
            1.10,
            0.05,
            "the remaining amount corrects it",
        ),
        story(
            "529s",
            Allowance { closed: vec![(3.0, 1.5), (8.0, 2.0), (12.0, 0.5)], ..requests.clone() },
            equal(1200),
            1.15,
            0.05,
            "closed times are taken out of the ideal",
        ),
        Story {
            name: "ramp",
            allowance: Allowance { ramp: Some((5.0, 4.0)), advertised: None, ..Allowance::of(&[]) },
            rows: equal(400),
            // From 5 a second, twice as many every 4 s: 5 + 5 × 4 / ln 2 × (2^(t/4) − 1) rows in t seconds.
            ideal: 4.0 * (395.0 / (20.0 / std::f64::consts::LN_2) + 1.0).log2() + 0.5,
            most: 1.15,
            refused: 0.25,
            why: "each refusal shows how far it has come",
        },
        Story {
            name: "40 in flight",
            allowance: Allowance { max_in_flight: Some(40), advertised: None, ..Allowance::of(&[]) },
            rows: equal(1000),
            ideal: 1000.0 * 0.55 / 40.0,
            most: 1.10,
            refused: 0.05,
            why: "the ceiling is found by the first refusal, and tried a tenth above now and then",
        },
        Story {
            name: "moody",
            allowance: Allowance { moody: Some((0.05, None)), advertised: None, ..Allowance::of(&[]) },
            rows: equal(10_000),
            ideal: 0.0,
            most: 1.3,
            refused: 0.07,
            why: "compared with the same without random refusals",
        },
        Story {
            name: "4 slots",
            allowance: Allowance { slots: Some(4), advertised: None, ..Allowance::of(&[]) },
            rows: vec![slow_row; 200],
            ideal: 20.0,
            most: 1.05,
            refused: 0.0,
            why: "a queue in the server costs only latency",
        },
    ]
}

#[tokio::test(start_paused = true)]
async fn every_server_is_asked_nearly_as_fast_as_it_allows_and_seldom_refuses() {
    let mut wrong = Vec::new();
    for Story { name, allowance, rows, ideal, most, refused, why } in stories() {
        let ideal = if ideal > 0.0 {
            ideal
        } else {
            play(Allowance { moody: None, ..allowance.clone() }, &rows).await.seconds
        };
        let played = play(allowance, &rows).await;
        let (ratio, share) = (played.seconds / ideal, played.refused as f64 / played.requests as f64);
        let line = format!(
            "{name:20} {:6.2} s, ideal {ideal:6.2} s: {ratio:.3} (at most {most}), {:.3} refused (at most {refused}), {} in flight: {why}",
            played.seconds, share, played.most_in_flight
        );
        println!("{line}");
        if ratio > most || share > refused {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
