//! The file of a cache: what several claimants find there, and which files are refused.

use super::*;
use crate::hint::Setting;

fn file(path: &std::path::Path, claimant: &str) -> AnswerFile {
    let plan = PlanRecord::new(&identity(), &endpoint(), None);
    AnswerFile::open(path, plan, claimant.to_owned()).expect("a cache")
}

fn claim(file: &mut AnswerFile, wanted: Wanted) -> Standing {
    let work = Work { claimed: vec![wanted], ..Work::default() };
    file.change(&work).expect("it takes claims").pop().expect("one")
}

fn keep(file: &mut AnswerFile, n: u8, value: Value) {
    let work = Work { kept: vec![(key(n), answer(value))], ..Work::default() };
    file.change(&work).expect("it takes answers");
}

fn look(file: &mut AnswerFile, wanted: Wanted) -> Standing {
    file.look_up(&[wanted]).expect("it gives answers").pop().expect("one")
}

#[test]
fn one_claims_and_the_others_find_its_answer() {
    let (_folder, path) = folder();
    let (mut one, mut other) = (file(&path, "one"), file(&path, "other"));
    assert_eq!(look(&mut other, wanted(1)), Standing::Free);
    assert_eq!(claim(&mut one, wanted(1)), Standing::Free);
    assert_eq!(claim(&mut other, wanted(1)), Standing::Claimed);
    assert_eq!(look(&mut other, wanted(1)), Standing::Claimed);
    assert_eq!(claim(&mut other, wanted(2)), Standing::Free);
    // Who is not its claimant gives nothing back.
    other.change(&Work { given_back: vec![key(1)], ..Work::default() }).expect("it is written");
    assert_eq!(look(&mut other, wanted(1)), Standing::Claimed);
    keep(&mut one, 1, json!({"b": 1, "a": "x", "n": 0.1}));
    assert_eq!(kept(&look(&mut other, wanted(1))), answer(json!({"b": 1, "a": "x", "n": 0.1})));
    assert_eq!(kept(&claim(&mut other, wanted(1))).value, json!({"b": 1, "a": "x", "n": 0.1}));
    other.change(&Work { given_back: vec![key(2)], ..Work::default() }).expect("it is written");
    assert_eq!(look(&mut one, wanted(2)), Standing::Free);
}

#[test]
fn an_answer_that_was_rejected_is_claimed_and_replaced() {
    let (_folder, path) = folder();
    let (mut one, mut other) = (file(&path, "one"), file(&path, "other"));
    keep(&mut one, 1, json!(1));
    let Standing::Answered(first) = look(&mut one, wanted(1)) else { panic!("there is an answer") };
    let rejecting = Wanted { rejected: Some(first.number), ..wanted(1) };
    assert_eq!(claim(&mut other, rejecting), Standing::Free);
    assert_eq!(
        look(&mut one, rejecting),
        Standing::Claimed,
        "who rejects it as well waits for the other one"
    );
    assert_eq!(kept(&look(&mut one, wanted(1))).value, json!(1), "who does not has it meanwhile");
    keep(&mut other, 1, json!(2));
    let Standing::Answered(second) = look(&mut one, rejecting) else { panic!("there is another answer") };
    assert_eq!((&second.value, second.number > first.number), (&json!(2), true));
}

#[test]
fn what_a_killed_claimant_leaves_is_taken_over_after_its_lease() {
    let (_folder, path) = folder();
    let (mut one, mut other) = (file(&path, "one"), file(&path, "other"));
    let (lease, now) = (LEASE.as_millis() as i64, file::now_ms());
    // The last is of a clock that was set back.
    for (n, expires, standing) in [
        (1, now + lease / 2, Standing::Claimed),
        (2, now - 1, Standing::Free),
        (3, now + 100 * lease, Standing::Free),
    ] {
        assert_eq!(claim(&mut one, wanted(n)), Standing::Free);
        let sql = "UPDATE claims SET expires_at_ms = ?2 WHERE key = ?1";
        let connection = Connection::open(&path).expect("it is a SQLite file");
        connection.execute(sql, rusqlite::params![key(n).bytes(), expires]).expect("a claim");
        assert_eq!(claim(&mut other, wanted(n)), standing, "{n}");
    }
    // What was lost is not renewed, nor given back by who has lost it; what is held is.
    let lost = Work { renewed: vec![key(2)], given_back: vec![key(3)], ..Work::default() };
    one.change(&lost).expect("it is written");
    let claimants = |n: u8| {
        let connection = Connection::open(&path).expect("it is a SQLite file");
        let sql = "SELECT claimant FROM claims WHERE key = ?";
        connection.query_row(sql, [key(n).bytes()], |row| row.get::<_, String>(0)).expect("a claim")
    };
    assert_eq!([1, 2, 3].map(claimants), ["one", "other", "other"]);
}

