//! The rules for the sources: which module may use which, how a file begins and how long it is, what the map names, and
//! which crate depends on which. The tables are here; the checks are in `architecture/`.

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

/// The modules of the library, from the front door down to the nouns. A module may use the groups below its own;
/// [`Group`] says which may also use their own group.
const GROUPS: [(Group, &[&str]); 4] = [
    (Group::FrontDoor, &["client", "config", "extractor", "garde_rules", "outcomes"]),
    (
        Group::Path,
        &[
            "conversation",
            "extract",
            "halt",
            "refusals",
            "order",
            "probe",
            "recall",
            "run",
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
            "check",
            "error",
            "estimate",
            "event",
            "fault",
            "identity",
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

/// Dependencies that violate the groups, each with its reason.
const ALLOWANCES: [Allowance; 5] = [
    Allowance { from: "run", to: "config", reason: "a run executes the plan, which only config can check" },
    Allowance { from: "validity", to: "config", reason: "the plan defines what is valid" },
    Allowance { from: "extract", to: "config", reason: "each row is asked about as the plan says" },
    Allowance { from: "probe", to: "config", reason: "a probe goes through the account" },
    Allowance {
        from: "recall",
        to: "config",
        reason: "the plan says whether there is a journal, and what a row's key is",
    },
];

/// The packages of the workspace plus the fuzzer's, and which of our own packages each may depend on.
const CRATES: [Crate; 9] = [
    Crate { name: "rowcall", uses: &[], tests_use: &["rowcall-sim"] },
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
    Crate { name: "rowcall-fuzz", uses: &["rowcall"], tests_use: &[] },
    Crate { name: "xtask", uses: &["rowcall", "rowcall-sim"], tests_use: &[] },
];

#[test]
fn every_module_of_the_library_is_in_one_group() {
    none(arrows::misplaced(&TREE.library_entries(), &GROUPS));
}

#[test]
fn modules_use_only_what_is_below_them() {
    none(arrows::against(&TREE.library(), &GROUPS, &ALLOWANCES));
}

#[test]
fn every_file_begins_with_a_header() {
    none(TREE.sources.iter().filter_map(files::without_header));
}

#[test]
fn no_file_is_too_long() {
    none(TREE.sources.iter().flat_map(files::too_long));
}

#[test]
fn files_are_named_for_their_contents() {
    none(TREE.paths().filter_map(files::nameless));
}

#[test]
fn the_map_names_what_exists() {
    let mut entries: Vec<String> = TREE.children("crates/rowcall/src").collect();
    entries.extend(TREE.children("crates"));
    none(map::problems(&TREE.text("ARCHITECTURE.md"), &entries, |path| TREE.has(path)));
}

#[test]
fn crates_depend_only_downwards() {
    none(manifests::against(&TREE.manifests(), &CRATES));
}

#[test]
fn features_are_few() {
    none(TREE.manifests().iter().filter_map(manifests::too_many_features));
}

#[test]
fn features_switch_only_whole_modules() {
    none(TREE.sources.iter().flat_map(features::off_modules));
}

/// Fails with all `problems`, so that one run shows everything there is to fix.
#[track_caller]
fn none(problems: impl IntoIterator<Item = String>) {
    let problems: Vec<String> = problems.into_iter().collect();
    assert!(problems.is_empty(), "\n\n{}\n\n", problems.join("\n"));
}
