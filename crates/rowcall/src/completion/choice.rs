//! Chooses the wanted value among those of an answer, if the choice is unambiguous. It never picks one of several different matching
//! values, and never drops anything that belongs to a value.

use serde_json::Value;

use super::corruption::Corruption;
use super::json::{Candidate, Ending, Found, Gap, Unreadable};
use super::repair::{Repair, Wanted};
use super::{NOT_CLOSED, Reader, Reading, absence};
use crate::turn::Finish;
use crate::violation::Violation;

/// How many values of an answer are judged individually.
const MOST_JUDGED: usize = 16;

/// A candidate with the schema's verdict.
struct Judged<'c> {
    candidate: &'c Candidate,
    verdict: Result<(Value, Vec<Repair>), (Value, Vec<Violation>)>,
    /// Whether it resembles the schema at all.
    is_alike: bool,
}

impl Judged<'_> {
    /// Why it does not count although it may be valid, if that is so.
    fn partial(&self, holds_items: bool) -> Option<Violation> {
        match &self.candidate.ending {
            Ending::Fragment(rest) => Some(Violation::whole(format!(
                "the JSON continues after its closing bracket, at `{rest}`, expected one complete value"
            ))),
            Ending::Elided if holds_items => Some(Violation::whole(
                "the answer says that something is omitted, expected everything written out",
            )),
            Ending::Elided | Ending::Text | Ending::Words => None,
        }
    }
}

