//! One account of the simulated provider: plays the scenario on each request and keeps count.
//! Pure in `now`; the server owns sockets, clocks and waiting.

use std::time::Duration;

use serde_json::json;

use crate::chance::{Chance, hash};
use crate::chat::answer::{Answer, Finish};
use crate::chat::body::{self, Envelope, FINGERPRINT};
use crate::chat::request::{Invalid, Request};
use crate::fault::{self, ErrorBody, FaultKind, StatusFault};
use crate::foretold;
use crate::options::Counting;
use crate::quota::Quota;
use crate::rate_limit;
use crate::reply::{Ending, Failure, Length, Reply};
use crate::scenario::Scenario;
use crate::slots::Queue;
use crate::stats::Stats;
use crate::stream;
use crate::tally::Tally;

/// The scenario being played and what has happened so far.
#[derive(Debug)]
pub(crate) struct Simulation {
    scenario: Scenario,
    seed: u64,
    /// Unix time at `now` 0.
    epoch: Duration,
    /// When the first request came, from which the scenario's times count.
    began: Option<Duration>,
    quota: Option<Quota>,
    slots: Option<Queue>,
    /// How many requests of each row were admitted; only if faults or counting need it.
    rows: Option<Tally>,
    /// Bodies of requests that were answered completely and validly.
    answered: Option<Tally>,
    pub(crate) stats: Stats,
    answers: u64,
}

/// One moment, told in two ways.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// The time since the first request.
    pub(crate) story: Duration,
    /// The time since 1970.
    pub(crate) unix: Duration,
}

/// What a request holds while it is under way, to be given back with [`Simulation::leave`].
#[derive(Debug, Default)]
pub(crate) struct Hold {
    quota: bool,
}

impl Simulation {
    /// At rest; `epoch` is the Unix time at `now` 0.
    pub(crate) fn new(scenario: Scenario, seed: u64, counting: Counting, epoch: Duration) -> Self {
        let count = counting == Counting::On;
        Self {
            began: None,
            quota: scenario.quota.as_ref().map(Quota::new),
            slots: scenario.slots.map(Queue::new),
            rows: (count || !scenario.faults.is_empty()).then(Tally::new),
            answered: count.then(Tally::new),
            stats: Stats { repeats: count.then_some(0), ..Stats::default() },
            answers: 0,
            scenario,
            seed,
            epoch,
        }
    }

    /// Forgets everything but the scenario.
    pub(crate) fn reset(&mut self) {
        self.began = None;
        self.quota = self.scenario.quota.as_ref().map(Quota::new);
        self.slots = self.scenario.slots.map(Queue::new);
        self.rows = self.rows.as_ref().map(|_| Tally::new());
        self.answered = self.answered.as_ref().map(|_| Tally::new());
        self.stats.restart();
    }

    /// A request is over at `now`: its answer was sent to the end, or not.
    pub(crate) fn leave(&mut self, now: Duration, hold: &Hold, sent: Option<&Reply>) {
        if hold.quota
            && let Some(quota) = &mut self.quota
        {
            quota.release();
        }
        self.stats.in_flight.leave();
        if let (Some(_), Some(began)) = (sent, self.began) {
            self.stats.lasted = now.saturating_sub(began);
        }
        match (sent, &mut self.answered) {
            (None, _) => self.stats.unfinished += 1,
            (Some(reply), Some(answered)) => {
                reply.settles.map(|hash| answered.add(hash));
            }
            (Some(_), None) => {}
        }
    }

    /// The answer to a chat completion request that came at `now`.
    pub(crate) fn play(&mut self, now: Duration, key: Option<&str>, sent: &[u8], hold: &mut Hold) -> Reply {
        self.stats.requests.all += 1;
        self.answers += 1;
        let began = *self.began.get_or_insert(now);
        let now = Now { story: now.saturating_sub(began), unix: self.epoch + now };
        let reply = match self.authorised(key).and_then(|()| self.decoded(sent)) {
            Ok((request, answer)) => self.admitted(now, sent, &request, answer, hold),
            Err(refused) => {
                self.stats.requests.invalid += 1;
                refused
            }
        };
        let before_head = matches!(reply.ending, Ending::Fails(fault::Moment::Before, _));
        if !before_head {
            *self.stats.statuses.entry(reply.status).or_default() += 1;
        }
        let milliseconds = reply.delay.as_millis().to_string();
        let mut headers = vec![
            ("x-request-id", format!("req_sim_{:016x}", self.answers)),
            ("openai-version", "2020-10-01".to_owned()),
            ("openai-processing-ms", milliseconds),
        ];
        if let (Some(quota), Some(limits)) = (&mut self.quota, &self.scenario.quota) {
            headers.extend(rate_limit::headers(limits, quota, now));
        }
        reply.with_headers(headers)
    }

