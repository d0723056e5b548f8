//! What a request to a batch API asks for. OpenAI and Gemini have paths in common, and ids distinguish them. Where other providers with
//! OpenAI's paths differ, their name stands in front: `/mistral/v1/files`, `/together/v1/files`.

use http::{Method, Uri};

use crate::route::below_provider;

/// A provider's batch API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    OpenAi,
    Together,
    Mistral,
    Anthropic,
    Gemini,
}

impl Api {
    /// Whether its results are in an output and an error file.
    pub(crate) fn has_files(self) -> bool {
        match self {
            Self::OpenAi | Self::Together | Self::Mistral => true,
            Self::Anthropic | Self::Gemini => false,
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// An upload in one request, or, at Together, its announcement.
    Upload(Api),
    /// The beginning of an upload in two requests.
    BeginUpload,
    /// The content of an upload that was announced.
    EndUpload(Api, String),
    /// The end of an upload at Together.
    Preprocess(String),
    /// What is known of a file.
    File(Api, String),
    /// What is in a file.
    Content(String),
    DeleteFile(Api, String),
    /// A batch of requests for this model, if the path names one.
    Create(Api, Option<String>),
    Look(Api, String),
    /// A page of batches: how many, and after which, or the number of the page.
    List(Api, usize, Option<String>),
    Cancel(Api, String),
    /// The results of a batch that has them at its own path.
    Results(String),
    DeleteBatch(Api, String),
}

impl Asked {
    /// The API that is asked.
    pub(crate) fn api(&self) -> Api {
        match self {
            Self::Content(id) if id.starts_with("files/") => Api::Gemini,
            Self::Content(_) => Api::OpenAi,
            Self::BeginUpload => Api::Gemini,
            Self::Preprocess(_) => Api::Together,
            Self::Results(_) => Api::Anthropic,
            Self::Upload(api)
            | Self::EndUpload(api, _)
            | Self::File(api, _)
            | Self::DeleteFile(api, _)
            | Self::Create(api, _)
            | Self::Look(api, _)
            | Self::List(api, ..)
            | Self::Cancel(api, _)
            | Self::DeleteBatch(api, _) => *api,
        }
    }

    /// What `method` on `uri` asks for, if it belongs to a batch API.
    pub(crate) fn of(method: &Method, uri: &Uri) -> Option<Self> {
        let query = uri.query().unwrap_or_default();
        let parameter = |name: &str| {
            let found = query.split('&').find_map(|each| each.strip_prefix(name)?.strip_prefix('='));
            found.map(str::to_owned)
        };
        let (provider, path) = below_provider(uri.path());
        let api = match provider {
            Some("together") => Api::Together,
            Some("mistral") => Api::Mistral,
            _ => Api::OpenAi,
        };
        let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        // Clients give base URLs with and without a version, and some add their own.
        let mut is_beta = false;
        while let Some(["v1" | "v1beta", ..]) = parts.get(..1) {
            is_beta |= parts.remove(0) == "v1beta";
        }
        let page = |most: &str| parameter(most).and_then(|most| most.parse().ok()).unwrap_or(20_usize);
        let own = |id: &str| id.to_owned();
        Some(match (method.as_str(), parts.as_slice()) {
            ("POST", ["upload", .., "files"]) => match parameter("upload_id") {
                Some(id) => Self::EndUpload(Api::Gemini, id),
                None => Self::BeginUpload,
            },
            ("PUT", ["upload", .., "files"]) => Self::EndUpload(Api::Gemini, parameter("upload_id")?),
            ("PUT", ["upload", id]) => Self::EndUpload(api, own(id)),
            ("POST", ["files"]) => Self::Upload(api),
            ("POST", ["files", id, "preprocess"]) => Self::Preprocess(own(id)),
            ("GET", ["files", id, "content"]) => Self::Content(own(id)),
            ("GET", ["files", id]) => match id.strip_suffix(":download") {
                Some(id) => Self::Content(format!("files/{id}")),
                None if id.starts_with("file-") => Self::File(api, own(id)),
                None => Self::File(Api::Gemini, format!("files/{id}")),
            },
            ("DELETE", ["files", id]) if id.starts_with("file-") => Self::DeleteFile(api, own(id)),
            ("DELETE", ["files", id]) => Self::DeleteFile(Api::Gemini, format!("files/{id}")),
            ("POST", ["batches"]) => Self::Create(api, None),
            ("GET", ["batches"]) if is_beta || query.contains("pageSize") => {
                Self::List(Api::Gemini, page("pageSize"), parameter("pageToken"))
            }
            ("GET", ["batches"]) if api == Api::Together => Self::List(api, usize::MAX, None),
            ("GET", ["batches"]) => Self::List(api, page("limit"), parameter("after")),
            ("GET", ["batches", id]) if id.starts_with("batch_") => Self::Look(api, own(id)),
            ("GET", ["batches", id]) => Self::Look(Api::Gemini, format!("batches/{id}")),
            ("POST", ["batches", id, "cancel"]) => Self::Cancel(api, own(id)),
            ("POST", ["batches", id]) => {
                Self::Cancel(Api::Gemini, format!("batches/{}", id.strip_suffix(":cancel")?))
            }
            ("DELETE", ["batches", id]) => Self::DeleteBatch(Api::Gemini, format!("batches/{id}")),
            ("POST", ["batch", "jobs"]) => Self::Create(Api::Mistral, None),
            ("GET", ["batch", "jobs"]) => Self::List(Api::Mistral, page("page_size"), parameter("page")),
            ("GET", ["batch", "jobs", id]) => Self::Look(Api::Mistral, own(id)),
            ("POST", ["batch", "jobs", id, "cancel"]) => Self::Cancel(Api::Mistral, own(id)),
            ("DELETE", ["batch", "jobs", id]) => Self::DeleteBatch(Api::Mistral, own(id)),
            ("POST", ["messages", "batches"]) => Self::Create(Api::Anthropic, None),
            ("GET", ["messages", "batches"]) => {
                Self::List(Api::Anthropic, page("limit"), parameter("after_id"))
            }
            ("GET", ["messages", "batches", id]) => Self::Look(Api::Anthropic, own(id)),
            ("GET", ["messages", "batches", id, "results"]) => Self::Results(own(id)),
            ("POST", ["messages", "batches", id, "cancel"]) => Self::Cancel(Api::Anthropic, own(id)),
            ("DELETE", ["messages", "batches", id]) => Self::DeleteBatch(Api::Anthropic, own(id)),
            ("POST", ["models", model]) => {
                Self::Create(Api::Gemini, Some(model.strip_suffix(":batchGenerateContent")?.to_owned()))
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_distinguished() {
        let id = |id: &str| id.to_owned();
        for (method, path, asked) in [
            ("POST", "/v1/files", Asked::Upload(Api::OpenAi)),
            ("POST", "/openai/v1/files", Asked::Upload(Api::OpenAi)),
            ("POST", "/together/v1/files", Asked::Upload(Api::Together)),
            ("PUT", "/together/upload/file-1", Asked::EndUpload(Api::Together, id("file-1"))),
            ("POST", "/together/v1/files/file-1/preprocess", Asked::Preprocess(id("file-1"))),
            ("GET", "/together/v1/batches", Asked::List(Api::Together, usize::MAX, None)),
            ("GET", "/mistral/v1/batch/jobs?page=2", Asked::List(Api::Mistral, 20, Some(id("2")))),
            ("POST", "/v1/batch/jobs/j1/cancel", Asked::Cancel(Api::Mistral, id("j1"))),
            ("GET", "/v1/files/file-1/content", Asked::Content(id("file-1"))),
            ("GET", "/v1beta/files/x1:download?alt=media", Asked::Content(id("files/x1"))),
            ("POST", "/v1/batches", Asked::Create(Api::OpenAi, None)),
            ("GET", "/v1/batches?limit=2&after=batch_3", Asked::List(Api::OpenAi, 2, Some(id("batch_3")))),
            ("GET", "/v1/v1beta/batches", Asked::List(Api::Gemini, 20, None)),
            ("GET", "/v1/batches/batch_1", Asked::Look(Api::OpenAi, id("batch_1"))),
            ("GET", "/v1/batches/s1", Asked::Look(Api::Gemini, id("batches/s1"))),
            ("POST", "/v1/batches/s1:cancel", Asked::Cancel(Api::Gemini, id("batches/s1"))),
            ("POST", "/v1/v1/messages/batches", Asked::Create(Api::Anthropic, None)),
            ("GET", "/v1/messages/batches/msgbatch_1/results", Asked::Results(id("msgbatch_1"))),
            ("POST", "/v1/models/m:batchGenerateContent", Asked::Create(Api::Gemini, Some(id("m")))),
            ("POST", "/upload/v1/files", Asked::BeginUpload),
            ("POST", "/upload/v1/files?upload_id=7", Asked::EndUpload(Api::Gemini, id("7"))),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(Asked::of(&method, &path.parse().unwrap()), Some(asked), "{path}");
        }
        for path in ["/v1/messages", "/v1/models/m:generateContent", "/v1/chat/completions"] {
            assert_eq!(Asked::of(&Method::POST, &path.parse().unwrap()), None, "{path}");
        }
    }
}
