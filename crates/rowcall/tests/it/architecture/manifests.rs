//! Rules for manifests: which of our packages may depend on which, and how many features each may have.

use std::collections::BTreeSet;

const MOST_FEATURES: usize = 4;

/// A package, and which of our packages it may depend on.
#[derive(Debug)]
pub(super) struct Crate {
    pub(super) name: &'static str,
    pub(super) uses: &'static [&'static str],
    /// What its tests may depend on in addition to `uses`.
    pub(super) tests_use: &'static [&'static str],
}

/// Dependencies that the table does not allow, and packages that are not in it. `manifests` are paths with texts.
pub(super) fn against(manifests: &[(String, String)], crates: &[Crate]) -> Vec<String> {
    let mut problems = Vec::new();
    let names: BTreeSet<&str> = manifests.iter().filter_map(|(_, text)| name(text)).collect();
    for (path, text) in manifests {
        let Some(known) = crates.iter().find(|known| name(text) == Some(known.name)) else {
            problems
                .push(format!("{path}: the package is not in CRATES in tests/it/architecture.rs: add it"));
            continue;
        };
        for (section, dependency) in dependencies(text) {
            // A crate names itself where its own tests want features.
            let for_tests = section == "dev-dependencies"
                && (known.tests_use.contains(&dependency) || dependency == known.name);
            if names.contains(dependency) && !known.uses.contains(&dependency) && !for_tests {
                problems.push(format!(
                    "{path}: `{}` may not depend on `{dependency}` in [{section}]: arrows between crates go down only",
                    known.name
                ));
            }
        }
    }
    let gone = crates.iter().filter(|known| !names.contains(known.name));
    problems.extend(
        gone.map(|known| format!("CRATES in tests/it/architecture.rs names `{}`, which is gone", known.name)),
    );
    problems
}

/// Whether a package has too many features; `default` does not count, since it only names others.
pub(super) fn too_many_features((path, text): &(String, String)) -> Option<String> {
    let features =
        entries(text).filter(|(section, key, _)| *section == "features" && *key != "default").count();
    let problem = || format!("{path}: {features} features: keep to {MOST_FEATURES}");
    (features > MOST_FEATURES).then(problem)
}

fn name(text: &str) -> Option<&str> {
    let (_, _, value) = entries(text).find(|(section, key, _)| *section == "package" && *key == "name")?;
    Some(value.trim().trim_matches('"'))
}

/// The dependencies of a manifest, by package name, each with the kind of its section.
fn dependencies(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (section, key, value) in entries(text) {
        let kind_of = |section: &'_ str| -> Option<&'static str> {
            ["dev-dependencies", "build-dependencies", "dependencies"]
                .into_iter()
                .find(|kind| section.ends_with(kind))
        };
        let renamed = |value| -> Option<&str> {
            let (_, after) = str::split_once(value, "package")?;
            after.split('"').nth(1)
        };
        if let Some(kind) = kind_of(section) {
            found.push((kind, renamed(value).unwrap_or(key)));
        } else if let Some((parent, table)) = section.rsplit_once('.')
            && let Some(kind) = kind_of(parent)
        {
            found.push((kind, if key == "package" { value.trim().trim_matches('"') } else { table }));
        }
    }
    found
}

/// The lines `key = value`, each with its section. Only the first part of a dotted key is returned.
fn entries(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut section = "";
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if let Some(heading) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = heading.trim();
            return None;
        }
        let (key, value) = line.split_once('=')?;
        let key = key.split('.').next().unwrap_or(key).trim().trim_matches('"');
        let is_key = !key.is_empty() && key.chars().all(|char| char.is_alphanumeric() || "-_".contains(char));
        is_key.then_some((section, key, value))
    })
}

mod tests {
    use super::{Crate, against, too_many_features};

    const CRATES: [Crate; 2] = [
        Crate { name: "engine", uses: &[], tests_use: &["sim"] },
        Crate { name: "sim", uses: &[], tests_use: &[] },
    ];

    fn problems(engine: &str, sim: &str) -> usize {
        let manifest = |name: &str, rest: &str| {
            (
                format!("crates/{name}/Cargo.toml"),
                format!("[package]\nname = \"{name}\"\nversion.workspace = true\n{rest}"),
            )
        };
        against(&[manifest("engine", engine), manifest("sim", sim)], &CRATES).len()
    }

    #[test]
    fn a_dependency_must_be_in_the_table() {
        for (engine, sim, expected) in [
            ("[dependencies]\nserde = \"1\"\n", "", 0),
            ("[dev-dependencies]\nsim.workspace = true\n", "", 0),
            ("[dependencies]\nsim.workspace = true\n", "", 1),
            ("[dependencies]\nsim = { path = \"../sim\" }\n", "", 1),
            ("[dependencies.sim]\npath = \"../sim\"\n", "", 1),
            ("[dependencies]\nmock = { package = \"sim\", path = \"../sim\" }\n", "", 1),
            ("[dependencies.mock]\npackage = \"sim\"\n", "", 1),
            ("[target.'cfg(unix)'.dependencies]\nsim.workspace = true\n", "", 1),
            ("[build-dependencies]\nsim.workspace = true\n", "", 1),
            ("[features]\nsim = []\n", "", 0),
            ("", "[dev-dependencies]\nengine.workspace = true\n", 1),
        ] {
            assert_eq!(problems(engine, sim), expected, "{engine} {sim}");
        }
    }

    #[test]
    fn table_and_packages_agree() {
        let manifest = |name: &str| (format!("{name}/Cargo.toml"), format!("[package]\nname = \"{name}\"\n"));
        assert_eq!(against(&[manifest("engine")], &CRATES).len(), 1);
        assert_eq!(against(&[manifest("engine"), manifest("sim"), manifest("new")], &CRATES).len(), 1);
    }

    #[test]
    fn features_are_counted() {
        let manifest = |features: &str| {
            ("Cargo.toml".to_owned(), format!("[features]\n{features}[lib]\nname = \"a\"\n"))
        };
        let four = "default = [\"a\"]\na = []\nb = [\n  \"dep:b\",\n]\nc = []\nd = []\n";
        assert_eq!(too_many_features(&manifest(four)), None);
        assert!(too_many_features(&manifest(&format!("{four}e = []\n"))).is_some());
    }
}