    fn authorised(&self, key: Option<&str>) -> Result<(), Reply> {
        match &self.scenario.key {
            Some(expected) if key != Some(expected) => {
                let message = "Incorrect API key provided. This simulator lets in one key only.";
                Err(Reply::json(
                    401,
                    body::error(message, "invalid_request_error", None, Some("invalid_api_key")),
                ))
            }
            _ => Ok(()),
        }
    }

    fn decoded(&self, sent: &[u8]) -> Result<(Request, Answer), Reply> {
        let invalid = |invalid: &Invalid| {
            let Invalid { message, param, code } = invalid;
            Reply::json(400, body::error(message, "invalid_request_error", param.as_deref(), *code))
        };
        let request = Request::decode(sent).map_err(|error| invalid(&error))?;
        let chance = Chance::of(self.seed, &request.row);
        let answer =
            Answer::whole(&request, chance).map_err(|complaint| invalid(&request.no_value(&complaint)))?;
        Ok((request, answer))
    }

    /// Admission, fault, latency, answer.
    fn admitted(
        &mut self,
        now: Now,
        sent: &[u8],
        request: &Request,
        answer: Answer,
        hold: &mut Hold,
    ) -> Reply {
        let body_hash = hash(0, sent);
        if self.answered.as_ref().is_some_and(|answered| answered.count(body_hash) > 0) {
            self.stats.repeat(&request.row);
        }
        let answer = answer.limited(request.most_tokens);
        if let Some(quota) = &mut self.quota {
            let admission = quota.admit(now.story, foretold::need(request, &answer));
            if let Some(refused) = rate_limit::refused(&request.model, admission) {
                self.stats.requests.refused += 1;
                return refused;
            }
            hold.quota = true;
        }
        let chance = Chance::of(self.seed, &request.row);
        let nth = self.counted(request);
        let fault =
            fault::draw(&self.scenario.faults, chance, &request.row, nth).map(|fault| fault.kind.clone());
        if let Some(fault) = &fault {
            *self.stats.faults.entry(fault.name()).or_default() += 1;
        }
        let latency = foretold::latency(&self.scenario, chance, request, &answer, nth);
        let whole = fault.is_none() && answer.finish != Finish::Length;
        let mut reply = self.faulty(now, request, answer, chance, fault.as_ref());
        reply.delay = match &mut self.slots {
            Some(queue) => queue.enter(now.story, latency),
            None => latency,
        };
        let held = self.scenario.held.as_ref().filter(|held| request.row.contains(&held.contains));
        reply.until_answered = held.map_or(0, |held| held.until_answered);
        reply.settles = (whole && self.answered.is_some()).then_some(body_hash);
        reply
    }

    /// Counts the request to its row; how manieth of the row it is, from 1 to 255.
    fn counted(&mut self, request: &Request) -> u8 {
        let before = self.rows.as_mut().map_or(0, |rows| rows.add(hash(0, request.row.as_bytes())));
        let requests = &mut self.stats.requests;
        match (request.re_ask, before) {
            (true, _) => requests.re_ask += 1,
            (false, 0) => requests.first += 1,
            (false, _) => requests.again += 1,
        }
        before.saturating_add(1)
    }

    /// The answer as this fault makes it.
    fn faulty(
        &mut self,
        now: Now,
        request: &Request,
        answer: Answer,
        chance: Chance,
        fault: Option<&FaultKind>,
    ) -> Reply {
        let fails = |reply, moment, failure| Reply { ending: Ending::Fails(moment, failure), ..reply };
        match fault {
            None => self.answer(now, request, &answer),
            Some(FaultKind::Status(status)) => http_error(status),
            Some(FaultKind::Reset(moment)) => {
                fails(self.answer(now, request, &answer), *moment, Failure::Reset)
            }
            Some(FaultKind::Cut(moment)) => fails(self.answer(now, request, &answer), *moment, Failure::Cut),
            Some(FaultKind::Stall(moment)) => {
                fails(self.answer(now, request, &answer), *moment, Failure::Stall)
            }
            Some(FaultKind::GarbageBody) => Reply::json(200, b"<simulated garbage, not JSON".to_vec()),
            Some(FaultKind::ErrorIn200) => self.error_in_200(now, request, &answer),
            Some(
                bending @ (FaultKind::InvalidJson
                | FaultKind::TruncatedJson
                | FaultKind::SchemaViolation
                | FaultKind::Fenced
                | FaultKind::Prose
                | FaultKind::Refusal
                | FaultKind::ContentFilter
                | FaultKind::Length
                | FaultKind::Empty
                | FaultKind::WrongTool
                | FaultKind::TwoTools),
            ) => {
                let bent = answer.bent(bending, request, chance).limited(request.most_tokens);
                self.answer(now, request, &bent)
            }
        }
    }

