//! Requests to the batch APIs, played in the simulation.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::store::CreateOutcome;
use super::{Api, Asked, Batch, Executed, Line, State, anthropic, gemini, mistral, openai, together};
use crate::answer::Answer;
use crate::ask::Ask;
use crate::fault::{self, FaultKind, Moment};
use crate::form::GeminiForm;
use crate::gemini::Target;
use crate::protocol::{Call, Service};
use crate::reply::{Ending, Failure, Reply};
use crate::simulation::Simulation;
use crate::timestamp::Now;
use crate::tokens::tokens;
use crate::trouble::{Asked as AskedBy, Trouble};

/// A request to a batch API.
pub(crate) struct BatchRequest<'e> {
    pub(crate) asked: &'e Asked,
    pub(crate) headers: &'e HeaderMap,
    pub(crate) body: &'e Bytes,
}

impl Simulation {
    /// The answer to a request to a batch API that arrived at `now`.
    pub(crate) fn answer_batch_request(&mut self, now: Duration, request: &BatchRequest<'_>) -> Reply {
        self.stats.batch_requests += 1;
        let began = *self.began.get_or_insert(now);
        let now = Now { story: now.saturating_sub(began), unix: self.epoch + now };
        let service = service(request.asked);
        let key = service.key(request.headers);
        let key = key.as_deref();
        if let Some(expected) = &self.scenario.key
            && key != Some(expected.as_str())
        {
            let id = self.id();
            return service.error(Trouble::Key(key), AskedBy { id: &id, model: "" });
        }
        match request.asked {
            Asked::Upload(api) => self.upload(now, *api, request),
            Asked::BeginUpload => self.begin_upload(request),
            Asked::EndUpload(api, id) => self.end_upload(now, *api, id, request),
            Asked::Preprocess(id) => self.described_file(&service, Api::Together, id),
            Asked::File(api, id) => self.described_file(&service, *api, id),
            Asked::Content(id) => self.content(&service, now, id),
            Asked::DeleteFile(api, id) => self.delete_file(&service, *api, id),
            Asked::Create(api, model) => self.create(now, *api, model.as_deref(), key, request),
            Asked::Look(_, id) => self.look(&service, now, id, key, request),
            Asked::List(api, most, after) => self.list(now, *api, *most, after.as_deref(), key, request),
            Asked::Cancel(api, id) => {
                let cancelled = self.batch_mut(id, key).map(|batch| {
                    batch.cancelled.get_or_insert(now.unix);
                });
                match cancelled {
                    Some(()) if *api == Api::Gemini => ok(&json!({})),
                    _ => self.look(&service, now, id, key, request),
                }
            }
            Asked::Results(id) => self.results(&service, now, id, key),
            Asked::DeleteBatch(api, id) => {
                self.batch_store.batches.retain(|batch| batch.id != *id);
                ok(&match api {
                    Api::Anthropic => json!({ "id": id, "type": "message_batch_deleted" }),
                    Api::OpenAi | Api::Together | Api::Mistral => {
                        json!({ "id": id, "object": "batch", "deleted": true })
                    }
                    Api::Gemini => json!({}),
                })
            }
        }
    }

    fn batch(&self, id: &str, key: Option<&str>) -> Option<&Batch> {
        self.batch_store.batches.iter().find(|batch| batch.id == id && batch.key.as_deref() == key)
    }

    fn batch_mut(&mut self, id: &str, key: Option<&str>) -> Option<&mut Batch> {
        self.batch_store.batches.iter_mut().find(|batch| batch.id == id && batch.key.as_deref() == key)
    }