impl Reader<'_> {
    /// The one candidate that is valid or can be repaired, or else the reasons why there is none: `violations`, which are
    /// already known and do not rule out a value, and those of the candidate that comes closest.
    pub(super) fn choose(&self, found: Found, violations: Vec<Violation>) -> Reading {
        let Found { mut candidates, unreadable, overflowed, left_over } = found;
        let is_unclosed = |each: &Candidate| !self.wanted.schema.is_whole(&each.value, each.closers);
        match self.finish {
            Finish::Unstated
                if candidates.iter().any(|each| each.repairs.contains(&Repair::MissingBracket)) =>
            {
                return Reading::Truncated;
            }
            Finish::Stop if candidates.iter().any(is_unclosed) => {
                return self.without(None, vec![Violation::whole(NOT_CLOSED)], violations);
            }
            Finish::Stop | Finish::Unstated | Finish::Length | Finish::ContentFilter | Finish::Paused => {}
        }
        self.drop_asides(&mut candidates);
        let in_order = in_order(&candidates);
        match self.collected(&in_order, unreadable.as_ref(), overflowed) {
            Some((value, repairs)) if !left_over => return self.sound(value, repairs),
            Some(_) => return self.left_over(unreadable.as_ref(), violations),
            None if overflowed || candidates.len() > MOST_JUDGED => {
                let many =
                    format!("the answer contains at least {} JSON values, expected one", candidates.len());
                return self.without(None, vec![Violation::whole(many)], violations);
            }
            None => {}
        }
        let (wants_list, holds_items) = (self.wanted.wants_list(), self.wanted.holds_items());
        let is_only = candidates.len() == 1;
        let judged: Vec<Judged<'_>> =
            candidates.iter().map(|candidate| self.judged(candidate, is_only)).collect();
        if let Some(partial) = judged
            .iter()
            .filter(|each| each.is_alike || each.verdict.is_ok())
            .find_map(|each| each.partial(holds_items))
        {
            return self.without(None, vec![partial], violations);
        }
        let mut valid: Vec<(&Judged<'_>, &Value, &Vec<Repair>)> = judged
            .iter()
            .filter_map(|each| each.verdict.as_ref().ok().map(|(value, repairs)| (each, value, repairs)))
            .collect();
        for better in [
            |each: &Judged<'_>| each.is_alike,
            |each: &Judged<'_>| !each.candidate.repairs.contains(&Repair::ToolName),
        ] {
            if valid.iter().any(|(each, ..)| better(each)) {
                valid.retain(|(each, ..)| better(each));
            }
        }
        let Some((chosen, value, more)) = valid.first().copied() else {
            return self.closest(&judged, unreadable.as_ref(), violations);
        };
        if left_over {
            return self.left_over(unreadable.as_ref(), violations);
        }
        if let Some(merged) = self.merged(&valid, &in_order, unreadable.as_ref()) {
            let mut repairs = vec![Repair::Merged];
            repairs.extend(
                in_order
                    .iter()
                    .any(|each| each.repairs.contains(&Repair::LoneSurrogate))
                    .then_some(Repair::LoneSurrogate),
            );
            return self.sound(merged, repairs);
        }
        let differing = valid.iter().filter(|(_, other, _)| *other != value).count();
        if differing > 0 {
            let several = format!(
                "the answer contains {} different matching values, expected exactly one",
                differing + 1
            );
            return self.without(Some(value.clone()), vec![Violation::whole(several)], violations);
        }
        // An invalid value after the chosen one, or next to it in a list, may be the intended one.
        let doubt = judged.iter().find(|each| {
            each.verdict.is_err()
                && each.is_alike
                && (wants_list || each.candidate.start > chosen.candidate.start)
        });
        if let Some(Judged { verdict: Err((best, reasons)), .. }) = doubt {
            return self.without(Some(best.clone()), reasons.clone(), violations);
        }
        // A value next to the chosen one, with only separators between them, belongs to it.
        let is_joined = |pair: &[&Candidate]| match pair {
            [first, second] => {
                second.gap == Gap::Separators
                    && (first.start == chosen.candidate.start || second.start == chosen.candidate.start)
                    && first.value != second.value
            }
            _ => false,
        };
        if in_order.windows(2).any(is_joined) {
            return self.left_over(unreadable.as_ref(), violations);
        }
        if wants_list && chosen.candidate.value.is_object() && is_broken(unreadable.as_ref()) {
            return self.without(None, vec![absence(unreadable.as_ref())], violations);
        }
        let mut repairs = chosen.candidate.repairs.clone();
        repairs.extend(more.iter().filter(|repair| !chosen.candidate.repairs.contains(repair)));
        if self.finish == Finish::Length
            && (repairs.contains(&Repair::Wrapped) || !self.is_closed_by_model(chosen.candidate))
        {
            return Reading::Truncated;
        }
        self.sound(value.clone(), repairs)
    }

    fn judged<'c>(&self, candidate: &'c Candidate, is_only: bool) -> Judged<'c> {
        // An object in a sentence may be one that the list should not contain.
        let is_item = is_only && candidate.begins_line && candidate.ends_line;
        let verdict = self.wanted.repaired(candidate.value.clone(), is_item, &candidate.exponents);
        let is_alike = match &verdict {
            Ok((value, _)) => self.wanted.is_alike(value),
            Err(_) => self.wanted.is_alike(&candidate.value),
        };
        Judged { candidate, verdict, is_alike }
    }

    /// Drops lists where an object is wanted, unless there is nothing else: code and citations are full of them.
    fn drop_asides(&self, candidates: &mut Vec<Candidate>) {
        let wants_object = self.wanted.schema.is_object();
        let is_aside = |candidate: &Candidate| {
            wants_object
                && candidate
                    .value
                    .as_array()
                    .is_some_and(|items| !matches!(items.as_slice(), [Value::Object(_)]))
        };
        if candidates.iter().any(|candidate| candidate.value.is_object()) {
            candidates.retain(|candidate| !is_aside(candidate));
        }
    }

    /// Several objects with only separators between them, as the wanted list.
    fn collected(
        &self,
        candidates: &[&Candidate],
        unreadable: Option<&Unreadable>,
        overflowed: bool,
    ) -> Option<(Value, Vec<Repair>)> {
        let is_list = candidates.len() > 1
            && !overflowed
            && unreadable.is_none()
            && self.finish != Finish::Length
            && self.wanted.wants_list()
            && candidates.iter().all(|each| each.value.is_object() && is_whole(each))
            && are_apart(candidates);
        if !is_list {
            return None;
        }
        let values = candidates.iter().map(|each| each.value.clone()).collect();
        let exponents: Vec<String> = candidates.iter().flat_map(|each| each.exponents.clone()).collect();
        let (value, more) = self.wanted.repaired(Value::Array(values), false, &exponents).ok()?;
        let mut repairs = vec![Repair::Collected];
        for repair in candidates.iter().flat_map(|each| &each.repairs).chain(&more) {
            if !repairs.contains(repair) {
                repairs.push(*repair);
            }
        }
        Some((value, repairs))
    }

    /// Several lists with only separators between them and no item in common, as one list.
    fn merged(
        &self,
        valid: &[(&Judged<'_>, &Value, &Vec<Repair>)],
        candidates: &[&Candidate],
        unreadable: Option<&Unreadable>,
    ) -> Option<Value> {
        let is_run = valid.len() > 1
            && valid.len() == candidates.len()
            && unreadable.is_none()
            && self.finish != Finish::Length
            && candidates.iter().all(|each| is_whole(each))
            && candidates.iter().all(|each| each.begins_line)
            && are_apart(candidates);
        if !is_run {
            return None;
        }
        let mut lists = valid.to_vec();
        lists.sort_by_key(|(each, ..)| each.candidate.start);
        let mut items: Vec<Value> = Vec::new();
        for (_, list, _) in &lists {
            let list = list.as_array().filter(|list| !list.is_empty())?;
            if list.iter().any(|item| items.contains(item)) {
                return None;
            }
            items.extend(list.iter().cloned());
        }
        let as_items = Value::Array(lists.iter().map(|(_, list, _)| (*list).clone()).collect());
        let merged = Value::Array(items);
        let schema = self.wanted.schema;
        (schema.validates(&merged) && !schema.validates(&as_items)).then_some(merged)
    }

    /// Why there is no value, according to the candidate that comes closest.
    fn closest(
        &self,
        judged: &[Judged<'_>],
        unreadable: Option<&Unreadable>,
        violations: Vec<Violation>,
    ) -> Reading {
        if unreadable == Some(&Unreadable::Cut) && self.finish == Finish::Unstated {
            return Reading::Truncated;
        }
        let closest = judged
            .iter()
            .filter_map(|each| each.verdict.as_ref().err().map(|verdict| (each, verdict)))
            .min_by_key(|(each, (_, reasons))| (!each.is_alike, reasons.len()));
        match closest {
            Some((each, (best, reasons))) if each.is_alike || !is_broken(unreadable) => {
                self.without(Some(best.clone()), reasons.clone(), violations)
            }
            Some(_) | None => self.without(None, vec![absence(unreadable)], violations),
        }
    }

    /// The reading of an answer without a value.
    fn without(
        &self,
        best: Option<Value>,
        reasons: Vec<Violation>,
        mut violations: Vec<Violation>,
    ) -> Reading {
        if self.finish == Finish::Length {
            return Reading::Truncated;
        }
        violations.extend(reasons);
        Reading::Invalid { violations, best }
    }

    /// The reading of an answer with more JSON than its value.
    fn left_over(&self, unreadable: Option<&Unreadable>, violations: Vec<Violation>) -> Reading {
        let reason = if is_broken(unreadable) {
            absence(unreadable)
        } else {
            Violation::whole("pieces of JSON are left over next to the value, expected one complete value")
        };
        self.without(None, vec![reason], violations)
    }

    /// The reading of a value, unless one of its strings is corrupt.
    pub(super) fn sound(&self, value: Value, repairs: Vec<Repair>) -> Reading {
        let corruption = Corruption::new(&self.wanted, repairs.contains(&Repair::LoneSurrogate));
        match corruption.find(&value) {
            Some(violation) => self.without(Some(value), vec![violation], Vec::new()),
            None => Reading::Value { value, repairs },
        }
    }

    /// Whether the model itself has closed a value and nothing follows it, so that it is complete although the output limit cut the
    /// answer off. A bare number may lack digits.
    fn is_closed_by_model(&self, candidate: &Candidate) -> bool {
        let guessed = [Repair::Prose, Repair::MissingBracket, Repair::StrayBracket, Repair::InnerQuotes];
        candidate.ending == Ending::Text
            && !candidate.repairs.iter().any(|repair| guessed.contains(repair))
            && self.is_complete(&candidate.value)
    }
}

impl Wanted<'_> {
    /// Whether `value` resembles what is wanted: it has a property, or items of a list that are not all numbers, as in citations.
    fn is_alike(&self, value: &Value) -> bool {
        match value {
            Value::Object(fields) => self
                .schema
                .properties()
                .is_none_or(|names| names.is_empty() || names.iter().any(|name| fields.contains_key(name))),
            Value::Array(items) => match items.as_slice() {
                [Value::Object(_)] => self.is_alike(&items[0]),
                items => self.wants_list() && !items.iter().all(Value::is_number),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        }
    }
}

/// Whether only separators are between the values, in text order, and no words are on their lines.
fn are_apart(candidates: &[&Candidate]) -> bool {
    candidates.iter().skip(1).all(|each| each.gap == Gap::Separators)
        && candidates.first().is_some_and(|first| first.begins_line)
        && candidates.last().is_some_and(|last| last.ends_line)
}

/// The candidates in text order.
fn in_order(candidates: &[Candidate]) -> Vec<&Candidate> {
    let mut in_order: Vec<&Candidate> = candidates.iter().collect();
    in_order.sort_by_key(|candidate| candidate.start);
    in_order
}

fn is_whole(candidate: &Candidate) -> bool {
    matches!(candidate.ending, Ending::Text | Ending::Words)
        && !candidate.repairs.contains(&Repair::MissingBracket)
}

/// Whether there was JSON that could not be read.
fn is_broken(unreadable: Option<&Unreadable>) -> bool {
    match unreadable {
        Some(Unreadable::Cut | Unreadable::TooDeep | Unreadable::Broken { .. }) => true,
        Some(Unreadable::Empty | Unreadable::Thoughts) | None => false,
    }
}
