//! Scenarios of one row: what is asked next, and when it is finished.

use serde_json::json;

use super::*;
use crate::fault::FaultKind;
use crate::money::Usd;
use crate::turn::{Content, Finish, Usage};

fn begin(max_reasks: u32, output_limit: Option<u32>) -> Conversation {
    let prompt = Prompt::new(vec![Turn::user("Who?")]);
    Conversation::begin(7, prompt, max_reasks, output_limit)
}

/// What each answer costs.
const COST: Cost = Cost::known(Usd::from_picodollars(7));

fn completion(text: &str) -> Completion {
    Completion {
        content: Content::Text(text.to_owned()),
        finish: Finish::Stop,
        finish_reason: "stop".to_owned(),
        usage: Some(Usage { input_tokens: 10, output_tokens: 100, ..Usage::default() }),
        model: "m-1".to_owned(),
        raw_turn: json!({"role": "assistant", "content": text}),
        service_tier: None,
        continuation: None,
        body: bytes::Bytes::new(),
    }
}

fn invalid(violations: usize, best: Value) -> Reading {
    let violations = (0..violations).map(|n| Violation::at(format!("/{n}"), "is wrong")).collect();
    Reading::Invalid { violations, best: Some(best) }
}

fn answer(conversation: &mut Conversation, text: &str, reading: Reading) -> Step {
    let completion = completion(text);
    conversation.count_attempt();
    conversation.count_answer(
        &Ok(completion.clone()),
        COST,
        Duration::from_millis(20),
        Duration::from_millis(20),
    );
    conversation.judge(Answer::Read(completion, reading))
}

fn failure(step: Step) -> Box<Failure> {
    match step {
        Step::Done(Outcome { result: Err(failure), .. }) => failure,
        other => panic!("expected a failure, got {other:?}"),
    }
}

#[test]
fn a_value_ends_it() {
    let mut conversation = begin(3, None);
    let reading = Reading::Value { value: json!({"age": 3}), repairs: Vec::new() };
    let Step::Done(outcome) = answer(&mut conversation, "{}", reading) else { panic!("a value ends it") };
    assert_eq!((outcome.index, outcome.result.clone()), (7, Ok(json!({"age": 3}))));
    assert_eq!((outcome.model.as_deref(), outcome.finish_reason.as_deref()), (Some("m-1"), Some("stop")));
    assert_eq!((outcome.effort.attempts, outcome.effort.prompts), (1, 1));
}

#[test]
fn only_the_latest_invalid_answer_is_kept() {
    let mut conversation = begin(3, None);
    for (nth, violations) in [(1, 2), (2, 1), (3, 3)] {
        let text = format!("answer {nth}");
        assert!(matches!(answer(&mut conversation, &text, invalid(violations, json!(nth))), Step::Ask));
        let turns = &conversation.prompt().turns;
        assert_eq!(turns.len(), 2, "the conversation does not grow");
        let Turn::Invalid { raw_turn, violations: shown } = &turns[1] else { panic!("a re-ask") };
        assert_eq!((&raw_turn["content"], shown.len()), (&json!(text), violations));
    }
    let failure = failure(answer(&mut conversation, "answer 4", invalid(2, json!(4))));
    assert_eq!(failure.kind, FailureKind::Invalid);
    assert_eq!(failure.message, "no valid answer to 4 prompts; last: `/0`: is wrong; `/1`: is wrong");
    assert_eq!(failure.best, Some(json!(2)), "the one with the fewest violations");
    assert_eq!(failure.completion.map(|last| last.content), Some(Content::Text("answer 4".to_owned())));
    assert_eq!(
        (failure.effort.prompts, failure.effort.attempts, failure.effort.usage.output_tokens),
        (4, 4, 400)
    );
}

#[test]
fn without_reasks_there_is_one_prompt() {
    let failure = failure(answer(&mut begin(0, None), "x", invalid(1, json!(null))));
    assert_eq!((failure.kind, failure.effort.prompts), (FailureKind::Invalid, 1));
}

#[test]
fn the_output_limit_never_exceeds_the_models() {
    let mut conversation = begin(3, Some(600)).with_most_output(Some(1000));
    assert!(matches!(answer(&mut conversation, "{", Reading::Truncated), Step::Ask));
    assert_eq!(conversation.prompt().output_limit, Some(1000));
    let failure = failure(answer(&mut conversation, "{", Reading::Truncated));
    assert_eq!(failure.message, "the answer was cut at 1000 tokens");
}

