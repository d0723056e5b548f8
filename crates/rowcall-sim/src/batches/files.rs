//! The files of the batch APIs: uploads in one, two or three requests, and downloads.

use bytes::Bytes;
use serde_json::{Value, json};

use super::requests::{BatchRequest, header, invalid, missing, ok};
use super::{Api, gemini, mistral, multipart, openai, together};
use crate::fault::{Moment, StatusFault};
use crate::protocol::Service;
use crate::reply::{Ending, Failure, Reply};
use crate::simulation::Simulation;
use crate::timestamp::Now;
use crate::trouble::{Asked as AskedBy, Trouble};

impl Simulation {
    pub(super) fn upload(&mut self, now: Now, api: Api, request: &BatchRequest<'_>) -> Reply {
        let kind = header(request, "content-type");
        if api == Api::Together {
            return self.announce_upload(&kind, request);
        }
        let Some((bytes, name)) = multipart::part(&kind, request.body, "file") else {
            return invalid(&Service::Chat, "The form has no part `file`.");
        };
        let (bytes, name) = (Bytes::copy_from_slice(bytes), name.unwrap_or_default());
        let id = self.batch_store.store(api, bytes, &name, "batch", now.unix);
        self.stats.uploaded_files += 1;
        self.described_file(&Service::Chat, api, &id)
    }

    /// Together takes the name, the type and the hash of a file, and answers with the address for its content.
    fn announce_upload(&mut self, kind: &str, request: &BatchRequest<'_>) -> Reply {
        let field = |name: &str| {
            let found = multipart::part(kind, request.body, name)?;
            Some(String::from_utf8_lossy(found.0).into_owned())
        };
        let (purpose, name, kind) = (field("purpose"), field("file_name"), field("file_type"));
        let (Some("batch-api"), Some(name), Some("jsonl")) = (purpose.as_deref(), name, kind.as_deref())
        else {
            return invalid(&Service::Chat, "Expected purpose=batch-api, file_name and file_type=jsonl.");
        };
        if field("checksum").is_none_or(|checksum| checksum.len() != 64) {
            return invalid(&Service::Chat, "Expected a checksum of SHA-256.");
        }
        let id = format!("file-sim{:08}", self.batch_store.number());
        let url = format!("http://{}/together/upload/{id}", header(request, "host"));
        self.batch_store.uploads.insert(id.clone(), name);
        Reply::json(302, Vec::new()).with_headers(vec![("location", url), ("x-together-file-id", id)])
    }

    pub(super) fn begin_upload(&mut self, request: &BatchRequest<'_>) -> Reply {
        let body: Value = serde_json::from_slice(request.body).unwrap_or_default();
        let name = body["file"]["displayName"].as_str().unwrap_or_default().to_owned();
        let id = self.batch_store.number().to_string();
        let url = format!("http://{}/upload/v1/files?upload_id={id}", header(request, "host"));
        self.batch_store.uploads.insert(id, name);
        ok(&json!({}))
            .with_headers(vec![("x-goog-upload-url", url), ("x-goog-upload-status", "active".to_owned())])
    }

    pub(super) fn end_upload(&mut self, now: Now, api: Api, id: &str, request: &BatchRequest<'_>) -> Reply {
        let Some(name) = self.batch_store.uploads.get(id).cloned() else {
            return missing(&super::requests::service(request.asked), "No such upload.");
        };
        let bytes = request.body.clone();
        if api == Api::Together {
            // Such an address is a permission, and the file stores behind it refuse a second one.
            if request.headers.contains_key("authorization") {
                return invalid(&Service::Chat, "Only one auth mechanism allowed.");
            }
            // It may be used again, and its answer is that of a file store.
            self.stats.uploaded_files += u64::from(!self.batch_store.files.contains_key(id));
            self.batch_store.store_as(id, bytes, &name, "batch", now.unix);
            return Reply::new(200, "text/plain", Vec::new());
        }
        self.stats.uploaded_files += 1;
        self.batch_store.uploads.remove(id);
        let id = self.batch_store.store(Api::Gemini, bytes, &name, "batch", now.unix);
        let file = self.batch_store.files.get(&id).map(|stored| gemini::file(&id, stored));
        ok(&json!({ "file": file })).with_headers(vec![("x-goog-upload-status", "final".to_owned())])
    }

    pub(super) fn described_file(&self, service: &Service, api: Api, id: &str) -> Reply {
        let Some(stored) = self.batch_store.files.get(id) else {
            return missing(service, &format!("No such File object: {id}"));
        };
        ok(&match api {
            Api::OpenAi | Api::Anthropic => openai::file(id, stored),
            Api::Together => together::file(id, stored),
            Api::Mistral => mistral::file(id, stored),
            Api::Gemini => gemini::file(id, stored),
        })
    }

    pub(super) fn delete_file(&mut self, service: &Service, api: Api, id: &str) -> Reply {
        if self.batch_store.settings.keeps_files {
            let status = StatusFault::new(500);
            return service.error(Trouble::Simulated(&status), AskedBy { id: "req_sim_file", model: "" });
        }
        let Some(file) = self.batch_store.files.remove(id) else {
            return missing(service, &format!("No such File object: {id}"));
        };
        self.stats.uploaded_files -= u64::from(file.purpose == "batch");
        ok(&match api {
            Api::OpenAi | Api::Mistral | Api::Anthropic => {
                json!({ "id": id, "object": "file", "deleted": true })
            }
            Api::Together => json!({ "id": id, "deleted": true }),
            Api::Gemini => json!({}),
        })
    }

    pub(super) fn content(&mut self, service: &Service, now: Now, id: &str) -> Reply {
        let of = self.batch_store.batches.iter().find(|batch| {
            batch.executed.as_ref().is_some_and(|executed| {
                [&executed.output_file, &executed.error_file].into_iter().flatten().any(|file| file == id)
            })
        });
        let has_vanished = of.is_some_and(|batch| self.batch_store.has_vanished(batch, now.unix));
        let stored = self.batch_store.files.get(id).filter(|_| !has_vanished);
        match stored.map(|stored| stored.bytes.clone()) {
            Some(bytes) => self.download(&bytes),
            None => missing(service, &format!("No such File object: {id}")),
        }
    }

    /// A download, which breaks in the middle if the scenario says so.
    pub(super) fn download(&mut self, bytes: &Bytes) -> Reply {
        self.batch_store.downloads += 1;
        let reply = Reply::new(200, "application/octet-stream", bytes.to_vec());
        if self.batch_store.downloads <= self.batch_store.settings.broken_downloads {
            return Reply { ending: Ending::Fails(Moment::Midway, Failure::Cut), ..reply };
        }
        reply
    }
}
