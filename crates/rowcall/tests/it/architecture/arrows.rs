//! Which module of the library uses which, read from `crate::`, `self::` and `super::` paths, and whether the groups allow it.
//! Tests may use anything.

use std::collections::BTreeSet;

use super::syntax::{Token, tokens};
use super::tree::Source;

/// The layer of a module, from the nouns up to the front door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// Data types and small tools. They may use one another.
    Nouns,
    /// One concern each. They never use one another; what two of them need is a noun, or is passed by the path.
    Stations,
    /// The route of a row; its modules may use one another.
    Path,
    /// The public interface; its modules may use one another.
    FrontDoor,
}

impl Group {
    fn may_use(self, other: Self) -> bool {
        match self {
            Self::Stations => other < self,
            Self::Nouns | Self::Path | Self::FrontDoor => other <= self,
        }
    }
}

/// An exception to the groups: `from` may use `to`.
#[derive(Debug)]
pub(super) struct Allowance {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    pub(super) reason: &'static str,
}

/// A file of the library and its module path.
#[derive(Debug)]
pub(super) struct Module<'a> {
    /// The module path below the crate: `["admission", "bucket"]`.
    path: Vec<&'a str>,
    source: &'a Source,
}

impl<'a> Module<'a> {
    /// The module in the file at `path` below `src/`; `None` for the crate itself.
    pub(super) fn new(path: &'a str, source: &'a Source) -> Option<Self> {
        let mut path: Vec<&str> = path.trim_start_matches('/').trim_end_matches(".rs").split('/').collect();
        path.pop_if(|last| *last == "mod");
        (path != ["lib"]).then_some(Self { path, source })
    }

    fn name(&self) -> &'a str {
        self.path.first().copied().unwrap_or_default()
    }
}

/// Modules that are in no group or in several, and names in the groups that are not modules.
pub(super) fn misplaced(entries: &[String], groups: &[(Group, &[&str])]) -> Vec<String> {
    let named: Vec<&str> = groups.iter().flat_map(|(_, modules)| modules.iter().copied()).collect();
    let count = |entry: &str| named.iter().filter(|name| **name == entry).count();
    let unplaced = entries.iter().filter(|entry| count(entry) != 1).map(|entry| {
        format!(
            "module `{entry}` is in {} groups: put it into one of GROUPS in tests/it/architecture.rs",
            count(entry)
        )
    });
    let gone = named.iter().filter(|name| !entries.iter().any(|entry| entry == *name));
    let gone = gone.map(|name| {
        format!("GROUPS in tests/it/architecture.rs names `{name}`, which is not a module: remove it")
    });
    unplaced.chain(gone).collect()
}

/// Uses that the groups do not allow, and allowances that are not needed.
pub(super) fn against(
    modules: &[Module<'_>],
    groups: &[(Group, &[&str])],
    allowances: &[Allowance],
) -> Vec<String> {
    let group = |name: &str| groups.iter().find(|(_, names)| names.contains(&name)).map(|(group, _)| *group);
    let mut problems = Vec::new();
    let mut needed = BTreeSet::new();
    for module in modules {
        let from = module.name();
        for (to, line) in uses(module) {
            let location = format!("{}:{line}", module.source.path);
            // A module in no group is reported by `misplaced`.
            let is_module = modules.iter().any(|module| module.name() == to);
            let (Some(above), Some(below)) = (group(from), group(&to)) else {
                if !is_module {
                    problems.push(format!(
                        "{location}: `crate::{to}` is not a module: name the module that `{to}` is in"
                    ));
                }
                continue;
            };
            if from == to || above.may_use(below) {
                continue;
            }
            needed.insert((from.to_owned(), to.clone()));
            if !allowances.iter().any(|allowance| allowance.from == from && allowance.to == to) {
                problems.push(format!(
                    "{location}: `{from}` ({above:?}) uses `{to}` ({below:?}): pass it what it needs from above, make that a \
                     noun of its own, or give a reason in ALLOWANCES in tests/it/architecture.rs"
                ));
            }
        }
    }
    for Allowance { from, to, reason } in allowances {
        if reason.is_empty() {
            problems.push(format!("the allowance from `{from}` to `{to}` has no reason: give one"));
        }
        if !needed.contains(&((*from).to_owned(), (*to).to_owned())) {
            problems.push(format!("the allowance from `{from}` to `{to}` is no longer needed: remove it"));
        }
    }
    problems
}

/// The top-level names that a module uses, each with its line.
fn uses(module: &Module<'_>) -> Vec<(String, usize)> {
    let tokens = tokens(&module.source.blanked);
    let mut found = Vec::new();
    // For each open brace, the name of its inline module, or `None`.
    let mut braces: Vec<Option<&str>> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "{" => braces.push(inline_module(&tokens[..at])),
            "}" => {
                braces.pop();
            }
            "crate" | "self" | "super" if at == 0 || tokens[at - 1].text != "::" => {
                let here = module.path.iter().copied().chain(braces.iter().copied().flatten());
                let line = token.line;
                if !module.source.is_test_line(line) {
                    found.extend(targets(&tokens[at..], here.collect()).into_iter().map(|name| (name, line)));
                }
            }
            _ => {}
        }
    }
    found
}

/// The name of the module that the next brace opens, if the tokens before it are `mod NAME`.
fn inline_module<'a>(before: &[Token<'a>]) -> Option<&'a str> {
    match before {
        [.., keyword, name] if keyword.text == "mod" => Some(name.text),
        _ => None,
    }
}

