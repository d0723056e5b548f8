//! The providers' batch APIs: files and batches of OpenAI and Together, jobs of Mistral, Message Batches of Anthropic,
//! `batchGenerateContent` of Gemini. What a batch is at any moment follows from when it was created and cancelled; its requests are executed once it has ended.

mod anthropic;
mod files;
mod gemini;
mod mistral;
mod multipart;
mod openai;
mod requests;
mod route;
mod settings;
mod store;
mod together;

pub(crate) use requests::BatchRequest;
use route::Api;
pub(crate) use route::Asked;
pub use settings::{Batches, LineOrder};
pub(crate) use store::BatchStore;
use store::{Batch, Executed, Line, State};
