//! Error responses of each protocol: the kind of fault, the wait that the server asks for, and the decision about it.

use rowcall::LimitedBy;
use rowcall::provider::Protocol;
use rowcall::retry::Decision;
use serde_json::Value;

use super::case::{Case, Difference, Verdict, decision, fault, retried};

/// Checks a case: the kind always, the rest if the case mentions it.
pub(super) fn judge(case: Case<'_>, protocol: Protocol) -> Result<Verdict, String> {
    let kind = case.text("/expect/cls")?;
    let Some(fault) = fault(protocol, &case.response(None)?) else {
        return Ok(Verdict::Judged(vec![Difference::new(format!("the fault {kind}"), "an answer")]));
    };
    let mut differences = Vec::new();
    differences.extend(Difference::between("the fault", kind, fault.kind.name()));
    if let Some(wait) = case.get("/expect/wait_s") {
        let expected = wait.as_f64().ok_or("no number at `/expect/wait_s`")?;
        let got = fault.retry_after.map(|wait| wait.as_secs_f64());
        // Both may be rounded to whole nanoseconds.
        if got.is_none_or(|got| (got - expected).abs() > 1e-6) {
            differences.push(Difference::new(
                format!("a wait of {expected} s"),
                got.map_or("none".to_owned(), |got| format!("{got} s")),
            ));
        }
    }
    let limited_by = fault.limited_by.map_or("nothing", LimitedBy::name);
    if let Some(expected) = case.get("/expect/limited_by").and_then(Value::as_str) {
        differences.extend(Difference::between("a refusal by", expected, limited_by));
    }
    if case.truth("/expect/reduce_concurrency")? == Some(true) {
        differences.extend(Difference::between("a refusal by", LimitedBy::Growth.name(), limited_by));
    }
    // Where the SDKs disagree, a case gives both; we speak OpenAI's protocol.
    let retry = match case.truth("/expect/retry")? {
        Some(retry) => Some(retry),
        None => case.truth("/expect/retry_openai_sdk")?,
    };
    differences.extend(retry.and_then(|retry| retried(retry, Some(&fault))));
    if let Some(abort) = case.truth("/expect/abort_run")? {
        let words = |stops| if stops { "the end of the run" } else { "a run that goes on" };
        let ours = decision(&fault) == Decision::Stop;
        differences.extend(Difference::between("", words(abort), words(ours)));
    }
    if fault.status.map(u64::from) != case.get("/status").and_then(Value::as_u64) {
        differences.push(Difference::new("the status with the fault", format!("{:?}", fault.status)));
    }
    Ok(Verdict::Judged(differences))
}
