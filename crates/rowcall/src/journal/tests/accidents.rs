//! Interference: another run, a writer that is faster than a reader, leftover files of a removed journal, tables that reject
//! writes.

use super::*;
use crate::journal::lookup::Wanted;

/// Changes the file at `options` as another program would.
fn meddle(options: &JournalOptions, sql: &str) {
    let other = rusqlite::Connection::open(&options.path).expect("it opens");
    other.execute_batch(sql).expect("it is changed");
}

#[tokio::test]
async fn what_is_indexed_while_it_is_looked_up_is_known_all_the_same() {
    const BEFORE_INDEXING: u64 = 16_383;
    let folder = Folder::new();
    let mut session = folder.open().begin(EqualRows::Share, Placing::Input);
    for n in 0..BEFORE_INDEXING {
        session.end(Some(by_prompt(key(n))), Some(key(n)), row(n), valued(n));
    }
    until_written(&mut session, BEFORE_INDEXING as usize).await;
    // The lookup takes longer than indexing, which the next outcome starts.
    let rows: Vec<_> = (0..3 * BEFORE_INDEXING).map(|n| row(n % BEFORE_INDEXING)).collect();
    session.look_up(rows.iter().map(|row| (key(row.index), None, row)));
    session.end(
        Some(by_prompt(key(BEFORE_INDEXING))),
        Some(key(BEFORE_INDEXING)),
        row(BEFORE_INDEXING),
        valued(BEFORE_INDEXING),
    );
    let found = loop {
        match session.next().await {
            Reply::Known(found) => break found.expect("it can be read"),
            Reply::Written(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(found.iter().filter(|(_, known)| known.is_none()).count(), 0, "of {}", found.len());
}

#[tokio::test]
async fn rows_of_a_run_can_be_asked_again_before_the_journal_is_closed() {
    let folder = Folder::new();
    let journal = folder.open();
    {
        let mut session = journal.begin(EqualRows::Share, Placing::Input);
        session.end(Some(by_prompt(key(0))), Some(key(0)), row(0), valued(0));
        until_written(&mut session, 1).await;
        session.complete(1);
    }
    let mut session = journal.begin(EqualRows::Share, Placing::Again);
    session.end(
        Some(by_prompt(key(0))),
        Some(key(0)),
        row(0),
        Outcome { result: Ok(json!("again")), ..valued(0) },
    );
    until_written(&mut session, 1).await;
    let rows = folder.contents().into_rows().expect("rows").next_page().expect("a page");
    let values: Vec<_> = rows.into_iter().map(|(_, outcome)| outcome.result).collect();
    assert_eq!(values, [Ok(json!("again"))]);
}

#[tokio::test]
async fn a_new_journal_has_nothing_of_one_that_was_removed_without_its_log() {
    let folder = Folder::new();
    let path = folder.options().path;
    let log = crate::sqlite::beside(&path, "-wal");
    {
        let mut session = folder.open().begin(EqualRows::Share, Placing::Input);
        session.end(Some(by_prompt(key(0))), Some(key(0)), row(0), valued(0));
        until_written(&mut session, 1).await;
        std::fs::copy(&log, folder.0.path().join("kept")).expect("copied");
    }
    std::fs::remove_file(&path).expect("removed");
    std::fs::rename(folder.0.path().join("kept"), &log).expect("put back");
    let mut session = folder.open().begin(EqualRows::Share, Placing::Input);
    assert!(known(&mut session, &[0]).await[0].is_none());
    assert_eq!(folder.contents().totals().outcomes, 0);
}

#[tokio::test]
async fn outcomes_on_disk_are_reported_although_their_keys_cannot_be_indexed() {
    const TO_BE_INDEXED: u64 = 16_384;
    let folder = Folder::new();
    let mut session = folder.open().begin(EqualRows::Share, Placing::Input);
    meddle(&folder.options(), "CREATE TRIGGER no BEFORE INSERT ON keys BEGIN SELECT RAISE(ABORT, 'no'); END");
    for n in 0..TO_BE_INDEXED {
        session.end(Some(by_prompt(key(n))), Some(key(n)), row(n), valued(n));
    }
    until_written(&mut session, TO_BE_INDEXED as usize).await;
    session.end(
        Some(by_prompt(key(TO_BE_INDEXED))),
        Some(key(TO_BE_INDEXED)),
        row(TO_BE_INDEXED),
        valued(TO_BE_INDEXED),
    );
    let Reply::Unwritten { index, problem, .. } = session.next().await else { panic!("it is broken") };
    assert_eq!(index, TO_BE_INDEXED);
    assert!(problem.message.ends_with("cannot be used: no"), "{problem}");
    assert_eq!(folder.contents().totals().outcomes, TO_BE_INDEXED);
}

#[test]
fn what_a_run_has_seen_is_forgotten_with_it() {
    let folder = Folder::new();
    drop(folder.open());
    let path = folder.options().path;
    let connection = file::open_to_read(&path).expect("it opens");
    let recent = Arc::new(Recent::load(&connection, 0, Filtered::No).expect("it can be read"));
    let finder = Finder::new(path, connection, recent).expect("a finder");
    let wanted = [0, 0].map(|index| Wanted { key: key(0), own: None, index, record: None });
    let numbers = |run| {
        let found = finder.known(&wanted, EqualRows::AskEach, run).expect("it can be read");
        found.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    let (first, second) =
        (vec![key(0), key(0).occurrence(1)], vec![key(0).occurrence(2), key(0).occurrence(3)]);
    assert_eq!((numbers(1), numbers(2), numbers(1)), (first.clone(), first.clone(), second.clone()));
    finder.forget(1).expect("it is forgotten");
    assert_eq!((numbers(1), numbers(2)), (first, second));
}

#[tokio::test]
async fn what_was_nested_deeply_can_be_read_again() {
    let deep = (0..130).fold(json!("inmost"), |inner, _| json!([inner]));
    let best = Failure { best: Some(deep.clone()), ..Failure::unasked(FailureKind::Invalid, "is a list") };
    let failed = Outcome { result: Err(Box::new(best)), ..valued(0) };
    let folder = Folder::new();
    {
        let mut session = folder.open().begin(EqualRows::Share, Placing::Input);
        session.end(Some(by_prompt(key(0))), Some(key(0)), row(0), failed.clone());
        session.end(Some(by_prompt(key(1))), Some(key(1)), row(1), Outcome { result: Ok(deep), ..valued(1) });
        until_written(&mut session, 2).await;
    }
    let mut session = folder.open().begin(EqualRows::Share, Placing::Input);
    assert_eq!(known(&mut session, &[0]).await.remove(0).map(|known| known.outcome), Some(failed));
    let rows = folder.contents().into_rows().expect("rows").next_page().expect("a page");
    assert_eq!(rows.len(), 2);
}

#[tokio::test]
async fn a_row_whose_run_is_dropped_may_have_been_paid_for_at_once() {
    let folder = Folder::new();
    let journal = folder.open();
    {
        let session = journal.begin(EqualRows::Share, Placing::Input);
        intend(&session, 0..3).await;
        let (intents, _) = session.intents();
        intents.withdraw(key(1), 1);
        intents.asking(key(2)).end();
        // The last one was never about to be sent.
        drop([0, 1, 9].map(|n| intents.asking(key(n))));
    }
    let mut session = journal.begin(EqualRows::Share, Placing::Input);
    intend(&session, [0]).await;
    session.end(Some(by_prompt(key(0))), Some(key(0)), row(0), valued(0));
    until_written(&mut session, 1).await;
    let contents = folder.contents();
    assert_eq!((contents.intents().expect("counted"), contents.totals().possibly_paid), (1, 1));
}

#[test]
fn what_nests_without_end_is_an_error() {
    let parsed =
        |text: &str| crate::sqlite::parsed::<serde_json::Value>(text, 0).map_err(|error| error.to_string());
    let refused = parsed(&"[".repeat(100_000)).expect_err("it nests too deep");
    assert!(refused.contains("recursion limit exceeded"), "{refused}");
    let (open, close) = ("[".repeat(256), "]".repeat(256));
    assert!(parsed(&format!("{open}{close}")).is_ok());
    // In a text they do not nest.
    let text = "\\\"[{".repeat(100_000);
    assert!(parsed(&format!("{open}\"{text}\"{close}")).is_ok());
}