    /// The answer in the form asked for, whole or as a stream.
    fn answer(&mut self, now: Now, request: &Request, answer: &Answer) -> Reply {
        self.stats.tokens.prompt += request.prompt_tokens;
        self.stats.tokens.completion += answer.tokens;
        let envelope = Envelope {
            id: format!("chatcmpl-sim-{:012x}", self.answers),
            created: now.unix.as_secs(),
            model: &request.model,
        };
        match request.stream {
            None => Reply::json(200, body::completion(&envelope, request, answer)),
            Some(options) => {
                let events = stream::events(&envelope, request, answer, options);
                Reply { length: Length::Open, ..Reply::new(200, "text/event-stream; charset=utf-8", events) }
            }
        }
    }

    /// Status 200 and an error in the body; in a stream, an error after the first half of the frames.
    fn error_in_200(&mut self, now: Now, request: &Request, answer: &Answer) -> Reply {
        let error =
            body::error("The simulated upstream failed.", "server_error", None, Some("upstream_error"));
        if request.stream.is_none() {
            return Reply::json(200, error);
        }
        let reply = self.answer(now, request, answer);
        let events = String::from_utf8_lossy(&reply.body);
        let frames: Vec<_> = events.split_inclusive("\n\n").collect();
        let first: String = frames.iter().take(frames.len() / 2).copied().collect();
        let body = format!("{first}data: {}\n\n", String::from_utf8_lossy(&error));
        Reply { body: body.into_bytes().into(), ..reply }
    }

    /// What `GET /v1/models` answers.
    pub(crate) fn models(&self) -> Reply {
        let model = json!({ "id": "simulated-model", "object": "model", "created": self.epoch.as_secs(), "owned_by": FINGERPRINT });
        Reply::json(200, json!({ "object": "list", "data": [model] }).to_string().into_bytes())
    }

    /// What `GET /stats` answers.
    pub(crate) fn shown(&self) -> Reply {
        Reply::json(200, serde_json::to_vec(&self.stats).unwrap_or_default())
    }
}

/// An HTTP error as the scenario words it; type and code as usual for the status where it is silent.
fn http_error(status: &StatusFault) -> Reply {
    let (kind, code) = match status.code {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        403 => ("request_forbidden", Some("unsupported_country_region_territory")),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        503 => ("service_unavailable_error", Some("server_is_overloaded")),
        529 => ("overloaded_error", None),
        500..=599 => ("server_error", None),
        _ => ("invalid_request_error", None),
    };
    let kind = status.error_type.as_deref().unwrap_or(kind);
    let code = status.error_code.as_deref().or(code);
    let message =
        status.message.clone().unwrap_or_else(|| format!("This error {} was simulated.", status.code));
    let reply = match status.body {
        ErrorBody::Openai => Reply::json(status.code, body::error(&message, kind, None, code)),
        ErrorBody::String => Reply::json(status.code, json!({ "error": message }).to_string().into_bytes()),
        ErrorBody::Empty => Reply::new(status.code, "text/plain", Vec::new()),
        ErrorBody::Html => {
            let page = format!(
                "<html><head><title>{} simulated</title></head><body>{message}</body></html>",
                status.code
            );
            Reply::new(status.code, "text/html", page.into_bytes())
        }
    };
    let header = |name, value: Option<String>| value.map(|value| (name, value));
    let headers = [
        header("retry-after", status.retry_after.map(|seconds| seconds.to_string())),
        header("retry-after-ms", status.retry_after_ms.map(|milliseconds| milliseconds.to_string())),
        header("x-should-retry", status.should_retry.map(|should| should.to_string())),
    ];
    reply.with_headers(headers.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_begins_with_its_first_request_and_lasts_until_the_last_answer() {
        let closed = "about = 'a test'\n[[quota.closed]]\nfrom_seconds = 2\nfor_seconds = 3";
        let scenario = Scenario::from_toml(closed).unwrap();
        let mut simulation = Simulation::new(scenario, 0, Counting::Off, Duration::ZERO);
        let body = json!({ "model": "m", "messages": [{ "role": "user", "content": "Ann" }] }).to_string();
        for began in [10, 50] {
            simulation.reset();
            for (after, status) in [(0, 200), (2, 529), (4, 529), (5, 200)] {
                let mut hold = Hold::default();
                let now = Duration::from_secs(began + after);
                let reply = simulation.play(now, None, body.as_bytes(), &mut hold);
                assert_eq!(reply.status, status, "{after} s after the first request");
                simulation.leave(now + Duration::from_secs(1), &hold, Some(&reply));
                assert_eq!(simulation.stats.lasted, Duration::from_secs(after + 1));
                simulation.leave(now + Duration::from_secs(9), &hold, None);
                assert_eq!(simulation.stats.lasted, Duration::from_secs(after + 1), "nothing was sent");
            }
        }
    }
}
