//! A journal on its own: everything that was written is found when it is next opened, whatever has happened in between.

mod accidents;
mod costs;

use proptest::prelude::*;
use serde_json::{Map, json};
use tempfile::TempDir;

use super::*;
use crate::fault::{Fault, FaultKind};
use crate::identity::{Key, KeyOf, RowKey};
use crate::money::Cost;
use crate::outcome::{Effort, Failure, FailureKind, Outcome};
use crate::row::Row;
use crate::turn::{Prompt, Turn, Usage};

fn identity() -> Identity {
    Identity {
        model: "sim/calm".to_owned(),
        prompt: "{{ text }}".to_owned(),
        system: None,
        parameters: Map::new(),
        schema: json!({"type": "object"}),
        examples: Vec::new(),
        images: Vec::new(),
    }
}

fn key(n: u64) -> Key {
    let prompt = Prompt::new(vec![Turn::user(n.to_string())]);
    identity().keys().of(&prompt)
}

fn by_prompt(key: Key) -> RowKey {
    RowKey { key, of: KeyOf::Prompt, asked: key }
}

fn row(index: u64) -> Row {
    Row::new(index, &format!("row {index}"))
}

fn valued(index: u64) -> Outcome {
    Outcome {
        index,
        result: Ok(json!({"n": index})),
        effort: Effort {
            attempts: 1,
            prompts: 1,
            usage: Usage { input_tokens: 10, output_tokens: 2, ..Usage::default() },
            ..Effort::default()
        },
        repairs: Vec::new(),
        model: Some("calm-1".to_owned()),
        finish_reason: Some("stop".to_owned()),
        requests: Vec::new(),
        history: Vec::new(),
        from_cache: false,
        completion: None,
    }
}

/// A folder for a journal that is opened repeatedly.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    fn options(&self) -> JournalOptions {
        JournalOptions::at(self.0.path().join("a.journal"))
    }

    fn open(&self) -> Arc<Journal> {
        Arc::new(Journal::open(&self.options(), &identity(), None).expect("it opens"))
    }

    fn contents(&self) -> Contents {
        Contents::open(self.options().path).expect("it can be read")
    }
}

/// Waits until this many outcomes are on the disk.
async fn until_written(session: &mut Session, mut outcomes: usize) -> Vec<Written> {
    let mut all = Vec::new();
    while outcomes > 0 {
        match session.next().await {
            Reply::Written(written) => {
                outcomes -= written.len();
                all.extend(written);
            }
            other => panic!("{other:?}"),
        }
    }
    all
}

/// Records an intent for each of these.
async fn intend(session: &Session, rows: impl IntoIterator<Item = u64>) {
    let (intents, relay) = session.intents();
    tokio::join!(relay.drive(), async move {
        for n in rows {
            intents.note(key(n), n, 1, Cost::default()).await.expect("written");
        }
    });
}

