//! The costs in a journal: of each request, upper bounds for lost answers, and the prices that they are based on; and journals from
//! before costs were kept.

use super::*;
use crate::money::{Cost, Usd};
use crate::outcome::Spent;

fn usd(picodollars: u64) -> Usd {
    Usd::from_picodollars(picodollars)
}

/// An outcome of three requests, the second of which was lost.
fn dear(index: u64) -> Outcome {
    let usage = |input_tokens| Usage {
        input_tokens,
        cached_tokens: 1,
        cache_write_tokens: 3,
        cache_write_long_tokens: 2,
        output_tokens: 9,
        reasoning_tokens: 4,
    };
    let requests = [
        Spent { usage: Some(usage(10)), cost: Cost::known(usd(7)) },
        Spent { usage: None, cost: Cost::at_most(usd(50)) },
        Spent { usage: Some(usage(20)), cost: Cost::UNKNOWN },
    ];
    let mut outcome = valued(index);
    outcome.effort.attempts = 3;
    for spent in &requests {
        outcome.effort.cost += spent.cost;
    }
    Outcome { requests: requests.into(), ..outcome }
}

fn open_at(folder: &Folder, basis: &str) -> Arc<Journal> {
    Arc::new(Journal::open(&folder.options(), &identity(), Some(basis)).expect("it opens"))
}

/// The content of the file, as any SQLite tool reads it.
fn texts(folder: &Folder, sql: &str) -> Vec<String> {
    let file = rusqlite::Connection::open(folder.options().path).expect("it opens");
    let mut statement = file.prepare(sql).expect("it can be asked");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<rusqlite::Result<_>>().expect("texts")
}

#[tokio::test]
async fn each_request_is_kept_with_the_prices_that_it_is_by() {
    let folder = Folder::new();
    for (n, basis) in [(0, "2026-11-28 sha256:77"), (1, "given in=1,out=2"), (2, "2026-11-28 sha256:77")] {
        let mut session = open_at(&folder, basis).begin(EqualRows::Share, Placing::Input);
        let outcome = if n == 1 { valued(1) } else { dear(n) };
        session.end(Some(by_prompt(key(n))), Some(key(n)), row(n), outcome);
        until_written(&mut session, 1).await;
    }
    let rows = folder.contents().into_rows().expect("rows").next_page().expect("a page");
    let outcomes: Vec<_> = rows.into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(outcomes, [dear(0), valued(1), dear(2)]);
    let mut session = open_at(&folder, "another").begin(EqualRows::Share, Placing::Input);
    let found = known(&mut session, &[2]).await;
    assert_eq!(found[0].as_ref().map(|known| &known.outcome), Some(&dear(2)));
    let sql =
        "SELECT coalesce(requests, '-') || ' ' || name FROM outcomes JOIN bases ON id = basis ORDER BY seq";
    let each = "[[[10,1,3,2,9,4],7,null],[null,null,50],[[20,1,3,2,9,4],null,null]]";
    assert_eq!(
        texts(&folder, sql),
        [
            format!("{each} 2026-11-28 sha256:77"),
            "- given in=1,out=2".to_owned(),
            format!("{each} 2026-11-28 sha256:77"),
        ]
    );
}

#[tokio::test]
async fn what_was_lost_with_a_run_is_added_up_at_the_most() {
    let folder = Folder::new();
    {
        let journal = folder.open();
        let session = journal.begin(EqualRows::Share, Placing::Input);
        let (intents, spread) = session.intents();
        tokio::join!(spread.drive(), async move {
            let mut twice = Cost::known(usd(3));
            twice += Cost::at_most(usd(40));
            for (n, cost) in [(0, Cost::at_most(usd(100))), (1, Cost::at_most(usd(1))), (2, twice)] {
                intents.note(key(n), n, 1, cost).await.expect("written");
            }
            // The latest intent of a row counts, along with the cost that was known before.
            intents.note(key(1), 1, 2, Cost::at_most(usd(200))).await.expect("written");
            // This row's run is dropped, and that one's is killed.
            drop(intents.asking(key(0)));
        });
        drop((session, journal));
    }
    let contents = folder.contents();
    assert_eq!(contents.totals().cost, Cost::at_most(usd(100)));
    let cut_off = Cost { known: usd(3), unknown: 2, bounded: 2, most: usd(240) };
    assert_eq!(contents.cost_of_intents().expect("read"), cut_off);
    let resumed = folder.open().take_resumed().expect("it was there");
    assert_eq!((resumed.possibly_paid, resumed.cost.ceiling()), (3, Some(usd(343))));
    assert_eq!(folder.contents().totals().cost, resumed.cost);
    let each = "SELECT why || ' ' || cost_at_most_picousd FROM possibly_paid ORDER BY cost_at_most_picousd";
    assert_eq!(texts(&folder, each), ["cut off 43", "dropped 100", "cut off 200"]);
}

