//! The rows and their expected values: a text that contains its row number, and the person that the stub answers
//! with.

use serde::{Deserialize, Serialize};

const NAMES: [&str; 7] = ["Ann", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus"];

/// The value extracted from a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) age: u32,
    pub(crate) occupation: String,
}

/// The text of a row. All are different, so that a client cannot answer one from another.
pub(crate) fn text(row: u64) -> String {
    let name = NAMES.get((row % 7) as usize).unwrap_or(&"Ann");
    format!(
        "[row {row}] My name is {name}, I am {} years old and I work as a software engineer",
        20 + row % 60
    )
}

impl Person {
    /// Whether this is the stub's answer for `row`, of whatever length.
    pub(crate) fn is_of(&self, row: u64) -> bool {
        self.name.strip_prefix("Person ").and_then(|number| number.parse().ok()) == Some(row)
            && u64::from(self.age) == 20 + row % 60
            && self.occupation.starts_with("software engineer")
    }
}

#[cfg(test)]
mod tests {
    use super::Person;

    #[test]
    fn knows_its_row() {
        let person = |name: &str| Person {
            name: name.to_owned(),
            age: 21,
            occupation: "software engineer".to_owned(),
        };
        assert!(person("Person 61").is_of(61));
        assert!(!person("Person 1").is_of(61));
        assert!(!person("Ann").is_of(61));
        assert!(!Person { age: 22, ..person("Person 61") }.is_of(61));
    }
}