#[test]
fn files_that_are_no_cache_are_refused_and_left_as_they_are() {
    let (folder, path) = folder();
    drop(file(&path, "one"));
    let sql = |text: &str| {
        let at = folder.path().join("x.db");
        let _ = std::fs::remove_file(&at);
        std::fs::copy(&path, &at).expect("a copy");
        Connection::open(&at).and_then(|connection| connection.execute_batch(text)).expect("it is done");
        std::fs::read(&at).expect("a file")
    };
    let whole = std::fs::read(&path).expect("a file");
    for (content, message) in [
        (
            b"text, and more of it than a header has, which SQLite has not written: ".repeat(3),
            "is not a rowcall cache",
        ),
        (sql("PRAGMA application_id = 0x726f7763"), "is a SQLite file, but not a rowcall cache"),
        (sql("PRAGMA application_id = 0"), "is a SQLite file, but not a rowcall cache"),
        (sql("PRAGMA user_version = 2"), "has format 2, expected at most 1: a newer rowcall wrote it"),
        (sql("DROP TABLE answers"), "cannot be used: no such table: answers"),
        (sql("DROP TABLE claims"), "cannot be used: no such table: claims"),
        (whole[..whole.len() - 100].to_vec(), "is damaged"),
    ] {
        let other = folder.path().join("other.cache");
        std::fs::write(&other, &content).expect("a file");
        let problem = open(&other).expect_err("it is refused");
        assert!(problem.message.contains(message), "{problem}");
        assert!(
            problem
                .hint
                .as_ref()
                .is_some_and(|hint| hint.settings().any(|setting| setting == Setting::Cache)),
            "{problem:?}"
        );
        if !message.contains("no such table") {
            assert!(std::fs::read(&other).expect("a file") == content, "{message}");
        }
    }
    for (other, message) in [
        (folder.path().to_owned(), "is a directory, expected a file"),
        (folder.path().join("none/x.cache"), "cannot be locked: No such file or directory"),
        (PathBuf::from("/dev/null"), "is a pipe or a device, expected a file"),
    ] {
        let problem = open(&other).expect_err("it is refused");
        assert!(problem.message.contains(message), "{problem}");
    }
    // Nothing, and what holds nothing, becomes one.
    let empty = folder.path().join("empty.cache");
    std::fs::write(&empty, "").expect("a file");
    drop(open(&empty).expect("a cache"));
    assert!(std::fs::metadata(&empty).expect("a file").len() > 0);
}

#[test]
fn many_that_begin_at_once_make_one_cache() {
    let (folder, path) = folder();
    let barrier = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for n in 0..8 {
            let (barrier, path) = (&barrier, &path);
            scope.spawn(move || {
                barrier.wait();
                keep(&mut file(path, &n.to_string()), n, json!(n));
            });
        }
    });
    let mut found = file(&path, "last");
    for n in 0..8 {
        assert_eq!(kept(&look(&mut found, wanted(n))).value, json!(n));
    }
    drop(found);
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left beside it");
}

