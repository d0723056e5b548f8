//! What the result of one row in a batch comes to: its cost, its value, and where the row is asked next if it has none.
#![expect(clippy::disallowed_methods, reason = "what a request cost depends on the time of day")]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::collect::Harvest;
use super::lane::Task;
use super::rows::{Returned, Route};
use crate::admission::Settlement;
use crate::completion::{self, Reading};
use crate::config::Reask;
use crate::conversation::{Answer, Step};
use crate::event::EventKind;
use crate::extract::{PreparedRow, settlement};
use crate::fault::Fault;
use crate::journal::batches::BatchRecord;
use crate::journal::now_ms;
use crate::journal::parked::ParkedRow;
use crate::money::Cost;
use crate::price::Moment;
use crate::provider::batch::ResultLine;
use crate::provider::{Adaptation, Target};
use crate::retry::{self, Decision, Tried};
use crate::turn::Completion;
use crate::validity;

impl Task {
    /// Settles a row by its line of the results.
    pub(super) async fn settle_row(
        &mut self,
        record: &BatchRecord,
        parked: ParkedRow,
        line: ResultLine,
        harvest: &mut Harvest,
        returned: &mut Vec<Returned>,
    ) {
        let Some(prepared) = self.restore(&parked).await else {
            harvest.settled += 1;
            return;
        };
        let target = self.watch(record.number).target.clone();
        let target = target.unwrap_or_else(|| self.plan.approach.target());
        let result = line.result.and_then(|response| target.decode(&response));
        self.judge(record, parked, prepared, &target, result, harvest, returned).await;
    }

    /// Counts an answer or a fault of a row, and decides what follows.
    #[expect(clippy::too_many_arguments, reason = "one row's result with all that it is about")]
    pub(super) async fn judge(
        &mut self,
        record: &BatchRecord,
        parked: ParkedRow,
        mut prepared: PreparedRow,
        target: &Arc<Target>,
        result: Result<Completion, Fault>,
        harvest: &mut Harvest,
        returned: &mut Vec<Returned>,
    ) {
        let plan = Arc::clone(&self.plan);
        let result = result.map_err(|fault| {
            let message = plan.account.transport.hide_secrets(fault.message);
            Fault { message, ..fault }
        });
        let at = Moment::from(SystemTime::now());
        let lost = self.batching.pricing.of_lost(parked.most);
        // Whatever tier an answer names, it was served in a batch.
        let cost = match &result {
            Ok(Completion { usage: Some(usage), .. }) => {
                let cost = self.batching.pricing.cost(usage, None, at);
                cost.map_or(Cost::UNKNOWN, Cost::known)
            }
            Ok(Completion { usage: None, .. }) => lost,
            Err(fault) if fault.may_be_billed() => lost,
            Err(_) => Cost::default(),
        };
        plan.account.admission.settle_reserved(self.stake(parked.most), cost);
        self.note_released(parked.most);
        let PreparedRow { row, conversation, .. } = &mut prepared;
        let attempt = conversation.count_attempt();
        let took = u64::try_from(now_ms() - record.sent_ms.unwrap_or_else(now_ms)).unwrap_or_default();
        let took = Duration::from_millis(took);
        conversation.count_answer(&result, cost, took, took);
        let seen = match (&result, settlement(&result)) {
            (Ok(_), Settlement::Exact(usage)) => Ok(Some(usage)),
            (Ok(_), _) => Ok(None),
            (Err(fault), _) => Err(Arc::new(fault.clone())),
        };
        plan.observers.emit(row.index, EventKind::Collected { attempt, result: seen, cost });
        let route = if self.online { Route::Online } else { Route::Batch };
        let (answer, route) = match result {
            Ok(completion) => {
                plan.approach.accepted(target);
                let completion = conversation.joined(completion);
                let limit = target.sent_limit(conversation.prompt());
                let reading = completion::read_within(&completion, &plan.schema, &target.form.wire, limit);
                let reading = validity::of_answer(&plan, row, reading).await;
                let route = match self.batching.options.reask {
                    Reask::Online => Route::Online,
                    Reask::Batch => route,
                };
                (Answer::Read(completion, reading), route)
            }
            Err(fault) => {
                let is_adapted = match plan.approach.adapt(target, &fault) {
                    Adaptation::None => false,
                    Adaptation::OfRow | Adaptation::Made => true,
                    Adaptation::Change(change) => {
                        plan.observers.emit(row.index, EventKind::Adapted(change.to_string()));
                        true
                    }
                };
                let tried = Tried { faults: attempt, limits: attempt, answered: true, ..Tried::default() };
                let next = match retry::decide(&fault, tried, plan.retry, fastrand::f64()) {
                    _ if is_adapted => Some(route),
                    Decision::Retry(_) => Some(route),
                    // After several batches without an answer, the row is asked as any other.
                    Decision::GiveUp
                        if retry::is_of_chance(fault.kind)
                            && self.batching.options.reask == Reask::Online =>
                    {
                        Some(Route::Online)
                    }
                    // Other rows of the batch may well have been answered.
                    Decision::GiveUp | Decision::Stop => None,
                };
                if let Some(route) = next {
                    harvest.returned += 1;
                    returned.push(Returned { parked, prepared, route });
                    return;
                }
                (Answer::Failed(fault), route)
            }
        };
        let violations = match &answer {
            Answer::Read(_, Reading::Invalid { violations, .. }) => violations.len(),
            Answer::Read(..) | Answer::Failed(_) => 0,
        };
        match prepared.conversation.judge(answer) {
            Step::Done(outcome) => {
                harvest.settled += 1;
                self.note_value(&prepared, &outcome);
                self.end(parked.is_taken, prepared, outcome).await;
            }
            Step::Ask => {
                harvest.returned += 1;
                plan.observers.emit(prepared.row.index, EventKind::Reasked { violations });
                returned.push(Returned { parked, prepared, route });
            }
        }
    }
}
