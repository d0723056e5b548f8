//! Requests to the batch APIs, played in the simulation.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::desk::Luck;
use super::{Api, Asked, Batch, Executed, Line, State, anthropic, gemini, multipart, openai};
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
pub(crate) struct Errand<'e> {
    pub(crate) asked: &'e Asked,
    pub(crate) headers: &'e HeaderMap,
    pub(crate) body: &'e Bytes,
}

impl Simulation {
    /// The answer to a request to a batch API that arrived at `now`.
    pub(crate) fn run_errand(&mut self, now: Duration, errand: &Errand<'_>) -> Reply {
        self.stats.errands += 1;
        let began = *self.began.get_or_insert(now);
        let now = Now { story: now.saturating_sub(began), unix: self.epoch + now };
        let service = service(errand.asked);
        let key = service.key(errand.headers);
        let key = key.as_deref();
        if let Some(expected) = &self.scenario.key
            && key != Some(expected.as_str())
        {
            let id = self.id();
            return service.error(Trouble::Key(key), AskedBy { id: &id, model: "" });
        }
        match errand.asked {
            Asked::Upload => self.upload(now, errand),
            Asked::BeginUpload => self.begin_upload(errand),
            Asked::EndUpload(id) => self.end_upload(now, id, errand),
            Asked::File(api, id) => match self.desk.files.get(id) {
                Some(stored) if *api == Api::Gemini => ok(&gemini::file(id, stored)),
                Some(stored) => ok(&openai::file(id, stored)),
                None => missing(&service, &format!("No such File object: {id}")),
            },
            Asked::Content(id) => self.content(&service, now, id),
            Asked::DeleteFile(id) => {
                self.desk.files.remove(id);
                ok(&json!({ "id": id, "object": "file", "deleted": true }))
            }
            Asked::Create(api, model) => self.create(now, *api, model.as_deref(), key, errand),
            Asked::Look(_, id) => self.look(&service, now, id, key, errand),
            Asked::List(api, most, after) => self.list(now, *api, *most, after.as_deref(), key, errand),
            Asked::Cancel(api, id) => {
                let cancelled = self.batch_mut(id, key).map(|batch| {
                    batch.cancelled.get_or_insert(now.unix);
                });
                match cancelled {
                    Some(()) if *api == Api::Gemini => ok(&json!({})),
                    _ => self.look(&service, now, id, key, errand),
                }
            }
            Asked::Results(id) => self.results(&service, now, id, key),
            Asked::DeleteBatch(_, id) => {
                self.desk.batches.retain(|batch| batch.id != *id);
                ok(&json!({ "id": id, "type": "message_batch_deleted" }))
            }
        }
    }

    fn batch(&self, id: &str, key: Option<&str>) -> Option<&Batch> {
        self.desk.batches.iter().find(|batch| batch.id == id && batch.key.as_deref() == key)
    }

    fn batch_mut(&mut self, id: &str, key: Option<&str>) -> Option<&mut Batch> {
        self.desk.batches.iter_mut().find(|batch| batch.id == id && batch.key.as_deref() == key)
    }

    fn upload(&mut self, now: Now, errand: &Errand<'_>) -> Reply {
        let kind = header(errand, "content-type");
        let Some((bytes, name)) = multipart::part(&kind, errand.body, "file") else {
            return missing(&Service::Chat, "The form has no part `file`.");
        };
        let (bytes, name) = (Bytes::copy_from_slice(bytes), name.unwrap_or_default());
        let id = self.desk.store(Api::OpenAi, bytes, &name, "batch", now.unix);
        self.desk.files.get(&id).map_or_else(|| ok(&Value::Null), |stored| ok(&openai::file(&id, stored)))
    }

    fn begin_upload(&mut self, errand: &Errand<'_>) -> Reply {
        let body: Value = serde_json::from_slice(errand.body).unwrap_or_default();
        let name = body["file"]["displayName"].as_str().unwrap_or_default().to_owned();
        let id = self.desk.number().to_string();
        let url = format!("http://{}/upload/v1/files?upload_id={id}", header(errand, "host"));
        self.desk.uploads.insert(id, name);
        ok(&json!({}))
            .with_headers(vec![("x-goog-upload-url", url), ("x-goog-upload-status", "active".to_owned())])
    }

    fn end_upload(&mut self, now: Now, id: &str, errand: &Errand<'_>) -> Reply {
        let Some(name) = self.desk.uploads.remove(id) else {
            return missing(&service(errand.asked), "No such upload.");
        };
        let id = self.desk.store(Api::Gemini, errand.body.clone(), &name, "batch", now.unix);
        let file = self.desk.files.get(&id).map(|stored| gemini::file(&id, stored));
        ok(&json!({ "file": file })).with_headers(vec![("x-goog-upload-status", "final".to_owned())])
    }