#[test]
fn the_limit_of_a_cut_answer_is_doubled_twice() {
    let mut conversation = begin(3, Some(256));
    for limit in [512, 1024] {
        assert!(matches!(answer(&mut conversation, "{", Reading::Truncated), Step::Ask));
        assert_eq!(conversation.prompt().output_limit, Some(limit));
        assert_eq!(conversation.prompt().turns.len(), 1, "the cut answer is not shown again");
    }
    let failure = failure(answer(&mut conversation, "{", Reading::Truncated));
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (FailureKind::Truncated, "the answer was cut at 1024 tokens")
    );
}

/// The finish reason, the tokens used of 4000, and whether more room is asked for.
#[test]
fn a_full_context_gets_no_larger_output_limit() {
    for (reason, used, is_enlarged) in [
        ("length", 5, false),
        ("length", 3599, false),
        ("length", 3600, true),
        ("length", 4000, true),
        // Nothing is known of what was used.
        ("length", 0, true),
        ("MAX_TOKENS", 5, false),
        ("max_output_tokens", 5, false),
        ("model_context_window_exceeded", 5, false),
        ("stop_sequence", 5, true),
    ] {
        let mut conversation = begin(3, Some(2000));
        let cut = |used: u64| {
            let usage = Some(Usage { output_tokens: used, reasoning_tokens: used / 2, ..Usage::default() });
            let finish_reason = reason.to_owned();
            let completion = Completion { finish: Finish::Length, finish_reason, usage, ..completion("{") };
            Answer::Read(completion, Reading::Truncated)
        };
        assert!(matches!(conversation.judge(cut(used / 2)), Step::Ask), "more room is tried once");
        match conversation.judge(cut(used)) {
            Step::Ask => {
                assert!(is_enlarged, "{reason} {used}");
                assert_eq!(conversation.prompt().output_limit, Some(8000));
            }
            done @ Step::Done(_) => {
                let failure = failure(done);
                assert!(!is_enlarged, "{reason} {used}: {failure}");
                assert_eq!(failure.kind, FailureKind::Fault(FaultKind::ContextLength));
                let expected = format!(
                    "the model's context is full: the answer was cut after {used} tokens, below its limit of 4000"
                );
                assert_eq!(failure.message, expected);
                assert!(failure.hint().is_some_and(|hint| hint.to_string().contains("num_ctx")));
                assert!(failure.completion.is_some());
            }
        }
    }
}

#[test]
fn without_our_own_limit_the_servers_is_inferred_from_its_usage() {
    let mut conversation = begin(3, None);
    assert!(matches!(answer(&mut conversation, "{", Reading::Truncated), Step::Ask));
    // Twice the 100 tokens of its usage would be too little.
    assert_eq!(conversation.prompt().output_limit, Some(256));
    assert!(matches!(answer(&mut conversation, "{", Reading::Truncated), Step::Ask));
    assert_eq!(conversation.prompt().output_limit, Some(512));
}

#[test]
fn refusal_and_filter_are_not_asked_again() {
    for (reading, kind) in [
        (Reading::Refused("I cannot.".to_owned()), FailureKind::Refusal),
        (Reading::Filtered, FailureKind::ContentFilter),
    ] {
        assert_eq!(failure(answer(&mut begin(3, None), "", reading)).kind, kind);
    }
}

#[test]
fn a_fault_ends_the_row_and_keeps_its_effort() {
    let mut conversation = begin(3, None);
    let timeout = Fault::new(FaultKind::Timeout, "too slow");
    conversation.count_attempt();
    conversation.count_answer(
        &Err(timeout.clone()),
        Cost::UNKNOWN,
        Duration::from_mins(10),
        Duration::from_mins(10),
    );
    let failure = failure(conversation.judge(Answer::Failed(timeout)));
    assert_eq!(failure.kind, FailureKind::Fault(FaultKind::Timeout));
    assert_eq!((failure.effort.attempts, failure.effort.unmetered), (1, 1));
    assert_eq!(failure.effort.cost, Cost::UNKNOWN);
    assert_eq!(failure.message, "timeout: too slow");
    assert_eq!(failure.fault.map(|fault| fault.kind), Some(FaultKind::Timeout));
}

