//! The vectors are copies, byte for byte: their hashes are pinned, so that none is changed to fit.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

const PINNED: [(&str, &str); 5] = [
    ("anthropic_messages.json", "985807de780f660334b0278f322a910fa31e308623def3d9ef7a68fdddd7712a"),
    ("openai_chat.json", "4516b1a2a7e4791ae2162257fc45b4abee0e163a41d0daad5a7c906232a21db8"),
    ("openai_errors.json", "ecd2c86bb1a7263d7e1e543f532f9aa619cb48e1d9f5a4cc87336b834d46748d"),
    ("retry_and_limits.json", "70631e448986f6eece2527cf1564e71e375cf2a9fd5d878c13d532bae386183c"),
    ("schema_transforms.json", "ba9ac0a02ac94ff09102a52b2778d47a2541aefa188b198eaffb149bda308beb"),
];

#[test]
fn vectors_are_as_they_were_given() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    assert_eq!(names, PINNED.map(|(name, _)| name), "each file is pinned");
    for (name, pinned) in PINNED {
        let hash = Sha256::digest(fs::read(folder.join(name)).expect("the file can be read"));
        let hash: Vec<_> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash.concat(), pinned, "{name}");
    }
}
