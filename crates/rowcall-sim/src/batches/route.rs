//! What a request to a batch API asks for. OpenAI and Gemini have paths in common, and ids distinguish them.

use http::{Method, Uri};

/// A provider's batch API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    OpenAi,
    Anthropic,
    Gemini,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// An upload in one request.
    Upload,
    /// The beginning of an upload in two requests.
    BeginUpload,
    /// The rest of one.
    EndUpload(String),
    /// What is known of a file.
    File(Api, String),
    /// What is in a file.
    Content(String),
    DeleteFile(String),
    /// A batch of requests for this model, if the path names one.
    Create(Api, Option<String>),
    Look(Api, String),
    /// A page of batches: how many, and after which.
    List(Api, usize, Option<String>),
    Cancel(Api, String),
    /// The results of a batch that has them at its own path.
    Results(String),
    DeleteBatch(Api, String),
}

impl Asked {
    /// What `method` on `uri` asks for, if it belongs to a batch API.
    pub(crate) fn of(method: &Method, uri: &Uri) -> Option<Self> {
        let query = uri.query().unwrap_or_default();
        let parameter = |name: &str| {
            let found = query.split('&').find_map(|each| each.strip_prefix(name)?.strip_prefix('='));
            found.map(str::to_owned)
        };
        let mut parts: Vec<&str> = uri.path().split('/').filter(|part| !part.is_empty()).collect();
        // Clients give base URLs with and without a version, and some add their own.
        let mut is_beta = false;
        while let Some(["v1" | "v1beta", ..]) = parts.get(..1) {
            is_beta |= parts.remove(0) == "v1beta";
        }
        let page = |most: &str| parameter(most).and_then(|most| most.parse().ok()).unwrap_or(20_usize);
        Some(match (method.as_str(), parts.as_slice()) {
            ("POST", ["upload", .., "files"]) => match parameter("upload_id") {
                Some(id) => Self::EndUpload(id),
                None => Self::BeginUpload,
            },
            ("PUT", ["upload", .., "files"]) => Self::EndUpload(parameter("upload_id")?),
            ("POST", ["files"]) => Self::Upload,
            ("GET", ["files", id, "content"]) => Self::Content((*id).to_owned()),
            ("GET", ["files", id]) => match id.strip_suffix(":download") {
                Some(id) => Self::Content(format!("files/{id}")),
                None if id.starts_with("file-") => Self::File(Api::OpenAi, (*id).to_owned()),
                None => Self::File(Api::Gemini, format!("files/{id}")),
            },
            ("DELETE", ["files", id]) if id.starts_with("file-") => Self::DeleteFile((*id).to_owned()),
            ("DELETE", ["files", id]) => Self::DeleteFile(format!("files/{id}")),
            ("POST", ["batches"]) => Self::Create(Api::OpenAi, None),
            ("GET", ["batches"]) if is_beta || query.contains("pageSize") => {
                Self::List(Api::Gemini, page("pageSize"), parameter("pageToken"))
            }
            ("GET", ["batches"]) => Self::List(Api::OpenAi, page("limit"), parameter("after")),
            ("GET", ["batches", id]) if id.starts_with("batch_") => Self::Look(Api::OpenAi, (*id).to_owned()),
            ("GET", ["batches", id]) => Self::Look(Api::Gemini, format!("batches/{id}")),
            ("POST", ["batches", id, "cancel"]) => Self::Cancel(Api::OpenAi, (*id).to_owned()),
            ("POST", ["batches", id]) => {
                Self::Cancel(Api::Gemini, format!("batches/{}", id.strip_suffix(":cancel")?))
            }
            ("DELETE", ["batches", id]) => Self::DeleteBatch(Api::Gemini, format!("batches/{id}")),
            ("POST", ["messages", "batches"]) => Self::Create(Api::Anthropic, None),
            ("GET", ["messages", "batches"]) => {
                Self::List(Api::Anthropic, page("limit"), parameter("after_id"))
            }
            ("GET", ["messages", "batches", id]) => Self::Look(Api::Anthropic, (*id).to_owned()),
            ("GET", ["messages", "batches", id, "results"]) => Self::Results((*id).to_owned()),
            ("POST", ["messages", "batches", id, "cancel"]) => Self::Cancel(Api::Anthropic, (*id).to_owned()),
            ("DELETE", ["messages", "batches", id]) => Self::DeleteBatch(Api::Anthropic, (*id).to_owned()),
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
            ("POST", "/v1/files", Asked::Upload),
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
            ("POST", "/upload/v1/files?upload_id=7", Asked::EndUpload(id("7"))),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(Asked::of(&method, &path.parse().unwrap()), Some(asked), "{path}");
        }
        for path in ["/v1/messages", "/v1/models/m:generateContent", "/v1/chat/completions"] {
            assert_eq!(Asked::of(&Method::POST, &path.parse().unwrap()), None, "{path}");
        }
    }
}