    fn create(
        &mut self,
        now: Now,
        api: Api,
        model: Option<&str>,
        key: Option<&str>,
        request: &BatchRequest<'_>,
    ) -> Reply {
        let service = service(request.asked);
        let outcome = self.batch_store.next_create();
        if outcome == CreateOutcome::Refused {
            let id = self.id();
            let status = fault::StatusFault { retry_after: Some(1), ..fault::StatusFault::new(429) };
            return service.error(Trouble::Simulated(&status), AskedBy { id: &id, model: "" });
        }
        let Ok(body) = serde_json::from_slice::<Value>(request.body) else {
            return invalid(&service, "The body is not valid JSON.");
        };
        let mut rejected = None;
        let lines = match api {
            Api::OpenAi | Api::Together | Api::Mistral => {
                let file = body["input_file_id"].as_str().or_else(|| body["input_files"][0].as_str());
                let stored = file.and_then(|file| self.batch_store.files.get(file));
                let window = &body["completion_window"];
                let inline = mistral::requests(&body);
                match (inline, stored) {
                    (Some(lines), _) if api == Api::Mistral => lines,
                    (_, None) => {
                        let file = file.unwrap_or_default();
                        return invalid(&service, &format!("Invalid input_file_id: {file}"));
                    }
                    (_, Some(_)) if api == Api::OpenAi && window != "24h" && window != "7d" => {
                        return invalid(&service, "Invalid value for completion_window, expected 24h.");
                    }
                    (_, Some(_)) if api == Api::Mistral && !body["model"].is_string() => {
                        return invalid(&service, "model or agent_id is required");
                    }
                    // A file is only validated once the batch exists.
                    (_, Some(stored)) => {
                        let lines = match api {
                            Api::Mistral => mistral::lines(&stored.bytes),
                            _ => openai::lines(&stored.bytes),
                        };
                        lines.unwrap_or_else(|wrong| {
                            rejected = Some(wrong);
                            Vec::new()
                        })
                    }
                }
            }
            Api::Anthropic => match anthropic::lines(&body) {
                Ok(lines) => lines,
                Err(message) => return invalid(&service, &message),
            },
            Api::Gemini => match gemini::lines(&body, &self.batch_store) {
                Ok(lines) => lines,
                Err(message) => return invalid(&service, &message),
            },
        };
        let counted: u64 = lines.iter().map(|line| tokens(line.body.to_string().len())).sum();
        let rejected = rejected.or_else(|| self.batch_store.rejection(counted, now.unix));
        let number = self.batch_store.number();
        let id = match api {
            Api::OpenAi | Api::Together => format!("batch_sim{number:08}"),
            Api::Mistral => format!("job-sim{number:08}"),
            Api::Anthropic => format!("msgbatch_sim{number:08}"),
            Api::Gemini => format!("batches/sim{number:08}"),
        };
        let (label, file) = match api {
            Api::OpenAi => (body["metadata"].clone(), body["input_file_id"].as_str()),
            // It knows no labels.
            Api::Together => (Value::Null, body["input_file_id"].as_str()),
            Api::Mistral => (body["metadata"].clone(), body["input_files"][0].as_str()),
            Api::Anthropic => (Value::Null, None),
            Api::Gemini => {
                (body["batch"]["displayName"].clone(), body["batch"]["inputConfig"]["fileName"].as_str())
            }
        };
        let model = model.or_else(|| body["model"].as_str().or_else(|| body["model_id"].as_str()));
        self.stats.batches += 1;
        self.batch_store.batches.push(Batch {
            id: id.clone(),
            api,
            key: key.map(str::to_owned),
            model: model
                .map(str::to_owned)
                .or_else(|| Some(lines.first()?.body["model"].as_str()?.to_owned())),
            endpoint: body["endpoint"].as_str().unwrap_or_default().to_owned(),
            label: if self.batch_store.settings.forgets_labels { Value::Null } else { label },
            input_file: file.map(str::to_owned),
            lines,
            tokens: counted,
            created: now.unix,
            cancelled: None,
            rejected,
            executed: None,
        });
        let mut reply = self.look(&service, now, &id, key, request);
        if api == Api::Together {
            let job: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            reply = ok(&json!({ "job": job, "warning": null }));
        }
        match outcome {
            CreateOutcome::Lost => Reply { ending: Ending::Fails(Moment::Before, Failure::Cut), ..reply },
            CreateOutcome::Answered | CreateOutcome::Refused => reply,
        }
    }

    fn look(
        &mut self,
        service: &Service,
        now: Now,
        id: &str,
        key: Option<&str>,
        request: &BatchRequest<'_>,
    ) -> Reply {
        self.execute_if_ended(now, id, request.headers);
        match self.batch(id, key) {
            Some(batch) => ok(&self.described(batch, now, request)),
            None => missing(service, &format!("No batch found with id '{id}'.")),
        }
    }

    fn described(&self, batch: &Batch, now: Now, request: &BatchRequest<'_>) -> Value {
        match batch.api {
            Api::OpenAi => openai::batch(&self.batch_store, batch, now.unix),
            Api::Together => together::batch(&self.batch_store, batch, now.unix),
            Api::Mistral => mistral::batch(&self.batch_store, batch, now.unix),
            Api::Anthropic => anthropic::batch(&self.batch_store, batch, now.unix, &header(request, "host")),
            Api::Gemini => gemini::batch(&self.batch_store, batch, now.unix),
        }
    }

