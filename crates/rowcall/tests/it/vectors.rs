//! The vectors are byte-for-byte copies: their hashes are pinned, so that none is changed to make a test pass.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

const PINNED: [(&str, &str); 13] = [
    ("anthropic_batches.json", "7979f055bdf7f46dc1c07f1e45da06cacfb3981877058a3419f486fc08be1b31"),
    ("anthropic_errors.json", "02f00f5fb81de46b78412c148c488fcb6ef56e24497ce7318f69580f7b171d39"),
    ("anthropic_messages.json", "985807de780f660334b0278f322a910fa31e308623def3d9ef7a68fdddd7712a"),
    ("compat_servers.json", "8fbc31b82f354c9e48e90831c9810a3c4ad8752b929697d8feef1e040b492773"),
    ("gemini_batch.json", "8e05411d672329260a215b44445b10098717ef7c62d92525c8f6b86109a51bf9"),
    ("gemini_errors.json", "e1ca7eb38dae3388b2b9cb5d49824e69b1de3fd27b98ff0586d8fd43277f9706"),
    ("gemini_generate.json", "4cd9d901548b8758a1f2e9a50e861e430f0bc6aeed276e56cbb1c5dc31a4db74"),
    ("openai_batch.json", "d961706e74c05a29e893a716168ac1e0c44aa0253734eda823a1c3c5c30138a1"),
    ("openai_chat.json", "4516b1a2a7e4791ae2162257fc45b4abee0e163a41d0daad5a7c906232a21db8"),
    ("openai_errors.json", "ecd2c86bb1a7263d7e1e543f532f9aa619cb48e1d9f5a4cc87336b834d46748d"),
    ("openai_responses.json", "b8d58931e990e6dc0018ced0f7941d0d74d632fc40b3969b021cf6b1e9c006af"),
    ("retry_and_limits.json", "70631e448986f6eece2527cf1564e71e375cf2a9fd5d878c13d532bae386183c"),
    ("schema_transforms.json", "ba9ac0a02ac94ff09102a52b2778d47a2541aefa188b198eaffb149bda308beb"),
];

#[test]
fn vectors_are_unchanged() {
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