#[test]
fn an_answer_without_usage_is_counted_as_unmetered() {
    let mut conversation = begin(3, None);
    for usage in [None, Some(Usage { output_tokens: 5, ..Usage::default() }), None] {
        let answered = Ok(Completion { usage, ..completion("{}") });
        conversation.count_answer(&answered, COST, Duration::from_millis(20), Duration::from_millis(20));
    }
    assert_eq!((conversation.effort().unmetered, conversation.effort().usage.output_tokens), (2, 5));
    assert_eq!(conversation.effort().cost, Cost::known(COST.known.times(3)));
}

#[test]
fn a_conversation_can_be_saved_and_resumed() {
    let mut conversation = begin(3, Some(100));
    assert!(matches!(answer(&mut conversation, "x", invalid(1, json!(1))), Step::Ask));
    let kept = serde_json::to_string(&conversation).expect("serialises");
    let again: Conversation = serde_json::from_str(&kept).expect("deserialises");
    assert_eq!(format!("{again:?}"), format!("{conversation:?}"));
}

#[test]
fn a_paused_answer_is_continued_where_it_stopped() {
    let mut conversation = begin(3, None);
    for (text, so_far) in [("{\"age\"", "{\"age\""), (":", "{\"age\":")] {
        let paused =
            Completion { continuation: Some("token".to_owned()), finish: Finish::Paused, ..completion(text) };
        let paused = conversation.joined(paused);
        assert_eq!(paused.content, Content::Text(so_far.to_owned()));
        assert!(matches!(conversation.judge(Answer::Read(paused, Reading::Paused)), Step::Ask));
        assert_eq!(conversation.prompt().continuation.as_deref(), Some("token"));
    }
    let whole = conversation.joined(completion("3}"));
    assert_eq!(whole.content, Content::Text("{\"age\":3}".to_owned()));
    assert_eq!(conversation.effort().prompts, 3);
    let step = conversation.judge(Answer::Read(whole, invalid(1, json!({}))));
    assert!(matches!(step, Step::Ask));
    assert_eq!(conversation.prompt().continuation, None, "a re-ask begins a new answer");
}

#[test]
fn an_answer_is_not_continued_forever() {
    let mut conversation = begin(3, None);
    let paused =
        || Completion { continuation: Some("token".to_owned()), finish: Finish::Paused, ..completion("x") };
    let mut steps = 0;
    let failure = loop {
        let joined = conversation.joined(paused());
        match conversation.judge(Answer::Read(joined, Reading::Paused)) {
            Step::Ask => steps += 1,
            done @ Step::Done(_) => break failure(done),
        }
    };
    assert_eq!((steps, failure.kind), (4, FailureKind::Truncated));
}

#[test]
fn the_limit_is_raised_only_if_the_answer_may_have_been_cut() {
    // The limit, if set; the usage, if known; and what is asked next.
    for (limit, used, next) in [
        (Some(256), Some(256), Some(512)),
        (Some(256), Some(5), None),
        (Some(256), None, Some(512)),
        (None, Some(5), Some(256)),
        (None, None, None),
    ] {
        let mut conversation = begin(3, limit);
        let usage = used.map(|output_tokens| Usage { output_tokens, ..Usage::default() });
        let unstated = Completion { usage, finish: Finish::Unstated, ..completion("{\"age\":3") };
        assert!(matches!(conversation.judge(Answer::Read(unstated, Reading::Truncated)), Step::Ask));
        assert_eq!(conversation.prompt().output_limit, next, "{limit:?}, {used:?}");
        let is_reask = matches!(conversation.prompt().turns.last(), Some(Turn::Invalid { .. }));
        assert_eq!(is_reask, next.is_none(), "{limit:?}, {used:?}");
    }
}

#[test]
fn an_answer_cut_at_an_unknown_limit_gets_a_limit_by_its_length() {
    let mut conversation = begin(3, None);
    let cut = Completion { usage: None, finish: Finish::Length, ..completion(&"x".repeat(1000)) };
    assert!(matches!(conversation.judge(Answer::Read(cut, Reading::Truncated)), Step::Ask));
    assert_eq!(conversation.prompt().output_limit, Some(2000));
}