    fn content(&mut self, service: &Service, now: Now, id: &str) -> Reply {
        let of = self.desk.batches.iter().find(|batch| {
            batch.executed.as_ref().is_some_and(|executed| {
                [&executed.output_file, &executed.error_file].into_iter().flatten().any(|file| file == id)
            })
        });
        let has_vanished = of.is_some_and(|batch| self.desk.has_vanished(batch, now.unix));
        let bytes = self.desk.files.get(id).filter(|_| !has_vanished).map(|stored| stored.bytes.clone());
        match bytes {
            Some(bytes) => self.download(&bytes),
            None => missing(service, &format!("No such File object: {id}")),
        }
    }

    /// A download, which breaks in the middle if the scenario says so.
    fn download(&mut self, bytes: &Bytes) -> Reply {
        self.desk.downloads += 1;
        let reply = Reply::new(200, "application/octet-stream", bytes.to_vec());
        if self.desk.downloads <= self.desk.settings.broken_downloads {
            return Reply { ending: Ending::Fails(Moment::Midway, Failure::Cut), ..reply };
        }
        reply
    }

    fn create(
        &mut self,
        now: Now,
        api: Api,
        model: Option<&str>,
        key: Option<&str>,
        errand: &Errand<'_>,
    ) -> Reply {
        let service = service(errand.asked);
        let luck = self.desk.draw();
        if luck == Luck::Refused {
            let id = self.id();
            let status = fault::StatusFault { retry_after: Some(1), ..fault::StatusFault::new(429) };
            return service.error(Trouble::Simulated(&status), AskedBy { id: &id, model: "" });
        }
        let Ok(body) = serde_json::from_slice::<Value>(errand.body) else {
            return invalid(&service, "The body is not valid JSON.");
        };
        let mut rejected = None;
        let lines = match api {
            Api::OpenAi => {
                let file = body["input_file_id"].as_str().unwrap_or_default();
                let Some(stored) = self.desk.files.get(file) else {
                    return invalid(&service, &format!("Invalid input_file_id: {file}"));
                };
                if body["completion_window"] != "24h" {
                    return invalid(&service, "Invalid value for completion_window, expected 24h.");
                }
                // A file is only validated once the batch exists.
                openai::lines(&stored.bytes).unwrap_or_else(|wrong| {
                    rejected = Some(wrong);
                    Vec::new()
                })
            }
            Api::Anthropic => match anthropic::lines(&body) {
                Ok(lines) => lines,
                Err(message) => return invalid(&service, &message),
            },
            Api::Gemini => match gemini::lines(&body, &self.desk) {
                Ok(lines) => lines,
                Err(message) => return invalid(&service, &message),
            },
        };
        let counted: u64 = lines.iter().map(|line| tokens(line.body.to_string().len())).sum();
        let rejected = rejected.or_else(|| self.desk.rejection(counted, now.unix));
        let number = self.desk.number();
        let id = match api {
            Api::OpenAi => format!("batch_sim{number:08}"),
            Api::Anthropic => format!("msgbatch_sim{number:08}"),
            Api::Gemini => format!("batches/sim{number:08}"),
        };
        let (label, file) = match api {
            Api::OpenAi => (body["metadata"].clone(), body["input_file_id"].as_str()),
            Api::Anthropic => (Value::Null, None),
            Api::Gemini => {
                (body["batch"]["displayName"].clone(), body["batch"]["inputConfig"]["fileName"].as_str())
            }
        };
        self.stats.batches += 1;
        self.desk.batches.push(Batch {
            id: id.clone(),
            api,
            key: key.map(str::to_owned),
            model: model
                .map(str::to_owned)
                .or_else(|| Some(lines.first()?.body["model"].as_str()?.to_owned())),
            endpoint: body["endpoint"].as_str().unwrap_or_default().to_owned(),
            label: if self.desk.settings.forgets_labels { Value::Null } else { label },
            input_file: file.map(str::to_owned),
            lines,
            tokens: counted,
            created: now.unix,
            cancelled: None,
            rejected,
            executed: None,
        });
        let reply = self.look(&service, now, &id, key, errand);
        match luck {
            Luck::Lost => Reply { ending: Ending::Fails(Moment::Before, Failure::Cut), ..reply },
            Luck::Answered | Luck::Refused => reply,
        }
    }

    fn look(
        &mut self,
        service: &Service,
        now: Now,
        id: &str,
        key: Option<&str>,
        errand: &Errand<'_>,
    ) -> Reply {
        self.execute_if_ended(now, id, errand.headers);
        match self.batch(id, key) {
            Some(batch) => ok(&self.described(batch, now, errand)),
            None => missing(service, &format!("No batch found with id '{id}'.")),
        }
    }

