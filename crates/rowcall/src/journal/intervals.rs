//! The curves of all runs: what they did in each interval. The number of intervals is bounded: neighbours are merged when there are too
//! many.

use rusqlite::{Connection, params};

use crate::interval::{Activity, Interval};
use crate::sqlite::{integer, natural, parsed, text};

/// The maximum number of intervals: enough for a report's curves, and a few hundred kilobytes at most.
const MOST: usize = 512;

/// The initial length of an interval, in milliseconds.
pub(super) const SHORTEST_MS: u64 = 1_000;

/// Beyond this length (a month, in milliseconds), the oldest intervals are dropped instead of merged.
const LONGEST_MS: u64 = 31 * 24 * 3_600_000;

/// The table, added to journals of earlier versions when they are next written to.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS intervals (seq INTEGER PRIMARY KEY, run_ms INTEGER NOT NULL, \
     started_ms INTEGER NOT NULL, lasted_ms INTEGER NOT NULL, activity TEXT NOT NULL);";

/// Adds an interval, and merges neighbours if there are too many. Returns the length of the next ones in milliseconds, which was
/// `length` so far.
pub(super) fn add(connection: &Connection, interval: &Interval, mut length: u64) -> rusqlite::Result<u64> {
    insert(connection, interval)?;
    let count: i64 =
        connection.prepare_cached("SELECT count(*) FROM intervals")?.query_row([], |row| row.get(0))?;
    if natural(count) <= MOST as u64 {
        return Ok(length);
    }
    let mut all = merged(read(connection)?, length);
    while all.len() > MOST / 2 && length < LONGEST_MS {
        length *= 2;
        all = merged(all, length);
    }
    let surplus = all.len().saturating_sub(MOST);
    all.drain(..surplus);
    connection.execute("DELETE FROM intervals", [])?;
    all.iter().try_for_each(|interval| insert(connection, interval))?;
    Ok(length)
}

fn insert(connection: &Connection, interval: &Interval) -> rusqlite::Result<()> {
    let Interval { run_ms, started_ms, lasted_ms, activity } = interval;
    let sql = "INSERT INTO intervals (run_ms, started_ms, lasted_ms, activity) VALUES (?, ?, ?, ?)";
    let mut insert = connection.prepare_cached(sql)?;
    insert.execute(params![run_ms, started_ms, integer(*lasted_ms), text(activity)?]).map(drop)
}

/// All intervals, in order; none for a journal without the table.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Vec<Interval>> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'intervals'";
    if !connection.query_row(sql, [], |row| row.get::<_, bool>(0))? {
        return Ok(Vec::new());
    }
    let sql = "SELECT run_ms, started_ms, lasted_ms, activity FROM intervals ORDER BY seq";
    let mut statement = connection.prepare(sql)?;
    let intervals = statement.query_map([], |row| {
        Ok(Interval {
            run_ms: row.get(0)?,
            started_ms: row.get(1)?,
            lasted_ms: natural(row.get(2)?),
            activity: parsed::<Activity>(row.get_ref(3)?.as_str()?, 3)?,
        })
    })?;
    intervals.collect()
}

/// Merges neighbours of the same run as long as they cover at most `length` milliseconds.
fn merged(all: Vec<Interval>, length: u64) -> Vec<Interval> {
    let mut merged: Vec<Interval> = Vec::with_capacity(all.len());
    for next in all {
        match merged.last_mut() {
            Some(last) if last.run_ms == next.run_ms && end(&next) - last.started_ms <= integer(length) => {
                last.lasted_ms = natural(end(&next) - last.started_ms);
                last.activity.extend(&next.activity);
            }
            Some(_) | None => merged.push(next),
        }
    }
    merged
}

fn end(interval: &Interval) -> i64 {
    interval.started_ms.saturating_add(integer(interval.lasted_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_intervals_is_bounded_and_their_sums_stay() {
        let connection = Connection::open_in_memory().expect("a database");
        assert_eq!(read(&connection).expect("a journal without the table"), []);
        connection.execute_batch(TABLE).expect("a table");
        let mut length = SHORTEST_MS;
        for second in 0..20_000 {
            let activity = Activity { done: 3, in_flight: second, ..Activity::default() };
            let started_ms = integer(second * 1_000);
            let run_ms = started_ms - started_ms % 9_000_000;
            let interval = Interval { run_ms, started_ms, lasted_ms: 1_000, activity };
            length = add(&connection, &interval, length).expect("added");
            if second % 1_000 == 0 {
                assert!(read(&connection).expect("read").len() <= MOST);
            }
        }
        let all = read(&connection).expect("read");
        assert!((MOST / 4..=MOST).contains(&all.len()), "{}", all.len());
        assert_eq!(all.iter().map(|interval| interval.activity.done).sum::<u64>(), 60_000);
        assert_eq!(all.iter().map(|interval| interval.lasted_ms).sum::<u64>(), 20_000_000);
        assert_eq!(all.last().map(|last| last.activity.in_flight), Some(19_999));
        assert!(length > SHORTEST_MS);
    }
}