async fn known(session: &mut Session, keys: &[u64]) -> Vec<Option<Known>> {
    let rows: Vec<_> = keys.iter().map(|n| row(*n)).collect();
    session.look_up(keys.iter().zip(&rows).map(|(n, row)| (key(*n), None, row)));
    match session.next().await {
        Reply::Known(found) => found.expect("it can be read").into_iter().map(|(_, known)| known).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_written_is_known_by_its_key_and_at_its_place() {
    let folder = Folder::new();
    let failure = Failure {
        fault: Some(Box::new(Fault::new(FaultKind::Timeout, "too slow"))),
        ..Failure::unasked(FailureKind::Fault(FaultKind::Timeout), "timeout: too slow")
    };
    let failed = Outcome { result: Err(Box::new(failure)), repairs: vec!["fence".to_owned()], ..valued(1) };
    {
        let mut session = folder.open().begin(EqualRows::Share, Placing::Input);
        session.end(Some(by_prompt(key(0))), Some(key(0)), row(0), valued(0));
        session.end(Some(by_prompt(key(1))), Some(key(1)), row(1), failed.clone());
        until_written(&mut session, 2).await;
    }
    let mut session = folder.open().begin(EqualRows::Share, Placing::Input);
    let found = known(&mut session, &[1, 2, 0]).await;
    let [Some(second), None, Some(first)] = &found[..] else { panic!("{found:?}") };
    assert_eq!((&first.outcome, &second.outcome), (&valued(0), &failed));
    assert!([&first, &second].iter().all(|known| known.place == Place::Same));
    let contents = folder.contents();
    assert_eq!(contents.failures().expect("counted"), [("timeout".to_owned(), 1)].into());
    assert_eq!(contents.totals().usage.input_tokens, 20);
    let rows = contents.into_rows().expect("rows").next_page().expect("a page");
    assert_eq!(
        rows.iter().map(|(row, _)| &row.record[..]).collect::<Vec<_>>(),
        [br#"{"text":"row 0"}"#, br#"{"text":"row 1"}"#]
    );
}

#[tokio::test]
async fn an_intent_without_an_outcome_may_have_been_paid_for() {
    let folder = Folder::new();
    {
        let journal = folder.open();
        let mut session = journal.begin(EqualRows::Share, Placing::Input);
        intend(&session, 0..3).await;
        session.end(Some(by_prompt(key(1))), Some(key(1)), row(1), valued(1));
        until_written(&mut session, 1).await;
        assert_eq!(folder.contents().intents().expect("counted"), 2);
        assert!(folder.contents().is_being_written());
    }
    assert!(!folder.contents().is_being_written());
    let journal = folder.open();
    assert_eq!(journal.take_resumed().map(|totals| totals.possibly_paid), Some(2));
    assert_eq!(journal.take_resumed(), None, "it is reported once");
    drop(journal);
    assert_eq!(
        (folder.contents().intents().expect("counted"), folder.contents().totals().possibly_paid),
        (0, 2)
    );
}

#[tokio::test]
async fn a_row_given_up_before_its_end_may_have_been_paid_for_if_it_was_answered() {
    let folder = Folder::new();
    {
        let journal = folder.open();
        let session = journal.begin(EqualRows::Share, Placing::Input);
        intend(&session, 0..2).await;
        session.give_up(key(0), 0, Effort { attempts: 1, prompts: 1, ..Effort::default() });
        session.give_up(key(1), 1, valued(1).effort);
    }
    let contents = folder.contents();
    assert_eq!((contents.intents().expect("counted"), contents.totals().possibly_paid), (0, 1));
    assert_eq!((contents.totals().requests, contents.totals().usage.output_tokens), (2, 2));
}

#[tokio::test]
async fn one_with_an_outcome_refuses_another_plan_until_that_is_accepted() {
    let folder = Folder::new();
    {
        let mut session = folder.open().begin(EqualRows::Share, Placing::Input);
        session.end(Some(by_prompt(key(0))), Some(key(0)), row(0), valued(0));
        until_written(&mut session, 1).await;
    }
    let other =
        Identity { model: "sim/other".to_owned(), prompt: "Who? {{ text }}".to_owned(), ..identity() };
    let refused =
        Journal::open(&folder.options(), &other, None).map(drop).expect_err("it asks something else");
    assert!(refused.message.ends_with("was made with another model and prompt"), "{refused}");
    let accepted = JournalOptions { existing: Existing::AcceptChanges, ..folder.options() };
    drop(Journal::open(&accepted, &other, None).expect("it is accepted"));
    drop(Journal::open(&folder.options(), &other, None).expect("it is the plan now"));
}

#[test]
fn any_plan_goes_on_with_one_that_holds_nothing() {
    let folder = Folder::new();
    drop(folder.open());
    let other = Identity { prompt: "Who? {{ text }}".to_owned(), ..identity() };
    assert!(folder.contents().change(&other).is_none());
    drop(Journal::open(&folder.options(), &other, None).expect("there is nothing to protect"));
    assert_eq!(folder.contents().identity(), &other);
}

#[tokio::test]
async fn one_that_asks_something_else_is_refused_until_that_is_accepted() {
    let folder = Folder::new();
    {
        let session = folder.open().begin(EqualRows::Share, Placing::Input);
        intend(&session, 0..1).await;
    }
    let other =
        Identity { model: "sim/other".to_owned(), prompt: "Who? {{ text }}".to_owned(), ..identity() };
    let refused = Journal::open(&folder.options(), &other, None).expect_err("it asks something else");
    assert!(refused.message.ends_with("was made with another model and prompt"), "{refused}");
    let accepted = JournalOptions { existing: Existing::AcceptChanges, ..folder.options() };
    drop(Journal::open(&accepted, &other, None).expect("it is accepted"));
    drop(Journal::open(&folder.options(), &other, None).expect("it is the plan now"));
}

#[test]
fn a_file_that_is_no_journal_is_left_alone() {
    let folder = Folder::new();
    let options = folder.options();
    let fresh = JournalOptions { existing: Existing::StartOver, ..options.clone() };
    let open = |options| Journal::open(options, &identity(), None).expect_err("not a journal").message;

    std::fs::write(&options.path, "some text that somebody needs").expect("written");
    assert!(open(&options).ends_with("is not a rowcall journal"));
    assert!(open(&fresh).ends_with("is not a rowcall journal, so it is not removed"));
    assert_eq!(std::fs::read_to_string(&options.path).expect("read"), "some text that somebody needs");

    std::fs::remove_file(&options.path).expect("removed");
    let foreign = rusqlite::Connection::open(&options.path).expect("made");
    foreign.execute_batch("CREATE TABLE people (name TEXT)").expect("made");
    drop(foreign);
    assert!(open(&options).ends_with("is a SQLite file, but not a rowcall journal"));
    assert!(open(&fresh).ends_with("is not a rowcall journal, so it is not removed"));
}

#[test]
fn a_newer_one_is_refused_but_can_be_started_over() {
    let folder = Folder::new();
    drop(folder.open());
    let file = rusqlite::Connection::open(folder.options().path).expect("opened");
    file.pragma_update(None, "user_version", 7).expect("written");
    drop(file);
    let refused = Journal::open(&folder.options(), &identity(), None).expect_err("it is newer").message;
    assert!(refused.contains("has format 7, expected at most 3"), "{refused}");
    let fresh = JournalOptions { existing: Existing::StartOver, ..folder.options() };
    drop(Journal::open(&fresh, &identity(), None).expect("it is started over"));
}

#[tokio::test]
async fn keys_are_found_before_and_after_they_are_indexed() {
    const ROWS: u64 = 20_000;
    let folder = Folder::new();
    {
        let mut session = folder.open().begin(EqualRows::Share, Placing::Input);
        for n in 0..ROWS {
            session.end(Some(by_prompt(key(n))), Some(key(n)), row(n), valued(n));
        }
        until_written(&mut session, ROWS as usize).await;
    }
    let (_, indexed) =
        file::totals(&file::open_to_read(&folder.options().path).expect("opened")).expect("read");
    assert!(indexed >= 16_384, "{indexed} are indexed");
    let mut session = folder.open().begin(EqualRows::Share, Placing::Input);
    let found = known(&mut session, &[0, 9_999, ROWS - 1, ROWS]).await;
    let values: Vec<_> = found.into_iter().map(|known| known.map(|known| known.outcome)).collect();
    assert_eq!(values, [Some(valued(0)), Some(valued(9_999)), Some(valued(ROWS - 1)), None]);
}

#[tokio::test]
async fn equal_rows_that_are_asked_each_have_keys_by_their_number() {
    let folder = Folder::new();
    {
        let mut session = folder.open().begin(EqualRows::AskEach, Placing::Input);
        let rows = [row(0), row(1)];
        session.look_up(rows.iter().map(|row| (key(5), None, row)));
        let Reply::Known(Ok(found)) = session.next().await else { panic!("it is looked up") };
        let keys: Vec<_> = found.iter().map(|(key, known)| (*key, known.is_some())).collect();
        assert_eq!(keys, [(key(5), false), (key(5).occurrence(1), false)]);
        session.end(Some(by_prompt(keys[1].0)), Some(keys[1].0), row(1), valued(1));
        until_written(&mut session, 1).await;
    }
    let mut session = folder.open().begin(EqualRows::AskEach, Placing::Input);
    let found = known(&mut session, &[5]).await;
    assert!(found[0].is_none(), "the first was never asked");
    let found = known(&mut session, &[5]).await;
    assert_eq!(found[0].as_ref().map(|known| &known.outcome.result), Some(&Ok(json!({"n": 1}))));
}

/// What may happen to a journal.
#[derive(Debug, Clone)]
enum Happening {
    Intent(u64),
    Outcome(u64),
    Reopened,
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let one = prop_oneof![
        4 => (0..30_u64).prop_map(Happening::Intent),
        4 => (0..30_u64).prop_map(Happening::Outcome),
        1 => Just(Happening::Reopened),
    ];
    proptest::collection::vec(one, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_happens_known_rows_are_those_that_were_written(story in happenings()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let folder = Folder::new();
            let mut journal = folder.open();
            let mut session = journal.begin(EqualRows::Share, Placing::Input);
            let (mut open, mut done) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
            let mut paid = 0;
            for happening in story.into_iter().chain([Happening::Reopened]) {
                match happening {
                    // A known outcome is not requested again.
                    Happening::Intent(n) if done.contains(&n) => {}
                    Happening::Intent(n) => {
                        intend(&session, [n]).await;
                        open.insert(n);
                    }
                    Happening::Outcome(n) if done.contains(&n) => {}
                    Happening::Outcome(n) => {
                        session.end(Some(by_prompt(key(n))), Some(key(n)), row(n), valued(n));
                        until_written(&mut session, 1).await;
                        open.remove(&n);
                        done.insert(n);
                    }
                    Happening::Reopened => {
                        paid += open.len() as u64;
                        open.clear();
                        drop((session, journal));
                        journal = folder.open();
                        session = journal.begin(EqualRows::Share, Placing::Input);
                    }
                }
            }
            let all: Vec<_> = (0..30).collect();
            let found = known(&mut session, &all).await;
            let found: std::collections::BTreeSet<_> =
                found.into_iter().flatten().map(|known| known.outcome.index).collect();
            assert_eq!((&found, journal.take_resumed().map(|totals| totals.possibly_paid)), (&done, Some(paid)));
            let rows = folder.contents().into_rows().expect("rows").next_page().expect("a page");
            assert_eq!(rows.iter().map(|(row, _)| row.index).collect::<Vec<_>>(), done.into_iter().collect::<Vec<_>>());
        });
    }
}