    fn described(&self, batch: &Batch, now: Now, errand: &Errand<'_>) -> Value {
        match batch.api {
            Api::OpenAi => openai::batch(&self.desk, batch, now.unix),
            Api::Anthropic => anthropic::batch(&self.desk, batch, now.unix, &header(errand, "host")),
            Api::Gemini => gemini::batch(&self.desk, batch, now.unix),
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
        errand: &Errand<'_>,
    ) -> Reply {
        let ids = |batch: &&Batch| batch.api == api && batch.key.as_deref() == key;
        let all: Vec<_> = self.desk.batches.iter().rev().filter(ids).map(|batch| batch.id.clone()).collect();
        let from = after.and_then(|after| all.iter().position(|id| id == after)).map_or(0, |at| at + 1);
        let page: Vec<_> = all.iter().skip(from).take(most).cloned().collect();
        let has_more = from + page.len() < all.len();
        for id in &page {
            self.execute_if_ended(now, id, errand.headers);
        }
        let of_page = page.iter().filter_map(|id| self.desk.batches.iter().find(|batch| batch.id == *id));
        let described: Vec<_> = of_page.map(|batch| self.described(batch, now, errand)).collect();
        let (first, last) = (page.first(), page.last());
        match api {
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
        let executed = self.batch(id, key).filter(|batch| !self.desk.has_vanished(batch, now.unix));
        let Some(executed) = executed.and_then(|batch| batch.executed.as_ref()) else {
            return missing(service, &format!("Message batch {id} has no results."));
        };
        let lines = joined(&executed.results);
        self.download(&lines)
    }

    /// Executes the requests of a batch that has ended.
    fn execute_if_ended(&mut self, now: Now, id: &str, headers: &HeaderMap) {
        let Some(at) = self.desk.batches.iter().position(|batch| batch.id == id) else { return };
        let Some(batch) = self.desk.batches.get(at) else { return };
        let state = self.desk.state(batch, now.unix);
        if batch.executed.is_some() || !state.has_ended() || state == State::Failed {
            return;
        }
        let (order, count) = self.desk.plan(batch, state, self.seed);
        let batch = self.desk.batches.remove(at);
        let executed = self.execute(now, &batch, state, &order, count, headers);
        self.desk.batches.insert(at, Batch { executed: Some(executed), ..batch });
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
                    Api::OpenAi if state == State::Expired => errors.push(openai::expired(line, number)),
                    Api::OpenAi => {}
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
                Api::OpenAi => openai::answered(line, number, status, &body),
                Api::Anthropic => anthropic::answered(line, status, &body),
                Api::Gemini => gemini::answered(batch, line, status, &body),
            };
            let file = if batch.api == Api::OpenAi && status != 200 { &mut errors } else { &mut output };
            for _ in 0..self.desk.times(&line.id, self.seed) {
                file.push(result.clone());
            }
        }
        let mut store = |api, lines: &[Value], purpose: &'static str| {
            let bytes = joined(lines);
            self.desk.store(api, bytes, &format!("{}_{purpose}.jsonl", batch.id), purpose, now.unix)
        };
        match batch.api {
            Api::OpenAi => {
                executed.output_file =
                    (!output.is_empty()).then(|| store(Api::OpenAi, &output, "batch_output"));
                executed.error_file =
                    (!errors.is_empty()).then(|| store(Api::OpenAi, &errors, "batch_output"));
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
            Api::OpenAi => Service::Chat,
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
fn service(asked: &Asked) -> Service {
    let api = match asked {
        Asked::Upload | Asked::Content(_) | Asked::DeleteFile(_) => Api::OpenAi,
        Asked::BeginUpload | Asked::EndUpload(_) => Api::Gemini,
        Asked::Results(_) => Api::Anthropic,
        Asked::File(api, _)
        | Asked::Create(api, _)
        | Asked::Look(api, _)
        | Asked::List(api, ..)
        | Asked::Cancel(api, _)
        | Asked::DeleteBatch(api, _) => *api,
    };
    match api {
        Api::OpenAi => Service::Chat,
        Api::Anthropic => Service::Messages,
        Api::Gemini => Service::Gemini(Target { model: String::new(), form: GeminiForm::Whole, key: None }),
    }
}

fn header(errand: &Errand<'_>, name: &str) -> String {
    let value = errand.headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

fn ok(body: &Value) -> Reply {
    Reply::json(200, body.to_string().into_bytes())
}

fn refused(service: &Service, status: u16, message: &str) -> Reply {
    let fault = fault::StatusFault { message: Some(message.to_owned()), ..fault::StatusFault::new(status) };
    service.error(Trouble::Simulated(&fault), AskedBy { id: "req_sim_batch", model: "" })
}

fn missing(service: &Service, message: &str) -> Reply {
    refused(service, 404, message)
}

fn invalid(service: &Service, message: &str) -> Reply {
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