    /// A page of batches, the newest first.
    fn list(
        &mut self,
        now: Now,
        api: Api,
        most: usize,
        after: Option<&str>,
        key: Option<&str>,
        request: &BatchRequest<'_>,
    ) -> Reply {
        let ids = |batch: &&Batch| batch.api == api && batch.key.as_deref() == key;
        let all: Vec<_> =
            self.batch_store.batches.iter().rev().filter(ids).map(|batch| batch.id.clone()).collect();
        let from = match (api, after) {
            (Api::Mistral, page) => page.and_then(|page| page.parse::<usize>().ok()).unwrap_or(0) * most,
            (_, after) => {
                after.and_then(|after| all.iter().position(|id| id == after)).map_or(0, |at| at + 1)
            }
        };
        let page: Vec<_> = all.iter().skip(from).take(most).cloned().collect();
        let has_more = from + page.len() < all.len();
        for id in &page {
            self.execute_if_ended(now, id, request.headers);
        }
        let of_page =
            page.iter().filter_map(|id| self.batch_store.batches.iter().find(|batch| batch.id == *id));
        let described: Vec<_> = of_page.map(|batch| self.described(batch, now, request)).collect();
        let (first, last) = (page.first(), page.last());
        match api {
            Api::Together => ok(&Value::from(described)),
            Api::Mistral => ok(&json!({ "object": "list", "data": described, "total": all.len() })),
            Api::OpenAi => ok(&json!({
                "object": "list", "data": described, "first_id": first, "last_id": last, "has_more": has_more,
            })),
            Api::Anthropic => {
                ok(&json!({ "data": described, "first_id": first, "last_id": last, "has_more": has_more }))
            }
            Api::Gemini => {
                ok(&json!({ "operations": described, "nextPageToken": last.filter(|_| has_more) }))
            }
        }
    }

    fn results(&mut self, service: &Service, now: Now, id: &str, key: Option<&str>) -> Reply {
        let executed = self.batch(id, key).filter(|batch| !self.batch_store.has_vanished(batch, now.unix));
        let Some(executed) = executed.and_then(|batch| batch.executed.as_ref()) else {
            return missing(service, &format!("Message batch {id} has no results."));
        };
        let lines = joined(&executed.results);
        self.download(&lines)
    }

    /// Executes the requests of a batch that has ended.
    fn execute_if_ended(&mut self, now: Now, id: &str, headers: &HeaderMap) {
        let Some(at) = self.batch_store.batches.iter().position(|batch| batch.id == id) else { return };
        let Some(batch) = self.batch_store.batches.get(at) else { return };
        let state = self.batch_store.state(batch, now.unix);
        if batch.executed.is_some() || !state.has_ended() || state == State::Failed {
            return;
        }
        let (order, count) = self.batch_store.plan(batch, state, self.seed);
        let batch = self.batch_store.batches.remove(at);
        let executed = self.execute(now, &batch, state, &order, count, headers);
        self.batch_store.batches.insert(at, Batch { executed: Some(executed), ..batch });
    }

