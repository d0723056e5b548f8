//! The providers' batch APIs: files and batches of OpenAI, Message Batches of Anthropic, `batchGenerateContent` of Gemini. What a
//! batch is at any moment follows from when it was created and cancelled; its requests are executed once it has ended.

mod anthropic;
mod desk;
mod gemini;
mod multipart;
mod openai;
mod requests;
mod route;
mod settings;

pub(crate) use desk::Desk;
use desk::{Batch, Executed, Line, State};
pub(crate) use requests::Errand;
use route::Api;
pub(crate) use route::Asked;
pub use settings::{Batches, LineOrder};
