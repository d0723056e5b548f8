//! The upload of a batch's requests: one request, or several where the server names another address for the content. Also what becomes of
//! the file afterwards.

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use super::{BatchApi, Spool, unreadable};
use crate::fault::Fault;
use crate::request::{Call, Destination, Payload, Response};

/// The media type of a file of requests.
const JSON_LINES: &str = "application/jsonl";

/// The next request of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadStep {
    /// The first: the whole file, or its announcement.
    Begin,
    /// The content, to the address that the server has named.
    Content {
        /// The address.
        url: String,
        /// The file's id, if it is known by now.
        id: Option<String>,
    },
    /// The request to take up the content of the file with this id.
    Confirm {
        /// The file's id.
        id: String,
    },
}

/// What an answer to a step of an upload says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uploaded {
    /// This step is next.
    Next(UploadStep),
    /// The file is there, with this id.
    File(String),
}

impl BatchApi {
    /// The request of this step.
    pub fn upload(self, step: &UploadStep, spool: &Spool) -> Call {
        match (self, step) {
            (Self::Gemini, UploadStep::Begin) => announced(spool),
            (Self::Together, UploadStep::Begin) => {
                let name = format!("{}.jsonl", spool.label);
                let fields = [
                    ("purpose", "batch-api"),
                    ("file_name", &*name),
                    ("file_type", "jsonl"),
                    ("checksum", &*spool.checksum),
                ];
                form(&fields, spool, None)
            }
            (Self::OpenAi | Self::Mistral | Self::Anthropic, UploadStep::Begin) => {
                form(&[("purpose", "batch")], spool, Some(spool))
            }
            (_, UploadStep::Content { url, .. }) => {
                let method = if self == Self::Gemini { Method::POST } else { Method::PUT };
                let headers = match self {
                    Self::Gemini => headers(&[
                        ("x-goog-upload-command", "upload, finalize".to_owned()),
                        ("x-goog-upload-offset", "0".to_owned()),
                    ]),
                    Self::OpenAi | Self::Together | Self::Mistral | Self::Anthropic => Vec::new(),
                };
                Call { method, to: Destination::Given(url.clone()), headers, payload: content(spool) }
            }
            (_, UploadStep::Confirm { id }) => Call::empty(Method::POST, format!("/files/{id}/preprocess")),
        }
    }

    /// What the answer to a step says.
    ///
    /// # Errors
    /// The fault that the response reports.
    pub fn uploaded_by(self, step: &UploadStep, response: &Response) -> Result<Uploaded, Fault> {
        match (self, step) {
            (Self::Together, UploadStep::Begin) => {
                let header = |name: &str| response.header(name).map(str::to_owned);
                let known = serde_json::from_slice::<Value>(&response.body).unwrap_or_default();
                match (response.status, header("location"), header("x-together-file-id")) {
                    (301..=308, Some(url), Some(id)) => {
                        Ok(Uploaded::Next(UploadStep::Content { url, id: Some(id) }))
                    }
                    // The same content was uploaded before. As it names this batch, it was by us.
                    (409, ..) if known["file_id"].is_string() => {
                        Ok(Uploaded::File(known["file_id"].as_str().unwrap_or_default().to_owned()))
                    }
                    (200..400, ..) => Err(unreadable("an address for the file", response)),
                    _ => Err(self.fault(response)),
                }
            }
            (Self::Gemini, UploadStep::Begin) => {
                self.body(response)?;
                let url = response.header("x-goog-upload-url");
                let url = url.ok_or_else(|| unreadable("an address for the file", response))?;
                Ok(Uploaded::Next(UploadStep::Content { url: url.to_owned(), id: None }))
            }
            (_, UploadStep::Content { id: Some(id), .. }) if response.is_success() => {
                Ok(Uploaded::Next(UploadStep::Confirm { id: id.clone() }))
            }
            (_, UploadStep::Content { id: Some(_), .. }) => Err(self.fault(response)),
            (_, UploadStep::Begin | UploadStep::Content { id: None, .. } | UploadStep::Confirm { .. }) => {
                self.uploaded(response).map(Uploaded::File)
            }
        }
    }

    /// The step to take after a fault of this one that may be of chance. Google's address for the content takes it once.
    pub fn upload_again(self, step: UploadStep) -> UploadStep {
        match self {
            Self::Gemini => UploadStep::Begin,
            Self::OpenAi | Self::Together | Self::Mistral | Self::Anthropic => step,
        }
    }

    /// The id of a file that is described.
    ///
    /// # Errors
    /// The fault that the response reports.
    pub fn uploaded(self, response: &Response) -> Result<String, Fault> {
        let body = self.body(response)?;
        let id = body["id"].as_str().or_else(|| body["file"]["name"].as_str());
        id.map(str::to_owned).ok_or_else(|| unreadable("an uploaded file", response))
    }

    /// The request to delete an uploaded file.
    pub fn delete_file(self, id: &str) -> Call {
        let path = match self {
            Self::OpenAi | Self::Together | Self::Mistral | Self::Anthropic => format!("/files/{id}"),
            Self::Gemini => format!("/v1/{id}"),
        };
        self.with_headers(Call::empty(Method::DELETE, path))
    }
}

fn content(spool: &Spool) -> Payload {
    let none = bytes::Bytes::new();
    Payload::File { before: none.clone(), path: spool.path.clone(), length: spool.length, after: none }
}

fn headers(all: &[(&'static str, String)]) -> Vec<(HeaderName, HeaderValue)> {
    let header = |(name, value): &(&'static str, String)| {
        Some((HeaderName::from_static(name), HeaderValue::try_from(value).ok()?))
    };
    all.iter().filter_map(header).collect()
}

/// Google's first request: what is about to come.
fn announced(spool: &Spool) -> Call {
    let body = json!({"file": {"displayName": spool.label, "mimeType": JSON_LINES}});
    let headers = headers(&[
        ("x-goog-upload-protocol", "resumable".to_owned()),
        ("x-goog-upload-command", "start".to_owned()),
        ("x-goog-upload-header-content-length", spool.length.to_string()),
        ("x-goog-upload-header-content-type", JSON_LINES.to_owned()),
    ]);
    Call { headers, ..Call::post("/upload/v1/files", body.to_string()) }
}

/// A form with these fields and then, if there is one, the file.
fn form(fields: &[(&str, &str)], spool: &Spool, file: Option<&Spool>) -> Call {
    // The label is made of letters, digits and `_`, and occurs in no line as a whole line with two dashes before it.
    let boundary = format!("----rowcall-{}", spool.label);
    let mut before = String::new();
    for (name, value) in fields {
        before.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    let kind = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"));
    let headers = kind.map(|kind| (CONTENT_TYPE, kind)).into_iter().collect();
    let Some(file) = file else {
        let text = format!("{before}--{boundary}--\r\n");
        return Call { headers, ..Call::post("/files", text) };
    };
    before.push_str(&format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}.jsonl\"\r\n\
         Content-Type: {JSON_LINES}\r\n\r\n",
        file.label
    ));
    let payload = Payload::File {
        before: before.into(),
        path: file.path.clone(),
        length: file.length,
        after: format!("\r\n--{boundary}--\r\n").into(),
    };
    Call { headers, payload, ..Call::empty(Method::POST, "/files") }
}
