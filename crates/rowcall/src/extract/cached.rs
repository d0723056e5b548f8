//! One row and the cache: looking up its answer, claiming the right to ask, and storing its value.

use super::PreparedRow;
use crate::attachment::Loaded;
use crate::cache::{Answer, CacheSession, Claim, Wanted};
use crate::config::Plan;
use crate::conversation::Conversation;
use crate::event::EventKind;
use crate::identity::{Key, RowKey};
use crate::outcome::{Effort, Outcome};
use crate::row::Row;
use crate::turn::{Attachment, AttachmentContent, Prompt};
use crate::validity::{self, Verdict};

/// One row's access to the cache.
#[derive(Debug)]
pub(super) struct Cached<'a> {
    plan: &'a Plan,
    row: u64,
    session: &'a CacheSession,
    wanted: Wanted,
    claim: Option<Claim>,
}

impl<'a> Cached<'a> {
    /// For a row with this key and first prompt that is sent with these files, which count by their contents wherever they are. If the
    /// check sees the row, answers are shared only by rows with exactly the same fields.
    pub(super) fn new(
        plan: &'a Plan,
        row: &Row,
        key: RowKey,
        prompt: &Prompt,
        files: &Loaded,
        session: &'a CacheSession,
    ) -> Option<Self> {
        let asked = if files.digest().is_some() { plan.keys.without_files(prompt) } else { key.asked };
        let asked = if validity::differs_by_row(plan) { asked.of_row(row) } else { asked };
        let key = session.key(asked, files.digest())?;
        let wanted = Wanted { key, rejected: None };
        Some(Self { plan, row: row.index, session, wanted, claim: None })
    }

    /// The outcome of the row, if the cache has an answer that is valid for it. If another run is asking, waits until that is done.
    /// The conversation continues from an answer that is no longer valid.
    pub(super) async fn outcome(&mut self, row: &Row, conversation: &mut Conversation) -> Option<Outcome> {
        if self.claim.is_some() {
            return None;
        }
        loop {
            let found = self.session.look_up(self.wanted).await;
            self.warn();
            let answer = found?;
            let verdict = if self.plan.check.is_none() {
                validity::without_check(self.plan, &answer.value)
            } else {
                let known = vec![(row.clone(), answer.value.clone())];
                validity::of_known(self.plan, known).await.pop()?
            };
            let violations = match verdict {
                Verdict::Valid => return Some(outcome(row, answer)),
                Verdict::InvalidForRow(violations) | Verdict::InvalidForAll(violations) => violations,
            };
            self.wanted.rejected = Some(answer.number);
            if !conversation.is_answered() {
                let said = self.plan.approach.target().said(&answer.value);
                conversation.answered(said, answer.value, violations);
            }
        }
    }

    /// Claims the row, and returns whether it may be asked about: not if another run is asking, or has found an answer by now.
    pub(super) async fn claim(&mut self) -> bool {
        if self.claim.is_none() {
            self.claim = self.session.claim(self.wanted).await;
            self.warn();
        }
        self.claim.is_some()
    }

    /// Stores the value of an outcome, if it has one.
    pub(super) async fn keep(&mut self, outcome: &Outcome) {
        let (Some(claim), Some(answer)) = (self.claim.take(), kept_answer(outcome)) else { return };
        claim.keep(answer).await;
        self.warn();
    }

    /// Warns about a problem with the cache, once.
    fn warn(&self) {
        if let Some(problem) = self.session.take_trouble() {
            let warning = format!("{problem}: the run continues, but stores no more answers there");
            self.plan.observers.emit(self.row, EventKind::Warned(warning));
        }
    }
}

/// What the cache keeps of an outcome, if it has a value.
pub(crate) fn kept_answer(outcome: &Outcome) -> Option<Answer> {
    let value = outcome.result.as_ref().ok()?;
    Some(Answer {
        number: 0,
        value: value.clone(),
        model: outcome.model.clone(),
        finish_reason: outcome.finish_reason.clone(),
        repairs: outcome.repairs.clone(),
        usage: outcome.effort.usage,
        cost: outcome.effort.cost.exact(),
    })
}

/// The key under which the cache has a row without files.
pub(crate) fn cache_key(
    plan: &Plan,
    prepared: &PreparedRow,
    key: RowKey,
    session: &CacheSession,
) -> Option<Key> {
    let PreparedRow { row, conversation, .. } = prepared;
    let is_file = |attachment: &Attachment| matches!(attachment.content, AttachmentContent::File(_));
    if conversation.prompt().attachments().any(is_file) {
        return None;
    }
    let asked = if validity::differs_by_row(plan) { key.asked.of_row(row) } else { key.asked };
    session.key(asked, None)
}

/// The outcome of a row that is about to be sent, if the cache has an answer that is valid for it. If another run is asking, waits until
/// that is done.
pub(crate) async fn cached_outcome(
    plan: &Plan,
    prepared: &mut PreparedRow,
    session: &CacheSession,
) -> Option<Outcome> {
    let PreparedRow { row, key, conversation } = prepared;
    // It was asked before, and the answer was not valid.
    if conversation.is_answered() {
        return None;
    }
    let files = plan.files.load(conversation.prompt()).await.ok()?;
    Cached::new(plan, row, (*key)?, conversation.prompt(), &files, session)?.outcome(row, conversation).await
}

fn outcome(row: &Row, answer: Answer) -> Outcome {
    let Answer { number: _, value, model, finish_reason, repairs, usage: _, cost: _ } = answer;
    Outcome {
        index: row.index,
        result: Ok(value),
        effort: Effort::default(),
        repairs,
        model,
        finish_reason,
        requests: Vec::new(),
        history: Vec::new(),
        from_cache: true,
        completion: None,
    }
}
