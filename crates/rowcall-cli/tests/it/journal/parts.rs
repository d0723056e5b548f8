//! Folders of parts: a killed run, resumed, writes the same bytes.

use std::collections::BTreeMap;
use std::fs;

use super::{Story, assert_exit};
use crate::command::ages;

const PARQUET: [&str; 6] = ["-o", "parts/", "--output-format", "parquet", "--part-rows", "60"];

fn files(story: &Story) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(story.dir.path("parts")).into_iter().flatten().flatten();
    let file = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().expect("a name");
        (name, fs::read(entry.path()).expect("a file"))
    };
    entries.map(file).collect()
}

#[test]
fn parts_of_a_killed_run_are_the_same_after_it_is_resumed() {
    let whole = Story::instant(&ages(400));
    let arguments = |story: &Story| {
        [&story.asking("in.txt").map(str::to_owned)[..], &PARQUET.map(str::to_owned)].concat()
    };
    let run = |story: &Story| {
        let arguments = arguments(story);
        story.dir.rowcall(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_exit(&run(&whole), 0, &["400 done"]);
    let expected = files(&whole);
    assert_eq!(expected.len(), 8);
    let story = Story::slow(10, &ages(400));
    for kill in 1..=4 {
        let arguments = [&arguments(&story)[..], &["-c".to_owned(), "8".to_owned()]].concat();
        let mut child = story.dir.start(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
        story.until_requests(&mut child, kill * 90);
        child.kill().expect("it is killed");
        child.wait().expect("it ends");
        let left = files(&story);
        let hidden = left.keys().filter(|name| name.starts_with('.')).count();
        assert!(hidden <= 1, "{:?}", left.keys());
        for (name, bytes) in left.iter().filter(|(name, _)| !name.starts_with('.')) {
            assert_eq!(Some(bytes), expected.get(name), "a part with its name is whole: {name}");
        }
        assert!(!left.contains_key("_manifest.json"));
    }
    assert_exit(&run(&story), 0, &["400 done"]);
    assert_eq!(files(&story), expected);
}