    fn execute(
        &mut self,
        now: Now,
        batch: &Batch,
        state: State,
        order: &[usize],
        count: usize,
        headers: &HeaderMap,
    ) -> Executed {
        let (mut output, mut errors, mut executed) = (Vec::new(), Vec::new(), Executed::default());
        for (nth, line) in order.iter().filter_map(|at| batch.lines.get(*at)).enumerate() {
            let number = nth as u64 + 1;
            if nth >= count {
                executed.counts.2 += 1;
                match batch.api {
                    // A cancelled batch says nothing of what it has left out.
                    Api::OpenAi | Api::Together if state == State::Expired => {
                        errors.push(openai::expired(line, number));
                    }
                    Api::OpenAi | Api::Together | Api::Mistral => {}
                    Api::Anthropic => output.push(anthropic::skipped(line, state)),
                    Api::Gemini => output.push(gemini::skipped(batch, line)),
                }
                continue;
            }
            let (status, body) = self.executed_line(now, batch, line, headers);
            if status == 200 {
                executed.counts.0 += 1;
            } else {
                executed.counts.1 += 1;
            }
            let result = match batch.api {
                Api::OpenAi | Api::Together | Api::Mistral => openai::answered(line, number, status, &body),
                Api::Anthropic => anthropic::answered(line, status, &body),
                Api::Gemini => gemini::answered(batch, line, status, &body),
            };
            let file = if batch.api.has_files() && status != 200 { &mut errors } else { &mut output };
            for _ in 0..self.batch_store.times(&line.id, self.seed) {
                file.push(result.clone());
            }
        }
        let mut store = |api, lines: &[Value], purpose: &'static str| {
            let bytes = joined(lines);
            self.batch_store.store(api, bytes, &format!("{}_{purpose}.jsonl", batch.id), purpose, now.unix)
        };
        match batch.api {
            api @ (Api::OpenAi | Api::Together | Api::Mistral) => {
                executed.output_file = (!output.is_empty()).then(|| store(api, &output, "batch_output"));
                executed.error_file = (!errors.is_empty()).then(|| store(api, &errors, "batch_output"));
            }
            Api::Gemini if batch.input_file.is_some() => {
                executed.output_file = Some(store(Api::Gemini, &output, "batch_output"));
            }
            Api::Anthropic | Api::Gemini => executed.results = output,
        }
        executed
    }

    /// The status and the body with which the request would have been answered online, charged at the price of a batch.
    fn executed_line(&mut self, now: Now, batch: &Batch, line: &Line, headers: &HeaderMap) -> (u16, Value) {
        self.answers += 1;
        self.stats.batched += 1;
        let service = match batch.api {
            Api::OpenAi if batch.endpoint.ends_with("/responses") => Service::Responses,
            Api::OpenAi | Api::Together | Api::Mistral => Service::Chat,
            Api::Anthropic => Service::Messages,
            Api::Gemini => {
                let model = batch.model.clone().unwrap_or_default();
                Service::Gemini(Target { model, form: GeminiForm::Whole, key: None })
            }
        };
        let text = line.body.to_string();
        let call = Call { service: &service, headers, body: text.as_bytes() };
        let id = self.id();
        let reply = match self.decoded(call, &id) {
            Ok((ask, answer)) => self.answered_in_batch(now, call, &id, &ask, answer),
            Err(refused) => {
                self.stats.requests.invalid += 1;
                refused
            }
        };
        let broken =
            json!({ "error": { "message": "The request failed, as simulated.", "type": "server_error" } });
        match (&reply.ending, serde_json::from_slice(&reply.body)) {
            (Ending::Whole, Ok(body)) => (reply.status, body),
            (Ending::Whole | Ending::Fails(..), _) => (500, broken),
        }
    }

    fn answered_in_batch(&mut self, now: Now, call: Call<'_>, id: &str, ask: &Ask, answer: Answer) -> Reply {
        let answer = answer.limited(ask.most_tokens);
        let chance = ask.row.chance(self.seed);
        let nth = self.counted(ask);
        let fault = fault::draw(&self.scenario.faults, chance, &ask.row.text, nth, now.story);
        let fault: Option<FaultKind> = fault.map(|fault| fault.kind.clone());
        if let Some(fault) = &fault {
            *self.stats.faults.entry(fault.name()).or_default() += 1;
        }
        let answer = match &fault {
            Some(fault) => answer.bent(fault, ask, chance).limited(ask.most_tokens),
            None => answer,
        };
        let whole_bill = self.scenario.bill.clone();
        self.scenario.bill = whole_bill.as_ref().map(crate::bill::Bill::halved);
        let answer = self.charged(ask, answer, fault.as_ref());
        self.scenario.bill = whole_bill;
        match &fault {
            Some(FaultKind::Status(status)) => {
                call.service.error(Trouble::Simulated(status), AskedBy { id, model: &ask.model })
            }
            Some(fault) => self.faulty(now, id, ask, &answer, fault),
            None => self.answer(now, ask, &answer),
        }
    }
}

/// The service whose errors a request to a batch API gets.
pub(super) fn service(asked: &Asked) -> Service {
    match asked.api() {
        Api::OpenAi | Api::Together | Api::Mistral => Service::Chat,
        Api::Anthropic => Service::Messages,
        Api::Gemini => Service::Gemini(Target { model: String::new(), form: GeminiForm::Whole, key: None }),
    }
}

pub(super) fn header(request: &BatchRequest<'_>, name: &str) -> String {
    let value = request.headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

pub(super) fn ok(body: &Value) -> Reply {
    Reply::json(200, body.to_string().into_bytes())
}

fn refused(service: &Service, status: u16, message: &str) -> Reply {
    let fault = fault::StatusFault { message: Some(message.to_owned()), ..fault::StatusFault::new(status) };
    service.error(Trouble::Simulated(&fault), AskedBy { id: "req_sim_batch", model: "" })
}

pub(super) fn missing(service: &Service, message: &str) -> Reply {
    refused(service, 404, message)
}

pub(super) fn invalid(service: &Service, message: &str) -> Reply {
    refused(service, 400, message)
}

/// JSON Lines.
fn joined(lines: &[Value]) -> Bytes {
    lines
        .iter()
        .fold(Vec::new(), |mut text, line| {
            text.extend_from_slice(line.to_string().as_bytes());
            text.push(b'\n');
            text
        })
        .into()
}
