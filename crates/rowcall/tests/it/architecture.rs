//! The architecture's rules for the sources: which module may use which, how a file starts and how long it is, what the code
//! map names, and which crate depends on which. The tables are here, the checks in `architecture/`.

mod arrows;
mod features;
mod files;
mod manifests;
mod map;
mod syntax;
mod tree;

use std::sync::LazyLock;

use arrows::{Allowance, Group};
use manifests::Crate;
use tree::Tree;

/// Read once for all checks.
static TREE: LazyLock<Tree> = LazyLock::new(Tree::read);

/// The modules of the library, from the front door down to the nouns. A module may use the groups below its own; [`Group`] says
/// which modules may also use their own group.
const GROUPS: [(Group, &[&str]); 4] = [
    (Group::FrontDoor, &["client", "config", "control", "extractor", "garde_rules", "outcomes", "renderer"]),
    (
        Group::Path,
        &[
            "backlog",
            "batch",
            "conversation",
            "extract",
            "halt",
            "refusals",
            "retries",
            "steering",
            "order",
            "probe",
            "recall",
            "run",
            "sampler",
            "stops",
            "validity",
            "tokenizer",
            "weight",
        ],
    ),
    (
        Group::Stations,
        &[
            "admission",
            "attachment",
            "cache",
            "completion",
            "duplicates",
            "journal",
            "prompt",
            "provider",
            "retry",
            "transport",
        ],
    ),
    (
        Group::Nouns,
        &[
            "adjustment",
            "attempt",
            "check",
            "error",
            "estimate",
            "event",
            "fault",
            "hint",
            "identity",
            "interval",
            "media_type",
            "message",
            "money",
            "number",
            "outcome",
            "price",
            "reasons",
            "relay",
            "repeated_key",
            "request",
            "row",
            "schema",
            "source",
            "sqlite",
            "standing",
            "stats",
            "totals",
            "turn",
            "violation",
        ],
    ),
];

/// Exceptions to the groups, each with its reason.
const ALLOWANCES: [Allowance; 8] = [
    Allowance { from: "batch", to: "config", reason: "each row is requested as the plan says" },
    Allowance { from: "run", to: "config", reason: "a run executes the plan, which only config can check" },
    Allowance { from: "validity", to: "config", reason: "the plan defines what is valid" },
    Allowance { from: "sampler", to: "config", reason: "the plan has the statistics" },
    Allowance { from: "extract", to: "config", reason: "each row is requested as the plan says" },
    Allowance { from: "retries", to: "config", reason: "failed rows are asked about as the plan says" },
    Allowance { from: "probe", to: "config", reason: "a server is probed through the account" },
    Allowance {
        from: "recall",
        to: "config",
        reason: "the plan says whether there is a journal, and how a row's key is made",
    },
];

/// The packages of the workspace and those outside it, and which of our own packages each may depend on.
const CRATES: [Crate; 11] = [
    Crate { name: "rowcall-validate", uses: &[], tests_use: &[] },
    Crate { name: "rowcall", uses: &["rowcall-validate"], tests_use: &["rowcall-sim"] },
    Crate { name: "rowcall-data", uses: &["rowcall"], tests_use: &[] },
    Crate { name: "rowcall-sim", uses: &[], tests_use: &[] },
    Crate { name: "rowcall-cli", uses: &["rowcall", "rowcall-data", "rowcall-sim"], tests_use: &[] },
    Crate {
        name: "rowcall-python",
        uses: &["rowcall", "rowcall-cli", "rowcall-data", "rowcall-sim"],
        tests_use: &[],
    },
    Crate { name: "rowcall-bench-floor", uses: &["rowcall"], tests_use: &[] },
    Crate { name: "rowcall-bench-stub", uses: &[], tests_use: &[] },
    Crate { name: "rowcall-bench-peers", uses: &[], tests_use: &[] },
    Crate { name: "rowcall-fuzz", uses: &["rowcall"], tests_use: &[] },
    Crate { name: "xtask", uses: &["rowcall", "rowcall-sim"], tests_use: &[] },
];

#[test]
fn every_module_of_the_library_is_in_one_group() {
    assert_none(arrows::misplaced(&TREE.library_entries(), &GROUPS));
}

#[test]
fn modules_use_only_what_is_below_them() {
    assert_none(arrows::against(&TREE.library(), &GROUPS, &ALLOWANCES));
}

#[test]
fn every_file_starts_with_a_header() {
    assert_none(TREE.sources.iter().filter_map(files::without_header));
}

#[test]
fn no_file_is_too_long() {
    assert_none(TREE.sources.iter().flat_map(files::too_long));
}

#[test]
fn files_are_named_for_their_content() {
    assert_none(TREE.paths().filter_map(files::nameless));
}

#[test]
fn the_code_map_matches_the_files() {
    let mut entries: Vec<String> = TREE.children("crates/rowcall/src").collect();
    entries.extend(TREE.children("crates"));
    assert_none(map::problems(&TREE.text("ARCHITECTURE.md"), &entries, |path| TREE.has(path)));
}

#[test]
fn each_question_is_answered_in_one_file() {
    let text = TREE.text("ARCHITECTURE.md");
    let (_, section) = text.split_once("## Where it is decided").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("a section after it");
    let answers: Vec<Vec<&str>> =
        section.lines().filter(|line| line.contains('?')).map(|line| line.split('`').collect()).collect();
    assert!(answers.len() >= 5, "{answers:?}");
    for answer in answers {
        let [question, file, _, found, _] = answer[..] else {
            panic!("a question, a file, a phrase: {answer:?}")
        };
        let lines = TREE.text(file).lines().filter(|line| line.trim_start().starts_with(found)).count();
        assert_eq!(lines, 1, "{question}: `{found}` in {file}");
    }
}

#[test]
fn crates_depend_only_downwards() {
    assert_none(manifests::against(&TREE.manifests(), &CRATES));
}

#[test]
fn features_are_few() {
    assert_none(TREE.manifests().iter().filter_map(manifests::too_many_features));
}

#[test]
fn features_guard_only_whole_modules() {
    assert_none(TREE.sources.iter().flat_map(features::off_modules));
}

/// Fails with all `problems`, so that one run shows everything that needs fixing.
#[track_caller]
fn assert_none(problems: impl IntoIterator<Item = String>) {
    let problems: Vec<String> = problems.into_iter().collect();
    assert!(problems.is_empty(), "\n\n{}\n\n", problems.join("\n"));
}
