//! One account of the simulated provider: plays the scenario for each request and keeps count. Pure in `now`; the
//! server owns sockets, clocks and waiting.

use std::time::Duration;

use serde_json::json;

use crate::answer::{Answer, Finish};
use crate::ask::Ask;
use crate::batches::BatchStore;
use crate::envelope::Envelope;
use crate::fault::{self, FaultKind};
use crate::foretold;
use crate::openai::FINGERPRINT;
use crate::options::Counting;
use crate::protocol::{self, Call, Service};
use crate::quota::{Admission, Quota};
use crate::rate_limit;
use crate::reply::{Ending, Failure, Reply};
use crate::rules::Rules;
use crate::scenario::Scenario;
use crate::slots::Queue;
use crate::stats::Stats;
use crate::tally::Tally;
use crate::timestamp::Now;
use crate::trouble::{Asked, Trouble};
use crate::written::Written;

/// The scenario being played and what has happened so far.
#[derive(Debug)]
pub(crate) struct Simulation {
    pub(crate) scenario: Scenario,
    pub(crate) seed: u64,
    /// Unix time at `now` 0.
    pub(crate) epoch: Duration,
    /// When the first request arrived, from which the scenario's times count.
    pub(crate) began: Option<Duration>,
    /// Files and batches.
    pub(crate) batch_store: BatchStore,
    quota: Option<Quota>,
    slots: Option<Queue>,
    /// How many requests of each row were admitted; only if faults or counting need it.
    rows: Option<Tally>,
    /// Bodies of requests that were answered completely and validly.
    answered: Option<Tally>,
    pub(crate) stats: Stats,
    pub(crate) answers: u64,
    /// Whether the scenario has outages, so that the times of answers matter.
    counts_by_time: bool,
}

/// What a request holds while it is in progress, to be returned with [`Simulation::leave`].
#[derive(Debug, Default)]
pub(crate) struct Hold {
    quota: bool,
}

