//! The id of a request in a batch: the batch's tag and the row's key, so that a result shows which batch and row it belongs to.

use crate::identity::Key;

/// How a label begins, which providers show in their lists of batches and files.
pub(super) const PREFIX: &str = "rowcall_";

/// Hexadecimal digits of a tag: no two batches of an account share one by accident.
const DIGITS: usize = 12;

/// A new label for a batch.
pub(super) fn label() -> String {
    format!("{PREFIX}{:0>DIGITS$x}", fastrand::u64(..1 << (4 * DIGITS)))
}

/// The tag in a label.
pub(super) fn tag(label: &str) -> &str {
    label.strip_prefix(PREFIX).unwrap_or(label)
}

/// The id of a row's request: at most 64 letters, digits and `-`, which every provider accepts.
pub(super) fn of(label: &str, key: Key) -> String {
    format!("{}-{key}", tag(label))
}

/// The key in an id, if it is one of this batch.
pub(super) fn key(label: &str, id: &str) -> Option<Key> {
    let digits = id.strip_prefix(tag(label))?.strip_prefix('-')?;
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let bytes = (0..digits.len()).step_by(2).map(byte).collect::<Option<Vec<_>>>()?;
    Key::from_bytes(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_belongs_to_one_batch_and_one_row() {
        let (one, other) = (label(), label());
        assert_ne!(one, other);
        let row = Key::from_bytes(&[0xab; 16]).expect("16 bytes");
        let id = of(&one, row);
        assert!(
            id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
            "{id}"
        );
        assert_eq!(key(&one, &id), Some(row));
        for foreign in [of(&other, row), "row-1".to_owned(), format!("{id}0"), format!("{}-é", tag(&one))] {
            assert_eq!(key(&one, &foreign), None, "{foreign}");
        }
    }
}