/// The top-level names in a path that starts with `crate`, `self` or `super`, as seen from the module `here`.
fn targets(path: &[Token<'_>], mut here: Vec<&str>) -> Vec<String> {
    let mut rest = path;
    while let [head, after @ ..] = rest {
        match head.text {
            "crate" => here.clear(),
            "super" => {
                here.pop();
            }
            "self" => {}
            _ => break,
        }
        let [separator, after @ ..] = after else { return Vec::new() };
        if separator.text != "::" {
            return Vec::new();
        }
        rest = after;
    }
    if let Some(own) = here.first() {
        return vec![(*own).to_owned()];
    }
    match rest {
        [brace, group @ ..] if brace.text == "{" => heads(group),
        [name, ..] => vec![name.text.to_owned()],
        [] => Vec::new(),
    }
}

/// The first word of each element of a group, up to its closing brace.
fn heads(group: &[Token<'_>]) -> Vec<String> {
    let mut heads = Vec::new();
    let mut depth = 0;
    let mut at_head = true;
    for token in group {
        match token.text {
            "{" => depth += 1,
            "}" if depth == 0 => break,
            "}" => depth -= 1,
            "," => at_head = depth == 0,
            _ if at_head => {
                heads.push(token.text.to_owned());
                at_head = false;
            }
            _ => {}
        }
    }
    heads
}

mod tests {
    use super::{Allowance, Group, Module, against, misplaced, uses};
    use crate::architecture::tree::Source;

    const GROUPS: [(Group, &[&str]); 4] = [
        (Group::FrontDoor, &["client", "config"]),
        (Group::Path, &["run", "extract"]),
        (Group::Stations, &["retry", "provider"]),
        (Group::Nouns, &["row", "fault"]),
    ];

    fn used(path: &str, text: &str) -> String {
        let source = Source::new(path, text);
        let names = uses(&Module::new(path, &source).expect("not the crate itself"));
        names.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn paths_are_followed_to_the_crate() {
        for (path, text, expected) in [
            ("retry.rs", "use crate::row::Row;", "row"),
            ("retry.rs", "use crate::{row::{Row, Field}, fault::Fault, *};", "row fault *"),
            ("retry.rs", "fn a() { crate::run::go(); }", "run"),
            ("retry.rs", "use super::row;", "row"),
            ("retry.rs", "use super::{row, fault};", "row fault"),
            ("retry.rs", "pub(crate) fn a(&self, b: Self) { self.c() }", ""),
            ("retry.rs", "use std::row; use serde::{self, crate_name};", ""),
            ("retry.rs", "mod inner { use super::A; use super::super::row; }", "retry row"),
            ("retry.rs", "mod a { mod b {} use super::B; } use super::row;", "retry row"),
            ("retry.rs", "fn f() { if a { b } } use super::row;", "row"),
            ("admission/mod.rs", "use super::row;", "row"),
            ("admission/bucket.rs", "use super::Need;", "admission"),
            ("admission/bucket.rs", "use super::super::row::Row;", "row"),
            ("admission/bucket.rs", "use self::super::super::row::Row;", "row"),
            ("retry.rs", "// use crate::row;\n/// [`x`](crate::run::x)\nconst A: &str = \"crate::run\";", ""),
            ("retry.rs", "#[cfg(test)]\nmod tests { use crate::provider::Key; }", ""),
        ] {
            assert_eq!(used(path, text), expected, "{path}: {text}");
        }
    }

    fn problems(path: &str, text: &str, allowances: &[Allowance]) -> Vec<String> {
        let source = Source::new(path, text);
        against(&[Module::new(path, &source).expect("not the crate itself")], &GROUPS, allowances)
    }

    #[test]
    fn modules_use_only_lower_groups() {
        for (path, target, is_allowed) in [
            ("client.rs", "config", true),
            ("client.rs", "run", true),
            ("client.rs", "row", true),
            ("run.rs", "client", false),
            ("run.rs", "extract", true),
            ("run.rs", "retry", true),
            ("retry.rs", "retry", true),
            ("retry.rs", "provider", false),
            ("retry.rs", "run", false),
            ("retry.rs", "fault", true),
            ("row.rs", "fault", true),
            ("row.rs", "retry", false),
            ("retry.rs", "Row", false),
        ] {
            let found = problems(path, &format!("use crate::{target}::X;"), &[]);
            assert_eq!(found.is_empty(), is_allowed, "{path} to {target}: {found:?}");
        }
    }

    #[test]
    fn an_allowance_applies_to_one_use_and_only_while_it_is_needed() {
        let allowance = [Allowance { from: "run", to: "config", reason: "the plan" }];
        assert_eq!(problems("run.rs", "use crate::config::Plan;", &allowance), [""; 0]);
        assert_eq!(problems("run.rs", "use crate::config; use crate::client;", &allowance).len(), 1);
        let unneeded = problems("run.rs", "use crate::row;", &allowance);
        assert_eq!(unneeded, ["the allowance from `run` to `config` is no longer needed: remove it"]);
        let unfounded = [Allowance { from: "run", to: "config", reason: "" }];
        assert_eq!(problems("run.rs", "use crate::config::Plan;", &unfounded).len(), 1);
    }

    #[test]
    fn each_module_is_in_one_group_and_each_name_is_a_module() {
        let entries =
            ["client", "config", "run", "extract", "retry", "provider", "row", "fault"].map(str::to_owned);
        assert_eq!(misplaced(&entries, &GROUPS), [""; 0]);
        assert_eq!(misplaced(&entries[1..], &GROUPS).len(), 1);
        assert_eq!(misplaced(&[&entries[..], &["cost".to_owned()]].concat(), &GROUPS).len(), 1);
        let twice: [(Group, &[&str]); 2] = [(Group::Path, &["run"]), (Group::Nouns, &["run"])];
        assert_eq!(misplaced(&["run".to_owned()], &twice).len(), 1);
    }
}