#[test]
fn contents_are_shown_and_pruned_by_plan_model_age_and_size() {
    let (_folder, path) = folder();
    let other = Identity { model: "sim/flaky".to_owned(), ..identity() };
    let mut one = file(&path, "one");
    let mut two =
        AnswerFile::open(&path, PlanRecord::new(&other, &endpoint(), Some("Person")), "two".to_owned())
            .expect("a cache");
    let long = "x".repeat(1_000);
    for n in 0..100 {
        keep(if n < 60 { &mut one } else { &mut two }, n, json!({ "a": long, "n": n }));
    }
    let contents = CacheContents::open(&path).expect("a cache");
    let plans = contents.plans().expect("plans");
    let shown: Vec<_> =
        plans.iter().map(|plan| (plan.model.as_str(), plan.answers, plan.usage.input_tokens)).collect();
    assert_eq!(shown, [("sim/flaky", 40, 400), ("sim/calm", 60, 600)]);
    assert_eq!(
        (plans[0].validated_by.as_deref(), plans[0].cost),
        (Some("Person"), Usd::from_picodollars(280))
    );
    let mut values = Vec::new();
    let mut contents = contents;
    loop {
        let page = contents.next_page().expect("answers");
        if page.is_empty() {
            break;
        }
        values.extend(page.into_iter().map(|answer| (answer.plan, answer.value["n"].clone())));
    }
    assert_eq!(values.len(), 100);
    assert_eq!(values[99], (plans[0].name.clone(), json!(99)));
    drop(contents);
    let prune = |pruning: Pruning| pruning.prune(&path).map(|pruned| (pruned.removed, pruned.left));
    let refused = |pruning: Pruning| prune(pruning).expect_err("it is refused").to_string();
    assert_eq!(refused(Pruning::default()), "nothing says which answers are to be removed");
    let plan = |name: &str| Pruning { plan: Some(name.to_owned()), ..Pruning::default() };
    assert!(refused(plan("zz")).contains("has no plan whose name begins with `zz`"));
    assert!(refused(plan("")).contains("has more than one plan"));
    let old = Some(Duration::from_hours(1));
    assert_eq!(prune(Pruning { older_than: old, ..Pruning::default() }).expect("done"), (0, 100));
    let aged = "UPDATE answers SET kept_at_ms = kept_at_ms - 7200000 WHERE number <= 70";
    Connection::open(&path).and_then(|connection| connection.execute_batch(aged)).expect("it is done");
    let both = Pruning { older_than: old, ..plan(&plans[0].name) };
    assert_eq!(prune(both).expect("done"), (10, 90));
    let model = |name: &str| Pruning { model: Some(name.to_owned()), ..Pruning::default() };
    assert_eq!(prune(model("sim/flaky")).expect("done"), (30, 60));
    let before = std::fs::metadata(&path).expect("a file").len();
    let size = Pruning { most_bytes: Some(60_000), ..Pruning::default() };
    let (removed, left) = prune(size).expect("done");
    let after = std::fs::metadata(&path).expect("a file").len();
    assert!(
        removed > 0 && left > 5 && after <= 60_000 && after < before,
        "{removed} {left} {before} {after}"
    );
    // The oldest are gone, and those who have it open go on.
    assert_eq!(look(&mut one, wanted(0)), Standing::Free);
    assert_eq!(kept(&look(&mut one, wanted(59))).value["n"], json!(59));
    keep(&mut one, 0, json!(0));
    assert_eq!(prune(model("calm-1")).expect("done"), (left + 1, 0));
}

#[test]
fn a_plan_goes_with_its_last_answer_and_comes_back_with_the_next() {
    let (_folder, path) = folder();
    let other = Identity { model: "sim/flaky".to_owned(), ..identity() };
    let mut one = file(&path, "one");
    let two = PlanRecord::new(&other, &endpoint(), None);
    let mut two = AnswerFile::open(&path, two, "two".to_owned()).expect("a cache");
    let plans = || {
        let connection = Connection::open(&path).expect("it is a SQLite file");
        let mut models = connection.prepare("SELECT model FROM plans ORDER BY id").expect("a table");
        let models = models.query_map([], |row| row.get::<_, String>(0)).expect("rows");
        models.collect::<Result<Vec<_>, _>>().expect("models")
    };
    assert_eq!(plans(), [""; 0], "a plan without answers is not written");
    keep(&mut one, 1, json!(1));
    keep(&mut two, 2, json!(2));
    keep(&mut two, 3, json!(3));
    assert_eq!(plans(), ["sim/calm", "sim/flaky"]);
    let prune = |model: &str| Pruning { model: Some(model.to_owned()), ..Pruning::default() }.prune(&path);
    prune("sim/flaky").expect("done");
    assert_eq!(plans(), ["sim/calm"]);
    prune("sim/calm").expect("done");
    assert_eq!(plans(), [""; 0]);
    // Runs that were under way keep answers under their own plans, whichever number these get now.
    keep(&mut two, 4, json!(4));
    keep(&mut one, 5, json!(5));
    let shown = CacheContents::open(&path).and_then(|contents| contents.plans()).expect("plans");
    let shown: Vec<_> = shown.iter().map(|plan| (plan.model.as_str(), plan.answers)).collect();
    assert_eq!(shown, [("sim/calm", 1), ("sim/flaky", 1)]);
}