#[tokio::test]
async fn journals_of_before_costs_or_their_bounds_were_kept_go_on() {
    let layouts = [
        (2, include_str!("layouts/without_costs.sql"), "", Cost { unknown: 3, ..Cost::default() }),
        (
            3,
            include_str!("layouts/without_bounds.sql"),
            "UPDATE outcomes SET cost_picousd = 5, cost_unknown = 1;",
            Cost { known: usd(5), unknown: 1, ..Cost::default() },
        ),
    ];
    for (format, tables, more, cost) in layouts {
        let folder = Folder::new();
        let file = rusqlite::Connection::open(folder.options().path).expect("made");
        let mark = format!("PRAGMA application_id = 1919907683; PRAGMA user_version = {format};");
        file.execute_batch(&format!("{tables} {mark}")).expect("its tables are made");
        super::file::add_plan(&file, &identity(), "").expect("its plan is written");
        let (_, keys) = super::file::noted(&file, &identity()).expect("it can be read");
        let old = |n: u64| keys.of(&Prompt::new(vec![Turn::user(n.to_string())]));
        file.execute(
            "INSERT INTO outcomes (seq, key, value, attempts, prompts, input_tokens, cached_tokens, cache_write_tokens, \
             output_tokens, reasoning_tokens, unmetered, latency_us, ended_at_ms, model, finish_reason) \
             VALUES (1, ?, '{\"n\":0}', 3, 1, 10, 0, 0, 2, 0, 0, 0, 0, 'calm-1', 'stop')",
            [old(0).bytes()],
        )
        .expect("written");
        file.execute("INSERT INTO intents VALUES (?, 1, 2)", [old(1).bytes()]).expect("written");
        let spent = if format == 2 {
            r#"{"rows":1,"outcomes":1,"requests":3}"#
        } else {
            r#"{"rows":1,"outcomes":1,"requests":3,"cost":{"known":5,"unknown":1}}"#
        };
        file.execute_batch(&format!(
            "INSERT INTO places VALUES (0, 1, NULL, '{{}}'); UPDATE totals SET spent = '{spent}'; {more}"
        ))
        .expect("written");
        drop(file);

        let of_row = |folder: &Folder| {
            let rows = folder.contents().into_rows().expect("rows").next_page().expect("a page");
            rows.first().map(|(_, outcome)| (outcome.effort.cost, outcome.requests.len()))
        };
        assert_eq!((of_row(&folder), folder.contents().totals().cost), (Some((cost, 0)), cost), "{format}");
        assert_eq!(folder.contents().cost_of_intents().expect("read").unknown, 2);
        {
            let journal = open_at(&folder, "some prices");
            let mut after = cost;
            after.unknown += 2;
            let resumed = journal.take_resumed().expect("it was there");
            assert_eq!((resumed.cost, resumed.cost.ceiling()), (after, None), "{format}");
            let mut session = journal.begin(EqualRows::Share, Placing::Input);
            session.end(None, Some(old(1)), row(1), dear(1));
            until_written(&mut session, 1).await;
        }
        let rows = folder.contents().into_rows().expect("rows").next_page().expect("a page");
        let costs: Vec<_> = rows.iter().map(|(_, outcome)| outcome.effort.cost).collect();
        assert_eq!(costs, [cost, dear(1).effort.cost], "{format}");
        assert_eq!(texts(&folder, "SELECT name FROM bases"), ["some prices"]);
    }
}
