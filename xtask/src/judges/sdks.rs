//! The official SDKs, in pinned versions and a separate environment.

use std::path::PathBuf;

use crate::{Result, venv};

/// The packages and their versions, in pip's format.
const PINS: &str = include_str!("../../judges/requirements.txt");

/// The Python interpreter with the SDKs.
///
/// # Errors
/// If Python or the SDKs are not available.
pub(super) fn python() -> Result<PathBuf> {
    let pins: Vec<&str> = PINS.lines().collect();
    let python = venv::python("venv-judges", &pins);
    python.map_err(|problem| format!("nothing can be checked without the official Python SDKs: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::PINS;

    #[test]
    fn the_sdks_are_pinned_exactly() {
        let pins: Vec<(&str, &str)> = PINS.lines().filter_map(|line| line.split_once("==")).collect();
        let names: Vec<&str> = pins.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["openai", "anthropic", "google-genai", "groq", "together", "mistralai"]);
        assert_eq!(PINS.lines().count(), pins.len());
        for (name, version) in pins {
            let is_exact = version.split('.').all(|part| part.parse::<u32>().is_ok());
            assert!(is_exact && version.split('.').count() == 3, "{name} {version}");
        }
    }
}