impl Simulation {
    /// Before the first request; `epoch` is the Unix time at `now` 0.
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
            counts_by_time: scenario.has_outages(),
            batch_store: BatchStore::new(scenario.batches.clone()),
            scenario,
            seed,
            epoch,
        }
    }

    /// Forgets everything but the scenario.
    pub(crate) fn reset(&mut self) {
        self.began = None;
        self.batch_store = BatchStore::new(self.scenario.batches.clone());
        self.quota = self.scenario.quota.as_ref().map(Quota::new);
        self.slots = self.scenario.slots.map(Queue::new);
        self.rows = self.rows.as_ref().map(|_| Tally::new());
        self.answered = self.answered.as_ref().map(|_| Tally::new());
        self.stats.restart();
    }

    /// Whether the server is down at `now`.
    pub(crate) fn is_away(&self, now: Duration) -> bool {
        self.began.is_some_and(|began| {
            let story = now.saturating_sub(began);
            self.scenario.away.iter().any(|away| away.is_at(story))
        })
    }

    /// Whether the server is ever down.
    pub(crate) fn goes_away(&self) -> bool {
        !self.scenario.away.is_empty()
    }

    /// A request is over at `now`; `sent` is its answer if that was sent completely.
    pub(crate) fn leave(&mut self, now: Duration, hold: &Hold, sent: Option<&Reply>) {
        if hold.quota
            && let Some(quota) = &mut self.quota
        {
            quota.release();
        }
        self.stats.in_flight.leave();
        if let (Some(reply), Some(began)) = (sent, self.began) {
            self.stats.lasted = now.saturating_sub(began);
            if reply.is_answer && self.counts_by_time {
                self.stats.answered_at(self.stats.lasted);
            }
        }
        match (sent, &mut self.answered) {
            (None, _) => self.stats.unfinished += 1,
            (Some(reply), Some(answered)) => {
                reply.settles.map(|hash| answered.add(hash));
            }
            (Some(_), None) => {}
        }
    }

    /// The answer to a model request that arrived at `now`.
    pub(crate) fn play(&mut self, now: Duration, call: Call<'_>, hold: &mut Hold) -> Reply {
        self.stats.requests.all += 1;
        self.answers += 1;
        let began = *self.began.get_or_insert(now);
        let now = Now { story: now.saturating_sub(began), unix: self.epoch + now };
        let id = self.id();
        let reply = match self.authorised(call, &id).and_then(|()| self.decoded(call, &id)) {
            Ok((ask, answer)) => self.admitted(now, call, &id, &ask, answer, hold),
            Err(refused) => {
                self.stats.requests.invalid += 1;
                refused
            }
        };
        let before_head = matches!(reply.ending, Ending::Fails(fault::Moment::Before, _));
        if !before_head {
            *self.stats.statuses.entry(reply.status).or_default() += 1;
        }
        let mut headers = call.service.headers(&id, reply.delay);
        if let (Some(quota), Some(limits)) = (&mut self.quota, &self.scenario.quota) {
            headers.extend(rate_limit::headers(limits, call.service.limit_headers(), quota, now));
        }
        reply.with_headers(headers)
    }

    /// The answer to a request to count tokens, which costs nothing and is not counted.
    pub(crate) fn count(&mut self, call: Call<'_>) -> Reply {
        self.answers += 1;
        let id = self.id();
        let counted = self.authorised(call, &id).and_then(|()| {
            let counted = call.count(Rules::of(&self.scenario));
            let error =
                |invalid| call.service.error(Trouble::Invalid(&invalid), Asked { id: &id, model: "" });
            counted.map_err(error)
        });
        let reply = counted.map_or_else(|refused| refused, Written::reply);
        reply.with_headers(call.service.headers(&id, Duration::ZERO))
    }

    /// The answer, with this trouble, to a request that was not read.
    pub(crate) fn trouble(&mut self, service: &Service, trouble: Trouble<'_>) -> Reply {
        self.answers += 1;
        service.error(trouble, Asked { id: &self.id(), model: "" })
    }

    pub(crate) fn id(&self) -> String {
        format!("req_sim_{:016x}", self.answers)
    }

    fn authorised(&self, call: Call<'_>, id: &str) -> Result<(), Reply> {
        let Some(expected) = &self.scenario.key else { return Ok(()) };
        let key = call.service.key(call.headers);
        if key.as_ref() == Some(expected) {
            return Ok(());
        }
        Err(call.service.error(Trouble::Key(key.as_deref()), Asked { id, model: "" }))
    }

    pub(crate) fn decoded(&self, call: Call<'_>, id: &str) -> Result<(Ask, Answer), Reply> {
        let refused = |invalid| call.service.error(Trouble::Invalid(&invalid), Asked { id, model: "" });
        let ask = call.decode(Rules::of(&self.scenario)).map_err(refused)?;
        let ask = match &self.scenario.bill {
            Some(bill) => bill.count(ask),
            None => ask,
        };
        let chance = ask.row.chance(self.seed);
        let answer = Answer::whole(&ask, chance);
        let answer = answer.map_err(|complaint| refused(call.service.no_value(&ask.wanted, &complaint)))?;
        Ok((ask, answer))
    }

    /// Admission, fault, latency, answer.
    fn admitted(
        &mut self,
        now: Now,
        call: Call<'_>,
        id: &str,
        ask: &Ask,
        answer: Answer,
        hold: &mut Hold,
    ) -> Reply {
        let request = call.hash();
        if self.answered.as_ref().is_some_and(|answered| answered.count(request) > 0) {
            self.stats.repeat(&ask.row.text);
        }
        let answer = answer.limited(ask.most_tokens);
        if let Some(quota) = &mut self.quota {
            let trouble = match quota.admit(now.story, foretold::need(ask, &answer)) {
                Admission::Admitted => None,
                Admission::Refused(refusal) => Some(Trouble::Lacking(refusal)),
                Admission::TooFast(wait) => Some(Trouble::TooFast(wait)),
                Admission::Closed(wait) => Some(Trouble::Closed(wait)),
            };
            if let Some(trouble) = trouble {
                self.stats.requests.refused += 1;
                return call.service.error(trouble, Asked { id, model: &ask.model });
            }
            hold.quota = true;
        }
        let chance = ask.row.chance(self.seed);
        let nth = self.counted(ask);
        let fault = fault::draw(&self.scenario.faults, chance, &ask.row.text, nth, now.story)
            .map(|fault| fault.kind.clone());
        if let Some(fault) = &fault {
            *self.stats.faults.entry(fault.name()).or_default() += 1;
        }
        let latency = foretold::latency(&self.scenario, chance, ask, &answer, nth);
        let whole = fault.is_none() && answer.finish != Finish::Length;
        let answer = match &fault {
            Some(fault) => answer.bent(fault, ask, chance).limited(ask.most_tokens),
            None => answer,
        };
        let answer = self.charged(ask, answer, fault.as_ref());
        let mut reply = match &fault {
            Some(FaultKind::Status(status)) => {
                call.service.error(Trouble::Simulated(status), Asked { id, model: &ask.model })
            }
            Some(fault) => self.faulty(now, id, ask, &answer, fault),
            None => self.answer(now, ask, &answer),
        };
        reply.delay = match &mut self.slots {
            Some(queue) => queue.enter(now.story, latency),
            None => latency,
        };
        let held = self.scenario.held.as_ref().filter(|held| ask.row.text.contains(&held.contains));
        reply.until_answered = held.map_or(0, |held| held.until_answered);
        reply.is_answer = whole;
        reply.settles = (whole && self.answered.is_some()).then_some(request);
        reply
    }

    /// Counts the request for its row and returns its ordinal number among the row's requests, from 1 to 255.
    pub(crate) fn counted(&mut self, ask: &Ask) -> u8 {
        let before = self.rows.as_mut().map_or(0, |rows| rows.add(ask.row.hash()));
        let requests = &mut self.stats.requests;
        match (ask.re_ask, before) {
            (true, _) => requests.re_ask += 1,
            (false, 0) => requests.first += 1,
            (false, _) => requests.again += 1,
        }
        before.saturating_add(1)
    }

    /// The answer with its tokens as they are billed, after charging the request.
    pub(crate) fn charged(&mut self, ask: &Ask, answer: Answer, fault: Option<&FaultKind>) -> Answer {
        let Some(bill) = &self.scenario.bill else { return answer };
        let tokens = bill.output(answer.tokens, ask.most_tokens);
        self.stats.bill_picodollars += bill.charge(ask, tokens, fault);
        Answer { tokens, ..answer }
    }

    /// The answer as changed by this fault.
    pub(crate) fn faulty(
        &mut self,
        now: Now,
        id: &str,
        ask: &Ask,
        answer: &Answer,
        fault: &FaultKind,
    ) -> Reply {
        let fails = |reply, moment, failure| Reply { ending: Ending::Fails(moment, failure), ..reply };
        match fault {
            FaultKind::Reset(moment) => fails(self.answer(now, ask, answer), *moment, Failure::Reset),
            FaultKind::Cut(moment) => fails(self.answer(now, ask, answer), *moment, Failure::Cut),
            FaultKind::Stall(moment) => fails(self.answer(now, ask, answer), *moment, Failure::Stall),
            FaultKind::GarbageBody => Reply::json(200, b"<simulated garbage, not JSON".to_vec()),
            FaultKind::ErrorIn200 => protocol::write_failing(self.envelope(now), ask, answer, id).reply(),
            FaultKind::Status(_)
            | FaultKind::InvalidJson
            | FaultKind::TruncatedJson
            | FaultKind::SchemaViolation
            | FaultKind::Fenced
            | FaultKind::Prose
            | FaultKind::Refusal
            | FaultKind::ContentFilter
            | FaultKind::Length
            | FaultKind::Empty
            | FaultKind::WrongTool
            | FaultKind::TwoTools => self.answer(now, ask, answer),
        }
    }

    /// The answer in the requested form, whole or as a stream.
    pub(crate) fn answer(&mut self, now: Now, ask: &Ask, answer: &Answer) -> Reply {
        self.stats.tokens.prompt += ask.prompt_tokens;
        self.stats.tokens.completion += answer.tokens;
        protocol::write(self.envelope(now), ask, answer).reply()
    }

    fn envelope(&self, now: Now) -> Envelope {
        Envelope { number: self.answers, created: now.unix.as_secs() }
    }

    /// The answer to `GET /v1/models`.
    pub(crate) fn models(&self) -> Reply {
        let model = json!({ "id": "simulated-model", "object": "model", "created": self.epoch.as_secs(), "owned_by": FINGERPRINT });
        Reply::json(200, json!({ "object": "list", "data": [model] }).to_string().into_bytes())
    }

    /// The answer to `GET /stats`.
    pub(crate) fn shown(&self) -> Reply {
        Reply::json(200, serde_json::to_vec(&self.stats).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    #[test]
    fn a_scenario_lasts_from_the_first_request_to_the_last_answer() {
        let closed = "about = 'a test'\n[[quota.closed]]\nfrom_seconds = 2\nfor_seconds = 3";
        let scenario = Scenario::from_toml(closed).unwrap();
        let mut simulation = Simulation::new(scenario, 0, Counting::Off, Duration::ZERO);
        let body = json!({ "model": "m", "messages": [{ "role": "user", "content": "Ann" }] }).to_string();
        for began in [10, 50] {
            simulation.reset();
            for (after, status) in [(0, 200), (2, 529), (4, 529), (5, 200)] {
                let mut hold = Hold::default();
                let now = Duration::from_secs(began + after);
                let headers = HeaderMap::new();
                let call = Call { service: &Service::Chat, headers: &headers, body: body.as_bytes() };
                let reply = simulation.play(now, call, &mut hold);
                assert_eq!(reply.status, status, "{after} s after the first request");
                simulation.leave(now + Duration::from_secs(1), &hold, Some(&reply));
                assert_eq!(simulation.stats.lasted, Duration::from_secs(after + 1));
                simulation.leave(now + Duration::from_secs(9), &hold, None);
                assert_eq!(simulation.stats.lasted, Duration::from_secs(after + 1), "nothing was sent");
            }
        }
    }
}
